// A figure that somebody draws into: a curve through given places, or the value of one cell of a heat map. The app and
// files have this script. `box.shlptValues` is what was drawn, and `done` is told when the pointer is let go of.
const DRAWABLE = { responsive: true, displayModeBar: false, scrollZoom: false, doubleClick: false };

function inside(box, event) {
  const { xaxis, yaxis } = box._fullLayout, edge = box.getBoundingClientRect();
  const grown = edge.width / box.offsetWidth; // on a projector
  const x = (event.clientX - edge.left) / grown - xaxis._offset, y = (event.clientY - edge.top) / grown - yaxis._offset;
  return { x, y, xaxis, yaxis, there: x >= 0 && y >= 0 && x <= xaxis._length && y <= yaxis._length };
}

const bounded = (value, low, high) => Math.min(Math.max(value, low), high);

function inPoints(value) {
  const whole = Math.round(value) || 0;
  return `${whole > 0 ? "+" : ""}${whole}`.replace("-", "−");
}

const handOf = (box, Plotly, data, done) => (data.kind === "curve" ? curve : cell)(box, Plotly, data, done);

// A place takes the height of the pointer that passes it or stays near it; the first press takes the nearest one.
function curve(box, Plotly, data, done) {
  const places = data.places.slice(data.given), apart = (places.at(-1) - data.places[0]) / (data.places.length - 1);
  let start = null, before = null;
  const show = () => Plotly.restyle(box, { y: [[...data.known, ...box.shlptValues]] }, [0]);
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
    show();
  };
  const end = () => { start = before = null; done(); };
  return { begins: (event) => inside(box, event).there, follow, end, show };
}

// Up is more, down is less.
function cell(box, Plotly, data, done) {
  let from = null;
  const begins = (event) => {
    const { x, y, xaxis, yaxis, there } = inside(box, event);
    return there && Math.round(xaxis.p2d(x)) === data.column && Math.round(yaxis.p2d(y)) === data.row;
  };
  const show = () => {
    const trace = box.data[0], z = trace.z.map((row) => [...row]), text = trace.text.map((row) => [...row]);
    z[data.row][data.column] = box.shlptValues[0];
    text[data.row][data.column] = `${inPoints(box.shlptValues[0])} ?`;
    Plotly.update(box, { z: [z], text: [text] }, { annotations: [] }, [0]);
  };
  const follow = (event) => {
    from ??= { y: event.clientY, value: box.shlptValues[0] };
    const value = from.value + (from.y - event.clientY) * (data.high - data.low) / 320;
    box.shlptValues[0] = bounded(value, data.low, data.high);
    show();
  };
  return { begins, follow, show, end: () => { from = null; done(); } };
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
