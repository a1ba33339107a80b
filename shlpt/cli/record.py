"""The command `record`."""

import json as text
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from shlpt.catalog import METHODS
from shlpt.cli.carry_out import Study, carry_out
from shlpt.cli.options import Csv, Device, Home, Json, Lanes, Threads
from shlpt.cli.report import Bar, errors, show
from shlpt.plans.experiments import Experiment
from shlpt.plans.recorded import CURVES_ONLY, PARTS, SCORES_ONLY, kept, plan
from shlpt.results.recorded import HEAVY, HOME, mark
from shlpt.results.rows import ROWS
from shlpt.store import artifacts
from shlpt.store.store import FILE, Store
from shlpt.store.tensors import add_artifact

Kept = Mapping[str, frozenset[str]]  # run or stage -> what stays of it beside its scores


def record(
    only: Annotated[str, typer.Option(help=f"Parts to train, separated by commas: {', '.join(PARTS)}.")] = "all",
    out: Annotated[Path | None, typer.Option(help="Folder to write to (default: data/recorded).")] = None,
    lanes: Lanes = None,
    device: Device = "cpu",
    threads: Threads = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Train the recorded results again (some hours).

    These are the results that come with the program; the app shows them before you have trained anything. The runs are
    trained in your own store, so that the same command resumes what was stopped. What is finished of all parts is then
    written to the folder, small: most seeds keep their scores only.
    """
    parts = () if only == "all" else tuple(part.strip() for part in only.split(","))
    way = Study(home, lanes=lanes, device=device, threads=threads)
    made = [carry_out(one, way, ROWS[one.kind], quiet=True) for one in plan(parts)]
    store = Store(home).open()
    whole = plan()
    done = [one for one in whole if _is_done(store, one)]
    _measure(store, done)
    write(store, done, out or HOME)
    size = sum(file.stat().st_size for file in (out or HOME).rglob("*") if file.is_file())
    missing = ", ".join(one.name for one in whole if one not in done)
    errors.print(f"{size / 1e6:.1f} MB in {out or HOME}" + f"; not recorded yet: {missing}" * bool(missing))
    rows = [{key: found[key] for key in ("id", "kind", "name", "runs", "trained", "seconds")} for found in made]
    show(rows, "recorded", as_json=json, as_csv=csv)
    if any(found["left"] for found in made):
        raise SystemExit(1)


def _measure(store: Store, done: Iterable[Experiment]) -> None:
    """Before the prompts and the activation states are left behind."""
    from shlpt.results import overlaps
    from shlpt.results.scores import measure

    for one in done:
        if one.kind == "ablations":
            overlaps.keep(store, one.id)
        if one.kind == "matrix":
            with Bar("similarity") as bar:
                measure(store, one.id, watch=bar)


def _is_done(store: Store, experiment: Experiment) -> bool:
    from shlpt.results.experiments import results

    found = results(store, experiment.id)
    return len(found) > 0 and bool((found["state"] == "done").all())


# --- a small copy of what is done ----------------------------------------------------------
def write(store: Store, done: Iterable[Experiment], out: Path) -> None:
    """Replace the store in `out` by a copy of these experiments, without what no page reads."""
    draft = out.with_name(f"{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    with closing(sqlite3.connect(draft / FILE)) as db:
        store.db.backup(db)
    copy, done = Store(draft).open(), list(done)
    runs = _runs(copy, done)
    stages: dict[str, frozenset[str]] = {}
    for row in copy.rows("SELECT run, stage FROM run_stages"):
        if row["run"] in runs:
            stages[row["stage"]] = stages.get(row["stage"], frozenset()) | runs[row["run"]]
    _drop_rows(copy, [one.id for one in done], runs, stages)
    _shorten(copy)
    _copy_tensors(store, copy, stages)
    _copy_beside(store, copy, [one.id for one in done], runs)
    arrange(copy, done, runs)
    mark(copy)
    copy.db.execute("DROP INDEX stages_by_group")  # it serves workers alone
    copy.db.execute("PRAGMA journal_mode=DELETE")
    copy.db.execute("PRAGMA page_size=16384")  # two long rows to a small page waste half of it
    copy.db.execute("VACUUM")
    copy.close()
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / artifacts.FOLDER, ignore_errors=True)
    for path in draft.iterdir():
        path.replace(out / path.name)
    draft.rmdir()


def _runs(copy: Store, done: Iterable[Experiment]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for one in done:
        for row in copy.rows("SELECT run, cell FROM experiment_runs WHERE experiment=?", (one.id,)):
            found[row["run"]] = found.get(row["run"], frozenset()) | kept(one, text.loads(row["cell"]))
    return found


def _drop_rows(copy: Store, experiments: list[str], runs: Kept, stages: Kept) -> None:
    """Other runs, their stages, and what does not stay of those that do."""

    def names(what: str) -> str:
        return text.dumps([key for key, parts in stages.items() if what in parts])

    unlike, chosen = "NOT IN (SELECT value FROM json_each(?))", "(SELECT id FROM stages WHERE key {})"
    with copy.write() as db:
        for table, column, ids in (
            ("runs", "id", [*runs]),
            ("run_stages", "run", [*runs]),
            ("experiments", "id", experiments),
            ("experiment_runs", "experiment", experiments),
            ("stages", "key", [*stages]),
        ):
            db.execute(f"DELETE FROM {table} WHERE {column} {unlike}", (text.dumps(ids),))
        for table in ("events", "scores"):
            db.execute(f"DELETE FROM {table} WHERE stage NOT IN (SELECT id FROM stages)")
        for kind in ("step", "epoch"):
            stage = chosen.format(unlike)
            db.execute(f"DELETE FROM events WHERE kind=? AND stage IN {stage}", (kind, names(f"{kind}s")))
        lacking = chosen.format(unlike)
        db.execute(f"UPDATE scores SET examples='{{}}' WHERE stage IN {lacking}", (names("answers"),))
        # Without steps, all that stays of an epoch is the validation score, with the answers if they stay.
        for paths, what in (("'$.answers'", "answers"), ("'$.validation_loss', '$.overlap'", "steps")):
            shorter = f"UPDATE events SET payload=json_remove(payload, {paths}) WHERE kind='epoch' AND stage IN"
            db.execute(f"{shorter} {lacking}", (names(what),))
        db.execute(f"UPDATE stages SET record=NULL WHERE key {unlike}", (names("tensors"),))
        db.execute("UPDATE run_stages SET reused=0")  # which run came first means nothing here
        db.execute("UPDATE runs SET result=json_set(result, '$.reused', json('[]'))")
        db.execute("DELETE FROM artifacts")
        db.execute("DELETE FROM workers")
        db.execute("DELETE FROM groups WHERE key NOT IN (SELECT grp FROM stages)")
        db.execute("UPDATE groups SET worker=NULL, warnings=''")


def _shorten(copy: Store) -> None:
    """Five digits of each number of a curve or a summary: more than is shown, and a fifth of all that is recorded."""

    def short(payload: str) -> str:
        return text.dumps(text.loads(payload, parse_float=lambda n: float(f"{float(n):.5g}")), separators=(",", ":"))

    with copy.write() as db:
        rows = db.execute("SELECT stage, seq, payload FROM events").fetchall()
        db.executemany("UPDATE events SET payload=? WHERE stage=? AND seq=?", [(short(p), *key) for *key, p in rows])
        rows = db.execute("SELECT id, summary FROM stages WHERE summary IS NOT NULL").fetchall()
        db.executemany("UPDATE stages SET summary=? WHERE id=?", [(short(said), id) for id, said in rows])


def _copy_tensors(store: Store, copy: Store, stages: Kept) -> None:
    for row in store.rows("SELECT owner, file, sha256, about FROM artifacts WHERE kind='tensors'"):
        parts = stages.get(row["owner"], frozenset())
        if "tensors" not in parts:
            continue
        data = artifacts.read(store.home, row["file"], row["sha256"])
        heavy = HEAVY if "probe" in parts else (*HEAVY, "record.probe_")
        tensors = {key: value for key, value in artifacts.from_bytes(data).items() if not key.startswith(heavy)}
        made = artifacts.write(copy.home, row["owner"], artifacts.to_bytes(tensors, artifacts.about_of(data)))
        with copy.write() as db:
            add_artifact(db, row["owner"], "tensors", made, text.loads(row["about"]))


def _copy_beside(store: Store, copy: Store, experiments: list[str], runs: Kept) -> None:
    """What was measured of these runs without being told the task, and of whole experiments."""
    from shlpt.results.masking import KIND as MASKING
    from shlpt.results.overlaps import KIND as OVERLAPS
    from shlpt.results.routing import KIND
    from shlpt.results.scores import KIND as SCORES

    for row in store.rows("SELECT owner, kind, file, sha256 FROM artifacts"):
        routed = row["kind"].startswith(KIND) and row["kind"].rpartition(".")[2] in runs
        if routed or (row["kind"] in (SCORES, MASKING, OVERLAPS) and row["owner"] in experiments):
            data = artifacts.read(store.home, row["file"], row["sha256"])
            made = artifacts.write(copy.home, f"{row['owner']}.{row['kind']}", data)
            with copy.write() as db:
                add_artifact(db, row["owner"], row["kind"], made)


def arrange(copy: Store, done: Iterable[Experiment], runs: Kept) -> None:
    """Name each run after its experiment, say where only scores are recorded, and list all in the order of the plan."""
    newest = copy.value("SELECT max(created) FROM runs") or 0.0
    named = set[str]()
    for number, experiment in enumerate(done):
        rows = copy.rows("SELECT run, cell FROM experiment_runs WHERE experiment=? ORDER BY number", (experiment.id,))
        with copy.write() as db:
            db.execute("UPDATE experiments SET created=? WHERE id=?", (newest - number, experiment.id))
            for place, row in enumerate(rows):
                if row["run"] in named:  # by an earlier experiment
                    continue
                named.add(row["run"])
                cell = text.loads(row["cell"])
                what = (cell.get("method") and METHODS[cell["method"]].title) or cell.get("variant", "")
                values = (f"{what} · {experiment.name}" * bool(what), _note(runs[row["run"]]))
                when = newest - number - place / 1000
                db.execute("UPDATE runs SET name=?, note=?, created=? WHERE id=?", (*values, when, row["run"]))


def _note(parts: frozenset[str]) -> str:
    """What is missing of a run."""
    return SCORES_ONLY if not parts else CURVES_ONLY if parts == {"epochs"} else ""
