// One figure at a time fills the screen, above everything else; of a lesson also its text, in large type. The figure
// stays where it is in the page: the browser's top layer shows it, so it is updated and can be used as before.
// The place in the address is written here (`front.js` keeps it): the server would answer with an address that may be
// older than the last key. Keys that are pressed while a lesson turns to another step wait until that step is drawn.
const FIGURES = ".shlpt-plot, .shlpt-guess, .shlpt-cockpit, [data-testid=stHtml] img";
const FIELDS = "input, textarea, select, [contenteditable=true], [role=slider], [role=spinbutton], [role=combobox], " +
  "[role=listbox], [role=radio], [role=tab], [role=grid]";
const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const FORWARD = [".st-key-step-next button", ".st-key-guessed button", ".st-key-next-lesson button"];
const HEAD = 64, FOOT = 56, SIDE = 28; // pixels around a figure
const WIDE = 1060, HIGH = 530; // pixels of a figure at its own size
const PAGE = "page";
const LEAVE = "leave";
const READ = 4000; // milliseconds that a message stays
const LOOK = 100; // milliseconds between two looks at the page
const LONGEST = 30000; // milliseconds after which keys do not wait any more
const DRAWN = "[data-testid=stApp][data-test-script-state=notRunning]";

const make = (tag, text, about = {}) => Object.assign(document.createElement(tag), { textContent: text }, about);
const seen = (one) => one.getClientRects().length > 0 && !one.closest("details:not([open])");

function titled(figure) {
  const heads = "h1, h2, h3, [data-testid=stMarkdown] p > strong:first-child";
  const before = [...document.querySelectorAll(`[data-testid=stMain] :is(${heads})`)]
    .filter((one) => one.compareDocumentPosition(figure) & Node.DOCUMENT_POSITION_FOLLOWING && seen(one))
    .filter((one) => one.tagName !== "STRONG" || one.parentElement.firstChild === one && one.parentElement.textContent.length < 70);
  const last = before.at(-1);
  return (last?.tagName === "STRONG" ? last.parentElement : last)?.textContent ?? "";
}

