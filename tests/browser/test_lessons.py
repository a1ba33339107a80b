"""Lessons in a browser that reaches nothing but the app: each from its beginning to its end, guesses are drawn, a run
is trained on the spot, and a refresh in the middle loses nothing."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import axe
import pytest
from storing import SLOW

from shlpt.lessons import answers, claims, lecture, reading, reveal
from shlpt.lessons.numbers import written
from shlpt.lessons.reading import Lesson
from shlpt.plots import guess_cell

LONGEST = 60.0 * SLOW  # seconds of waiting in a lesson
LOOKS = (("light", 1440), ("dark", 1920), ("dark", 390))
GIVEN = """() => {
    const options = [...document.querySelectorAll('input[type=radio]')], box = document.querySelector('.shlpt-guess');
    if (options.length) return [options.findIndex((option) => option.checked)];
    return box?._fullLayout ? box.shlptValues : [];
}"""
DRAWN = "[...document.querySelectorAll('.js-plotly-plot text')].map((text) => text.textContent).join('; ')"
LINKS = "[...document.querySelectorAll('[data-testid=stPageLink] a')].map((link) => link.href)"

CELL = """() => {
    const box = document.querySelector('.shlpt-guess'), { xaxis, yaxis } = box._fullLayout;
    const edge = box.getBoundingClientRect(), place = (axis, value) => axis._offset + axis.d2p(value);
    return (AT).map(([x, y]) => [edge.left + place(xaxis, x), edge.top + place(yaxis, y)]);
}"""


def places(one: Any, at: str) -> list[tuple[float, float]]:
    """Where some points of the axes are on the screen."""
    one.wait_for(lambda: one.page.locator(".shlpt-guess.js-plotly-plot").count())
    one.page.evaluate("document.querySelector('.shlpt-guess').scrollIntoView({block: 'center'})")
    one.still()
    found: list[tuple[float, float]] = one.page.evaluate(CELL.replace("AT", at))
    return found


def draw(one: Any, points: list[tuple[float, float]]) -> None:
    one.page.mouse.move(*points[0])
    one.page.mouse.down()
    for point in points[1:]:
        one.page.mouse.move(*point, steps=5)
    one.page.mouse.up()


def guess(one: Any, lesson: Lesson) -> None:
    """With the mouse: a wrong option, a falling curve, a cell that harms."""
    asked = lesson.front.guess
    if asked.kind == "choice":
        choose(one, (reveal.right(lesson) + 1) % 2)
    elif asked.kind == "curve":
        free = asked.places[asked.given :]
        heights = [asked.high - (k + 1) * (asked.high - asked.low) / (len(free) + 1) for k in range(len(free))]
        draw(one, places(one, str([list(point) for point in zip(free, heights, strict=True)])))
    else:
        claim = lesson.front.claims[asked.of]
        at = [asked.tasks.index(claim.target), asked.tasks.index(claim.source)]
        ((x, y),) = places(one, str([at]))
        draw(one, [(x, y), (x, y + 30), (x, y + 80)])
    one.wait_for(lambda: "guess=" in one.page.url)


def choose(one: Any, place: int) -> None:
    one.page.locator("[role=radiogroup] label").nth(place).click()


def heading(one: Any, name: str) -> None:
    one.wait_for(lambda: one.page.locator("h2").first.inner_text() == name)


def submit(one: Any) -> None:
    button = one.page.get_by_role("button", name="This is my guess")
    one.wait_for(button.is_enabled)
    one.press("This is my guess")
    heading(one, "Result")


@pytest.fixture
def foreign(tab: Any, server: Any) -> Iterator[list[str]]:
    """What the page asks for beyond the app. It does not get it."""
    found: list[str] = []

    def refuse(route: Any) -> None:
        found.append(route.request.url)
        route.abort()

    tab.page.route(lambda url: not url.startswith(server.url("")), refuse)
    yield found
    tab.page.unroute_all()


@pytest.mark.parametrize("name", reading.names())
def test_a_lesson_is_taken_from_its_beginning_to_its_end(tab: Any, foreign: list[str], name: str) -> None:
    lesson, begin = reading.read(name), time.monotonic()
    scheme, width = LOOKS[lesson.number % len(LOOKS)]
    tab.look(scheme, width)
    if tab.page.get_by_role("button", name="Begin lesson 1").count() == 0:  # the lesson before did not end
        tab.go("learn")
    tab.press(f"Begin lesson {lesson.number}")
    heading(tab, "Guess")
    guess(tab, lesson)
    tab.still()
    given = tab.page.evaluate(GIVEN)
    tab.page.reload()
    near = 0.6 if lesson.front.guess.kind == "cell" else 0.03  # the address has a letter for each place of a curve
    tab.wait_for(lambda: tab.page.evaluate(GIVEN) == pytest.approx(given, abs=near))
    submit(tab)
    tab.wait_for(lambda: "your guess" in tab.page.evaluate(DRAWN))  # over it, the result
    tab.still()
    assert tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    assert ("See it happen" in tab.text()) == (lesson.front.live is not None)
    if lesson.front.guess.kind == "cell":
        assert f"you: {guess_cell.written(round(given[0]))}" in tab.page.evaluate(DRAWN)
        assert f"You guessed: {guess_cell.written(round(given[0]))} points" in tab.text()
    if lesson.number <= len(LOOKS):
        assert axe.PACKAGE is None or axe.faults(tab) == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    tab.press("Next: Why")
    heading(tab, "Why")
    tab.wait_for(lambda: tab.page.locator(".katex-display").count() >= len(lesson.front.equations))
    assert tab.page.locator(".katex-error").count() == 0
    tab.press("Next: Check")
    heading(tab, "Check")
    right = lesson.front.check.right
    for place, said in (((right + 1) % 2, "Not quite."), (right, "Right.")):
        choose(tab, place)
        tab.press("Answer")
        tab.wait_for(lambda said=said: said in tab.text())
    tab.press("Next: Now change this")
    heading(tab, "Now change this")
    links = tab.wait_for(lambda: tab.page.evaluate(LINKS))
    found = [(urlsplit(link).path.strip("/"), dict(parse_qsl(urlsplit(link).query))) for link in links]
    assert found == [(link.page, link.address) for link in lesson.front.links]
    tab.press("All lessons")
    tab.wait_for(lambda: tab.page.locator("h1").inner_text() == "Learn")
    assert foreign == []
    tab.assert_whole()
    print(f"{name}: {time.monotonic() - begin:.1f} s")
    assert time.monotonic() - begin < LONGEST


def test_a_run_is_trained_in_a_lesson_and_a_refresh_loses_nothing(tab: Any, foreign: list[str]) -> None:
    lesson = reading.read("harm")
    tab.look("light", 1440)
    tab.go(f"learn?lesson=harm&step=2&guess={answers.packed(lesson, answers.GUESS, [-30.0])}")
    assert written(claims.found(lesson, "swapped")) in tab.text()
    tab.press("Run it here")
    begin = time.monotonic()
    tab.wait_for(lambda: "tasks learned" in tab.text())
    tab.page.reload()
    tab.settle()
    pair = claims.cells(claims.store().home, claims.locate(lesson.front.results["matrix"])["id"])[0]
    asked = lesson.front.claims["other_question"]
    row = pair[(pair["source"] == asked.source) & (pair["target"] == asked.target) & (pair["seed"] == 42)].iloc[0]
    ended = f"{row['score']:.0%} of {asked.target} after {asked.source}@64, {row['alone']:.0%} alone"
    whole = str.maketrans("", "", "\u2060")  # names are written so that they are not taken for links
    tab.wait_for(lambda: ended in tab.text().translate(whole), LONGEST)  # exactly as in the recorded run
    print(f"trained and shown in {time.monotonic() - begin:.1f} s")
    assert foreign == []
    tab.assert_whole()


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
        one.still()
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
