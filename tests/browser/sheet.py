"""The contact sheet of the README: `python tests/browser/sheet.py` opens every page, wide and narrow, light and dark,
and writes docs/pages.png. It shows the recorded results and a finished run of the demonstration.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from conftest import BROWSERS, FLAGS, Server, Visit  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from shlpt.results.recorded import recorded  # noqa: E402
from shlpt.ui.navigation import PAGES  # noqa: E402

WIDE, NARROW = (1440, 1600), (390, 1600)
CELL, GAP, COLORS = 300, 10, 96


def pictures(browser: Any, server: Server, folder: Path) -> list[Image.Image]:
    """Every page, four times; the originals go to `folder`."""
    store = recorded()
    demo = "" if store is None else f"?runs={store.value('SELECT id FROM runs ORDER BY created DESC LIMIT 1')}"
    found = []
    for entry in PAGES:
        address = "" if entry.default else entry.url + (demo if entry.url == "live" else "")
        for width, scheme in ((1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")):
            one = Visit(browser, server, address, scheme=scheme, width=width)
            one.page.wait_for_timeout(2500)
            one.assert_whole()
            image = Image.open(io.BytesIO(one.page.screenshot()))
            image.save(folder / f"{entry.url}-{width}-{scheme}.png")
            found.append(image)
            one.close()
    return found


def sheet(images: list[Image.Image]) -> Image.Image:
    """Four pictures of a page side by side, two pages in a row."""
    rows = []
    for start in range(0, len(images), 4):
        scaled = [
            i.resize((CELL if i.width > i.height * 0.5 else CELL * 390 // 1440, CELL * WIDE[1] // WIDE[0]))
            for i in images[start : start + 4]
        ]
        row = Image.new("RGB", (sum(i.width + GAP for i in scaled), scaled[0].height), "#8a93a3")
        x = 0
        for image in scaled:
            row.paste(image, (x, 0))
            x += image.width + GAP
        rows.append(row)
    width, height = 2 * rows[0].width, rows[0].height + GAP
    found = Image.new("RGB", (width, -(-len(rows) // 2) * height), "#8a93a3")
    for place, row in enumerate(rows):
        found.paste(row, (place % 2 * rows[0].width, place // 2 * height))
    return found.quantize(COLORS)


def main() -> None:
    path = next(found for name in BROWSERS if (found := shutil.which(name)))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    server = Server(Path(tempfile.mkdtemp()))
    server.start()
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path, args=FLAGS)
            sheet(pictures(browser, server, folder)).save(ROOT / "docs" / "pages.png", optimize=True)
    finally:
        server.kill()
    print(f"docs/pages.png; the originals are in {folder}")


if __name__ == "__main__":
    main()
