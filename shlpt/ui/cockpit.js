// The parts of the Live page that move: the strip of stations, the pool with its ribbons, and texts with their answers.
// Each is updated in place: what is focused, open or hovered over stays while new numbers come in.
const NS = "http://www.w3.org/2000/svg";
const TWEEN = 500; // milliseconds from one step's widths to the next ones
const FRAME = 40; // milliseconds between two pictures of that: ribbons are no game
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const mi = (name) => `<mi>${name}</mi>`, mo = (name) => `<mo stretchy="false">${name}</mo>`;
const sub = (a, b) => `<msub>${a}${b}</msub>`, hat = (a, what = "^") => `<mover>${a}${mo(what)}</mover>`;
const frac = (a, b) => `<mfrac><mrow>${a}</mrow><mrow>${b}</mrow></mfrac>`;
const math = (inside) => `<math display="inline">${inside}</math>`;
const power = (j) => `<msup>${mi("e")}<mrow>${hat(mi("X"), "~")}<msup>${hat(mi("P"))}${mi(j)}</msup>${mo("/")}${mi("τ")}</mrow></msup>`;
const MATH = {
  3: math(`${hat(mi("X"), "~")}${mo("=")}${mi("LayerNorm")}${mo("(")}${mi("SiLU")}${mo("(")}${hat(mi("X"))}${sub(mi("W"), mi("down"))}${mo(")")}${sub(mi("W"), mi("up"))}${mo(")")}`),
  4: math(`${sub(mi("α"), mi("i"))}${mo("=")}${frac(power("i"), `<msub>${mo("∑")}<mrow>${mi("j")}${mo("&lt;")}${mi("t")}</mrow></msub>${power("j")}`)}`),
  5: math(`${sub(mi("α"), mi("i"))}${mo("&gt;")}${mi("δ")}`),
  6: math(`${mi("P")}${mo("(")}${mi("X")}${mo(")")}${mo("=")}${mo("∑")}${sub(hat(mi("α"), "~"), mi("j"))}<msup>${mi("P")}${mi("j")}</msup>${mo("+")}<msup>${mi("P")}${mi("t")}</msup>`),
  7: math(`${sub(hat(mi("α"), "~"), mi("i"))}${mo("=")}${frac(sub(hat(mi("α")), mi("i")), `${mo("∑")}${sub(hat(mi("α")), mi("j"))}`)}`),
};

function make(tag, set = {}, ...inside) {
  const one = tag.startsWith("svg:") ? document.createElementNS(NS, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(set)) put(one, name, value);
  one.append(...inside);
  return one;
}

function put(one, name, value) { // only what has changed, so that nothing is drawn or read out anew
  if (value === null || value === undefined || value === false) one.removeAttribute(name);
  else if (one.getAttribute(name) !== String(value)) one.setAttribute(name, value);
}

function say(one, text) { if (one.textContent !== text) one.textContent = text; }

// --- the strip of stations -----------------------------------------------------------------
function strip(box, data, send) {
  const names = data.stations.map((one) => one.name).join("\n");
  if (box.shlptNames !== names) {
    box.shlptNames = names;
    const list = make("ol", { class: "shlpt-stations", "aria-label": "Tasks in their order" });
    for (const one of data.stations) {
      const button = make("button", { type: "button", class: "shlpt-station", "data-task": one.name },
        make("span", { class: "shlpt-mark", "aria-hidden": "true" }), make("span", { class: "shlpt-name" }),
        make("span", { class: "shlpt-said" }), make("span", { class: "shlpt-bar" }, make("i")));
      if (!one.fixed) button.onclick = () => box.shlptSend({ task: one.name, at: Date.now() });
      list.append(make("li", {}, button));
    }
    box.replaceChildren(list, make("p", { class: "shlpt-story", role: "status" }));
  }
  box.shlptSend = (value) => send("station", value);
  const buttons = box.querySelectorAll(".shlpt-station");
  data.stations.forEach((one, place) => {
    const button = buttons[place];
    put(button, "data-state", one.state);
    put(button, "aria-pressed", one.fixed ? null : String(one.chosen));
    put(button, "disabled", one.fixed ? "" : null);
    put(button, "title", one.label);
    put(button, "style", `--task: ${one.color}`);
    say(button.querySelector(".shlpt-name"), one.label);
    say(button.querySelector(".shlpt-said"), one.said);
    put(button.querySelector(".shlpt-bar i"), "style", `transform: scaleX(${one.share})`); // laid out once
    if (one.chosen && box.shlptChosen !== one.name) {
      box.shlptChosen = one.name;
      const list = button.parentElement.parentElement;
      list.scrollLeft = button.offsetLeft - list.clientWidth / 2; // never the page
    }
  });
  const story = box.querySelector(".shlpt-story");
  put(story, "data-outcome", data.outcome);
  put(story, "aria-live", data.outcome ? "polite" : "off"); // the verdict is read out, not each step
  say(story, data.story);
}

