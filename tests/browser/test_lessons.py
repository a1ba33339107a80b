"""Lessons in a browser: guesses are drawn, a run is trained on the spot, and a refresh in the middle loses nothing."""

from pathlib import Path
from typing import Any

import axe

from shlpt.lessons import claims, lecture, reading
from shlpt.lessons.numbers import written

CELL = """() => {
    const box = document.querySelector('.shlpt-guess'), { xaxis, yaxis } = box._fullLayout;
    const edge = box.getBoundingClientRect(), place = (axis, value) => axis._offset + axis.d2p(value);
    return (AT).map(([x, y]) => [edge.left + place(xaxis, x), edge.top + place(yaxis, y)]);
}"""


def places(one: Any, at: str) -> list[tuple[float, float]]:
    """Where some points of the axes are on the screen."""
    one.wait_for(lambda: one.page.locator(".shlpt-guess.js-plotly-plot").count())
    one.page.evaluate("document.querySelector('.shlpt-guess').scrollIntoView({block: 'center'})")
    one.page.wait_for_timeout(400)
    found: list[tuple[float, float]] = one.page.evaluate(CELL.replace("AT", at))
    return found


def draw(one: Any, points: list[tuple[float, float]]) -> None:
    one.page.mouse.move(*points[0])
    one.page.mouse.down()
    for point in points[1:]:
        one.page.mouse.move(*point, steps=5)
    one.page.mouse.up()


def submit(one: Any) -> None:
    button = one.page.get_by_role("button", name="This is my guess")
    one.wait_for(button.is_enabled)
    one.press("This is my guess")
    one.wait_for(lambda: "step=2" in one.page.url)


def value(one: Any) -> float:
    """Of the cell that is drawn."""
    found: float = one.page.evaluate("document.querySelector('.shlpt-guess').data[0].z[1][2]")
    return found


def test_a_cell_is_drawn_a_run_is_trained_and_a_refresh_loses_nothing(visit: Any) -> None:
    lesson = reading.read("harm")
    one = visit("learn?lesson=harm")
    ((x, y),) = places(one, "[[2, 1]]")
    draw(one, [(x, y), (x, y + 30), (x, y + 80)])
    one.wait_for(lambda: "guess=" in one.page.url)
    drawn = value(one)
    assert -40 < drawn < -20
    one.page.reload()
    one.settle()
    places(one, "[[2, 1]]")
    assert abs(value(one) - drawn) < 0.6
    submit(one)
    said = written(claims.found(lesson, "swapped"))
    one.wait_for(lambda: said in one.text())
    assert f"You guessed: −{abs(drawn):.0f} points" in one.text()
    assert one.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    one.press("Run it here")
    one.wait_for(lambda: "tasks learned" in one.text())
    one.page.reload()
    one.settle()
    pair = claims.cells(claims.store().home, claims.locate(lesson.front.results["matrix"])["id"])[0]
    asked = lesson.front.claims["other_question"]
    row = pair[(pair["source"] == asked.source) & (pair["target"] == asked.target) & (pair["seed"] == 42)].iloc[0]
    ended = f"{row['score']:.0%} of the test texts right after"
    one.wait_for(lambda: ended in one.text(), 150)  # exactly as in the recorded run
    assert f"{row['alone']:.0%} alone" in one.text()
    for step in ("Why", "Check", "Now change this"):
        one.press(f"Next: {step}")
        one.wait_for(lambda step=step: one.page.locator("h2").first.inner_text() == step)
        one.assert_whole()


def test_a_curve_is_drawn_over_the_axes(visit: Any) -> None:
    one = visit("learn?lesson=forgetting", scheme="dark", width=390)
    draw(one, places(one, "[[1, 0.9], [2, 0.6], [3, 0.3]]"))
    one.wait_for(lambda: "guess=" in one.page.url)
    line = "document.querySelector('.shlpt-guess').data[0].y.map(v => Math.round(v * 10))"
    assert one.page.evaluate(line) == [7, 9, 6, 3]
    submit(one)
    one.wait_for(lambda: "the dashed one is yours" in one.text())
    one.page.wait_for_timeout(500)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe.PACKAGE is None or axe.faults(one) == []
    one.assert_whole()


def test_a_lesson_is_taken_with_the_keyboard_alone(visit: Any) -> None:
    one = visit("learn?lesson=real", width=1920)
    assert axe.PACKAGE is None or axe.faults(one) == []

    def to(name: str) -> None:
        """By the tab key to what has this text or label."""
        focused = "(document.activeElement.closest('label, button') ?? { innerText: '' }).innerText"
        for _ in range(60):
            one.page.keyboard.press("Tab")
            if name in one.page.evaluate(focused):
                return
        raise AssertionError(name)

    to("Yes: three points")
    one.page.keyboard.press("Space")
    one.wait_for(lambda: "guess=0" in one.page.url)
    one.page.keyboard.press("ArrowDown")
    one.wait_for(lambda: "guess=1" in one.page.url)
    one.settle()
    to("This is my guess")
    one.page.keyboard.press("Enter")
    one.wait_for(lambda: "You guessed it" in one.text())
    for step in ("Why", "Check"):
        one.settle()
        one.page.wait_for_timeout(800)
        assert one.page.evaluate("document.activeElement.tagName") in ("H2", "BODY")
        to(f"Next: {step}")
        one.page.keyboard.press("Enter")
        one.wait_for(lambda step=step: one.page.locator("h2").first.inner_text() == step)
    assert axe.PACKAGE is None or axe.faults(one) == []
    one.assert_whole()


def test_a_lecture_opens_from_the_disk_without_a_network(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "lecture.html"
    path.write_bytes(lecture.lecture([reading.read("harm"), reading.read("forgetting")]))
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(".plot .main-svg")
    hidden = page.get_by_text("Swapping the words did no great harm.")
    assert not hidden.is_visible()  # guess first
    page.get_by_text("The result", exact=True).first.click()
    hidden.wait_for(state="visible")
    assert page.locator("#part-1 math").count() >= 1
    assert (asked, wrong) == ([path.as_uri()], [])
    context.close()
