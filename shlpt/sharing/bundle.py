"""Finished runs, or an experiment, in one file that another installation reads: specifications, scores, curves,
answers, prompts, and what they were made with. No torch.

A bundle is a zip with `manifest.json`, `tables.json` and the tensors as `artifacts/0000.safetensors` and so on; its
comment is the SHA-256 of all before it, which is checked before anything is read. There are no pickles, and no name in
it becomes a path. What is imported gets ids of its own (i…), made of the bundle's hash: it is never mixed with runs of
this installation, never reused as a stage, and the same bundle is imported once.
"""

import io
import json
import platform
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from shlpt.catalog import METHODS
from shlpt.catalog.routers import ROUTERS
from shlpt.errors import UserError
from shlpt.plans.stages import stage_from
from shlpt.results import masking, overlaps, routing, scores
from shlpt.results.record import keep_results
from shlpt.results.recorded import HEAVY
from shlpt.sharing.which import Which
from shlpt.spec import RunSpec, digest
from shlpt.store import artifacts
from shlpt.store.store import Store, to_json
from shlpt.store.tensors import add_artifact, artifact_bytes
from shlpt.version import VERSION

FORMAT = 1
AMONG = "IN (SELECT value FROM json_each(?))"
MANIFEST, TABLES, TENSORS = "manifest.json", "tables.json", re.compile(r"artifacts/\d{4}\.safetensors")
LARGEST = 512 * 2**20  # bytes of the file
UNPACKED = 1024 * 2**20  # bytes of all that is in it
MARK = 64  # length of the hash at the end
BESIDE = (scores.KIND, masking.KIND, overlaps.KIND)  # what is measured of a whole experiment
WHEN = (1980, 1, 1, 0, 0, 0)  # the same results make the same file

# What is read of each table and written to it: the names of its columns, and never those of a file.
COLUMNS = {
    "runs": "id spec name note created",
    "stages": "key parent task method plan steps grp state error summary record seconds finished",
    "run_stages": "run alone position stage reused",
    "groups": "key method backbone dtype state warnings made",
    "events": "stage seq kind at payload",
    "scores": "stage task mean examples",
    "experiments": "id kind name about created",
    "experiment_runs": "experiment number run cell",
    "artifacts": "owner kind about",
}
Rows = dict[str, list[list[Any]]]


# --- writing --------------------------------------------------------------------------------
def pack(which: Which) -> bytes:
    """The bundle of a run, or of an experiment with all its finished runs."""
    store, runs = which.store, _finished(which)
    names = _names(store, runs)
    rows: Rows = {
        "runs": sorted(_select(store, "runs", f"id {AMONG}", runs), key=lambda row: runs.index(row[0])),
        "run_stages": _select(store, "run_stages", f"run {AMONG} ORDER BY run, alone, position", runs),
        "stages": _select(store, "stages", f"key {AMONG} ORDER BY id", names["stages"]),
        "groups": _select(store, "groups", f"key {AMONG} ORDER BY number", names["groups"]),
        "events": _of_stages(store, "events", names["stages"]),
        "scores": _of_stages(store, "scores", names["stages"]),
        "experiments": [],
        "experiment_runs": [],
    }
    owners = list(names["stages"])
    if which.experiment is not None:
        owners.append(which.id)
        rows["experiments"] = _select(store, "experiments", f"id {AMONG}", [which.id])
        members = _select(store, "experiment_runs", f"experiment {AMONG} ORDER BY number", [which.id])
        rows["experiment_runs"] = [row for row in members if row[2] in runs]
    rows["artifacts"], tensors = _tensors(store, owners, runs)
    what = {"kind": "run", "id": which.id} if which.experiment is None else dict(which.experiment)
    manifest = {"format": FORMAT, "shlpt": VERSION, "python": platform.python_version(), "what": what}
    manifest |= {"runs": len(runs), "made": made_with(store, names["groups"])}
    files = {MANIFEST: to_json(manifest).encode(), TABLES: to_json(rows).encode()}
    return _zipped(files | {f"artifacts/{n:04}.safetensors": data for n, data in enumerate(tensors)})


def _finished(which: Which) -> list[str]:
    from shlpt.results import frames

    states = frames.runs(which.store, which.runs).set_index("id")["state"]
    runs = [run for run in which.runs if states[run] == "done"]
    if not runs:
        state = states[which.runs[0]]
        raise UserError(f"run {which.runs[0]} is {state}: a bundle holds finished runs, so wait until it is done")
    return list(dict.fromkeys(runs))


