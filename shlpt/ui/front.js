// The address. A choice replaces the entry of the browser's history; another page, a run that is opened and a click on
// a figure add one, so that Back goes to what was seen before.
(() => {
  const SOON = 20000; // ms between a click on a figure and the address that it leads to
  const push = history.pushState.bind(history);
  let clicked = 0;
  let back = null; // the entry that Back led to, until somebody does something
  window.addEventListener("popstate", () => { back = new URLSearchParams(location.search); });
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, () => { back = null; }, true);
  const late = (to) => back && [...back.keys()].some((key) => String(back.getAll(key)) !== String(to.searchParams.getAll(key)));
  window.shlptClicked = () => { clicked = Date.now(); };
  history.pushState = (state, title, url) => {
    const to = new URL(url, location.href);
    if (to.pathname === location.pathname && late(to)) return; // the choices of the page that Back has left
    const runs = (one) => new URLSearchParams(one.search).get("runs");
    const opens = to.pathname !== location.pathname || runs(to) !== runs(location) || Date.now() - clicked < SOON;
    clicked = 0;
    if (opens) push(state, title, url);
    else history.replaceState(state, title, url);
  };
  // Streamlit's menu has sections between a list and its items: read as plain links.
  const menu = () => document.querySelectorAll("[data-testid=stSidebarNav] :is(ul, li):not([role])");
  new MutationObserver(() => menu().forEach((one) => one.setAttribute("role", "none")))
    .observe(document, { childList: true, subtree: true });
})();
