// A figure that somebody draws into: a curve through given places, or the value of one cell of a heat map. What was drawn
// is sent when the pointer is let go of. The sliders beside it do the same with keys.
const CONFIG = { responsive: true, displayModeBar: false, scrollZoom: false, doubleClick: false };

function inside(box, event) {
  const { xaxis, yaxis } = box._fullLayout, edge = box.getBoundingClientRect();
  const grown = edge.width / box.offsetWidth; // on a projector
  const x = (event.clientX - edge.left) / grown - xaxis._offset, y = (event.clientY - edge.top) / grown - yaxis._offset;
  return { x, y, xaxis, yaxis, there: x >= 0 && y >= 0 && x <= xaxis._length && y <= yaxis._length };
}

const bounded = (value, low, high) => Math.min(Math.max(value, low), high);

// A place takes the height of the pointer that passes it or stays near it; the first press takes the nearest one.
function curve(box, Plotly, data, send) {
  const places = data.places.slice(data.given), apart = (places.at(-1) - data.places[0]) / (data.places.length - 1);
  let start = null, before = null;
  const follow = (event) => {
    const { x, y, xaxis, yaxis } = inside(box, event), values = box.shlptValues;
    const now = { x: xaxis.p2d(bounded(x, 0, xaxis._length)), y: bounded(yaxis.p2d(y), data.low, data.high) };
    start ??= now;
    const nearest = places.reduce((best, place, k) => Math.abs(place - now.x) < Math.abs(places[best] - now.x) ? k : best, 0);
    const stays = Math.abs(now.x - start.x) < apart / 5;
    if (stays || Math.abs(places[nearest] - now.x) < apart / 10) values[nearest] = now.y;
    if (before) places.forEach((place, k) => {
      const [a, b] = before.x < now.x ? [before, now] : [now, before];
      if (place > a.x && place < b.x) values[k] = a.y + (b.y - a.y) * (place - a.x) / (b.x - a.x);
    });
    before = now;
    Plotly.restyle(box, { y: [[...data.known, ...values]] }, [0]);
  };
  const end = () => { start = before = null; send({ values: [...box.shlptValues], at: Date.now() }); };
  return { begins: (event) => inside(box, event).there, follow, end };
}

// Up is more, down is less.
function cell(box, Plotly, data, send) {
  let from = null;
  const begins = (event) => {
    const { x, y, xaxis, yaxis, there } = inside(box, event);
    return there && Math.round(xaxis.p2d(x)) === data.column && Math.round(yaxis.p2d(y)) === data.row;
  };
  const follow = (event) => {
    from ??= { y: event.clientY, value: box.shlptValues[0] };
    const value = bounded(from.value + (from.y - event.clientY) * (data.high - data.low) / 320, data.low, data.high);
    box.shlptValues[0] = value;
    const trace = box.data[0], z = trace.z.map((row) => [...row]), text = trace.text.map((row) => [...row]);
    z[data.row][data.column] = value;
    const whole = Math.round(value) || 0;
    text[data.row][data.column] = `${whole > 0 ? "+" : ""}${whole}`.replace("-", "−") + " ?";
    Plotly.update(box, { z: [z], text: [text] }, { annotations: [] }, [0]);
  };
  return { begins, follow, end: () => { from = null; send({ values: [...box.shlptValues], at: Date.now() }); } };
}

function drawable(box, hand) {
  let held = false;
  const begin = (event) => {
    if (event.button > 0 || !hand().begins(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held = true;
    hand().follow(event);
  };
  const move = (event) => { if (held) { event.preventDefault(); hand().follow(event); } };
  const end = () => { if (held) { held = false; hand().end(); } };
  const heard = [[box, "pointerdown", begin], [window, "pointermove", move], [window, "pointerup", end],
                 [window, "pointercancel", end]];
  heard.forEach(([where, name, listen]) => where.addEventListener(name, listen, { capture: true }));
  // Plotly listens to the mouse too, and would zoom.
  const still = (event) => { if (held) event.stopImmediatePropagation(); };
  ["mousedown", "touchstart"].forEach((name) => box.addEventListener(name, still, { capture: true }));
  return () => {
    heard.forEach(([where, name, listen]) => where.removeEventListener(name, listen, { capture: true }));
    ["mousedown", "touchstart"].forEach((name) => box.removeEventListener(name, still, { capture: true }));
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".shlpt-guess");
  const high = () => box.shlptHeight ?? data.figure.layout.height; // a projector has another height
  box.style.height = high() + "px"; // before drawing, so that nothing jumps
  box.setAttribute("aria-label", data.alt);
  box.shlptValues = [...data.values];
  library(data.plotly).then(async (Plotly) => {
    if (!box.isConnected) return;
    const draw = () => Plotly.react(box, data.figure.data, { ...data.figure.layout, height: high(), dragmode: false }, CONFIG);
    box.shlptFit = async () => {
      box.style.height = high() + "px";
      await draw();
      if (box.isConnected && box.offsetWidth) Plotly.Plots.resize(box);
    };
    box.style.height = high() + "px"; // a projector may have come since
    await draw();
    const send = (value) => setTriggerValue("drawn", value);
    box.shlptHand = (data.kind === "curve" ? curve : cell)(box, Plotly, data, send);
    if (!data.still) box.shlptDrawable ??= drawable(box, () => box.shlptHand);
    if (!box.watcher) {
      box.watcher = new ResizeObserver(() => box.isConnected && Plotly.Plots.resize(box));
      box.watcher.observe(parentElement);
    }
  }).catch(() => { box.textContent = data.alt; }); // without the library the sentence and the sliders are still there
  return () => setTimeout(() => {
    if (box.isConnected) return; // only an update
    box.watcher?.disconnect();
    box.shlptDrawable?.();
    window.Plotly?.purge(box);
  });
}