def made_with(store: Store, groups: Sequence[str]) -> list[dict[str, Any]]:
    """The versions, devices and threads that these groups were trained with, each once."""
    rows = store.rows(f"SELECT DISTINCT made FROM groups WHERE key {AMONG} AND made != ''", (json.dumps([*groups]),))
    return [json.loads(row["made"]) for row in rows]


def _names(store: Store, runs: Sequence[str]) -> dict[str, list[str]]:
    rows = store.rows(
        f"SELECT DISTINCT s.key, s.grp FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run {AMONG} "
        "AND s.state='done'",
        (json.dumps([*runs]),),
    )
    return {"stages": [row["key"] for row in rows], "groups": [*dict.fromkeys(row["grp"] for row in rows)]}


def _select(store: Store, table: str, where: str, values: Sequence[str]) -> list[list[Any]]:
    columns = ", ".join(COLUMNS[table].split())
    found = store.rows(f"SELECT {columns} FROM {table} WHERE {where}", (json.dumps([*values]),))
    return [list(row.values()) for row in found]


def _of_stages(store: Store, table: str, keys: Sequence[str]) -> list[list[Any]]:
    """Rows that belong to stages, which they name by their keys: numbers differ between stores."""
    columns = ", ".join(f"t.{name}" for name in COLUMNS[table].split()[1:])
    query = f"SELECT s.key, {columns} FROM {table} t JOIN stages s ON s.id=t.stage WHERE s.key {AMONG}"
    return [list(row.values()) for row in store.rows(query, (json.dumps([*keys]),))]


def _tensors(store: Store, owners: Sequence[str], runs: Sequence[str]) -> tuple[list[list[Any]], list[bytes]]:
    lines, tensors = [], []
    query = f"SELECT owner, kind, about FROM artifacts WHERE owner {AMONG} ORDER BY owner, kind"
    for row in store.rows(query, (json.dumps([*owners]),)):
        if _is_kind(row["kind"], runs):
            data = artifact_bytes(store, row["owner"], row["kind"])
            lines.append([row["owner"], row["kind"], row["about"]])
            tensors.append(_light(data) if row["kind"] == "tensors" else data)
    return lines, tensors


def _is_kind(kind: str, runs: Sequence[str]) -> bool:
    head, _, run = kind.removeprefix(routing.KIND).rpartition(".")
    return kind in ("tensors", *BESIDE) or (kind.startswith(routing.KIND) and head in ROUTERS and run in runs)


def _light(data: bytes) -> bytes:
    """Without the weights of a whole model, which methods without prompts keep."""
    tensors = artifacts.from_bytes(data)
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(HEAVY)}
    return data if len(kept) == len(tensors) else artifacts.to_bytes(kept, artifacts.about_of(data))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(zipfile.ZipInfo(name, WHEN), data, zipfile.ZIP_DEFLATED)
        packed.comment = b"0" * MARK
    body = out.getvalue()[:-MARK]
    if len(body) > LARGEST:
        raise UserError(
            f"the bundle would have {len(body) / 2**20:.0f} MB, more than {LARGEST / 2**20:.0f}: take fewer runs"
        )
    return body + sha256(body).hexdigest().encode()


# --- reading --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Bundle:
    """A bundle that was checked."""

    id: str  # of its content
    manifest: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]
    tensors: list[bytes]

    @property
    def environment(self) -> str:
        """What it was made with, in words."""
        parts = [
            f"torch {made.get('torch')} on {made.get('device')}, {made.get('dtype')}, {made.get('threads')} threads"
            for made in self.manifest["made"][:3]
        ]
        return "; ".join(dict.fromkeys([f"shlpt {self.manifest['shlpt']}", *parts]))


