"""Stores that are read where nothing can be locked: what somebody writes from elsewhere is noticed, and read anew."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node.core.limits import MIB
from gonk_node.errors import DamagedStoreError, ReadOnlyError, StoreLockedError
from gonk_node.store import read_only
from gonk_node.store.env import Environment
from gonk_node.store.state_reading import StateReading
from gonk_node.store.writer import Txn

WRITE = """
import lmdb, sys
env = lmdb.Environment(sys.argv[1], max_dbs=1)
table = env.open_db(b"a", create=False)
for value in sys.argv[2:]:
    with env.begin(write=True) as txn:
        txn.put(b"k", value.encode(), db=table)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def env(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """An environment with one row, opened as in a folder that cannot be written to (which every user can have)."""
    Environment.create(path, ("a",), lambda txn, tables: txn.put(b"k", b"0", db=tables["a"]), map_bytes=MIB)
    monkeypatch.setattr(read_only, "can_write", lambda *_: False)
    opened = Environment.open(path, ("a",), map_bytes=MIB)
    yield opened
    opened.close()


def commit(path: Path, *values: str) -> None:
    """Commit each value by itself, in a process of its own: LMDB allows one environment of a file in each."""
    subprocess.run([sys.executable, "-c", WRITE, str(path), *values], check=True, timeout=60)


def value(env: Environment) -> bytes | None:
    return env.ask(lambda txn: txn.get(b"k", db=env.tables["a"]))


def test_nothing_is_made_or_written_where_an_environment_is_only_read(path: Path, env: Environment) -> None:
    (path / "lock.mdb").unlink(missing_ok=True)
    before = (path / "data.mdb").stat().st_mtime_ns
    assert value(env) == b"0"
    assert list(env.rows("a", batch=10)) == [(b"k", b"0")]
    assert env.structure_problems() == []
    with pytest.raises(ReadOnlyError):
        env.write(lambda txn: txn.put(b"k", b"1", db=env.tables["a"]))
    env.close()
    assert [file.name for file in path.iterdir()] == ["data.mdb"]
    assert (path / "data.mdb").stat().st_mtime_ns == before


def test_what_was_committed_elsewhere_is_seen_by_the_next_read(path: Path, env: Environment) -> None:
    commit(path, "1")
    assert value(env) == b"1"
    commit(path, *"23456789")
    assert value(env) == b"9"


def test_a_read_that_pages_may_have_been_taken_from_is_told_or_repeated(path: Path, env: Environment) -> None:
    """Pages of a snapshot may be written over once two more transactions are committed, not before."""
    with env.read() as txn:
        commit(path, "1")
        assert txn.get(b"k", db=env.tables["a"]) == b"0"
    with pytest.raises(StoreLockedError, match="somebody wrote to this folder while it was read"), env.read():
        commit(path, "2", "3")
    with pytest.raises(StoreLockedError), env.read():
        commit(path, "4", "5")
        raise DamagedStoreError("what came of it")
    values = iter([("6", "7"), ("8",)])

    def look(txn: Txn) -> bytes | None:
        commit(path, *next(values))
        return txn.get(b"k", db=env.tables["a"])

    assert env.ask(look) == b"7"


def test_a_read_that_is_overtaken_again_and_again_is_given_up(path: Path, env: Environment) -> None:
    with pytest.raises(StoreLockedError, match="somebody wrote"):
        env.ask(lambda _: commit(path, "a", "b"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "a state?.db"
    with changed(path) as db:
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (0)")
    db.close()
    return path


def changed(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    return db


def opened(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def rows(reading: StateReading) -> list[int]:
    return [x for (x,) in reading.ask(lambda db: db.execute("SELECT x FROM t").fetchall())]


def test_a_state_that_nobody_has_open_is_read_without_a_file_beside_it(state: Path) -> None:
    reading = StateReading(state, opened)
    assert rows(reading) == [0]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reading.ask(lambda db: db.execute("INSERT INTO t VALUES (1)"))
    assert [file.name for file in state.parent.iterdir()] == [state.name]
    reading.db.close()


def test_a_state_that_changes_is_read_anew_and_never_as_a_mixture(state: Path) -> None:
    reading = StateReading(state, opened)
    for number in range(1, 4):
        with changed(state) as db:
            db.executemany("INSERT INTO t VALUES (?)", [(number,)] * 1000)
        db.close()  # the file itself is changed now
        found = rows(reading)
        assert (len(found), found[-1]) == (1 + 1000 * number, number)
    db = changed(state)
    with db:
        db.execute("DELETE FROM t WHERE x > 1")
    assert len(rows(reading)) == 3001  # it is in SQLite's log still
    db.close()
    assert len(rows(reading)) == 1001
    reading.db.close()


def test_a_state_that_changes_within_a_transaction_is_told(state: Path) -> None:
    reading = StateReading(state, opened)
    reading.db.execute("BEGIN")
    assert rows(reading) == [0]
    with changed(state) as db:
        db.execute("INSERT INTO t VALUES (1)")
    db.close()
    with pytest.raises(StoreLockedError, match="somebody wrote"):
        rows(reading)
    reading.db.close()


def test_a_state_that_somebody_has_open_is_read_with_his_changes(state: Path) -> None:
    db = changed(state)
    with db:
        db.execute("INSERT INTO t VALUES (1)")
    reading = StateReading(state, opened)
    assert rows(reading) == [0, 1]
    with db:
        db.execute("INSERT INTO t VALUES (2)")
    assert rows(reading) == [0, 1, 2]
    db.close()
    assert rows(reading) == [0, 1, 2]
    reading.db.close()


def test_a_state_that_was_deleted_meanwhile_is_read_on(state: Path) -> None:
    reading = StateReading(state, opened)
    state.unlink()
    assert rows(reading) == [0]
    with changed(state) as db:
        db.execute("CREATE TABLE other (x)")
    db.close()
    assert rows(reading) == [0]
    reading.db.close()


def test_a_state_that_is_missing_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        StateReading(tmp_path / "none.db", opened)
    assert list(tmp_path.iterdir()) == []
