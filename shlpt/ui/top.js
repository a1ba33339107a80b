// Another step begins at its top, also for those who use keys or a screen reader.
export default function ({ data }) {
  const before = window.shlptStep;
  window.shlptStep = data.step;
  if (before === undefined || before === data.step) return;
  document.querySelector("[data-testid=stMain]")?.scrollTo({ top: 0 });
  const heading = document.querySelector("[data-testid=stMain] h2");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}
