// Draws every figure in the reader's theme, and in the light one on paper.
const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const PAPER = 680; // pixels between the margins of a sheet
const svg = { name: "svg", title: "Download as SVG", icon: Plotly.Icons.disk,
              click: (box) => Plotly.downloadImage(box, { format: "svg", filename: box.id }) };
const config = { responsive: true, displaylogo: false, showSendToCloud: false, displayModeBar: "hover",
                 modeBarButtonsToAdd: [svg], modeBarButtonsToRemove: ["select2d", "lasso2d"] };

function draw(theme, width) {
  figures.forEach((looks, place) => {
    const { data, layout } = looks[theme];
    const box = document.getElementById(`figure-${place + 1}`);
    Plotly.react(box, data, { ...layout, autosize: !width, width }, config);
  });
}

const onScreen = () => draw(dark.matches ? "dark" : "light");
const folds = () => document.querySelectorAll("details:not([open])");
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...folds()];
  opened.forEach((fold) => { fold.open = true; });
  draw("light", PAPER);
});
addEventListener("afterprint", () => {
  opened.forEach((fold) => { fold.open = false; });
  onScreen();
});
dark.addEventListener("change", onScreen);
// A figure in a fold has no width before the fold is open.
document.querySelectorAll("details").forEach((fold) => fold.addEventListener("toggle", () =>
  fold.open && fold.querySelectorAll(".js-plotly-plot").forEach((box) => Plotly.Plots.resize(box))));
onScreen();
