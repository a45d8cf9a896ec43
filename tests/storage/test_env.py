"""One LMDB environment: made whole or not at all, grown when full, stopped by the first fault, refused where unsafe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gonk_node.core.limits import MIB
from gonk_node.errors import (
    DamagedStoreError,
    DiskFullError,
    ExistsError,
    NotFoundError,
    StorageError,
    StoreLockedError,
)
from gonk_node.store.env import Environment, Table
from gonk_node.store.writer import Txn
from kit.lmdb_pages import file_problems

SMALL = 1 * MIB


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


def create(path: Path) -> None:
    Environment.create(path, ("a", "b"), put_first, map_bytes=SMALL)


def put_first(txn: Txn, tables: dict[str, Table]) -> None:
    txn.put(b"first", b"1", db=tables["a"])


def open_env(path: Path, map_bytes_max: int = 64 * MIB) -> Environment:
    return Environment.open(path, ("a", "b"), map_bytes=SMALL, map_bytes_max=map_bytes_max)


def put(env: Environment, key: bytes, value: bytes) -> None:
    env.write(lambda txn: txn.put(key, value, db=env.tables["a"]))


def get(env: Environment, key: bytes) -> bytes | None:
    with env.read() as txn:
        return txn.get(key, db=env.tables["a"])


def in_other_process(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, timeout=60)


def test_what_was_written_is_there_when_opened_again(path: Path) -> None:
    create(path)
    env = open_env(path)
    put(env, b"key", b"value")
    env.close()
    env = open_env(path)
    assert (get(env, b"first"), get(env, b"key")) == (b"1", b"value")
    env.close()


def test_files_are_for_their_owner_only(path: Path) -> None:
    create(path)
    assert path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {0o600}


def test_creating_over_something_is_refused_and_changes_nothing(path: Path) -> None:
    create(path)
    with pytest.raises(ExistsError):
        create(path)
    assert sorted(item.name for item in path.parent.iterdir()) == ["store"]
    open_env(path).close()


def test_a_creation_that_fails_leaves_nothing(path: Path) -> None:
    def fail(txn: Txn, tables: dict[str, Table]) -> None:
        put_first(txn, tables)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        Environment.create(path, ("a",), fail, map_bytes=SMALL)
    assert list(path.parent.iterdir()) == []


def test_a_creation_that_was_killed_counts_as_never_begun(path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from gonk_node.store.env import Environment
Environment.create(Path(sys.argv[1]), ("a",), lambda txn, tables: os._exit(9), map_bytes=1 << 20)
"""
    assert in_other_process(code, path).returncode == 9
    assert [item.name for item in path.parent.iterdir()] == ["store.new"]
    with pytest.raises(NotFoundError):
        open_env(path)
    create(path)
    assert [item.name for item in path.parent.iterdir()] == ["store"]


def test_a_second_creator_at_the_same_time_is_told_to_wait(path: Path) -> None:
    def create_again(txn: Txn, tables: dict[str, Table]) -> None:
        with pytest.raises(StoreLockedError):
            create(path)

    Environment.create(path, ("a", "b"), create_again, map_bytes=SMALL)
    open_env(path).close()


def test_opening_what_is_not_there_is_told(path: Path) -> None:
    with pytest.raises(NotFoundError):
        open_env(path)


def test_a_second_opening_in_one_process_is_refused(path: Path) -> None:
    create(path)
    env = open_env(path)
    with pytest.raises(StoreLockedError, match="this process"):
        open_env(path)
    env.close()
    open_env(path).close()


def test_the_map_grows_when_it_is_full(path: Path) -> None:
    create(path)
    env = open_env(path)
    value = os.urandom(100_000)
    for number in range(60):
        put(env, b"%d" % number, value)
    assert all(get(env, b"%d" % number) == value for number in range(60))
    env.close()
    assert file_problems(path) == []


def test_a_full_map_refuses_the_write_and_keeps_the_rest(path: Path) -> None:
    create(path)
    env = open_env(path, map_bytes_max=2 * MIB)
    put(env, b"key", b"value")
    with pytest.raises(DiskFullError, match="limit"):
        put(env, b"large", bytes(4 * MIB))
    assert (get(env, b"key"), get(env, b"large")) == (b"value", None)
    put(env, b"small", b"fits")  # a limit is no fault of the disk
    env.close()