// --- the pool ------------------------------------------------------------------------------
function pool(box, data) {
  const found = data.items.map((one) => one.name).join("\n") + data.kind + data.of;
  if (box.shlptFound !== found) rebuilt(box, data, found);
  const state = box.shlptState;
  state.data = data;
  put(box.querySelector(".shlpt-pool"), "aria-label", data.alt);
  put(box.querySelector(".shlpt-pool"), "data-moving", data.moving ? "" : null);
  put(box.querySelector(".shlpt-pool"), "style", `height: ${data.height}px`);
  say(box.querySelector(".shlpt-pool-title"), data.title);
  say(box.querySelector(".shlpt-legend"), data.legend);
  const node = box.querySelector(".shlpt-node");
  say(node.querySelector("b"), data.of);
  [...node.querySelectorAll("span")].forEach((line, place) => say(line, data.node[place] ?? ""));
  data.items.forEach((one, place) => {
    const label = state.labels[place];
    put(label, "data-side", one.side);
    put(label, "title", one.title);
    put(label, "aria-label", one.clicks ? `${one.title}. Opens equations 3 to 7 with the numbers of this step` : null);
    say(label.querySelector(".shlpt-name"), one.label);
    say(label.querySelector(".shlpt-value"), one.value);
    const meter = label.querySelector(".shlpt-meter");
    meter.hidden = one.low === null || one.low === undefined;
    if (!meter.hidden) {
      put(meter, "style", `--from: ${100 * one.low}%; --to: ${100 * (one.high - one.low)}%; --at: ${100 * one.width}%; `
        + `--delta: ${100 * Math.min(1, data.delta ?? 0)}%`);
    }
    put(state.shapes[place].group, "data-side", one.side);
  });
  aim(box);
  if (state.open !== null) panel(box, state.open);
}

function rebuilt(box, data, found) {
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset?.source : null;
  box.shlptFound = found;
  const svg = make("svg:svg", { "aria-hidden": "true" });
  const labels = data.items.map((one) => {
    const tag = one.clicks ? "button" : "div";
    const label = make(tag, { class: "shlpt-source", "data-source": one.name, style: `--task: ${one.color}` },
      make("span", { class: "shlpt-name" }), make("span", { class: "shlpt-value" }),
      make("span", { class: "shlpt-meter", "aria-hidden": "true" }, make("i"), make("b"), make("u")));
    if (one.clicks) {
      label.type = "button";
      label.onclick = () => panel(box, one.name, true);
    }
    return label;
  });
  const shapes = data.items.map((one) => {
    const area = make("svg:path", { class: "shlpt-area" }), flow = make("svg:path", { class: "shlpt-flow" });
    const bent = make("svg:path", { class: "shlpt-bent" }), tip = make("svg:path", { class: "shlpt-tip" });
    const hit = make("svg:path", { class: "shlpt-hit", "data-ribbon": one.name });
    const group = make("svg:g", { class: "shlpt-ribbon" }, area, flow, bent, tip, hit);
    if (one.clicks) {
      group.classList.add("shlpt-clicks");
      group.onclick = () => panel(box, one.name, true);
    }
    svg.append(group);
    return { group, area, flow, bent, tip, hit };
  });
  const node = make("div", { class: "shlpt-node" }, make("b"), make("span"), make("span"), make("span"));
  const stage = make("div", { class: "shlpt-pool", role: "group" }, svg, ...labels, node,
    make("div", { class: "shlpt-panel", role: "dialog", tabindex: "-1", hidden: "" }));
  box.replaceChildren(make("div", { class: "shlpt-pool-title" }), stage, make("p", { class: "shlpt-legend" }));
  const kept = box.shlptState?.open ?? null;
  const open = data.items.some((one) => one.name === kept && one.clicks) ? kept : null;
  clearTimeout(box.shlptState?.frame);
  box.shlptState = { labels, shapes, data, open, now: null, frame: 0 };
  box.shlptSize?.disconnect();
  box.shlptSize = new ResizeObserver(() => { if (box.isConnected) draw(box, box.shlptState.now ?? targets(box)); });
  box.shlptSize.observe(stage);
  if (focused) labels.find((one) => one.dataset.source === focused)?.focus();
}

