"""Lessons in a browser that reaches nothing but the app: each from its beginning to its end, guesses are drawn, runs
are trained on the spot, and a refresh in the middle loses nothing."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import axe
import pandas as pd
import pytest
from storing import SLOW

from shlpt.lessons import claims, lecture, reading, reveal
from shlpt.lessons.reading import Lesson
from shlpt.plans.stages import RunPlan, every_stage, plans_of
from shlpt.plots import accuracy_matrix, curves, guess_cell, theme, validation
from shlpt.queue import control
from shlpt.results import frames
from shlpt.store.store import Store
from shlpt.ui.lesson_live import spec_of

TRAINS = True
LONGEST = 60.0 * SLOW  # seconds of waiting in a lesson
TRAINED = 30.0 * SLOW  # seconds from the press to the end of a live run
NEAR = 0.2  # from the recorded score, which has 64 test texts or more
LOOKS = (("light", 1440), ("dark", 1920), ("dark", 390))
GIVEN = """() => {
    const options = [...document.querySelectorAll('input[type=radio]')], box = document.querySelector('.shlpt-guess');
    if (options.length) return [options.findIndex((option) => option.checked)];
    return box?._fullLayout ? box.shlptValues : [];
}"""
DRAWN = "[...document.querySelectorAll('.js-plotly-plot text')].map((text) => text.textContent).join('; ')"
LINKS = "[...document.querySelectorAll('[data-testid=stPageLink] a')].map((link) => link.href)"

# Where some points of the axes are on the screen.
PLACES = """(box, points) => {
    box.scrollIntoView({ block: 'center', behavior: 'instant' });
    const edge = box.getBoundingClientRect(), { xaxis, yaxis } = box._fullLayout;
    const place = (axis, value) => axis._offset + axis.d2p(value);
    return points.map(([x, y]) => [edge.left + place(xaxis, x), edge.top + place(yaxis, y)]);
}"""


def places(one: Any, points: list[list[float]]) -> list[tuple[float, float]]:
    one.wait_for(lambda: one.page.locator(".shlpt-guess.js-plotly-plot").count())
    one.still()
    found: list[tuple[float, float]] = one.page.locator(".shlpt-guess").evaluate(PLACES, points)
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
        draw(one, places(one, [list(point) for point in zip(free, heights, strict=True)]))
    else:
        claim = lesson.front.claims[asked.of]
        at = [asked.tasks.index(claim.target), asked.tasks.index(claim.source)]
        ((x, y),) = places(one, [at])
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


# --- what is trained on the spot ----------------------------------------------------------
def scored(store: Store, key: str, task: str) -> float:
    found: float = store.value(
        "SELECT mean FROM scores JOIN stages ON id=stage WHERE key=? AND scores.task=?", (key, task)
    )
    return found


def came_out(store: Store, lesson: Lesson, plan: RunPlan) -> tuple[str, str]:
    """What the stages of a run say when all are trained: the sentence under its figure, and the figure's label."""
    live = lesson.front.live
    assert live is not None
    (first, second), (begin, end) = live.tasks, [stage.key for stage in plan.stages]
    titles = [theme.titled(task) for task in live.tasks]
    learned, after = scored(store, begin, first), scored(store, end, second)
    if live.figure == "matrix":
        kept = scored(store, end, first)
        said = f"{learned:.0%} of {titles[0]} when it was learned, {kept:.0%} of the same texts after {titles[1]}."
        return said, accuracy_matrix.alt([[[learned, float("nan")], [kept, after]]], live.tasks)
    if live.figure == "tasks":
        said = f"{learned:.0%} of {titles[0]}, {after:.0%} of {titles[1]}."
        return said, validation.alt(epochs(store, "task", {first: begin, second: end}))
    (alone,) = [stage.key for stage in plan.alone]
    said = f"{after:.0%} of {titles[1]} after {titles[0]}, {scored(store, alone, second):.0%} alone."
    return said, curves.alt(epochs(store, "which", {curves.WITH: end, curves.ALONE: alone}))


def epochs(store: Store, name: str, keys: dict[str, str]) -> pd.DataFrame:
    """The validation scores of some stages, each under its name. Pages count epochs from 1."""
    told = [(which, event) for which, key in keys.items() for event in frames.epochs_of(store, key)]
    rows = [(which, 42, event["epoch"] + 1, event["validation"]) for which, event in told]
    return pd.DataFrame(rows, columns=[name, "seed", "epoch", "validation"])


def forget(home: Path, lesson: Lesson) -> None:
    """What an earlier try of this test has left: its run can be started only once."""
    if lesson.front.live is not None:
        control.delete(Store(home).open(), [spec_of(lesson.front.live).id], force=True)


