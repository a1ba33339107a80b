"""Every page opens by its address alone, in light and dark, on a wide screen and on a phone, for eyes and for keys."""

import time
from typing import Any

import axe
import pytest

from shlpt.results.recorded import recorded
from shlpt.ui.navigation import PAGES

ADDRESSES = ["", *(entry.url for entry in PAGES)]
# Each control gets a number, a group of buttons one for all: arrow keys move inside. What cannot be used now, is
# hidden or lies in a table or figure does not count.
NUMBERED = """() => {
    const kinds = ['button', 'input', 'textarea', 'a[href]', '[role=slider]'];
    const every = document.querySelectorAll(kinds.map((kind) => `[data-testid=stMain] ${kind}`).join());
    const inside = '[disabled], .js-plotly-plot, [data-testid=stElementToolbar], [data-testid=stDataFrame]';
    const usable = (one) => !one.disabled && one.tabIndex >= -1 && one.offsetParent && !one.closest(inside)
        && !one.closest('details:not([open]) > :not(summary)') && getComputedStyle(one).visibility !== 'hidden';
    const groups = new Map();
    for (const one of [...every].filter(usable)) {
        const group = one.closest('[data-testid=stButtonGroup]') ?? one;
        if (group === one && one.tabIndex < 0) continue;
        if (!groups.has(group)) groups.set(group, groups.size);
        one.dataset.place = groups.get(group);
    }
    window.shlptFocused = new Set();
    addEventListener('focusin', (event) => window.shlptFocused.add(Number(event.target.dataset.place ?? -1)));
    return [...groups.values()];
}"""
CUT = """[...document.querySelectorAll('.shlpt-name, .shlpt-station .shlpt-said, .shlpt-pool-title')]
    .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"""
# A figure is drawn when it comes near the screen. Closed parts of a page have none on it.
EACH_DRAWN = """async () => {
    const open = [...document.querySelectorAll('[data-testid=stMain] .shlpt-plot')]
        .filter((box) => box.offsetParent && !box.closest('details:not([open])'));
    for (const box of open) {
        box.scrollIntoView();
        for (let n = 0; n < 100 && !box.querySelector('.main-svg'); n++) await new Promise((go) => setTimeout(go, 100));
    }
    document.querySelector('[data-testid=stMain]').scrollTo(0, 0);
    return open.filter((box) => !box.querySelector('.main-svg')).length;
}"""
SENTENCES = "[...document.querySelectorAll('.shlpt-plot')].map(box => box.getAttribute('aria-label') ?? '')"


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_opens_by_its_address(visit: Any, address: str) -> None:
    one = visit(address)
    begin = time.monotonic()
    one.still()
    one.assert_whole()
    one.wait_for(lambda: one.page.locator("h1").count() == 1)
    title = f"{next(e.title for e in PAGES if e.url == (address or 'overview'))} · SHLPT"
    one.wait_for(lambda: one.page.title() == title)
    assert one.page.evaluate(EACH_DRAWN) == 0
    assert axe.PACKAGE is None or axe.faults(one) == []
    assert ground(one) == "rgb(255, 255, 255)"
    assert all(len(sentence) > 20 for sentence in one.page.evaluate(SENTENCES))
    assert_reached_by_keys(one)
    assert_whole_when_drawn_again(one, begin)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_phone_in_the_dark_sees_all_of_it(visit: Any, address: str) -> None:
    one = visit(address, scheme="dark", width=390)
    begin = time.monotonic()
    one.still()
    assert axe.PACKAGE is None or axe.faults(one) == []
    assert ground(one) == "rgb(21, 24, 29)"
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_whole_when_drawn_again(one, begin)


def test_no_name_is_cut_in_the_cockpit_on_a_phone(visit: Any) -> None:
    store = recorded()
    assert store is not None
    run = store.value("SELECT id FROM runs WHERE name='SHLPT · the demonstration' AND note=''")
    one = visit(f"live?runs={run}", scheme="dark", width=390)
    one.wait_for(lambda: one.page.locator(".shlpt-name").count() > 4)
    one.still()
    assert one.page.evaluate(CUT) == []
    assert axe.PACKAGE is None or axe.faults(one) == []


def test_axe_is_there() -> None:
    if axe.PACKAGE is None:
        pytest.skip("NO AXE HERE: pages are not tested for people with other senses. pip install axe-playwright-python")


def ground(one: Any) -> str:
    found: str = one.page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    return found


def assert_whole_when_drawn_again(one: Any, begin: float) -> None:
    """Mistakes in what polls appear after a second; as a rule the other checks have taken that long."""
    one.page.wait_for_timeout(max(0.0, 1000 * (begin + 1.0 - time.monotonic())))
    one.assert_whole()


def assert_reached_by_keys(one: Any) -> None:
    """The tab key comes to every control."""
    wanted = set(one.page.evaluate(NUMBERED))
    assert wanted
    for _ in range(len(wanted) // 2 + 10):
        for _ in range(8):  # asked once in a while: each question waits for the page to be drawn
            one.page.keyboard.press("Tab")
        wanted -= set(one.page.evaluate("[...window.shlptFocused]"))
        if not wanted:
            break
    shown = "one => one.outerHTML.slice(0, 300)"
    missing = [one.page.locator(f"[data-place='{place}']").first.evaluate(shown) for place in wanted]
    assert missing == []


def test_recorded_results_are_drawn_at_once(visit: Any) -> None:
    one = visit("")
    one.wait_for(lambda: one.page.locator(".js-plotly-plot").count() >= 2)