const targets = (box) => box.shlptState.data.items.map((one) => ({
  width: one.width, push: one.push, away: one.side === "dissimilar" ? 1 : 0 }));

// From the widths on screen to the newest ones.
function aim(box) {
  const state = box.shlptState, goal = targets(box), from = state.now ?? goal, begin = performance.now();
  clearTimeout(state.frame);
  if (!state.now || calm() || document.hidden) return draw(box, goal);
  const move = () => {
    if (!box.isConnected) return;
    const share = Math.min(1, (performance.now() - begin) / TWEEN), eased = 1 - (1 - share) ** 3;
    draw(box, goal.map((one, place) => Object.fromEntries(Object.keys(one).map((key) =>
      [key, from[place][key] + eased * (one[key] - from[place][key])]))));
    if (share < 1) state.frame = setTimeout(move, FRAME);
  };
  state.frame = setTimeout(move, FRAME);
}

// Where everything is, from the widths: labels on the left, the new prompt on the right, ribbons between them.
function draw(box, values) {
  const state = box.shlptState, stage = box.querySelector(".shlpt-pool");
  const width = stage.clientWidth, height = stage.clientHeight, small = width < 480;
  state.now = values;
  const left = small ? 142 : Math.min(210, width * 0.36), right = small ? 92 : 150;
  const count = values.length, slot = height / Math.max(1, count), x0 = left + 8, x1 = width - right - 8;
  const middle = height / 2, tall = Math.min(150, height * 0.45), reach = x1 - x0;
  put(stage.querySelector("svg"), "viewBox", `0 0 ${width} ${height}`);
  stage.style.setProperty("--drawn", `${width}px`); // on paper it is as wide as on the screen
  put(stage.querySelector(".shlpt-node"), "style",
    `--task: ${state.data.color}; left: ${x1}px; width: ${right}px; top: ${middle - tall / 2 - 14}px; height: ${tall + 28}px`);
  const whole = values.reduce((sum, one) => sum + (1 - one.away) * one.width, 0) * tall;
  let at = middle - whole / 2;
  values.forEach((one, place) => {
    const { area, flow, bent, tip, hit } = state.shapes[place], y = slot * (place + 0.5);
    const label = state.labels[place];
    label.style.top = `${y - Math.min(slot, 46) / 2}px`;
    label.style.height = `${Math.min(slot, 46)}px`;
    label.style.width = `${left}px`;
    label.toggleAttribute("data-tight", slot < 40);
    const thick = one.width * tall, start = Math.max(1.5, Math.min(thick, slot * 0.84)) / 2;
    const end = Math.max(0.75, thick / 2), to = at + (1 - one.away) * thick / 2, half = x0 + reach * 0.5;
    at += (1 - one.away) * thick;
    const line = `C${half} ${y} ${half} ${to} ${x1} ${to}`;
    const mixed = one.away < 0.5;
    put(area, "d", mixed ? `M${x0} ${y - start}C${half} ${y - start} ${half} ${to - end} ${x1} ${to - end}V${to + end}`
      + `C${half} ${to + end} ${half} ${y + start} ${x0} ${y + start}Z` : "");
    put(flow, "d", mixed && one.width > 0.02 ? `M${x0} ${y}${line}` : "");
    const side = y <= middle ? -1 : 1, strength = Math.sqrt(Math.max(0, one.push));
    const xe = x0 + reach * (0.7 - 0.3 * strength), bend = 12 + 64 * strength;
    const ye = Math.min(height - 12, Math.max(12, y + side * bend * one.away));
    const px = x1 - 14 - 0.12 * reach * strength, py = y + 0.45 * (middle - y);
    const path = `M${x0} ${y}C${x0 + reach * 0.45} ${y} ${px} ${py} ${xe} ${ye}`;
    put(bent, "d", mixed ? "" : path);
    put(bent, "stroke-width", Math.max(2.5, 2 * start));
    put(tip, "d", mixed ? "" : arrow(xe, ye, Math.atan2(ye - py, xe - px), Math.max(6, start + 4)));
    put(hit, "d", mixed ? `M${x0} ${y}${line}` : path);
    put(hit, "stroke-width", Math.max(18, 2 * Math.min(start, end)));
  });
}

function arrow(x, y, angle, size) {
  const point = (turn, far) => `${x + far * Math.cos(angle + turn)} ${y + far * Math.sin(angle + turn)}`;
  return `M${point(0, 1.5 * size)}L${point(2, size)}L${point(-2, size)}Z`;
}

