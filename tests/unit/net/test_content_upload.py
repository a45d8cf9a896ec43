"""Handing content over to honest peers: everything wanted gets there whole, once, and goes on where it stopped."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gonk_node.core.limits import CHUNK_BYTES, CONTENT_BATCH_FILES_MAX, MIB
from gonk_node.errors import DiskFullError, UsageError
from gonk_node.net.content_http import Source
from gonk_node.net.content_upload import OfferReport, offer
from gonk_node.net.content_wire import Wanted
from gonk_node.store.content import ContentStore
from kit.content import DATASET, MemoryContent, Served, file_bytes, serving


def offer_now(
    folder: Path, files: Sequence[Wanted], ours: MemoryContent, theirs: MemoryContent, **options: Any
) -> tuple[OfferReport, Served]:
    """Start a server, offer it files, stop it."""
    of_server = {name: options.pop(name) for name in ("takes", "write_seconds") if name in options}

    async def run() -> tuple[OfferReport, Served]:
        async with serving(folder / "a", theirs, **of_server) as served:
            return await offer(files, served.source(), ours, **options), served

    return asyncio.run(run())


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 20 * CHUNK_BYTES + 5]
)
def test_a_file_of_any_size_gets_there_whole(tmp_path: Path, size: int) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    data = file_bytes(size, size)
    file = ours.keep(data)
    report, _ = offer_now(tmp_path, [file], ours, theirs)
    assert report == OfferReport(sent=1, bytes=size)
    assert report.complete
    assert theirs.whole(file) == data


def test_many_small_files_go_in_few_requests(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    files = [ours.keep(file_bytes(number, 20_000 + number)) for number in range(200)]
    report, served = offer_now(tmp_path, files, ours, theirs)
    assert (report.sent, report.bytes) == (200, sum(file.size for file in files))
    assert all(theirs.whole(file) == ours.whole(file) for file in files)
    assert served.requests.count("POST /wanted") == 1
    assert served.requests.count("POST /put") == 4  # of 1 MiB each
    assert len(theirs.groups) <= 4


def test_more_files_than_one_question_may_name_all_get_there(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    files = [ours.keep(b"%d" % number) for number in range(2 * CONTENT_BATCH_FILES_MAX + 10)]
    report, served = offer_now(tmp_path, files, ours, theirs)
    assert report.sent == len(files)
    assert served.requests.count("POST /wanted") == 3


def test_small_and_large_files_mix_and_progress_ends_at_the_total(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    sizes = [5, 3 * MIB, 100_000, MIB, 0, 2 * MIB + 1, 70_000, 9 * MIB, 6]
    files = [ours.keep(file_bytes(seed, size)) for seed, size in enumerate(sizes)]
    theirs.keep(ours.whole(files[0]))
    theirs.keep(ours.whole(files[5]))
    told: list[tuple[int, int]] = []
    report, _ = offer_now(tmp_path, files, ours, theirs, progress=lambda count, size: told.append((count, size)))
    assert (report.sent, report.held_there) == (7, 2)
    assert (sum(count for count, _ in told), sum(size for _, size in told)) == (9, sum(sizes))


def test_an_interrupted_transfer_goes_on_with_the_chunks_that_lack(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    file = ours.keep(file_bytes(1, 6 * CHUNK_BYTES))
    theirs.put_list(file.content_id, file.size, ours.lists[file.content_id])
    for index, chunk_id in theirs.missing_chunks(file.content_id, file.size):
        if index % 2:
            theirs.chunks[chunk_id] = ours.chunks[chunk_id]
    told: list[int] = []
    report, served = offer_now(tmp_path, [file], ours, theirs, progress=lambda _, size: told.append(size))
    assert report == OfferReport(sent=1, bytes=3 * CHUNK_BYTES)
    chunks = sorted(request.rpartition("/")[2] for request in served.requests if "/chunk/" in request)
    assert chunks == ["0", "2", "4"]
    assert sum(told) == file.size
    assert theirs.whole(file) == ours.whole(file)


def test_an_offer_that_was_killed_is_resumed(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    file = ours.keep(file_bytes(2, 24 * CHUNK_BYTES))

    async def run() -> int:
        async with serving(tmp_path / "a", theirs) as served:
            first = asyncio.create_task(offer([file], served.source(), ours))
            while not theirs.groups:  # noqa: ASYNC110 - the store knows no events
                await asyncio.sleep(0)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            await asyncio.sleep(0.1)  # what was on its way may still be written
            kept = len(theirs.chunks)
            report = await offer([file], served.source(), ours)
            assert report.bytes <= (24 - kept) * CHUNK_BYTES
            return kept

    assert asyncio.run(run()) > 0
    assert theirs.whole(file) == ours.whole(file)


def test_a_chunk_that_occurs_often_in_a_file_is_sent_once(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    file = ours.keep(bytes(50 * CHUNK_BYTES + 3))
    report, _ = offer_now(tmp_path, [file], ours, theirs)
    assert report == OfferReport(sent=1, bytes=CHUNK_BYTES + 3)
    assert theirs.whole(file) == bytes(file.size)


def test_what_the_peer_does_not_take_is_declined_and_no_error(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    small, large, wanted = (ours.keep(file_bytes(seed, size)) for seed, size in enumerate((10, 3 * MIB, 20)))
    report, served = offer_now(
        tmp_path, [small, large, wanted], ours, theirs, takes=lambda _, files: [file == wanted for file in files]
    )
    assert report == OfferReport(sent=1, declined=2, bytes=20)
    assert not report.complete
    assert list(theirs.chunks) == [wanted.content_id]
    assert served.requests == ["POST /wanted", "POST /put"]


def test_a_peer_that_takes_nothing_is_not_asked_for_ever(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    files = [ours.keep(b"%d" % number) for number in range(3 * CONTENT_BATCH_FILES_MAX)]
    report, served = offer_now(tmp_path, files, ours, theirs, takes=lambda _, files: [False] * len(files))
    assert report == OfferReport(declined=CONTENT_BATCH_FILES_MAX)
    assert served.requests == ["POST /wanted"]


def test_what_is_declined_between_question_and_answer_is_declined(tmp_path: Path) -> None:
    """A reviewer rejects it while it is on its way."""
    ours, theirs = MemoryContent(), MemoryContent()
    files = [ours.keep(file_bytes(seed, size)) for seed, size in enumerate((10, 5 * MIB, 9 * MIB))]
    asked = 0

    def takes(_: bytes, files: Sequence[Wanted]) -> list[bool]:
        nonlocal asked
        asked += 1
        return [asked == 1 or (asked == 2 and file.size == 9 * MIB) for file in files]

    report, _ = offer_now(tmp_path, files, ours, theirs, takes=takes, concurrency=1)
    assert report == OfferReport(declined=3)
    assert theirs.chunks == {}


def test_what_is_not_held_here_is_passed_over(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    held = ours.keep(b"here")
    report, _ = offer_now(tmp_path, [Wanted(b"\1" * 32, 10), held, Wanted(b"\2" * 32, 5 * MIB)], ours, theirs)
    assert report == OfferReport(sent=1, bytes=4, absent=2)
    assert report.complete


def test_nothing_to_offer_is_no_request(tmp_path: Path) -> None:
    report, served = offer_now(tmp_path, [], MemoryContent(), MemoryContent())
    assert report == OfferReport()
    assert served.requests == []


@pytest.mark.parametrize("size", [100, 3 * MIB])
def test_a_size_that_is_not_that_of_the_bytes_fails_that_file_alone(tmp_path: Path, size: int) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    file, good = ours.keep(file_bytes(1, size)), ours.keep(b"good")
    lie = Wanted(file.content_id, size + 1)
    report, _ = offer_now(tmp_path, [lie, good], ours, theirs)
    assert [failure.wanted for failure in report.failed] == [lie]
    assert (report.sent, list(theirs.chunks)) == (1, [good.content_id])


def test_bytes_that_have_changed_on_this_disk_are_refused_there(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    small, large, good = (ours.keep(file_bytes(seed, size)) for seed, size in enumerate((100, 3 * MIB, 50)))
    ours.chunks[small.content_id] = bytes(100)
    last = ours.lists[large.content_id][-32:]
    ours.chunks[last] = bytes(MIB)
    report, _ = offer_now(tmp_path, [small, large, good], ours, theirs)
    assert {failure.wanted for failure in report.failed} == {small, large}
    assert all("fsck" in str(failure.error) for failure in report.failed)
    assert (report.sent, report.lost) == (1, None)
    assert small.content_id not in theirs.chunks
    assert last not in theirs.chunks


def test_a_full_disk_of_the_peer_is_told_and_ends_the_offer(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    files = [ours.keep(file_bytes(seed, 2 * MIB)) for seed in range(10)]
    theirs.fault = DiskFullError("no space left on the device")
    report, _ = offer_now(tmp_path, files, ours, theirs)
    assert "disk is full" in str(report.lost)
    assert len(report.failed) == 10
    assert theirs.chunks == {}


def test_a_peer_that_is_gone_or_another_one_is_told(tmp_path: Path) -> None:
    ours, theirs = MemoryContent(), MemoryContent()
    file = ours.keep(b"secret")

    async def run() -> None:
        async with serving(tmp_path / "a", theirs) as served:
            report = await offer([file], served.source(fingerprint=b"\0" * 32), ours)
            assert "another certificate" in str(report.lost)
            report = await offer([file], served.source(token="0" * 64), ours)
            assert "token was refused" in str(report.lost)
            assert theirs.chunks == {}
            gone = served.source()
        report = await offer([file], gone, ours)
        assert "no connection" in str(report.lost)

    asyncio.run(run())


def test_an_address_without_tls_is_refused() -> None:
    with pytest.raises(UsageError):
        asyncio.run(offer([], Source("http://127.0.0.1:1", "0" * 64, b"\0" * 32), MemoryContent()))


def test_a_failure_of_the_own_store_is_raised(tmp_path: Path) -> None:
    class Broken(MemoryContent):
        def chunk(self, chunk_id_: bytes) -> bytes | None:
            raise DiskFullError("no space left on the device")

    ours = Broken()
    file = ours.keep(b"x")
    with pytest.raises(DiskFullError):
        offer_now(tmp_path, [file], ours, MemoryContent())


def test_files_pass_between_the_stores_that_nodes_have(tmp_path: Path) -> None:
    ours = ContentStore.create(tmp_path / "ours", map_bytes=128 * MIB)
    theirs = ContentStore.create(tmp_path / "theirs", map_bytes=128 * MIB)
    files = [file_bytes(seed, size) for seed, size in enumerate([0, 1, MIB, MIB + 1, 9 * MIB, *range(1000, 1200)])]
    infos = ours.put_files(io.BytesIO(data) for data in files)
    offered = [Wanted(info.content_id, info.size) for info in infos]

    async def run() -> list[OfferReport]:
        async with serving(tmp_path / "server", theirs) as served:
            return [await offer(offered, served.source(), ours) for _ in range(2)]

    first, second = asyncio.run(run())
    assert first == OfferReport(sent=len(files), bytes=sum(map(len, files)))
    assert second == OfferReport(held_there=len(files))
    assert [b"".join(theirs.read(file.content_id)) for file in offered] == files
    assert list(theirs.check()) == []
    ours.close()
    theirs.close()


def test_the_dataset_of_the_token_is_the_one_that_is_asked_about(tmp_path: Path) -> None:
    asked: set[bytes] = set()

    def takes(dataset: bytes, files: Sequence[Wanted]) -> list[bool]:
        asked.add(dataset)
        return [True] * len(files)

    ours = MemoryContent()
    files = [ours.keep(file_bytes(seed, size)) for seed, size in enumerate((10, 2 * MIB))]
    offer_now(tmp_path, files, ours, MemoryContent(), takes=takes)
    assert asked == {DATASET}
