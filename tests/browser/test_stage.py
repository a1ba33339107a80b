"""A link for a class in a clean profile of the browser, and a page on a projector, with keys alone."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import axe
import pytest

SEED = "Only the scores of this seed are recorded"  # of all seeds but the first
SHOWN = "[data-shlpt-projected]"


def told(one: Any) -> str:
    """What a pair came to. The seed is not the one that the page would choose."""
    one.wait_for(lambda: SEED in one.text())
    one.settle()
    found: str = one.page.locator("[data-testid=stMetric]").first.inner_text()
    return found


def test_a_copied_link_shows_the_same_with_fewer_controls_in_a_clean_profile(visit: Any) -> None:
    address = "transfer?source=sst2&target=ask:price/cafe/bad-good&seed=142"
    teacher = visit(address)
    teacher.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    said = told(teacher)
    teacher.press("For a class")
    teacher.page.get_by_role("button", name="Target (learned after)", exact=True).click()
    teacher.wait_for(
        lambda: teacher.page.locator(".shlpt-copy textarea").first.input_value().endswith("stage=1.target")
    )
    teacher.settle()
    assert axe.PACKAGE is None or axe.faults(teacher) == []
    teacher.page.get_by_role("button", name="Copy link for students").click()
    teacher.page.get_by_text("Copied", exact=True).wait_for()
    link = teacher.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith("http://localhost:8501/transfer?")
    assert link == teacher.page.locator(".shlpt-copy textarea").first.input_value()
    student = visit(link.split("/", 3)[3], clean=True)
    assert told(student) == said
    boxes = student.page.locator("[data-testid=stSelectbox]")
    assert [box.inner_text() for box in boxes.all()] == ["Target (learned after)"]
    assert student.page.locator("[data-testid=stSidebarNav]").count() == 0
    assert student.page.locator("[data-testid=stMain] button:visible", has_text="More seeds").count() == 0
    student.wait_for(lambda: student.page.locator(".js-plotly-plot").count() >= 2)
    before = student.page.url
    student.page.locator("[aria-label^='Transfer between'] .nsewdrag").first.click(position={"x": 60, "y": 20})
    student.page.wait_for_timeout(1000)
    assert student.page.url == before  # clicks in figures are controls too
    assert axe.PACKAGE is None or axe.faults(student) == []
    student.press("Show all controls")
    student.wait_for(lambda: "stage=" not in student.page.url)
    student.wait_for(lambda: boxes.count() == 4)
    assert parse_qs(urlsplit(student.page.url).query)["seed"] == ["142"]
    student.assert_whole()
    teacher.assert_whole()


def fills(one: Any) -> bool:
    box = one.page.locator(f"{SHOWN} .shlpt-plot .main-svg").first.bounding_box()
    return bool(box and box["width"] > 1780 and box["height"] > 850)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_projector_figures_fill_the_screen_one_by_one(visit: Any, scheme: str) -> None:
    one = visit("transfer?projector=1", width=1920, scheme=scheme)
    one.page.set_viewport_size({"width": 1920, "height": 1080})
    one.wait_for(lambda: one.page.locator(SHOWN).count() == 1 and fills(one))
    label = one.page.locator(f"{SHOWN} .shlpt-plot").get_attribute("aria-label")
    assert label.startswith("Transfer between")
    size = "Number(getComputedStyle(document.querySelector(`SHOWN .xtick text`)).fontSize.replace('px', '')) * "
    size += "document.querySelector(`SHOWN .shlpt-plot`).getBoundingClientRect().width / "
    size += "document.querySelector(`SHOWN .shlpt-plot`).offsetWidth"
    assert one.page.evaluate(size.replace("SHOWN", SHOWN)) >= 18  # pixels: to be read from the last row
    assert axe.PACKAGE is None or axe.faults(one) == []
    if scheme == "dark":
        one.assert_whole()
        return
    fast(one, "ArrowRight", "ArrowLeft", "ArrowRight")
    one.wait_for(lambda: "projector=2" in one.page.url)
    assert one.page.locator(f"{SHOWN} .shlpt-plot").get_attribute("aria-label").startswith("Best validation")
    one.wait_for(lambda: fills(one))
    one.page.reload()
    one.settle()
    one.wait_for(lambda: "2 of 2" in one.page.locator(".shlpt-projector").inner_text())
    one.page.keyboard.press("PageUp")
    one.wait_for(lambda: label == one.page.locator(f"{SHOWN} .shlpt-plot").get_attribute("aria-label"))
    one.page.keyboard.press("Escape")
    one.wait_for(lambda: "projector" not in one.page.url and one.page.locator("[data-testid=stSidebarNav]").count())
    assert one.page.locator(SHOWN).count() == one.page.locator(".shlpt-projector").count() == 0
    same = "box => !box.style.transform && !box.style.width && box.offsetHeight === box._fullLayout?.height"
    one.wait_for(lambda: one.page.locator(".shlpt-plot").first.evaluate(same))  # as it was
    one.assert_whole()


def test_a_lesson_is_shown_on_a_projector_with_keys_alone(visit: Any) -> None:
    one = visit("learn?lesson=real&projector=1", width=1920)
    one.page.set_viewport_size({"width": 1920, "height": 1080})
    state = one.page.locator(".shlpt-projector [role=status]")
    one.wait_for(lambda: state.inner_text() == "1 of 1")
    assert one.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 24
    one.page.keyboard.press("ArrowRight")
    one.wait_for(lambda: "Answer first" in state.inner_text())
    one.page.locator("[data-testid=stRadio] input").nth(0).focus()
    one.page.keyboard.press("Space")
    one.wait_for(lambda: "guess=0" in one.page.url)
    one.settle()
    one.page.locator("[data-testid=stRadio] input").nth(0).focus()
    one.page.keyboard.press("ArrowRight")  # belongs to the answers
    one.wait_for(lambda: "guess=1" in one.page.url)
    one.settle()
    assert "step=" not in one.page.url
    one.page.keyboard.press("Escape")  # leaves the field only
    one.page.wait_for_timeout(1000)
    one.settle()
    fast(one, "ArrowRight", "ArrowRight")  # to the result, and to its figure
    one.wait_for(lambda: one.page.locator(SHOWN).count() == 1 and fills(one))
    one.wait_for(lambda: state.inner_text() == "2 of 2")  # after the message of before
    assert {"step=2", "projector=2"} <= set(urlsplit(one.page.url).query.split("&"))
    for keys, number, name in (
        (["ArrowRight", "ArrowLeft", "PageUp"], 1, "Guess"),
        (["PageDown", "ArrowRight", "ArrowRight", "ArrowRight"], 4, "Check"),
        (["ArrowRight", "Escape"], 5, "Now change this"),
    ):
        fast(one, *keys)
        one.wait_for(lambda name=name: one.page.locator("h2").first.inner_text() == name)
        one.wait_for(lambda number=number: f"step={number}" in one.page.url)
    one.wait_for(lambda: "projector" not in one.page.url and one.page.locator("[data-testid=stSidebarNav]").count())
    one.page.reload()
    one.settle()
    one.wait_for(lambda: one.page.locator("h2").first.inner_text() == "Now change this")
    one.assert_whole()


def fast(one: Any, *keys: str) -> None:
    """One after the other, faster than any page is drawn."""
    for key in keys:
        one.page.keyboard.press(key)
