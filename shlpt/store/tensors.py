"""The rows that map stages and groups to their files of tensors."""

import sqlite3
from typing import Any

from shlpt.store.artifacts import Artifact, Damaged, read
from shlpt.store.store import Store, to_json


def artifact_bytes(store: Store, owner: str, kind: str) -> bytes:
    row = store.row("SELECT file, sha256 FROM artifacts WHERE owner=? AND kind=?", (owner, kind))
    if row is None:
        raise Damaged(f"the tensors of {owner} are not in the store: train that run again with --fresh")
    return read(store.home, row["file"], row["sha256"])


def add_artifact(db: sqlite3.Connection, owner: str, kind: str, artifact: Artifact, about: Any = None) -> str | None:
    """Add or replace a row; returns the file that is no longer needed."""
    before = db.execute("SELECT file FROM artifacts WHERE owner=? AND kind=?", (owner, kind)).fetchone()
    db.execute(
        "INSERT OR REPLACE INTO artifacts (owner, kind, file, sha256, bytes, about) VALUES (?,?,?,?,?,?)",
        (owner, kind, artifact.file, artifact.sha256, artifact.bytes, to_json(about)),
    )
    return None if before is None or before[0] == artifact.file else str(before[0])
