"""The lessons on their page, each from its beginning to its end; the browser tests draw and train."""

from pathlib import Path
from typing import Any

import pytest
from visiting import charts, errors, press, said, visit

from shlpt.lessons import answers, claims, reading, reveal
from shlpt.lessons.reading import Lesson
from shlpt.plots import theme
from shlpt.results.record import run_record
from shlpt.store.store import Store
from shlpt.ui import lesson_live
from shlpt.ui.choose import NOT_HERE
from shlpt.ui.lesson import STEPS
from shlpt.work import worker

PLAIN = str.maketrans("", "", "\\\u2060")


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path))


def opened(name: str, **address: str) -> Any:
    app = visit("learn.py", {"lesson": name, **address})
    assert errors(app) == []
    return app


def kept(app: Any) -> dict[str, str]:
    """What the address keeps."""
    return {key: one if isinstance(one, str) else one[0] for key, one in app.query_params.items()}


def step(app: Any) -> int:
    return STEPS.index(app.header[0].value)


def guess(app: Any, lesson: Lesson) -> None:
    """With the keyboard: a radio button, or sliders."""
    assert next(button for button in app.button if button.label == "This is my guess").disabled
    if lesson.front.guess.kind == "choice":
        app.radio[0].set_value(0).run()
    for place in range(len(app.slider)):
        app.slider[place].set_value(lesson.front.guess.low + 0.1).run()
    press(app, "This is my guess")


@pytest.mark.parametrize("name", reading.names())
def test_a_lesson_is_taken_from_its_beginning_to_its_end(name: str) -> None:
    lesson = reading.read(name)
    app = opened(name)
    for heading in ("What happened", "Why"):  # nothing is given away
        text = claims.filled(lesson, lesson.sections[heading]).split("\n\n")[0]
        assert text not in said(app)
    guess(app, lesson)
    assert (step(app), errors(app)) == (1, [])
    assert claims.filled(lesson, lesson.sections["What happened"]) in said(app)
    given = answers.unpacked(lesson, answers.GUESS, kept(app)["guess"])
    assert given is not None
    code = answers.code(lesson, answers.GUESS, given)
    assert code in [one.value for one in app.code]
    assert len(app.get("bidi_component")) >= 2  # what is drawn, and the mark of the step
    press(app, "Next: Why")
    assert step(app) == 2
    assert "These numbers are the paper's" in said(app)
    assert len(app.latex) == len(lesson.front.equations)
    press(app, "Next: Check")
    right = lesson.front.check.right
    for place in ((right + 1) % 2, right):
        app.radio[0].set_value(place).run()
        press(app, "Answer")
    assert lesson.front.check.options[right].because in app.success[0].value
    press(app, "Next: Now change this")
    assert (step(app), errors(app)) == (4, [])
    assert [link.proto.label for link in app.get("page_link")] == [link.label for link in lesson.front.links]
    again = opened(name, **{key: value for key, value in kept(app).items() if key != "lesson"})
    assert (step(again), said(again)) == (4, said(app))  # after a refresh


@pytest.mark.parametrize("name", reading.names())
def test_what_to_change_next_is_set_on_the_page_that_a_link_opens(name: str) -> None:
    for link in reading.read(name).front.links:
        app = visit(f"{link.page}.py", link.address)
        assert errors(app) == []
        assert NOT_HERE not in said(app)
        for key, value in link.address.items():  # a bound slider at its default leaves the address
            assert kept(app).get(key) == value or app.slider(key=key).value == float(value)


SMALL = "settings = { epochs = 1, shots = 4, validation_shots = 2, test_shots = 4 }"
LIVE = [reading.read(name).front.live for name in reading.names()]


