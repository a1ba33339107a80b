"""The picture of the README: `python tests/browser/picture.py` writes docs/app.png, 1440 pixels wide.

It shows a recorded run on the Live page. The window is narrower than the picture, so that its text stays legible.
"""

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from conftest import BROWSERS, FLAGS, Server, Visit  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from shlpt.results import frames  # noqa: E402
from shlpt.results.recorded import recorded  # noqa: E402

WIDTH, HEIGHT, SCALE = 1152, 1180, 1.25


def run() -> str:
    """SHLPT on the demonstration."""
    store = recorded()
    assert store is not None
    found = frames.runs(store)
    return str(found.loc[(found["method"] == "shlpt") & (found["tasks"].map(len) == 4), "id"].iloc[0])


def main() -> None:
    path = next(found for name in BROWSERS if (found := shutil.which(name)))
    file = ROOT / "docs" / "app.png"
    server = Server(Path(tempfile.gettempdir()) / "shlpt")  # the page shows the name of this folder
    server.start()
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path, args=FLAGS)
            profile = browser.new_context(device_scale_factor=SCALE)
            one = Visit(profile, server, f"live?runs={run()}", width=WIDTH)
            one.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            one.page.wait_for_timeout(2500)
            one.assert_whole()
            one.page.screenshot(path=file)
    finally:
        server.kill()
    print(f"{file}: {file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
