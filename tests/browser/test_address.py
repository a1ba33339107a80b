"""The browser's history has pages, opened runs and clicked cells, and no choices; a second tab sees what is done."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from storing import SLOW

from shlpt.plans.stages import plans_of
from shlpt.queue import control
from shlpt.queue.submit import submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store

PLOT = "[aria-label^='Transfer between'] .nsewdrag"
SOURCE = "[data-testid=stSelectbox]:has-text('Source (learned first)') input"


def chosen(one: Any, address: str) -> None:
    """Open a page by its menu, as a person does."""
    one.still()
    one.page.locator(f"[data-testid=stSidebarNav] a[href$='/{address}']").click()
    one.wait_for(lambda: f"/{address}" in one.page.url)
    one.still()


def test_one_press_of_back_is_the_page_before_as_it_was_left(visit: Any) -> None:
    one = visit("tasks?task=sst2")
    one.page.get_by_text("validation", exact=True).click()
    one.wait_for(lambda: "split=validation" in one.page.url)
    one.settle()  # the server has heard of it
    for address in ("compare", "similarity"):
        chosen(one, address)
    for address in ("compare", "tasks"):
        one.page.go_back()
        one.wait_for(lambda address=address: f"/{address}" in one.page.url)
        one.settle()
        one.wait_for(lambda address=address: one.page.locator("h1").inner_text() == address.capitalize())
        one.settle()  # the press before it is answered
    one.wait_for(lambda: "task=sst2" in one.page.url and "split=validation" in one.page.url)
    one.assert_whole()


def test_back_after_a_click_on_the_matrix_is_the_cell_before(visit: Any) -> None:
    one = visit("transfer")
    one.wait_for(lambda: one.page.locator(".js-plotly-plot").count() >= 2)
    one.wait_for(lambda: "seed=" in one.page.url)  # the last choice of the page
    shown(one)
    addresses = [one.page.url]
    for column, row in ((4, 1), (2, 0)):
        box = one.page.locator(PLOT).first.bounding_box()
        at = (box["x"] + box["width"] * (column + 0.5) / 10, box["y"] + box["height"] * (row + 0.5) / 10)
        one.page.mouse.click(*at)
        one.wait_for(lambda: one.page.url != addresses[-1])
        shown(one)
        addresses.append(one.page.url)
    for address in addresses[-2::-1]:
        one.page.go_back()
        one.wait_for(lambda address=address: one.page.url == address)
        shown(one)
    one.assert_whole()


def shown(one: Any) -> None:
    """Until the page shows the cell of its address, whose source and target come one after the other."""
    one.still()
    one.wait_for(lambda: parse_qs(urlsplit(one.page.url).query)["source"][0] in one.page.locator(SOURCE).input_value())
    one.settle()


def test_what_one_tab_does_another_shows_within_two_seconds(visit: Any, server: Any) -> None:
    """Two seconds after it is stored; on a busy machine longer, by what a press of a button takes there."""
    store = Store(server.home).open()
    spec = RunSpec.make(["rte", "cb"], "continual", seed=9)
    submit(store, plans_of([spec]))
    control.stop(store, [spec.id])
    two = visit("runs?find=said+in+one+tab")
    two.wait_for(lambda: "No run matches" in two.text())
    one = visit(f"runs?run={spec.id}")
    one.page.get_by_label("Name", exact=True).fill("said in one tab")
    one.still()
    begin = time.monotonic()
    one.page.get_by_role("button", name="Save").click()
    saved = one.wait_for(lambda: frames.run(store, spec.id)["name"] and time.monotonic()) - begin
    seen = two.wait_for(lambda: "1 of" in two.text() and time.monotonic()) - begin
    assert seen - saved < 2 * SLOW + saved
    two.assert_whole()
    control.delete(store, [spec.id])


@pytest.mark.parametrize("address", ["runs", "live"])
def test_a_second_tab_follows(visit: Any, server: Any, address: str) -> None:
    """What another tab does is done by the same functions."""
    store = Store(server.home).open()
    spec = RunSpec.make(["rte", "cb"], "continual", seed=len(address))
    submit(store, plans_of([spec]))
    control.stop(store, [spec.id])
    one = visit("runs?find=another" if address == "runs" else f"live?runs={spec.id}")
    if address == "runs":
        one.wait_for(lambda: "No run matches" in one.text())
        control.describe(store, spec.id, name="another tab named this")
        one.wait_for(lambda: "1 of" in one.text())
    else:
        one.wait_for(lambda: "stopped" in one.text())
        control.resume(store, [spec.id])
        one.wait_for(lambda: "queued" in one.text())
    one.assert_whole()
    control.delete(store, [spec.id])
