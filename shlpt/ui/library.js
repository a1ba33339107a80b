// Plotly.js, loaded once for all figures of a page.
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

