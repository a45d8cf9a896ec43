"""Fetching content from honest peers: everything comes whole, once, in groups, and goes on where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from gonk_node.core.limits import CHUNK_BYTES, CONTENT_BATCH_FILES_MAX, CONTENT_WRITE_BYTES, MIB
from gonk_node.errors import DiskFullError, PeerUnavailableError, UsageError
from gonk_node.net.content_client import Source, Wanted, fetch
from kit.content import MemoryContent, Served, fetch_now, file_bytes, serving

Server = Callable[[], AbstractAsyncContextManager[Served]]


def server_of(folder: Path, store: MemoryContent, name: str = "a") -> Server:
    return lambda: serving(folder / name, store)


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 7 * CHUNK_BYTES + 5, 20 * CHUNK_BYTES],
)
def test_a_file_of_any_size_comes_whole(tmp_path: Path, size: int) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    data = file_bytes(size, size)
    wanted = theirs.keep(data)
    report = fetch_now([wanted], [server_of(tmp_path, theirs)], ours)
    assert report == (1, 0, size, [], {})
    assert ours.whole(wanted) == data


def test_many_small_files_come_in_few_requests_and_few_flushes(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    wanted = [theirs.keep(file_bytes(number, 20_000 + number)) for number in range(500)]

    async def run() -> int:
        async with serving(tmp_path / "a", theirs) as served:
            report = await fetch(wanted, [served.source()], ours)
            assert (report.fetched, report.failed) == (500, [])
            return len(served.paths)

    assert asyncio.run(run()) <= 3
    assert all(ours.whole(file) == theirs.whole(file) for file in wanted)
    assert sum(ours.groups) == sum(file.size for file in wanted)
    assert max(ours.groups) <= CONTENT_WRITE_BYTES + CHUNK_BYTES
    assert len(ours.groups) <= 6


def test_more_tiny_files_than_a_batch_may_have_all_come(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    wanted = [theirs.keep(b"%d" % number) for number in range(CONTENT_BATCH_FILES_MAX + 10)]
    assert fetch_now(wanted, [server_of(tmp_path, theirs)], ours).fetched == len(wanted)


def test_small_and_large_files_mix_and_progress_ends_at_the_total(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    sizes = [5, 3 * MIB, 100_000, MIB, 0, 2 * MIB + 1, 70_000] * 2
    wanted = [theirs.keep(file_bytes(seed, size) or b"") for seed, size in enumerate(sizes)]
    wanted = list(dict.fromkeys(wanted))  # the empty file is one content
    ours.keep(theirs.whole(wanted[1]))
    told: list[tuple[int, int]] = []
    report = fetch_now(
        wanted, [server_of(tmp_path, theirs)], ours, progress=lambda files, size: told.append((files, size))
    )
    assert (report.fetched, report.held) == (len(wanted) - 1, 1)
    assert sum(files for files, _ in told) == len(wanted)
    assert sum(size for _, size in told) == sum(file.size for file in wanted)


def test_what_is_held_is_not_asked_for_again(tmp_path: Path) -> None:
    """The store of these tests refuses a chunk that it has."""
    theirs, ours = MemoryContent(), MemoryContent()
    wanted = theirs.keep(file_bytes(1, 6 * CHUNK_BYTES))
    ours.put_list(wanted.content_id, wanted.size, theirs.lists[wanted.content_id])
    for index, chunk_id in ours.missing_chunks(wanted.content_id, wanted.size):
        if index % 2:
            ours.chunks[chunk_id] = theirs.chunks[chunk_id]

    async def run() -> list[str]:
        async with serving(tmp_path / "a", theirs) as served:
            report = await fetch([wanted], [served.source()], ours)
            assert (report.fetched, report.bytes) == (1, 3 * CHUNK_BYTES)
            return served.paths

    paths = asyncio.run(run())
    assert sorted(path.rpartition("/")[2] for path in paths) == ["0", "2", "4"]
    assert ours.whole(wanted) == theirs.whole(wanted)


def test_a_fetch_that_was_killed_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    wanted = theirs.keep(file_bytes(2, 24 * CHUNK_BYTES))

    async def run() -> int:
        async with serving(tmp_path / "a", theirs) as served:
            first = asyncio.create_task(fetch([wanted], [served.source()], ours))
            while not ours.groups:  # noqa: ASYNC110 - the store knows no events
                await asyncio.sleep(0)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            kept = len(ours.chunks)
            report = await fetch([wanted], [served.source()], ours)
            assert report.bytes == (24 - kept) * CHUNK_BYTES
            return kept

    assert asyncio.run(run()) > 0
    assert ours.whole(wanted) == theirs.whole(wanted)


def test_a_chunk_that_occurs_often_in_a_file_comes_once(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    wanted = theirs.keep(bytes(50 * CHUNK_BYTES + 3))
    report = fetch_now([wanted], [server_of(tmp_path, theirs)], ours)
    assert (report.fetched, report.bytes) == (1, CHUNK_BYTES + 3)
    assert ours.whole(wanted) == bytes(wanted.size)


def test_a_file_is_put_together_from_peers_that_each_have_a_part(tmp_path: Path) -> None:
    one, other, ours = MemoryContent(), MemoryContent(), MemoryContent()
    data = file_bytes(3, 16 * CHUNK_BYTES)
    wanted = one.keep(data)
    small = [one.keep(file_bytes(seed, 1000)) for seed in range(10)]
    other.keep(data)
    for number, file in enumerate(small):
        (one if number % 2 else other).chunks[file.content_id] = one.chunks[file.content_id]
        if number % 2 == 0:
            del one.chunks[file.content_id]
    del one.lists[wanted.content_id]
    report = fetch_now([wanted, *small], [server_of(tmp_path, one), server_of(tmp_path, other, "b")], ours)
    assert report == (11, 0, wanted.size + 10_000, [], {})
    assert ours.whole(wanted) == data


def test_a_large_file_is_asked_of_several_peers_at_once(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    wanted = theirs.keep(file_bytes(4, 16 * CHUNK_BYTES))

    async def run() -> list[int]:
        async with serving(tmp_path / "a", theirs) as one, serving(tmp_path / "b", theirs) as other:
            await fetch([wanted], [one.source(), other.source()], ours)
            return [len(one.paths), len(other.paths)]

    assert min(asyncio.run(run())) >= 3


def test_what_nobody_has_is_listed_and_the_rest_comes(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    held = theirs.keep(b"here")
    nowhere = [Wanted(b"\1" * 32, 10), Wanted(b"\2" * 32, 5 * MIB)]
    report = fetch_now([held, *nowhere], [server_of(tmp_path, theirs)], ours)
    assert (report.fetched, report.misbehaved) == (1, {})
    assert {failure.wanted for failure in report.failed} == set(nowhere)
    assert all("the peer does not have it" in str(failure.error) for failure in report.failed)


def test_without_sources_everything_fails_and_nothing_hangs() -> None:
    report = asyncio.run(fetch([Wanted(b"\1" * 32, 10), Wanted(b"\2" * 32, 5 * MIB)], [], MemoryContent()))
    assert [type(failure.error) for failure in report.failed] == [PeerUnavailableError] * 2


def test_a_full_disk_ends_the_fetch_with_that_error(tmp_path: Path) -> None:
    theirs, ours = MemoryContent(), MemoryContent()
    wanted = [theirs.keep(file_bytes(seed, 2 * MIB)) for seed in range(10)]
    ours.fault = DiskFullError("no space left on the device")
    with pytest.raises(DiskFullError):
        fetch_now(wanted, [server_of(tmp_path, theirs)], ours)


def test_a_peer_with_another_certificate_gets_no_request(tmp_path: Path) -> None:
    theirs = MemoryContent()
    wanted = theirs.keep(b"secret")

    async def run() -> None:
        async with serving(tmp_path / "a", theirs) as served:
            report = await fetch([wanted], [served.source(fingerprint=b"\0" * 32)], MemoryContent())
            assert "another certificate" in str(report.failed[0].error)
            assert served.paths == []

    asyncio.run(run())


def test_an_address_without_tls_is_refused() -> None:
    with pytest.raises(UsageError):
        asyncio.run(fetch([], [Source("http://127.0.0.1:1", "0" * 64, b"\0" * 32)], MemoryContent()))


def test_a_peer_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path / "a", MemoryContent()) as served:
            gone = served.source()
        report = await fetch([Wanted(b"\1" * 32, 10)], [gone], MemoryContent())
        assert "no connection" in str(report.failed[0].error)

    asyncio.run(run())
