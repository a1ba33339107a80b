// The link for students: what the browser's address says now, with the list of controls that are shown.
function link(data) {
  const choices = new URLSearchParams(location.search);
  choices.delete(data.leave);
  choices.set(data.parameter, data.value);
  return `${location.pathname}?${choices}`;
}

async function copy(text, field) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or not a secure context
    field.select();
    if (!document.execCommand("copy")) throw new Error("not copied");
  }
}

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".shlpt-copy");
  const button = box.querySelector("button"), said = box.querySelector("[role=status]");
  const [whole, behind] = box.querySelectorAll("textarea");
  for (const [name, value] of Object.entries(data.colors)) box.style.setProperty(`--${name}`, value);
  const write = () => {
    const path = link(data);
    if (whole.value !== data.home + path) said.textContent = "";
    [whole.value, behind.value] = [data.home + path, path];
  };
  write();
  button.onclick = async () => {
    write();
    try {
      await copy(whole.value, whole);
      said.textContent = "Copied";
    } catch {
      whole.focus();
      whole.select();
      said.textContent = "Not copied: press Ctrl + C";
    }
  };
  for (const field of [whole, behind]) field.onfocus = () => field.select();
  clearInterval(box.shlptSoon); // of an update before this one
  box.shlptSoon = setInterval(() => { // choices come into the address after the page is drawn
    if (box.isConnected) write();
    else clearInterval(box.shlptSoon);
  }, 500);
}