def train(one: Any, home: Path, lesson: Lesson, refresh: bool) -> None:
    """The live run of a lesson, until it is shown how it came out. The recorded stages had other seeds beside them in a
    forward pass, and other processors add in another order, so the scores are near the recorded ones, not the same."""
    assert lesson.front.live is not None
    (plan,) = plans_of([spec_of(lesson.front.live)])
    one.press("Run it here")
    begin = time.monotonic()
    if refresh:
        one.wait_for(lambda: "tasks learned" in one.text())
        one.page.reload()
        one.settle()
    one.wait_for(lambda: "The same run on the Live page" in one.text(), TRAINED)
    seconds = time.monotonic() - begin
    sentence, label = came_out(Store(home), lesson, plan)
    whole = str.maketrans("", "", "\u2060")  # names are written so that they are not taken for links
    said = one.text().translate(whole).partition("Here, with seed 42, ")[2]
    assert said.startswith(f"of the test texts are right: {sentence}")
    one.wait_for(lambda: one.page.locator(f'[aria-label="{label}"]').count() == 1)
    for stage in every_stage([plan]).values():
        recorded = scored(claims.store(), stage.key, stage.task)
        assert scored(Store(home), stage.key, stage.task) == pytest.approx(recorded, abs=NEAR), stage.task
    print(f"{lesson.name}: trained in {seconds:.1f} s")
    assert seconds < TRAINED


@pytest.mark.parametrize("name", reading.names())
def test_a_lesson_is_taken_from_its_beginning_to_its_end(tab: Any, server: Any, foreign: list[str], name: str) -> None:
    lesson, begin = reading.read(name), time.monotonic()
    forget(server.home, lesson)
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
    if lesson.front.live is not None:
        train(tab, server.home, lesson, refresh=name == "harm")
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
    tab.wait_for(lambda: len(tab.page.evaluate(LINKS)) == len(lesson.front.links))
    links = tab.page.evaluate(LINKS)
    found = [(urlsplit(link).path.strip("/"), dict(parse_qsl(urlsplit(link).query))) for link in links]
    assert found == [(link.page, link.address) for link in lesson.front.links]
    tab.press("All lessons")
    tab.wait_for(lambda: tab.page.locator("h1").inner_text() == "Learn")
    assert foreign == []
    tab.assert_whole()
    print(f"{name}: {time.monotonic() - begin:.1f} s")
    assert time.monotonic() - begin < LONGEST


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


def test_a_lecture_opens_from_the_disk_without_a_network_and_guesses_are_drawn_in_it(
    browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "lecture.html"
    path.write_bytes(lecture.lecture([reading.read("harm"), reading.read("forgetting")]))
    context = browser.new_context(offline=True, has_touch=True)
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(".plot .main-svg")
    hidden = page.get_by_text("Swapping the words did no great harm.")
    assert not hidden.is_visible()  # guess first
    cell, curve = (page.locator(f"[data-guess=guess-{name}]") for name in ("harm", "forgetting"))
    ((x, y),) = cell.locator(".plot").evaluate(PLACES, [[2, 1]])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 80, steps=5)
    page.mouse.up()
    assert cell.locator(".plot").evaluate("box => box.shlptValues") == [-30]
    page.get_by_text("The result", exact=True).first.click()
    hidden.wait_for(state="visible")
    assert page.get_by_text("You guessed: −30 points.").is_visible()
    assert "(you: −30)" in page.locator("#part-1").inner_text()
    cell.get_by_text("Draw with the keyboard").click()
    cell.get_by_role("slider").press("ArrowRight")
    assert "(you: −29)" in page.locator("#part-1").inner_text()
    (at,) = curve.locator(".plot").evaluate(PLACES, [[2, 0.25]])
    page.touchscreen.tap(*at)
    sliders = curve.get_by_role("slider", include_hidden=True)
    given = [float(slider.input_value()) for slider in sliders.all()]
    assert given[1] == pytest.approx(0.25, abs=0.01)
    page.locator("#part-2").get_by_text("The result", exact=True).first.click()
    shown = page.locator("#part-2 details .plot").first.evaluate("box => box.data[0].y")
    assert shown[1:] == pytest.approx(given, abs=0.01)  # over the result
    page.emulate_media(color_scheme="dark")  # the reader changes the theme
    assert page.locator("#part-2 details .plot").first.evaluate("box => box.data[0].y") == shown
    assert page.locator("#part-1 math").count() >= 1
    assert (asked, wrong) == ([path.as_uri()], [])
    context.close()
