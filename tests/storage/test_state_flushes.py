"""How the State is flushed: a commit costs no flush, and a checkpoint cannot leave half of its pages behind."""

from __future__ import annotations

from pathlib import Path

from gonk_node.store.state_db import StateDb

NORMAL = 1  # https://sqlite.org/pragma.html#pragma_synchronous: in WAL mode, consistent after a power cut; OFF is not


def test_a_power_cut_can_only_take_the_newest_transactions(tmp_path: Path) -> None:
    db = StateDb(tmp_path / "state.db", bytes(32))
    assert db.one("PRAGMA journal_mode") == ("wal",)
    assert db.one("PRAGMA synchronous") == (NORMAL,)
    db.recreate()
    assert db.one("PRAGMA synchronous") == (NORMAL,)
    db.close()


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"junk\n")
    db = StateDb(tmp_path / "state.db", bytes(32))
    assert db.meta("lsn") == 0
    assert db.one("PRAGMA synchronous") == (NORMAL,)
    db.close()