def test_a_map_that_another_process_grew_is_followed(path: Path) -> None:
    create(path)
    env = open_env(path)
    code = """
import sys
from pathlib import Path
from gonk_node.store.env import Environment
env = Environment.open(Path(sys.argv[1]), ("a", "b"), map_bytes=1 << 20)
for number in range(40):
    env.write(lambda txn: txn.put(b"%d" % number, bytes(100_000), db=env.tables["a"]))
env.close()
"""
    assert in_other_process(code, path).returncode == 0
    assert get(env, b"39") == bytes(100_000)
    put(env, b"40", b"more")
    assert get(env, b"40") == b"more"
    env.close()


def test_readers_and_a_growing_map_do_not_disturb_each_other(path: Path) -> None:
    create(path)
    env = open_env(path)
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            if get(env, b"first") != b"1":
                wrong.append("a wrong value")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(30):
        put(env, b"%d" % number, bytes(200_000))
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    env.close()


def test_a_change_that_raises_is_not_stored(path: Path) -> None:
    create(path)
    env = open_env(path)

    def change(txn: Txn) -> None:
        txn.put(b"key", b"value", db=env.tables["a"])
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        env.write(change)
    assert get(env, b"key") is None
    put(env, b"key", b"value")
    env.close()


def test_all_writes_run_on_one_thread(path: Path) -> None:
    create(path)
    env = open_env(path)
    names = {env.write(lambda _: threading.get_ident()) for _ in range(5)}
    assert len(names) == 1
    assert threading.get_ident() not in names
    env.close()


def hold_writer(env: Environment) -> threading.Event:
    """Keep the writer thread busy until the event is set, so that further writes wait."""
    busy, go = threading.Event(), threading.Event()

    def change(txn: Txn) -> None:
        busy.set()
        go.wait(60)

    env.submit(change)
    busy.wait(60)
    return go


def transactions(env: Environment) -> int:
    return env.write(lambda txn: txn.id())


def test_writes_that_wait_share_one_flush(path: Path) -> None:
    create(path)
    env = open_env(path)
    before = transactions(env)
    go = hold_writer(env)
    futures = [env.submit(lambda txn, n=n: txn.put(b"%d" % n, b"x", db=env.tables["a"])) for n in range(30)]
    go.set()
    assert all(future.result(60) for future in futures)
    assert transactions(env) <= before + 3
    assert all(get(env, b"%d" % number) == b"x" for number in range(30))
    env.close()


def test_a_write_that_fails_does_not_take_down_those_beside_it(path: Path) -> None:
    create(path)
    env = open_env(path)
    go = hold_writer(env)

    def fail(txn: Txn) -> None:
        txn.put(b"half", b"x", db=env.tables["a"])
        raise KeyError("stop")

    changes = [lambda txn, n=n: txn.put(b"%d" % n, b"x", db=env.tables["a"]) for n in range(6)]
    futures = [env.submit(change) for change in [*changes[:3], fail, *changes[3:]]]
    go.set()
    assert [type(future.exception(60)).__name__ for future in futures] == ["NoneType"] * 3 + ["KeyError"] + [
        "NoneType"
    ] * 3
    assert [get(env, b"%d" % number) for number in range(6)] == [b"x"] * 6
    assert get(env, b"half") is None
    env.close()


def test_a_write_that_was_cancelled_while_it_waited_is_left_out(path: Path) -> None:
    create(path)
    env = open_env(path)
    go = hold_writer(env)
    first, second = (env.submit(lambda txn, n=n: txn.put(n, b"x", db=env.tables["a"])) for n in (b"1", b"2"))
    assert first.cancel()
    go.set()
    assert second.result(60)
    assert (get(env, b"1"), get(env, b"2")) == (None, b"x")
    env.close()


def test_a_write_within_a_write_is_refused_at_once(path: Path) -> None:
    create(path)
    env = open_env(path)
    with pytest.raises(RuntimeError, match="wait for itself"):
        env.write(lambda _: env.write(lambda _: None))
    env.close()


