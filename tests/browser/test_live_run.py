"""A real run in the browser: started, watched, paused, stepped, stopped, gone on with; whatever happens to page and
server."""

import re
import time
from collections.abc import Iterator
from typing import Any

import axe
import pytest
from storing import SLOW

from shlpt.queue import control
from shlpt.results import frames
from shlpt.results.cockpit import now
from shlpt.results.recorded import recorded
from shlpt.results.verdicts import verdicts
from shlpt.store.store import Store

TRAINS = True
TRAINED = 60 * max(2.5, SLOW)  # seconds in which a demonstration is trained, whatever else runs
# Long enough to be interrupted on a fast machine.
LONG = "live?sequence=my+own&tasks=rte%2C+sst2&s_epochs=1000&s_patience=1000&s_test_shots=8"
DEMO = "live?sequence=demo"


@pytest.fixture(autouse=True)
def quiet(server: Any) -> Iterator[None]:
    """No run of one test keeps the worker from the next."""
    yield
    control.stop(Store(server.home), list(runs(server)["id"]))


def runs(server: Any) -> Any:
    return frames.runs(Store(server.home).open())


def steps(server: Any, id: str) -> int:
    return len(frames.losses(Store(server.home).open(), [id]))


def epochs(server: Any, id: str) -> int:
    return len(frames.epochs(Store(server.home).open(), [id]))


def start(one: Any, server: Any) -> str:
    before = set(runs(server)["id"]) if Store(server.home).there() else set()
    one.press("Run")
    one.wait_for(lambda: "runs=" in one.page.url)
    new = set(runs(server)["id"]) - before
    return new.pop() if new else one.page.url.split("runs=")[1].split("&")[0]


SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
LOSSES = "document.querySelector('.shlpt-plot[aria-label^=Losses]')"
NEWEST = f"{LOSSES}?.data?.[0]?.x?.at(-1) ?? 0"


# Streamlit fades what is being drawn anew, over a second.
FADES = """() => {
    const stale = [...document.querySelectorAll('[class*=st-key-polled-] [data-stale=true]')];
    return stale.length && stale.map((one) => getComputedStyle(one).transitionDuration);
}"""


def zoom_stays(one: Any) -> None:
    """While new numbers come."""
    one.wait_for(lambda: one.page.evaluate(NEWEST) > 4)
    one.page.evaluate(f"Plotly.relayout({LOSSES}, {{'xaxis.range': [1, 4]}})")
    for _ in range(4):
        drawn = one.page.evaluate(NEWEST)
        one.wait_for(lambda drawn=drawn: one.page.evaluate(NEWEST) > drawn)
        assert one.page.evaluate(f"{LOSSES}._fullLayout.xaxis.range.map(Number)") == [1, 4]


def test_a_run_is_paused_stepped_stopped_and_gone_on_with(visit: Any, server: Any) -> None:
    one = visit(LONG)
    one.page.set_viewport_size({"width": 390, "height": 700})  # a phone: the button is far down
    id = start(one, server)
    begin = time.monotonic()
    one.wait_for(lambda: steps(server, id) > 3)
    one.wait_for(lambda: "running" in one.text())
    assert time.monotonic() - begin < 40 * SLOW
    one.wait_for(lambda: one.page.evaluate(SCROLLED) == 0)
    one.look("light", 1440)
    zoom_stays(one)
    one.press("Pause")
    one.wait_for(lambda: "paused" in one.text(), 15 * SLOW)
    held = steps(server, id)
    one.page.wait_for_timeout(1500)
    assert steps(server, id) == held
    one.press("One batch")
    one.wait_for(lambda: steps(server, id) == held + 1, 15 * SLOW)
    one.wait_for(lambda: "paused" in one.text(), 15 * SLOW)
    validated = epochs(server, id)
    one.press("One epoch")
    one.wait_for(lambda: epochs(server, id) == validated + 1, 15 * SLOW)
    one.wait_for(lambda: "paused" in one.text(), 15 * SLOW)
    one.press("Stop and keep")
    one.wait_for(lambda: "stopped" in one.text(), 15 * SLOW)
    one.press("Resume")
    one.wait_for(lambda: "running" in one.text())
    control.stop(Store(server.home), [id])
    one.wait_for(lambda: "stopped" in one.text(), 15 * SLOW)
    one.assert_whole()


