// The address. A choice replaces the entry of the browser's history; another page, a run that is opened and a click on
// a figure add one, so that Back goes to what was seen before.
(() => {
  const SOON = 20000; // ms between a click and the address that it leads to
  const push = history.pushState.bind(history);
  let clicked = 0;
  let back = null; // the entry that Back led to, until somebody does something
  let leaving = 0; // when a link to another page was clicked, whose choices may come before its address
  window.addEventListener("popstate", () => { back = new URLSearchParams(location.search); leaving = 0; });
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, () => { back = null; leaving = 0; }, true);
  window.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const here = link && !event.ctrlKey && !event.metaKey && link.origin === location.origin && link.target !== "_blank";
    if (here && link.pathname !== location.pathname) leaving = Date.now();
  }, true);
  const late = (to) => back && [...back.keys()].some((key) => String(back.getAll(key)) !== String(to.searchParams.getAll(key)));
  window.shlptClicked = () => { clicked = Date.now(); };
  history.pushState = (state, title, url) => {
    const to = window.shlptProjector?.address(new URL(url, location.href)) ?? new URL(url, location.href);
    const stays = to.pathname === location.pathname;
    if (stays && (late(to) || Date.now() - leaving < SOON)) return; // the choices of another page
    leaving = 0;
    const runs = (one) => new URLSearchParams(one.search).get("runs");
    const opens = !stays || runs(to) !== runs(location) || Date.now() - clicked < SOON;
    clicked = 0;
    if (opens) push(state, title, to);
    else history.replaceState(state, title, to);
  };
  // Streamlit's menu has sections between a list and its items: read as plain links.
  const menu = () => document.querySelectorAll("[data-testid=stSidebarNav] :is(ul, li):not([role])");
  new MutationObserver(() => menu().forEach((one) => one.setAttribute("role", "none")))
    .observe(document, { childList: true, subtree: true });
})();