// --- equations 3 to 7 ----------------------------------------------------------------------
function panel(box, name, byHand = false) {
  const state = box.shlptState, shown = box.querySelector(".shlpt-panel"), found = state.data.equations[name];
  state.open = found ? name : null;
  shown.hidden = !found;
  if (!found) return;
  if (shown.dataset.of !== name || !shown.firstChild) {
    shown.dataset.of = name;
    const close = make("button", { type: "button", class: "shlpt-close", "aria-label": "Close" }, "✕");
    const back = () => { panel(box, null); state.labels.find((one) => one.dataset.source === name)?.focus(); };
    close.onclick = back;
    shown.onkeydown = (event) => { if (event.key === "Escape") { event.stopPropagation(); back(); } };
    const lines = make("dl", {});
    for (const line of found.lines) {
      const formula = make("span", { class: "shlpt-math" });
      formula.innerHTML = MATH[line.number]; // of this file
      lines.append(make("dt", {}, `(${line.number}) `, formula), make("dd", { "data-equation": line.number }));
    }
    const scroll = make("div", { class: "shlpt-numbers", tabindex: "0", role: "region", "aria-label": "All earlier tasks" }, make("table", {}));
    shown.replaceChildren(close, make("strong", {}), make("q", {}), lines, scroll);
  }
  put(shown, "aria-label", found.title);
  say(shown.querySelector("strong"), found.title);
  const quote = shown.querySelector("q");
  quote.hidden = !found.text;
  say(quote, found.text);
  shown.querySelectorAll("dd").forEach((one, place) => say(one, found.lines[place].said));
  filled(shown.querySelector("table"), state.data.table, name);
  if (byHand) shown.focus({ preventScroll: true });
}

function filled(table, data, chosen) {
  const key = data.rows.map((row) => row.name).join("\n") + data.head.join();
  if (table.dataset.key !== key) {
    table.dataset.key = key;
    const head = make("tr", {}, ...data.head.map((text) => make("th", { scope: "col" }, text)));
    const rows = data.rows.map((row) => make("tr", { "data-row": row.name },
      make("th", { scope: "row" }, row.label), ...row.cells.map(() => make("td"))));
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  }
  table.querySelectorAll("tbody tr").forEach((line, place) => {
    line.toggleAttribute("data-chosen", data.rows[place].name === chosen);
    line.querySelectorAll("td").forEach((cell, number) => say(cell, data.rows[place].cells[number]));
  });
}

// --- texts and answers ---------------------------------------------------------------------
function texts(box, data) {
  if (box.shlptCount !== data.rows.length) {
    box.shlptCount = data.rows.length;
    const rows = data.rows.map(() => make("li", {}, make("span", { class: "shlpt-right" }),
      make("span", { class: "shlpt-answer" }, make("b"), make("u")), make("span", { class: "shlpt-text" }), make("span", { class: "shlpt-course" })));
    box.replaceChildren(make("div", { class: "shlpt-pool-title" }), make("ul", { class: "shlpt-texts" }, ...rows));
  }
  say(box.querySelector(".shlpt-pool-title"), data.title);
  box.querySelectorAll("li").forEach((line, place) => {
    const one = data.rows[place], [mark, answer, text, course] = line.children;
    put(line, "data-right", one.right ? "" : null);
    say(mark, one.mark);
    put(mark, "aria-label", one.said);
    put(mark, "role", "img");
    say(answer.children[0], one.answer);
    say(answer.children[1], one.wanted ? ` · wanted ${one.wanted}` : "");
    put(line, "title", one.title);
    say(text, one.text);
    put(course, "role", one.course.length ? "img" : null);
    put(course, "aria-label", one.course.length ? one.history : null);
    while (course.children.length > one.course.length) course.lastChild.remove();
    while (course.children.length < one.course.length) course.append(make("i"));
    one.course.forEach((right, number) => put(course.children[number], "data-right", right ? "" : null));
  });
}

const PARTS = { strip, pool, texts };

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".shlpt-cockpit");
  Object.entries(data.colors).forEach(([name, color]) => box.style.setProperty(`--${name}`, color));
  box.dataset.part = data.part;
  PARTS[data.part](box, data, setTriggerValue);
  return () => setTimeout(() => {
    if (box.isConnected) return; // only an update
    clearTimeout(box.shlptState?.frame);
    box.shlptSize?.disconnect();
  });
}