def test_a_closed_store_says_so(path: Path) -> None:
    create(path)
    env = open_env(path)
    env.close()
    env.close()
    with pytest.raises(StorageError, match="closed"):
        put(env, b"key", b"value")
    with pytest.raises(StorageError, match="closed"):
        get(env, b"key")


def test_a_forked_process_may_not_use_the_store(path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from gonk_node.errors import StorageError
from gonk_node.store.env import Environment
env = Environment.open(Path(sys.argv[1]), ("a", "b"), map_bytes=1 << 20)
child = os.fork()
if child == 0:
    try:
        with env.read():
            os._exit(1)
    except StorageError as error:
        os._exit(7 if "forked" in str(error) else 2)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
env.close()
"""
    create(path)
    assert in_other_process(code, path).stdout.strip() == "7"


def test_a_full_disk_loses_nothing_and_stops_writing(path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from gonk_node.errors import DiskFullError
from gonk_node.store.env import Environment
env = Environment.open(Path(sys.argv[1]), ("a", "b"), map_bytes=64 << 20)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    for number in range(1000):
        env.write(lambda txn: txn.put(b"%d" % number, bytes(20_000), db=env.tables["a"]))
        print(number, flush=True)
except DiskFullError:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
try:
    env.write(lambda txn: txn.put(b"after", b"x", db=env.tables["a"]))
except DiskFullError as error:
    print(error.what)
with env.read() as txn:
    assert txn.get(b"0", db=env.tables["a"]) == bytes(20_000)
env.close()
"""
    create(path)
    done = in_other_process(code, path)
    assert done.returncode == 0, done.stderr
    *acknowledged, last = done.stdout.splitlines()
    assert "no more is written since this fault" in last
    assert acknowledged
    env = open_env(path)
    assert all(get(env, number.encode()) == bytes(20_000) for number in acknowledged)
    assert get(env, b"after") is None
    put(env, b"after", b"space was made")
    env.close()
    assert file_problems(path) == []


def test_a_reader_that_was_killed_does_not_block_its_slot(path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from gonk_node.store.env import Environment
env = Environment.open(Path(sys.argv[1]), ("a", "b"), map_bytes=1 << 20)
with env.read():
    os.kill(os.getpid(), signal.SIGKILL)
"""
    create(path)
    keeper = open_env(path)  # keeps the table of readers in being
    for _ in range(3):
        assert in_other_process(code, path).returncode == -signal.SIGKILL
    probe = "import sys, lmdb; print(lmdb.open(sys.argv[1], max_dbs=2).reader_check())"
    other = """
import sys
from pathlib import Path
from gonk_node.store.env import Environment
Environment.open(Path(sys.argv[1]), ("a", "b"), map_bytes=1 << 20).close()
"""
    assert in_other_process(other, path).returncode == 0
    assert in_other_process(probe, path).stdout.strip() == "0"  # none left to free: opening did
    keeper.close()


@pytest.mark.parametrize("kept", [0, 100, 4096, 8192, 3 * 4096])
def test_a_file_that_was_cut_short_is_refused_not_read(path: Path, kept: int) -> None:
    create(path)
    os.truncate(path / "data.mdb", kept)
    assert file_problems(path)
    with pytest.raises((DamagedStoreError, StorageError)):
        open_env(path)


def test_a_file_that_is_no_store_is_refused(path: Path) -> None:
    create(path)
    (path / "data.mdb").write_bytes(os.urandom(64 * 1024))
    with pytest.raises(DamagedStoreError):
        open_env(path)


def test_a_missing_table_is_told(path: Path) -> None:
    Environment.create(path, ("a",), put_first, map_bytes=SMALL)
    with pytest.raises(DamagedStoreError, match="table"):
        open_env(path)


def test_a_whole_table_is_walked_in_key_order_across_transactions(path: Path) -> None:
    create(path)
    env = open_env(path)
    keys = sorted([b"first", *(b"%03d" % number for number in range(25))])
    for key in keys:
        put(env, key, key if key != b"first" else b"1")
    assert [key for key, _ in env.rows("a", batch=4)] == keys
    assert list(env.rows("b", batch=4)) == []
    env.close()
