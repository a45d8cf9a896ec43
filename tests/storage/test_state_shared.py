"""One `state.db`, several processes: none is left behind with another file when one of them makes the State anew."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gonk_node.store.state_db import StateDb, empty_state

DATASET = bytes(32)
COUNTER = """
import sys
from pathlib import Path
from gonk_node.store.state_db import StateDb

db = StateDb(Path(sys.argv[1]), bytes(32))
for _ in range(int(sys.argv[2])):
    with db.transaction():
        db.set_meta("lsn", db.meta("lsn") + 1)
db.close()
"""


def _damage(path: Path, table: str) -> None:
    """Overwrite the first page of a table."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


@pytest.mark.parametrize("damaged", [False, True])
def test_who_has_it_open_goes_on_with_the_one_that_was_made_anew(tmp_path: Path, damaged: bool) -> None:
    path = tmp_path / "state.db"
    one = StateDb(path, DATASET)
    with one.transaction():
        one.set_meta("lsn", 7)
    if damaged:
        _damage(path, "conflicts")
    before = one.foreign_commits()
    empty_state(path, DATASET)
    assert one.meta("lsn") == 0
    assert one.foreign_commits() != before, "what is kept in memory must be read anew"
    with one.transaction():
        one.set_meta("lsn", 8)
    other = StateDb(path, DATASET)
    assert other.meta("lsn") == 8
    assert one.damage() == other.damage() == []
    one.close()
    other.close()


def test_a_state_of_another_version_or_dataset_is_emptied_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    one = StateDb(path, DATASET)
    inode = path.stat().st_ino
    with one.transaction():
        one.set_meta("state_version", 0)
        one.set_meta("lsn", 7)
    other = StateDb(path, DATASET)
    assert one.meta("lsn") == other.meta("lsn") == 0
    assert path.stat().st_ino == inode
    one.close()
    other.close()


@pytest.mark.processes
@pytest.mark.parametrize("junk", [None, b"no database\n" * 1000])
def test_processes_that_open_it_at_the_same_time_end_up_with_the_same_one(tmp_path: Path, junk: bytes | None) -> None:
    path = tmp_path / "state.db"
    if junk is not None:
        path.write_bytes(junk)
        Path(f"{path}-wal").write_bytes(junk)
    processes = [subprocess.Popen([sys.executable, "-c", COUNTER, str(path), "20"]) for _ in range(6)]
    assert [process.wait(90) for process in processes] == [0] * 6
    db = StateDb(path, DATASET)
    assert db.meta("lsn") == 120
    assert db.damage() == []
    db.close()
