"""Every claim of a lesson against the recorded results: worked out anew, with its interval."""

from pathlib import Path
from typing import Any

import pytest

from shlpt.analysis import metrics, transfer
from shlpt.errors import UserError
from shlpt.lessons import checking, claims, curves, reading, reveal
from shlpt.lessons.reading import Lesson
from shlpt.plans.stages import every_stage, plans_of
from shlpt.results import experiments, overlaps, seeds
from shlpt.spec import RunSpec, parse_setting
from shlpt.tasks.find import find_task
from shlpt.tasks.sequences import SEQUENCES
from shlpt.ui.links import OWN_SEQUENCE


def changed(tmp_path: Path, name: str, old: str, new: str) -> Lesson:
    """A lesson that says something else."""
    lesson = reading.read(name)
    assert old in lesson.source
    path = tmp_path / lesson.file.name
    path.write_text(lesson.source.replace(old, new, 1), encoding="utf-8")
    return reading.read_file(path)


@pytest.mark.parametrize("name", reading.names())
def test_the_recorded_results_support_a_lesson(name: str) -> None:
    lesson = reading.read(name)
    assert checking.problems(lesson) == []
    drawn = reveal.shown(lesson)
    assert len({(found.unit, found.than) for found in drawn.values()}) <= 1  # one axis
    for name, one in drawn.items():
        assert one.low < one.value < one.high, name
        assert one.n >= 10


@pytest.mark.parametrize("name", [n for n in reading.names() if reading.read(n).front.live is not None])
def test_a_live_run_has_recorded_stages_only(name: str) -> None:
    """So its result is known, with its seed."""
    live = reading.read(name).front.live
    assert live is not None
    spec = RunSpec.make(live.tasks, live.method, seed=live.seed, settings=live.settings)
    for key in every_stage(plans_of([spec])):
        assert claims.store().value("SELECT 1 FROM stages WHERE key=? AND state='done'", (key,)) == 1


@pytest.mark.parametrize("name", reading.names())
def test_the_links_of_a_lesson_name_what_is_there(name: str) -> None:
    """Runs and experiments that are recorded, tasks and settings that a run can have."""
    for link in reading.read(name).front.links:
        given = dict(link.address)
        for kind in ("run", "matrix", "experiment"):
            if kind in given:
                table = "runs" if kind == "run" else "experiments"
                assert claims.store().value(f"SELECT 1 FROM {table} WHERE id=?", (given.pop(kind),)) == 1
        if link.page == "live":
            settings = {key[2:]: value for key, value in given.items() if key.startswith("s_")}
            tasks = (
                given.get("tasks", "").split(",") if given["sequence"] == OWN_SEQUENCE else SEQUENCES[given["sequence"]]
            )
            words = [f"{key}={value}" for key, value in settings.items()]
            spec = RunSpec.make(tuple(tasks), given.get("method", "shlpt"), settings=dict(map(parse_setting, words)))
            assert all(find_task(task) for task in spec.tasks)
            assert {key for key in given if not key.startswith("s_")} <= {"sequence", "tasks", "method", "seeds"}