@pytest.mark.parametrize("figure", sorted({live.figure for live in LIVE if live}))
def test_a_live_run_is_drawn_and_says_what_came_out(
    figure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small one; in the browser a whole one is trained."""
    name = next(name for name, live in zip(reading.names(), LIVE, strict=True) if live and live.figure == figure)
    lesson = reading.read(name)
    front, rest = lesson.source.split("[live]\n")
    live, links = rest.split("[[links]]", 1)
    lines = [line for line in live.strip().splitlines() if not line.startswith("settings")]
    text = "\n".join([f"{front}[live]", *lines, SMALL, f"[[links]]{links}"])
    (tmp_path / lesson.file.name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    run = reading.read(name).front.live
    assert run is not None
    spec = lesson_live.spec_of(run)
    guessed = answers.packed(lesson, answers.GUESS, [0.0] * 3)
    before = opened(name, step="2", guess=guessed)
    assert run.about in said(before)
    worker.run([spec], tmp_path, device="cpu")
    app = opened(name, step="2", guess=guessed)
    record = run_record(Store(tmp_path), spec.id)
    ((learned, _), (kept_then, last)), alone = record["matrix"], record["alone"][-1]
    first, second = map(theme.titled, spec.tasks)
    outcomes = {
        "pair": f"{last:.0%} of {second} after {first}, {alone:.0%} alone",
        "tasks": f"{kept_then:.0%} of {first}, {last:.0%} of {second}",
        "matrix": f"{learned:.0%} of {first} when it was learned, {kept_then:.0%} of the same texts after {second}",
    }
    assert outcomes[figure] in said(app).translate(PLAIN)
    sentences = {
        "pair": "Best validation score with transfer",
        "tasks": "Validation score of 2 tasks",
        "matrix": "Accuracy matrix after 2 of 2",
    }
    assert sum(sentences[figure] in chart["alt"] for chart in charts(app)) == 1


@pytest.mark.parametrize(
    ("address", "at"),
    [
        ({"step": "3"}, 0),
        ({"step": "3", "guess": "!"}, 0),
        ({"step": "99", "guess": "G0"}, 4),
        ({"step": "-1"}, 0),
        ({"step": "²", "guess": "G0"}, 0),
    ],
)
def test_an_address_shows_no_result_without_a_guess(address: dict[str, str], at: int) -> None:
    app = opened("harm", **address)
    assert step(app) == at
    assert ("does not know" in said(app)) == (address.get("guess") == "!")


def test_a_draft_of_a_drawing_is_there_after_a_refresh() -> None:
    app = opened("harm")
    app.slider[0].set_value(-20.0).run()
    again = opened("harm", guess=kept(app)["guess"])
    assert (step(again), again.slider[0].value) == (0, -20.0)


def test_the_list_has_all_lessons_and_says_which_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in reading.FOLDER.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        broken = text.replace("minutes = 12", 'minutes = "many"') if path.name == "4-harm.md" else text
        (tmp_path / path.name).write_text(broken, encoding="utf-8")
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    app = visit("learn.py")
    assert errors(app) == []
    others = [name for name in reading.names() if name != "harm"]
    assert len([button for button in app.button if button.label.startswith("Begin lesson")]) == len(others)
    assert "4-harm.md" in app.error[0].value.translate(PLAIN)
    assert "4-harm.md" in opened("harm").error[0].value.translate(PLAIN)
    assert step(opened(others[0])) == 0
    unknown = visit("learn.py", {"lesson": "harn"})
    assert "did you mean 'harm'" in unknown.warning[0].value.translate(PLAIN)


def test_the_codes_of_a_class_are_counted_beside_the_result() -> None:
    lesson = reading.read("harm")
    app = opened("harm", step="2", guess=answers.packed(lesson, answers.GUESS, [10.0]))
    codes = [answers.code(lesson, answers.GUESS, [value]) for value in (-50, -40, 10)]
    app.text_area[0].set_value(f"{' '.join(codes)} 4G-torn nonsense").run()
    assert errors(app) == []
    assert "3 answers; 2 codes unreadable" in said(app)
    votes = answers.votes(lesson, answers.GUESS, " ".join(codes))
    table = reveal.of_class(lesson, answers.GUESS, votes).table
    assert table is not None
    assert list(app.dataframe[-1].value["count"]) == list(table["count"])