def read(data: bytes, name: str = "the file") -> Bundle:
    """Check everything. Refused: another file, a damaged one, one of a newer version."""
    if len(data) > LARGEST:
        raise UserError(f"{name} has {len(data) / 2**20:.0f} MB, more than the {LARGEST / 2**20:.0f} MB of a bundle")
    if not data.startswith(b"PK"):
        raise UserError(f"{name} is no bundle: `python -m shlpt export ID --bundle FILE` writes one")
    if sha256(data[:-MARK]).hexdigest().encode() != data[-MARK:]:
        raise UserError(
            f"{name} is damaged, or is no bundle: its checksum is wrong. Get it again from where it came from"
        )
    try:
        files = _unpacked(data, name)
        manifest = json.loads(files[MANIFEST])
        if manifest["format"] > FORMAT:
            raise UserError(
                f"{name} was written by a newer version of shlpt ({manifest['shlpt']}, format {manifest['format']}; "
                f"this one reads {FORMAT}): update shlpt, or ask for a bundle of an older version"
            )
        rows = {
            table: [_row(columns.split(), row) for row in json.loads(files[TABLES])[table]]
            for table, columns in COLUMNS.items()
        }
        tensors = [files[f"artifacts/{n:04}.safetensors"] for n in range(len(rows["artifacts"]))]
        _check(rows, tensors)
    except (zipfile.BadZipFile, zlib.error, SafetensorError, RecursionError) as error:
        raise UserError(f"{name} cannot be read ({error}): get it again from where it came from") from None
    except (KeyError, ValueError, TypeError, AttributeError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{name} is no bundle that this version can read ({error})") from None
    return Bundle(sha256(data).hexdigest()[:16], manifest, rows, tensors)


def _unpacked(data: bytes, name: str) -> dict[str, bytes]:
    """The files by name: only names that a bundle has, each once, and no more bytes than allowed, whatever the file
    says about their sizes."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        names = packed.namelist()
        wrong = [n for n in names if n not in (MANIFEST, TABLES) and not TENSORS.fullmatch(n)]
        if wrong or len(set(names)) != len(names):
            raise UserError(f"{name} is no bundle: {(wrong or names)[0][:80]!r} does not belong into one")
        left, files = UNPACKED, {}
        for one in names:
            with packed.open(one) as file:
                files[one] = file.read(left + 1)
            left -= len(files[one])
            if left < 0:
                raise UserError(f"{name} unpacks to more than {UNPACKED / 2**20:.0f} MB: that is no bundle of results")
    return files


def _row(columns: Sequence[str], row: Any) -> dict[str, Any]:
    if not isinstance(row, list) or len(row) != len(columns):
        raise ValueError("a row of another length than its table")
    for value in row:
        if isinstance(value, str):
            value.encode()  # half a character cannot be stored
        elif not (value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)):
            raise ValueError("a value that no column can hold")
    return dict(zip(columns, row, strict=True))


def _check(rows: Mapping[str, Sequence[Mapping[str, Any]]], tensors: Sequence[bytes]) -> None:
    """Every name in it leads somewhere in it, and all that the program will read can be read."""
    runs, stages = {row["id"] for row in rows["runs"]}, {row["key"] for row in rows["stages"]}
    groups, experiments = {row["key"] for row in rows["groups"]}, {row["id"] for row in rows["experiments"]}
    if not runs or any(row["state"] != "done" or row["method"] not in METHODS for row in rows["stages"]):
        raise ValueError("unfinished runs, or a method that is not known")
    for row in rows["runs"]:
        RunSpec.model_validate(json.loads(row["spec"]))
    for row in rows["stages"]:
        stage_from(json.loads(row["plan"]))
    for table, column, known in (
        ("run_stages", "run", runs),
        ("run_stages", "stage", stages),
        ("stages", "grp", groups),
        ("events", "stage", stages),
        ("scores", "stage", stages),
        ("experiment_runs", "run", runs),
        ("experiment_runs", "experiment", experiments),
        ("artifacts", "owner", stages | experiments),
    ):
        if any(row[column] not in known for row in rows[table]):
            raise ValueError(f"{table} that belong to nothing")
    texts = [("events", "payload"), ("scores", "examples"), ("experiments", "about"), ("experiment_runs", "cell")]
    for table, column in (
        *texts,
        ("stages", "summary"),
        ("stages", "record"),
        ("groups", "made"),
        ("artifacts", "about"),
    ):
        for row in rows[table]:
            json.loads(row[column] or "null")
    if not all(_is_kind(row["kind"], [*runs]) for row in rows["artifacts"]):
        raise ValueError("tensors of an unknown kind")
    for data in tensors:
        artifacts.from_bytes(data)


# --- bringing in ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Brought:
    runs: tuple[str, ...]
    experiment: str | None
    is_new: bool


def bring_in(store: Store, bundle: Bundle, file: str = "") -> Brought:
    """Write a bundle's results to the store as imported ones. All or nothing; what is there stays as it is."""

    def new(id: str, size: int = 10) -> str:
        return digest([bundle.id, id], size=size)

    runs = {row["id"]: f"i{new(row['id'], 6)}" for row in bundle.rows["runs"]}
    experiment = next((f"ix{new(row['id'], 5)}" for row in bundle.rows["experiments"]), None)
    brought = Brought(tuple(runs.values()), experiment, not _is_there(store, runs.values()))
    if not brought.is_new:
        return brought
    said = f"imported from {Path(file).name or 'a bundle'} ({bundle.environment})"[:500]
    keys = {row["key"]: new(row["key"]) for row in bundle.rows["stages"]}
    owners = keys | {row["id"]: experiment or "" for row in bundle.rows["experiments"]}
    made: list[tuple[str, str, artifacts.Artifact, Any]] = []
    for row, data in zip(bundle.rows["artifacts"], bundle.tensors, strict=True):
        owner, kind = owners[row["owner"]], row["kind"]
        head, _, run = kind.rpartition(".")
        kind = f"{head}.{runs[run]}" if run in runs else kind
        made.append(
            (owner, kind, artifacts.write(store.home, f"{owner}.{kind}", data), json.loads(row["about"] or "null"))
        )
    try:
        with store.write() as db:
            _insert_all(db, bundle, runs, keys, experiment, said, new)
            for one in made:
                add_artifact(db, *one)
    except sqlite3.IntegrityError as error:
        artifacts.remove_others(store.home, [owner for owner, *_ in made], ())
        raise UserError(f"{file or 'the bundle'} contradicts itself ({error}): nothing was imported") from None
    keep_results(store, runs.values())
    return brought


def _is_there(store: Store, runs: Any) -> bool:
    return any(store.value("SELECT 1 FROM runs WHERE id=?", (run,)) for run in runs)


def _insert(db: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    columns = COLUMNS[table].split()
    db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({','.join('?' * len(columns))})", rows)


def _insert_all(
    db: sqlite3.Connection,
    bundle: Bundle,
    runs: Mapping[str, str],
    keys: Mapping[str, str],
    experiment: str | None,
    said: str,
    new: Any,
) -> None:
    _insert_runs(db, bundle, runs, said)
    _insert_stages(db, bundle, keys, new)
    members = [row | {"run": runs[row["run"]], "stage": keys[row["stage"]]} for row in bundle.rows["run_stages"]]
    _insert(db, "run_stages", [list(row.values()) for row in members])
    for row in bundle.rows["experiments"]:
        about = to_json(json.loads(row["about"]) | {"imported": said})
        _insert(db, "experiments", [[experiment, row["kind"], f"{row['name']} (imported)", about, row["created"]]])
    cells = [[experiment, r["number"], runs[r["run"]], r["cell"]] for r in bundle.rows["experiment_runs"]]
    _insert(db, "experiment_runs", cells)


def _insert_runs(db: sqlite3.Connection, bundle: Bundle, runs: Mapping[str, str], said: str) -> None:
    """Under an edition of their own, so that no run of this installation differs from one in its seed only."""
    edition = 2**31 + int(bundle.id[:7], 16)
    lines = []
    for row in bundle.rows["runs"]:
        spec = RunSpec.model_validate(json.loads(row["spec"])).model_copy(update={"edition": edition})
        name = row["name"] or f"{METHODS[spec.method].title} · {' → '.join(spec.tasks)}"
        note = "; ".join(filter(None, [row["note"], said]))
        lines.append([runs[row["id"]], to_json(spec.to_json()), f"{name} · imported"[:200], note, row["created"]])
    _insert(db, "runs", lines)


def _insert_stages(db: sqlite3.Connection, bundle: Bundle, keys: Mapping[str, str], new: Any) -> None:
    for row in bundle.rows["groups"]:
        _insert(db, "groups", [[new(row["key"]), *list(row.values())[1:]]])
    numbers = {}
    for row in bundle.rows["stages"]:
        parent = keys.get(row["parent"])
        plan = json.loads(row["plan"]) | {"key": keys[row["key"]], "parent": parent}
        line = dict(row) | {"key": keys[row["key"]], "parent": parent, "plan": to_json(plan), "grp": new(row["grp"])}
        _insert(db, "stages", [list(line.values())])
        numbers[row["key"]] = db.execute("SELECT id FROM stages WHERE key=?", (line["key"],)).fetchone()[0]
    for table in ("events", "scores"):
        rows = ([numbers[row["stage"]], *list(row.values())[1:]] for row in bundle.rows[table])
        _insert(db, table, list(rows))
