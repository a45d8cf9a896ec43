"""Signatures checked ahead in another process: its yes is taken, and whatever goes wrong with it costs nothing but time."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gonk_node.core.entry import Entry, assemble
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import Profile
from gonk_node.core.limits import SIGNATURE_BATCH_MIN
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.core.verify import is_signed, verify_entry
from gonk_node.errors import InvalidEntryError
from gonk_node.node import signature_process, signature_worker
from gonk_node.node.link import ReplicaLink
from gonk_node.node.signature_process import SignatureProcess, found_signed
from gonk_node.replica.replica import Replica
from kit.authors import TestAuthor
from kit.raw_entries import DATASET, byte_string, draft

PATIENCE_SECONDS = 30
GOOD = [draft(seq=seq).record() for seq in range(1, SIGNATURE_BATCH_MIN + 1)]
FORGED = draft(seq=2).record(signature=bytes(64))
FOUNDER = TestAuthor("founder")
FOUNDER.genesis()
FOUNDER.chain(SIGNATURE_BATCH_MIN + 10)
OTHERS = draft(seq=2).change(author=TestAuthor("other").author).record()


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_process, "_processors", lambda: 2)


def run(act: Callable[[SignatureProcess], Awaitable[Any]]) -> Any:
    """Do something with a signature process on an event loop, and end it."""

    async def main() -> Any:
        process = SignatureProcess()
        try:
            return await asyncio.wait_for(act(process), PATIENCE_SECONDS)
        finally:
            await process.close()
            assert SignatureProcess._running == 0

    return asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.01)


async def check(process: SignatureProcess, records: Sequence[bytes]) -> Sequence[bool]:
    """What the process finds, waited for however long it takes to start."""
    checked = process.check(records)
    assert checked is not None
    await until(lambda: checked.running() or checked.done())
    return await asyncio.to_thread(found_signed, checked)


def forged(entry: Entry) -> bytes:
    """The record with a signature that does not fit."""
    return assemble(entry.header_bytes, bytes(64), entry.bodies, {}).record


def starting(*command: str) -> Callable[[], Awaitable[asyncio.subprocess.Process]]:
    """A process of another program in the place of the right one."""

    async def start() -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)

    return start


def test_it_says_of_each_record_whether_its_signature_holds() -> None:
    records = [*GOOD, FORGED, OTHERS, b"", b"no record", GOOD[0][:-1], GOOD[0]]
    expected = [True] * len(GOOD) + [False] * 5 + [True]
    assert run(lambda process: check(process, records)) == expected
    assert list(map(is_signed, records)) == expected


def test_it_takes_one_batch_after_the_other() -> None:
    async def act(process: SignatureProcess) -> list[Sequence[bool]]:
        return [await check(process, [*GOOD, FORGED][::step]) for step in (1, -1, 1)]

    good = [True] * len(GOOD)
    assert run(act) == [[*good, False], [False, *good], [*good, False]]


def test_it_imports_nothing_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nacl", "cbor2", "blake3", "gonk_node"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert all(run(lambda process: check(process, GOOD)))


def test_what_it_has_not_begun_is_not_waited_for() -> None:
    async def act(process: SignatureProcess) -> Sequence[bool]:
        return found_signed(process.check(GOOD))  # on the event loop: waiting would last for ever

    assert run(act) == ()


def test_few_records_are_not_worth_it() -> None:
    async def act(process: SignatureProcess) -> None:
        assert process.check(GOOD[:-1]) is None
        assert found_signed(None) == ()

    run(act)


def test_without_a_second_processor_there_is_no_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_process, "_processors", lambda: 1)

    async def act(process: SignatureProcess) -> None:
        assert process.check(GOOD) is None

    run(act)


def test_there_are_no_more_of_them_than_processors() -> None:
    async def act(first: SignatureProcess) -> None:
        second = SignatureProcess()
        assert first.check(GOOD) is not None
        await asyncio.sleep(0)
        assert second.check(GOOD) is None
        assert first.check(GOOD) is not None

    run(act)


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(1)",
        "import sys; sys.stdout.write('\\1'); sys.stdout.flush(); sys.stdin.read(9)",  # ends in the middle
        "import sys, time; sys.stdout.write('\\1'); sys.stdout.flush(); time.sleep(100)",  # never answers
        "import time; time.sleep(100)",  # never begins
    ],
)
def test_one_that_ends_or_hangs_is_done_without(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_process, "_start", starting(sys.executable, "-c", program))
    monkeypatch.setattr(signature_process, "SIGNATURE_BATCH_SECONDS", 2.0)

    async def act(process: SignatureProcess) -> None:
        assert await check(process, GOOD) == ()
        await until(lambda: process._task is None)
        assert process.check(GOOD) is None

    run(act)


def test_one_that_cannot_be_started_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_process, "_start", starting("/nowhere/python"))

    async def act(process: SignatureProcess) -> None:
        assert await check(process, GOOD) == ()
        assert process.check(GOOD) is None

    run(act)


def test_it_ends_when_there_is_no_more_work_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_process, "SIGNATURE_PROCESS_IDLE_SECONDS", 0.01)

    async def act(process: SignatureProcess) -> None:
        for _ in range(2):
            assert all(await check(process, GOOD))
            await until(lambda: process._task is None)
            assert SignatureProcess._running == 0

    run(act)


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    """The dataset of `FOUNDER` with nothing but its genesis."""
    genesis = FOUNDER.entries[0]
    Replica.make(tmp_path / "log", genesis.record, genesis.entry_id)
    replica = Replica.open(tmp_path / "log", tmp_path / "state.db", bytes(32))
    yield replica
    replica.close()


@pytest.fixture
def parent() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that has started a signature process and sleeps, and the id of the latter."""
    code = (
        "import asyncio\n"
        "from gonk_node.node import signature_process\n"
        "async def main():\n"
        "    child = await signature_process._start()\n"
        "    await signature_process._ready(child)\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(100)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.kill()


def test_it_ends_with_a_parent_that_is_killed_and_not_with_ctrl_c(
    parent: tuple[subprocess.Popen[str], int],
) -> None:
    process, pid = parent
    os.kill(pid, signal.SIGINT)
    time.sleep(0.2)
    os.kill(pid, 0)  # it is there
    process.kill()
    process.wait()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{pid}").exists() and "(zombie)" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < deadline, "it outlived its parent"
        time.sleep(0.01)


def test_a_request_and_its_answer() -> None:
    answer = BytesIO()
    requests = [[GOOD[0], FORGED], [], [b""]]
    signature_worker.answer_requests(BytesIO(b"".join(map(signature_worker.encode_request, requests))), answer)
    assert answer.getvalue() == signature_worker.READY + b"\1\0" + b"" + b"\0"


@pytest.mark.parametrize("signed", [(), (True,), (True, False), (True, False, True), (False, False, False)])
def test_verdicts_are_the_same_whatever_was_found_ahead(replica: Replica, signed: Sequence[bool]) -> None:
    entries = FOUNDER.entries[1:4]
    records = [entries[0].record, forged(entries[1]), entries[1].record]
    outcomes = replica.ingest(records, signed=signed)
    assert [each.outcome for each in outcomes] == [Outcome.INSERTED, Outcome.INVALID, Outcome.INSERTED]
    assert isinstance(outcomes[1].error, InvalidEntryError) and outcomes[1].error.rule == "V4"


def test_a_signature_that_holds_excuses_nothing_else() -> None:
    with pytest.raises(InvalidEntryError, match="V6"):
        verify_entry(GOOD[0], bytes(32), signed=True)
    with pytest.raises(InvalidEntryError, match="V5"):
        verify_entry(draft().with_items(byte_string(encode_event(Profile("Ben")))).record(), DATASET, signed=True)


def test_a_replica_takes_what_was_checked_ahead(replica: Replica) -> None:
    records = [entry.record for entry in FOUNDER.entries[1:]]
    records.insert(50, forged(FOUNDER.entries[51]))

    async def act() -> tuple[Sequence[bool], list[Ingested]]:
        link = ReplicaLink(replica, bytes(16), None)
        try:
            ahead = link.check_ahead(records)
            assert ahead is not None
            await until(ahead.done)
            return ahead.result(), await link.ingest(records, False, ahead)
        finally:
            await link.close()

    signed, outcomes = asyncio.run(act())
    assert [place for place, holds in enumerate(signed) if not holds] == [50]
    assert [place for place, each in enumerate(outcomes) if each.outcome is not Outcome.INSERTED] == [50]
    assert isinstance(outcomes[50].error, InvalidEntryError) and outcomes[50].error.rule == "V4"