# --- what must not pass -------------------------------------------------------------------
TRAP = 'says = "below"\nlabel = "another question, same'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (TRAP, TRAP.replace("below", "above"), "trap says above 0, but the recorded results give −33.0 points"),
        (TRAP, TRAP.replace("below", "unclear"), "trap says unclear"),
        ('says = "unclear"\nlabel = "same', 'says = "above"\nlabel = "same', "swapped says above"),  # contains zero
        ("than = -5.0", "than = 0.0", "no_great_harm says above 0"),
        ("cx30316a2975a2 transfer", "cx30316a2975a3 transfer", "was recorded anew and is cx30316a2975a2 now"),
        ("{other_question}. That", "−43.4 points. That", "'43.4 points' in 'What happened' is typed"),
    ],
)
def test_a_claim_that_the_data_do_not_support_fails(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = checking.problems(changed(tmp_path, "harm", old, new))
    assert len(found) == 1
    assert said in found[0]
    assert found[0].startswith("4-harm.md:")


def test_an_unknown_run_or_side_is_said_with_its_line(tmp_path: Path) -> None:
    lesson = changed(tmp_path, "harm", "cx939195de320c stream_trap", "cx000 nothing")
    with pytest.raises(UserError, match=r"4-harm\.md:\d+: unknown experiment 'nothing'"):
        checking.problems(lesson)
    lesson = changed(tmp_path, "harm", 'first = "continual"', 'first = "continuous"')
    with pytest.raises(UserError, match="unknown side 'continuous': did you mean 'continual'"):
        checking.problems(lesson)


# --- by hand ------------------------------------------------------------------------------
def test_claims_are_those_of_the_pages() -> None:
    """The same functions, called here by hand."""
    lesson = reading.read("harm")
    id = lesson.front.results["matrix"].partition(" ")[0]
    table = transfer.cells(experiments.pairs(claims.store(), id))
    claim = lesson.front.claims["other_question"]
    cell = transfer.cell(table, claim.source, claim.target)
    found = claims.found(lesson, "other_question")
    assert (found.value, found.low, found.high, found.n) == (cell["value"], cell["low"], cell["high"], 10)
    assert cell["verdict"] == "harms"
    id = experiments.find(claims.store(), "stream_trap")["id"]
    trap = experiments.results(claims.store(), id).pivot(index="seed", columns="method", values="last")
    apart: Any = metrics.summary(list(100 * (trap["continual"] - trap["per_task"])))
    one = claims.found(lesson, "trap")
    assert (one.value, one.low) == pytest.approx((apart["mean"], apart["ci95"][0]))
    assert claims.filled(lesson, "{trap}") == "−33.0 points [−44.9, −21.1]"
    assert claims.filled(lesson, "{trap.size}, {trap.first}, {trap.second}") == "33.0 points, 60 %, 93 %"


def test_shared_neurons_are_those_active_under_both_of_those_active_under_either() -> None:
    id = claims.locate(reading.read("activations").front.results["demo"])["id"]
    frame = overlaps.of_seeds(claims.store(), id)
    last = frame[(frame["variant"] == "SHLPT") & (frame["layer"] == frame["layer"].max())]
    assert claims.found(reading.read("activations"), "shared").value == pytest.approx(last["jaccard"].mean())


def test_tasks_that_count_as_similar_are_those_with_a_mean_alpha_above_the_threshold_of_the_run() -> None:
    lesson = reading.read("threshold")
    frame = experiments.results(claims.store(), claims.locate(lesson.front.results["none"])["id"])
    runs = list(frame[frame["method"] == "shlpt"]["run"])
    alphas = seeds.stage_alphas(claims.store(), runs)
    last = alphas[alphas["task"].str.startswith("ask:told")].pivot(index="seed", columns="earlier", values="alpha")
    assert last.shape == (10, 4)
    assert claims.found(lesson, "unrelated").value == pytest.approx((last > 0.06).sum(axis=1).mean())
    assert claims.found(lesson, "total").value == pytest.approx(last.sum(axis=1).mean())
    unsure = lesson.front.facts["always_published"].model_copy(update={"of": "none", "method": "shlpt"})
    front = lesson.front.model_copy(update={"facts": {"always_published": unsure}})
    with pytest.raises(UserError, match="not the same in every seed"):
        claims.fact(lesson.model_copy(update={"front": front}), "always_published")


def test_first_places_are_seeds_in_which_the_task_has_the_highest_alpha() -> None:
    lesson = reading.read("similarity")
    frame = experiments.results(claims.store(), claims.locate(lesson.front.results["none"])["id"])
    alphas = seeds.stage_alphas(claims.store(), frame[frame["method"] == "shlpt"]["run"])
    last = alphas[alphas["task"].str.startswith("ask:told")].pivot(index="seed", columns="earlier", values="alpha")
    wanted = (last.idxmax(axis=1) == "ask:price/hotel/no-yes@64").sum()
    other = lesson.front.facts["first_inputs"].model_copy(update={"of": "none"})
    front = lesson.front.model_copy(update={"facts": {"first_inputs": other}})
    assert 0 < wanted < 10
    assert claims.fact(lesson.model_copy(update={"front": front}), "first_inputs") == str(wanted)


def test_the_tasks_before_the_last_are_all_but_the_last() -> None:
    """With a pool nothing is forgotten, so the mean over all tasks and the last score give it too."""
    lesson = reading.read("help")
    frame = experiments.results(claims.store(), claims.locate(lesson.front.results["inputs"])["id"])
    mean = frame[frame["method"].isin(["shlpt", "per_task"])].pivot(index="seed", columns="method")
    before = (5 * mean["acc"] - mean["last"]) / 4
    wanted = 100 * (before["shlpt"] - before["per_task"]).mean()
    assert claims.found(lesson, "before").value == pytest.approx(wanted)


def test_a_recorded_curve_is_that_of_the_accuracy_matrices() -> None:
    found = curves.found(reading.read("forgetting"), "first_task")
    runs = experiments.labelled(claims.store(), experiments.find(claims.store(), "the demonstration")["id"])
    matrices = [record["matrix"] for label, record in runs if label == "finetune"]
    wanted = [sum(matrix[place][0] or 0 for matrix in matrices) / len(matrices) for place in range(4)]
    assert list(found.rows["mean"]) == pytest.approx(wanted)
    assert found.ticks == ("after yelp", "after sst2", "after agnews", "after rte")
    assert found.seeds == len(matrices) == 10