def test_a_run_outlives_its_page_and_its_server_and_two_may_watch(visit: Any, server: Any) -> None:
    one = visit(LONG + "&seeds=7")
    id = start(one, server)
    one.wait_for(lambda: steps(server, id) > 3)
    one.page.reload()
    one.settle()
    two = visit(f"live?runs={id}", scheme="dark")
    for seen in (one, two):
        seen.wait_for(lambda seen=seen: "running" in seen.text() or "done" in seen.text())
        seen.assert_whole()
    assert set(two.page.wait_for_function(FADES).json_value()) == {"0s"}
    server.kill()
    before = steps(server, id)
    one.wait_for(lambda: steps(server, id) > before, 30 * SLOW)
    server.start()
    two.go(f"live?runs={id}")
    two.wait_for(lambda: "running" in two.text(), 15 * SLOW)
    control.stop(Store(server.home), [id])
    two.wait_for(lambda: "stopped" in two.text(), 15 * SLOW)
    two.assert_whole()


WIDTHS = "[...document.querySelectorAll('.shlpt-hit')].map(one => one.getAttribute('d')).join()"
CELLS = (
    "[...document.querySelectorAll('.shlpt-numbers tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))"
)
FOLD = """() => {
    const parts = [...document.querySelectorAll('.shlpt-cockpit, .js-plotly-plot')].slice(0, 5);
    const top = document.querySelector('[data-testid=stMain]').scrollTop;
    return Math.max(...parts.map(one => one.getBoundingClientRect().bottom + top));
}"""


def test_the_demonstration_is_watched_from_its_first_task_to_its_verdict(visit: Any, server: Any) -> None:
    """Ribbons move while it trains, one opens its equations with the numbers that are stored, and at the end stands
    what the command says. All of it without scrolling."""
    one = visit(DEMO)
    one.page.set_viewport_size({"width": 1440, "height": 900})
    begin = time.monotonic()
    id = start(one, server)
    one.wait_for(lambda: "there is no earlier task" in one.text())
    one.wait_for(lambda: one.page.locator(".shlpt-area").count() == 3)  # its texts
    one.wait_for(lambda: one.page.locator(".shlpt-clicks").count() >= 2, TRAINED)  # the third task
    before = one.page.evaluate(WIDTHS)
    one.wait_for(lambda: one.page.evaluate(WIDTHS) != before, 30 * SLOW)
    one.wait_for(lambda: one.page.evaluate(FOLD) <= 900)
    one.wait_for(lambda: runs(server).set_index("id").loc[id, "state"] == "done", TRAINED)
    one.wait_for(lambda: "over its 64 test texts" in one.page.locator(".shlpt-story").inner_text(), 15 * SLOW)
    print(f"the demonstration took {time.monotonic() - begin:.1f} s in the browser")
    store = Store(server.home).open()
    sentence = f"pocket/{verdicts(store, [id])[-1].sentence}"
    one.wait_for(lambda: one.page.locator(".shlpt-story").inner_text().startswith(sentence))
    one.wait_for(lambda: one.page.evaluate(FOLD) <= 900)
    one.page.locator(".shlpt-hit").first.click(force=True)
    one.wait_for(lambda: one.page.locator(".shlpt-panel").is_visible())
    told = {row[0]: [cell.replace("−", "-") for cell in row[1:]] for row in one.page.evaluate(CELLS)}
    last = now(store, id, "rte")["step"]
    for name, alpha, score in zip(("yelp", "sst2", "agnews"), last["alpha"], last["scores"], strict=True):
        assert float(told[f"pocket/{name}"][-1]) == pytest.approx(alpha, abs=6e-4)
        assert float(told[f"pocket/{name}"][0]) == pytest.approx(score, abs=6e-4)
    assert axe.PACKAGE is None or axe.faults(one) == []
    one.page.keyboard.press("Escape")
    one.wait_for(lambda: not one.page.locator(".shlpt-panel").is_visible())
    one.page.keyboard.press("Enter")  # back on the ribbon's name
    one.wait_for(lambda: one.page.locator(".shlpt-panel").is_visible())
    one.page.keyboard.press("Escape")
    one.page.locator(".shlpt-station").nth(1).click()
    one.wait_for(lambda: one.page.locator(".shlpt-node b").inner_text() == "pocket/sst2")
    one.wait_for(lambda: "about=sst2" in one.page.url)
    one.assert_whole()
    stepped_through(one)