function projector() {
  const root = document.documentElement;
  let data = {}, send = () => {}, at = 0, shown = null, quiet = 0;
  let stepped = false; // until somebody steps, a figure that comes late may take the place that the address names
  let turned = { since: Date.now() }; // the step that a lesson is leaving, since when, and how much is there of the next
  const keys = []; // not yet answered
  const title = make("h2", ""), count = make("span", "", { role: "status" });
  title.className = "shlpt-projector-title";
  const said = make("span", "", { className: "shlpt-projector-said" });
  said.setAttribute("aria-hidden", "true"); // the figure has it as its label
  const button = (text, act) => make("button", text, { type: "button", onclick: act });
  const foot = make("div", "", { className: "shlpt-projector-foot" });
  foot.append(button("‹ Back", () => press(-1)), count, button("Next ›", () => press(1)), said, button("Leave (Esc)", () => press(LEAVE)));
  const frame = make("section", "", { className: "shlpt-projector", popover: "manual" });
  frame.setAttribute("aria-label", "Projector mode");
  frame.append(title, foot);
  document.body.append(frame);

  const slides = () => {
    const figures = [...document.querySelectorAll(FIGURES)].filter((one) => one === shown || seen(one));
    return data.step ? [PAGE, ...figures] : figures;
  };
  const holder = (figure) => figure.closest("[data-testid=stElementContainer]") ?? figure.parentElement;

  function fit(figure) {
    const width = innerWidth - 2 * Math.min(SIDE, innerWidth / 40), height = innerHeight - HEAD - FOOT;
    const grow = Math.min(Math.max(Math.min(width / WIDE, height / HIGH), 1), 3);
    if (figure.matches(".shlpt-cockpit")) {
      figure.style.zoom = Math.max(1, Math.min(grow, height / (figure.scrollHeight || height)));
    } else if (figure.tagName === "IMG") {
      Object.assign(figure.style, { width: `${width}px`, height: `${height}px`, maxWidth: "none", objectFit: "contain" });
    } else {
      figure.shlptHeight = Math.floor(height / grow);
      Object.assign(figure.style, { width: `${Math.floor(width / grow)}px`, transform: `scale(${grow})`, transformOrigin: "0 0" });
      figure.shlptFit?.();
    }
  }

  function put(figure) {
    shown = figure;
    const around = holder(figure);
    around.setAttribute("popover", "manual");
    around.setAttribute("data-shlpt-projected", "");
    for (const [name, value] of Object.entries(data.colors)) around.style.setProperty(`--projector-${name}`, value);
    around.showPopover();
    fit(figure);
  }

  function drop() {
    if (!shown) return;
    const around = holder(shown);
    if (around?.matches(":popover-open")) around.hidePopover();
    around?.removeAttribute("popover");
    around?.removeAttribute("data-shlpt-projected");
    for (const name of ["width", "height", "zoom", "transform", "transformOrigin", "maxWidth", "objectFit"]) shown.style[name] = "";
    delete shown.shlptHeight;
    shown.shlptFit?.();
    shown = null;
  }

  function say(all, one) {
    const text = all.length ? `${all.indexOf(one) + 1} of ${all.length}` : "There is no figure on this page";
    if (Date.now() > quiet && count.textContent !== text) count.textContent = text;
    title.textContent = one && one !== PAGE ? titled(one) : "";
    said.textContent = one && one !== PAGE ? one.getAttribute("aria-label") ?? "" : "";
    const [back, , next] = foot.children;
    back.disabled = all.indexOf(one) <= 0 && !document.querySelector(".st-key-step-back button");
    next.disabled = all.indexOf(one) >= all.length - 1 && !FORWARD.some((name) => document.querySelector(name));
  }

  function place(all) {
    if (stepped && all.includes(shown)) at = all.indexOf(shown);
    return Math.max(0, Math.min(at, all.length - 1));
  }

  function show(to) {
    const all = slides();
    at = to ?? (stepped ? place(all) : at);
    const one = all[Math.min(at, all.length - 1)] ?? null;
    root.dataset.shlptProjector = data.step && (one === PAGE || !one) ? PAGE : "figure";
    if (one !== shown || (shown && !holder(shown).matches(":popover-open"))) {
      drop();
      if (one && one !== PAGE) put(one);
      if (frame.matches(":popover-open")) frame.hidePopover(); // above the figure
    }
    if (!frame.matches(":popover-open")) frame.showPopover();
    say(all, one);
  }

  // What an address says of the place: the one that is shown, whatever the server knows of it.
  function address(to) {
    if (to.searchParams.has(data.parameter)) to.searchParams.set(data.parameter, at + 1);
    return to;
  }

  function keep() {
    history.replaceState(history.state, "", address(new URL(location.href)));
  }

  function press(key) {
    keys.push(key);
    answer();
  }

  function answer() {
    while (keys.length && !turned) {
      const key = keys.shift();
      if (key === LEAVE) return leave();
      step(key);
    }
  }

  // A new step is there when all of it was sent, and two looks find the same figures.
  function arrives() {
    const there = data.step !== turned.step && document.querySelector(DRAWN) ? slides().length + 1 : 0;
    const whole = there && there === turned.there;
    turned.there = there;
    if (whole || Date.now() - turned.since > LONGEST) turned = null;
  }

  // At an end, a lesson goes on to its next or last step.
  function step(by) {
    const all = slides(), to = place(all) + by;
    stepped = true;
    if (to >= 0 && to < all.length) {
      show(to);
      return keep();
    }
    const names = by > 0 ? FORWARD : [".st-key-step-back button"];
    const found = names.map((name) => document.querySelector(name)).find(Boolean);
    if (!found) return;
    if (found.disabled) {
      keys.length = 0;
      show(0);
      count.textContent = "Answer first: the result comes after a guess";
      quiet = Date.now() + READ;
      return;
    }
    drop();
    turned = { step: data.step, since: Date.now() };
    found.click();
    show(0);
    keep();
  }

  function leave() {
    close();
    send("left", Date.now());
  }

  function pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey && event.key !== "Tab") return;
    const field = event.target.closest?.(FIELDS);
    if (event.key === "Escape") {
      if (field) return field.blur();
      event.preventDefault();
      return press(LEAVE);
    }
    if (event.key === "Tab" && shown) return within(event);
    if (field || !(event.key in STEPS)) return;
    event.preventDefault();
    if (!(event.repeat && turned)) press(STEPS[event.key]);
  }

  // What lies below the figure cannot be seen, so keys do not go there.
  function within(event) {
    const some = "a[href], button:not(:disabled), input, [tabindex='0']";
    const all = [...holder(shown).querySelectorAll(some), ...frame.querySelectorAll(some)].filter(seen);
    const place = all.indexOf(document.activeElement) + (event.shiftKey ? -1 : 1);
    event.preventDefault();
    all.at(place % all.length)?.focus();
  }

  function resized() { if (shown) fit(shown); }

  function close() {
    clearInterval(watch);
    drop();
    frame.remove();
    delete root.dataset.shlptProjector;
    window.removeEventListener("keydown", pressed, true);
    window.removeEventListener("resize", resized);
    window.shlptProjector = null;
  }

  window.addEventListener("keydown", pressed, true);
  window.addEventListener("resize", resized);
  const watch = setInterval(() => { // figures come after the page, and some are replaced
    if (shown && !shown.isConnected) shown = null;
    if (turned) arrives();
    show();
    answer();
  }, LOOK);
  return {
    address,
    close,
    update(given, sends) {
      const first = !data.colors;
      [data, send] = [given, sends];
      for (const [name, value] of Object.entries(data.colors)) frame.style.setProperty(`--projector-${name}`, value);
      if (first) at = Math.max(0, data.at - 1);
      show();
    },
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const mark = parentElement.querySelector(".shlpt-projector-mark");
  window.shlptProjector ??= projector();
  window.shlptProjector.update(data, setTriggerValue);
  return () => setTimeout(() => { if (!mark.isConnected) window.shlptProjector?.close(); });
}
