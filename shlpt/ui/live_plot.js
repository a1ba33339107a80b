// Draws a plotly figure in place: zoom, legend and hover stay while new numbers come in.
// Plain values only, and nothing that JSON cannot carry.
function picked(event) {
  const point = event.points[0];
  return { x: point.x ?? null, y: point.y ?? null, z: point.z ?? null, curve: point.curveNumber, at: Date.now() };
}

function configured(Plotly, filename) {
  const svg = { name: "svg", title: "Download as SVG", icon: Plotly.Icons.disk,
                click: (figure) => Plotly.downloadImage(figure, { format: "svg", filename }) };
  return { responsive: true, displaylogo: false, showSendToCloud: false, displayModeBar: "hover",
           toImageButtonOptions: { filename }, modeBarButtonsToAdd: [svg],
           modeBarButtonsToRemove: ["sendChartToCloud", "sendDataToCloud", "select2d", "lasso2d"] };
}

// The first shape, a vertical line, follows the pointer. Plotly's own editing of shapes would tilt it. The place is sent
// when it is let go of.
function draggable(box, send) {
  const place = (event) => (event.touches?.[0] ?? event.changedTouches?.[0] ?? event).clientX;
  const at = (event) => {
    const { xaxis } = box._fullLayout;
    const edge = box.getBoundingClientRect(), grown = edge.width / box.offsetWidth; // on a projector
    return { pixel: (place(event) - edge.left) / grown - xaxis._offset, xaxis };
  };
  const near = (event) => {
    const line = box._fullLayout?.shapes?.[0];
    if (!line || event.target.closest?.(".modebar, .legend")) return false;
    const { pixel, xaxis } = at(event);
    return Math.abs(pixel - xaxis.d2p(line.x0)) <= (event.touches ? 22 : 9);
  };
  let held = null, frame = 0;
  const move = (event) => {
    if (held === null) return;
    event.preventDefault();
    const { pixel, xaxis } = at(event);
    held = xaxis.p2d(Math.min(Math.max(pixel, 0), xaxis._length));
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (held === null) return;
      place(box, held, "δ = " + String(Number(held.toPrecision(3))).replace("-", "−"));
    });
  };
  const begin = (event) => {
    if (!near(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held = box._fullLayout.shapes[0].x0;
  };
  const end = (event) => {
    if (held === null) return;
    move(event);
    send({ x: held, at: Date.now() });
    held = null;
  };
  const hint = (event) => { box.classList.toggle("shlpt-holds", held !== null || near(event)); move(event); };
  const heard = [[box, "mousedown", begin], [box, "touchstart", begin], [box, "mousemove", hint],
                 [window, "mousemove", move], [window, "touchmove", move], [window, "mouseup", end],
                 [window, "touchend", end]];
  heard.forEach(([where, name, listen]) => where.addEventListener(name, listen, { capture: true, passive: false }));
  return () => heard.forEach(([where, name, listen]) => where.removeEventListener(name, listen, { capture: true }));
}

// Where nothing has changed, nothing is drawn again; where only that line has moved, nothing else.
async function draw(box, Plotly, { data, layout }) {
  const { shapes: [line, ...shapes] = [], annotations: [label, ...labels] = [], ...rest } = layout;
  const upright = line && label && line.xref === "x" && line.x0 === line.x1 && label.x === line.x0;
  const still = upright && [{ ...line, x0: 0, x1: 0 }, { ...label, x: 0, text: "" }];
  const others = JSON.stringify([data, rest, shapes, labels, still || [line, label]]);
  if (box.shlptOthers === others && (!upright || place(box, line.x0, label.text))) return;
  box.shlptOthers = null;
  await Plotly.react(box, data, layout, box.shlptConfig);
  box.shlptOthers = others;
}

// Move the line and its label. Plotly calculates and draws a figure anew even for a shape.
function place(box, x, text) {
  const drawn = box.querySelector(".shapelayer path[data-index='0']");
  const label = box.querySelector(".annotation[data-index='0']");
  if (!drawn || !label) return false;
  const { xaxis, shapes } = box._fullLayout;
  label.shlptFrom ??= xaxis.d2p(shapes[0].x0);
  const pixel = xaxis.d2p(x);
  for (const layout of [box.layout, box._fullLayout]) { // what a zoom or another size draws
    Object.assign(layout.shapes[0], { x0: x, x1: x });
    Object.assign(layout.annotations[0], { x, text });
  }
  drawn.setAttribute("d", drawn.getAttribute("d").replace(/([ML])[^,]+/g, `$1${xaxis._offset + pixel}`));
  label.setAttribute("transform", `translate(${pixel - label.shlptFrom},0)`);
  label.querySelector("text").textContent = text;
  return true;
}

// A figure is drawn when it is less than a screen away: thirteen on a page would take two seconds before the first is seen.
function nearby(box) {
  const eye = new IntersectionObserver((seen) => {
    box.shlptNear = seen.at(-1).isIntersecting;
    if (box.shlptNear) box.shlptShow();
  }, { root: box.closest("[data-testid=stMain]"), rootMargin: "100% 0px" });
  eye.observe(box);
  const print = () => box.shlptShow();
  window.addEventListener("beforeprint", print);
  return () => { eye.disconnect(); window.removeEventListener("beforeprint", print); };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".shlpt-plot");
  const high = () => box.shlptHeight ?? data.figure.layout.height; // a projector has another height
  const given = () => ({ ...data.figure, layout: { ...data.figure.layout, height: high() } });
  box.style.height = high() + "px"; // before drawing, so that nothing jumps
  box.setAttribute("aria-label", data.alt);
  box.shlptShow = (fits = false) => library(data.plotly).then(async (Plotly) => {
    if (!box.isConnected) return;
    box.shlptConfig ??= configured(Plotly, data.name); // the same object: plotly draws anew where the config is another
    const empty = !data.figure.data.length;
    if (box.shlptEmpty && !empty) { Plotly.purge(box); box.shlptOthers = null; } // else a double click would go back to the axes of the empty figure
    box.shlptEmpty = empty;
    box.style.height = high() + "px"; // a projector may have come since
    await draw(box, Plotly, given());
    if (fits && box.isConnected && box.offsetWidth) Plotly.Plots.resize(box);
    box.removeAllListeners?.("plotly_click");
    if (data.clicks) box.on("plotly_click", (event) => {
      window.shlptClicked?.(); // what it opens is an entry of the browser's history
      setTriggerValue("click", picked(event));
    });
    box.shlptSend = (value) => setTriggerValue("moved", value);
    if (data.moves) box.shlptLine ??= draggable(box, (value) => box.shlptSend(value));
    if (!box.watcher) {
      box.watcher = new ResizeObserver(() => box.isConnected && Plotly.Plots.resize(box));
      box.watcher.observe(parentElement);
    }
  }).catch(() => { box.textContent = data.alt; }); // without the library the sentence is still there
  box.shlptFit = () => box.shlptShow(true); // a projector shows it, wherever it is in the page
  if (box.shlptNear || box.closest("[data-shlpt-projected]")) box.shlptShow();
  box.shlptBlind ??= nearby(box);
  return () => setTimeout(() => {
    if (box.isConnected) return; // only an update
    box.watcher?.disconnect();
    box.shlptBlind?.();
    box.shlptLine?.();
    window.Plotly?.purge(box);
  });
}