def stepped_through(one: Any) -> None:
    """The run once more, a batch at a time: a step, slow motion, and back to the start."""
    story = one.page.locator(".shlpt-story").first  # above the view before, until that is gone
    one.page.get_by_role("radio", name="Step by step").click()
    one.wait_for(lambda: "Press One step" in story.inner_text())
    one.press("One step")
    one.wait_for(lambda: story.inner_text().startswith("Step 1. On these texts the loss"))
    one.wait_for(lambda: "step=1" in one.page.url)
    one.wait_for(lambda: "What happened in this step" in one.text())
    one.page.get_by_role("button", name="Slow motion").click()
    one.wait_for(lambda: int(re.findall(r"^Step (\d+)", story.inner_text())[0]) >= 3)
    one.page.get_by_role("button", name="Pause").click()
    one.wait_for(lambda: one.page.get_by_role("button", name="Slow motion").count())
    assert axe.PACKAGE is None or axe.faults(one) == []
    one.press("Back to the start")
    one.wait_for(lambda: "Press One step" in story.inner_text() and "step=" not in one.page.url)
    one.assert_whole()


FLOWS = "getComputedStyle(document.querySelector('.shlpt-flow')).animationName"


def test_a_recorded_run_on_a_phone_without_motion_overlaps_nothing(visit: Any) -> None:
    store = recorded()
    assert store is not None
    frame = frames.runs(store)
    id = frame[(frame["method"] == "random_partition") & (frame["tasks"].map(len) == 4)]["id"].iloc[0]
    one = visit(f"live?runs={id}", scheme="dark", width=390)
    one.page.emulate_media(reduced_motion="reduce")
    one.wait_for(lambda: one.page.locator(".shlpt-source").count() == 3)
    boxes = [one.page.locator(".shlpt-source, .shlpt-node").nth(n).bounding_box() for n in range(4)]
    for place, a in enumerate(boxes):
        for b in boxes[place + 1 :]:
            apart = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
            assert apart or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]
    one.page.evaluate("document.querySelector('.shlpt-pool').setAttribute('data-moving', '')")  # as if it were trained
    for motion, flows in (("no-preference", "shlpt-flows"), ("reduce", "none")):
        one.page.emulate_media(reduced_motion=motion)
        one.wait_for(lambda flows=flows: one.page.evaluate(FLOWS) == flows)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe.PACKAGE is None or axe.faults(one) == []
    one.assert_whole()


NOW = """[...document.querySelectorAll('.shlpt-plot')].flatMap(box => box.data ?? [])
    .filter(line => line.name?.endsWith(', now')).reduce((sum, line) => sum + line.x.length, 0)"""


def test_the_finding_is_seen_to_happen(visit: Any, server: Any) -> None:
    """After the demonstration, whose worker is still there."""
    one = visit("")
    one.wait_for(lambda: "What is learned first" in one.page.locator("h1").inner_text())
    one.press("See it happen now")
    begin = time.monotonic()
    one.wait_for(lambda: one.page.evaluate(NOW) > 0)
    point = time.monotonic() - begin
    one.wait_for(lambda: "test texts:" in one.text(), TRAINED)
    first = time.monotonic() - begin  # one pair is told while the other is still being trained
    both = r"test texts: .+ after .+ \([+−]\d+\), .+ after .+ \([+−]\d+\)"
    one.wait_for(lambda: re.search(both, one.text()), TRAINED)
    whole = time.monotonic() - begin
    print(f"first point after {point:.1f} s, first verdict after {first:.1f} s, both after {whole:.1f} s")
    one.wait_for(lambda: one.page.evaluate(NOW) > 10)
    one.wait_for(lambda: "fresh seed" in one.text())
    one.assert_whole()


PAIR = "tasks?question=noise&texts=hotel&answers=no-yes&pair_count=1&pair_source_shots=4&pair_shots=4&pair_epochs=2"
MINE = """[...document.querySelectorAll('.shlpt-plot')].flatMap(box => box.data ?? [])
    .filter(dots => dots.name === 'yours').map(dots => dots.x[0])[0]"""


def test_a_pair_of_the_playground_is_trained_and_drawn(visit: Any) -> None:
    one = visit(PAIR)
    one.press("Train this pair")
    one.wait_for(lambda: "nothing is claimed" in one.text(), TRAINED)
    assert one.wait_for(lambda: one.page.evaluate(MINE)) == -0.3  # what is declared of another question and other texts
    two = visit(one.page.url.split("/", 3)[3])
    two.wait_for(lambda: "nothing is claimed" in two.text(), 30 * SLOW)
    for seen in (one, two):
        seen.assert_whole()
