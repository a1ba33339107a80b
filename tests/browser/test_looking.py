"""What a visitor looks at and sends on: a cell of the heat map, and a link that shows the same."""

from typing import Any

import pytest

PLOT = "[aria-label^='Transfer between'] .nsewdrag"


def test_a_cell_is_clicked_and_its_link_shows_the_same(visit: Any) -> None:
    one = visit("transfer")
    one.wait_for(lambda: one.page.locator(".js-plotly-plot").count() >= 2)
    before = one.page.url
    box = one.page.locator(PLOT).first.bounding_box()
    tasks = 10  # of the recorded matrix; its second row and fifth column
    one.page.mouse.click(box["x"] + box["width"] * 4.5 / tasks, box["y"] + box["height"] * 1.5 / tasks)
    one.wait_for(lambda: one.page.url != before)
    one.settle()
    two = visit(one.page.url.split("/", 3)[3], clean=True)
    for seen in (one, two):
        seen.wait_for(lambda seen=seen: "Examples that flipped" in seen.text())
        seen.settle()
        seen.assert_whole()
    assert shown(one) == shown(two)


@pytest.mark.parametrize("address", ["live?sequence=negative1&method=progressive&seeds=7&s_epochs=3", "tasks?task=wic"])
def test_an_address_says_what_is_seen(visit: Any, address: str) -> None:
    one = visit(address)
    two = visit(one.page.url.split("/", 3)[3], scheme="light")
    for seen in (one, two):
        seen.assert_whole()
    assert shown(one) == shown(two)


def shown(one: Any) -> list[str]:
    """What is chosen, and what it says; nothing is hovered over."""
    one.page.mouse.move(0, 0)
    one.still()
    values = "[...document.querySelectorAll('[data-testid=stMain] input')].map(box => box.value)"
    return [*one.page.evaluate(values), one.text()]


PRINTED = 1047  # pixels across a landscape page of A4 with its margins
WIDE = "[...document.querySelectorAll('.shlpt-plot .main-svg')].map(one => one.getBoundingClientRect().width)"


def test_on_paper_every_figure_is_drawn_and_has_room(visit: Any) -> None:
    one = visit("compare", width=1920)
    one.wait_for(lambda: one.page.locator(".js-plotly-plot").count() >= 2)
    drawn, placed = (one.page.locator(name).count() for name in (".js-plotly-plot", ".shlpt-plot"))
    assert drawn < placed  # those far below wait
    one.page.emulate_media(media="print")
    one.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    one.wait_for(lambda: one.page.locator(".js-plotly-plot").count() == placed)
    assert not one.page.locator("[data-testid=stSidebar]").is_visible()
    assert 0 < max(one.page.evaluate(WIDE)) < PRINTED
    one.assert_whole()
