// Draws every figure in the reader's theme, and in the light one on paper.
const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const PAPER = 680; // pixels between the margins of a sheet
const svg = { name: "svg", title: "Download as SVG", icon: Plotly.Icons.disk,
              click: (box) => Plotly.downloadImage(box, { format: "svg", filename: box.id }) };
const config = { responsive: true, displaylogo: false, showSendToCloud: false, displayModeBar: "hover",
                 modeBarButtonsToAdd: [svg], modeBarButtonsToRemove: ["select2d", "lasso2d"] };

const boxes = figures.map((_, place) => document.getElementById(`figure-${place + 1}`));

function draw(theme, width) {
  figures.forEach((one, place) => {
    const { data, layout } = one[theme];
    const how = one.guess ? [{ ...layout, dragmode: false }, DRAWABLE] : [layout, config];
    Plotly.react(boxes[place], data, { ...how[0], autosize: !width, width }, how[1]);
  });
  guesses.forEach((guess) => guess.show());
}

// What the reader draws: into its figure, with the sliders below it, and then over the result.
function guessed({ name, values, about }, box) {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const sliders = all(`[data-guess="${name}"] input`), told = all(`[data-guessed="${name}"]`);
  const results = figures.flatMap((one, place) => one.over === name ? [[boxes[place], one.light.data[0].text]] : []);
  const label = box.getAttribute("aria-label");
  let drawn = false;
  box.shlptValues = [...values];

  function written(value) {
    if (about.kind === "cell") return inPoints(value);
    return about.share ? `${Math.round(100 * value)} %` : value.toFixed(2);
  }

  function over(result, text) {
    const line = { y: [[...about.known ?? [], ...box.shlptValues]], showlegend: true };
    if (about.kind === "curve") return Plotly.restyle(result, line, [0]);
    const cells = text.map((row) => [...row]);
    cells[about.row][about.column] += `<br>(you: ${written(box.shlptValues[0])})`;
    return Plotly.restyle(result, { text: [cells] }, [0]);
  }

  function show() {
    const said = box.shlptValues.map(written);
    sliders.forEach((slider, place) => {
      slider.value = box.shlptValues[place];
      slider.ariaValueText = said[place];
      slider.closest("p").querySelector("output").textContent = said[place];
    });
    if (!drawn) return;
    hand.show();
    results.forEach(([result, text]) => over(result, text));
    box.setAttribute("aria-label", `${label} Your guess: ${said.join(", ")}.`);
    told.forEach((one) => {
      one.hidden = false;
      one.querySelectorAll("output").forEach((output) => { output.textContent = said.join(", "); });
    });
  }

  const done = () => { drawn = true; show(); };
  const hand = handOf(box, Plotly, about, done);
  drawable(box, () => hand);
  sliders.forEach((slider, place) => slider.addEventListener("input", () => {
    box.shlptValues[place] = Number(slider.value);
    done();
  }));
  return { show };
}

const guesses = figures.flatMap((one, place) => one.guess ? [guessed(one.guess, boxes[place])] : []);

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
