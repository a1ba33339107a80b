// Draws a plotly figure in place: zoom, legend and hover stay while new numbers come in.
function library(url) {
  if (!window.shlptPlotly) {
    window.shlptPlotly = window.Plotly ? Promise.resolve(window.Plotly) : new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = url;
      script.onload = () => done(window.Plotly);
      script.onerror = () => { window.shlptPlotly = null; failed(new Error("no plotly")); };
      document.head.append(script);
    });
  }
  return window.shlptPlotly;
}

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

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".shlpt-plot");
  box.style.height = data.figure.layout.height + "px"; // before drawing, so that nothing jumps
  box.setAttribute("aria-label", data.alt);
  library(data.plotly).then(async (Plotly) => {
    if (!box.isConnected) return;
    box.shlptConfig ??= configured(Plotly, data.name); // the same object: plotly draws anew where the config is another
    const empty = !data.figure.data.length;
    if (box.shlptEmpty && !empty) Plotly.purge(box); // else a double click would go back to the axes of the empty figure
    box.shlptEmpty = empty;
    await Plotly.react(box, data.figure.data, data.figure.layout, box.shlptConfig);
    box.removeAllListeners?.("plotly_click");
    if (data.clicks) box.on("plotly_click", (event) => {
      window.shlptClicked?.(); // what it opens is an entry of the browser's history
      setTriggerValue("click", picked(event));
    });
    if (!box.watcher) {
      box.watcher = new ResizeObserver(() => box.isConnected && Plotly.Plots.resize(box));
      box.watcher.observe(parentElement);
    }
  }).catch(() => { box.textContent = data.alt; }); // without the library the sentence is still there
  return () => setTimeout(() => {
    if (box.isConnected) return; // only an update
    box.watcher?.disconnect();
    window.Plotly?.purge(box);
  });
}
