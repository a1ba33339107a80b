// The figure of a guess on a page. What was drawn is sent to the server; the sliders beside it do the same with keys.
export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".shlpt-guess");
  const high = () => box.shlptHeight ?? data.figure.layout.height; // a projector has another height
  box.style.height = high() + "px"; // before drawing, so that nothing jumps
  box.setAttribute("aria-label", data.alt);
  box.shlptValues = [...data.values];
  library(data.plotly).then(async (Plotly) => {
    if (!box.isConnected) return;
    const draw = () => Plotly.react(box, data.figure.data, { ...data.figure.layout, height: high(), dragmode: false }, DRAWABLE);
    box.shlptFit = async () => {
      box.style.height = high() + "px";
      await draw();
      if (box.isConnected && box.offsetWidth) Plotly.Plots.resize(box);
    };
    box.style.height = high() + "px"; // a projector may have come since
    await draw();
    const done = () => setTriggerValue("drawn", { values: [...box.shlptValues], at: Date.now() });
    box.shlptHand = handOf(box, Plotly, data, done);
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
