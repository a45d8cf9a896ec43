"""Killed, out of space, written by several processes at once: what was acknowledged is there, and nothing is torn."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gonk_node.core.limits import MIB
from gonk_node.errors import DiskFullError
from gonk_node.store.log import LogStore
from kit.authors import TestAuthor
from kit.lmdb_pages import file_problems
from kit.local_log import append_local

KIT = Path(__file__).parents[1]
KILLS = 30

APPEND = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from kit.authors import TestAuthor
from kit.local_log import append_local
from gonk_node.core.events import Profile
from gonk_node.errors import DiskFullError
from gonk_node.store.log import LogStore
path, name, count, file_bytes_max = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
log = LogStore.open(path, map_bytes=1 << 20)  # small: it grows now and then, also in mid-kill
author = TestAuthor(name, log.dataset)
if file_bytes_max:
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))
try:
    for number in range(count):
        _, entry = append_local(
            log, author.author, author.log_id,
            lambda prev, prev_id: author.sign_after(prev, prev_id, [Profile("x" * 900)])
        )
        sys.stdout.write(entry.entry_id.hex() + "\\n")
        sys.stdout.flush()
except DiskFullError:
    sys.exit(28)
"""


def appending(path: Path, name: str, count: int, *, file_bytes_max: int = 0) -> subprocess.Popen[str]:
    arguments = [str(KIT), str(path), name, str(count), str(file_bytes_max)]
    return subprocess.Popen([sys.executable, "-c", APPEND, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    LogStore.create(tmp_path / "log", TestAuthor("owner").genesis(), map_bytes=1 * MIB).close()
    return tmp_path / "log"


def acknowledged_by(process: subprocess.Popen[str]) -> list[bytes]:
    assert process.stdout is not None
    lines = process.stdout.read().splitlines(keepends=True)
    return [bytes.fromhex(line.strip()) for line in lines if line.endswith("\n")]


@pytest.mark.slow
def test_what_was_acknowledged_survives_sigkill_at_any_moment(path: Path) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    acknowledged: list[bytes] = []
    for _ in range(KILLS):
        process = appending(path, "ann", 1_000_000)
        assert process.stdout is not None
        acknowledged.append(bytes.fromhex(process.stdout.readline().strip()))  # it is appending now
        timer = threading.Timer(rng.random() * 0.06, os.kill, (process.pid, signal.SIGKILL))
        timer.start()
        acknowledged += acknowledged_by(process)
        assert process.wait() == -signal.SIGKILL
        assert file_problems(path) == [], f"seed {seed}"
        log = LogStore.open(path)
        assert all(log.has(entry_id) for entry_id in acknowledged), f"seed {seed}"
        log.close()
    log = LogStore.open(path)
    assert list(log.check()) == [], f"seed {seed}"
    assert log.forks() == []
    log.close()


def test_two_processes_that_write_one_log_do_not_fork_it(path: Path) -> None:
    processes = [appending(path, "ann", 150) for _ in range(2)]
    acknowledged = [entry_id for process in processes for entry_id in acknowledged_by(process)]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(set(acknowledged)) == 300
    log = LogStore.open(path)
    author = TestAuthor("ann", log.dataset)
    assert [head.seq for head in log.leaves(author.author, author.log_id)] == [299]
    assert log.forks() == []
    assert log.last_lsn() == 301
    assert list(log.check()) == []
    log.close()


def test_an_open_log_sees_what_another_process_appends(path: Path) -> None:
    log = LogStore.open(path, map_bytes=1 * MIB)
    process = appending(path, "ann", 900)  # more than the map of this process holds
    author = TestAuthor("me", log.dataset)
    lsns = []
    while process.poll() is None:
        lsns.append(append_local(log, author.author, author.log_id, author.sign_after)[0].lsn)
        time.sleep(0.001)
    assert all(log.has(entry_id) for entry_id in acknowledged_by(process))
    assert len(set(lsns)) == len(lsns)
    assert log.last_lsn() == 1 + 900 + len(lsns)
    assert list(log.check()) == []
    log.close()


def test_a_full_disk_loses_nothing_acknowledged(path: Path) -> None:
    process = appending(path, "ann", 100_000, file_bytes_max=1_500_000)
    acknowledged = acknowledged_by(process)
    assert process.wait() == 28
    assert acknowledged
    log = LogStore.open(path)
    assert all(log.has(entry_id) for entry_id in acknowledged)
    author = TestAuthor("ann", log.dataset)
    append_local(log, author.author, author.log_id, author.sign_after)  # there is space again
    assert list(log.check()) == []
    log.close()


def test_a_full_map_loses_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = TestAuthor("owner")
    log = LogStore.create(tmp_path / "log", owner.genesis(), map_bytes=256 * 1024)
    monkeypatch.setattr(log._env._writer, "_map_bytes_max", 256 * 1024)
    ann = TestAuthor("ann", log.dataset)
    held = []
    with pytest.raises(DiskFullError):
        for _ in range(10_000):
            batch = ann.chain(20)
            log.append(batch)
            held += batch
    assert held
    assert [record for _, record in log.scan(1, count_max=99_999, bytes_max=99 * MIB)] == [e.record for e in held]
    assert list(log.check()) == []
    log.close()
