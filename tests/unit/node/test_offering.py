"""What a peer was offered is not offered again, unless it did not take it, or often enough went by."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from gonk_node.core.limits import CONTENT_OFFERS_PER_ROUND
from gonk_node.net.content_http import Source
from gonk_node.net.content_wire import Wanted
from gonk_node.node.offering import Offering
from kit.content import MemoryContent, Served, serving

PEER = b"p" * 32


class Meta:
    """The meta table of a log."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def meta_get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def meta_put(self, key: bytes, value: bytes) -> None:
        self.rows[key] = value


class Needs:
    """Files with the arrival number at which an object named each; notes from where it was asked."""

    def __init__(self, **files: list[tuple[int, Wanted]]) -> None:
        self.files = files
        self.asked: list[tuple[int, bool]] = []
        self.newest = 10

    def lsn(self) -> int:
        return self.newest

    def news(self, after_lsn: int, *, mine: bool) -> Iterator[Wanted]:
        self.asked.append((after_lsn, mine))
        return (file for lsn, file in self.files["mine" if mine else "others"] if lsn > after_lsn)

    def own_proposals(self) -> Iterator[Wanted]:
        return (file for _, file in self.files.get("proposals", ()))


def offering(needs: Needs, store: MemoryContent, meta: Meta) -> Offering:
    return Offering(needs, store, meta)  # type: ignore[arg-type]  # as much of each as is used


def test_only_what_is_new_is_asked_about_the_next_time(tmp_path: Path) -> None:
    ours, theirs, meta = MemoryContent(), MemoryContent(), Meta()
    needs = Needs(mine=[(1, ours.keep(b"mine"))], others=[(2, ours.keep(b"other"))], proposals=[(3, ours.keep(b"p"))])

    async def run(served: Served) -> None:
        report = await offering(needs, ours, meta).to(served.source(), PEER)
        assert (report.sent, report.complete) == (3, True)
        needs.newest = 20
        needs.files["mine"].append((15, ours.keep(b"later")))
        report = await offering(needs, ours, meta).to(served.source(), PEER)
        assert (report.sent, report.held_there) == (1, 1)  # a proposal is always asked about
        assert needs.asked == [(0, True), (0, False), (10, True), (10, False)]
        other = await offering(needs, ours, meta).to(served.source(), b"q" * 32)
        assert other.held_there == 4

    asyncio.run(_with(tmp_path, theirs, run))


def test_what_was_declined_or_is_not_here_yet_is_offered_again(tmp_path: Path) -> None:
    ours, theirs, meta = MemoryContent(), MemoryContent(), Meta()
    later = Wanted(b"\1" * 32, 5)
    needs = Needs(mine=[(1, ours.keep(b"mine"))], others=[(2, later), (3, ours.keep(b"other"))])
    taken: set[Wanted] = set()

    def takes(_: bytes, files: Sequence[Wanted]) -> list[bool]:
        return [file in taken for file in files]

    async def run(served: Served) -> None:
        each = offering(needs, ours, meta)
        assert (await each.to(served.source(), PEER)).declined == 2
        taken.update(file for _, file in (*needs.files["mine"], *needs.files["others"]))
        report = await each.to(served.source(), PEER)
        assert (report.sent, report.absent) == (2, 1)
        await each.to(served.source(), PEER)
        assert needs.asked == [(0, True), (0, False), (0, True), (0, False), (10, True), (0, False)]

    asyncio.run(_with(tmp_path, theirs, run, takes=takes))


def test_a_peer_that_is_lost_is_not_taken_to_have_anything(tmp_path: Path) -> None:
    ours, meta = MemoryContent(), Meta()
    needs = Needs(mine=[(1, ours.keep(b"mine"))], others=[(2, ours.keep(b"other"))])
    report = asyncio.run(offering(needs, ours, meta).to(Source("https://127.0.0.1:1", "0" * 64, b"\0" * 32), PEER))
    assert report.lost is not None
    assert meta.rows == {}
    assert needs.asked == [(0, True)]


def test_now_and_then_everything_is_offered_again(tmp_path: Path) -> None:
    """The peer may have lost its content."""
    ours, theirs, meta = MemoryContent(), MemoryContent(), Meta()
    needs = Needs(mine=[(1, ours.keep(b"mine"))], others=[])

    async def run(served: Served) -> None:
        for _ in range(CONTENT_OFFERS_PER_ROUND):
            needs.newest += 1
            await offering(needs, ours, meta).to(served.source(), PEER)
        theirs.chunks.clear()
        report = await offering(needs, ours, meta).to(served.source(), PEER)
        assert report.sent == 1

    asyncio.run(_with(tmp_path, theirs, run))


async def _with(folder: Path, theirs: MemoryContent, run: object, **options: object) -> None:
    async with serving(folder / "a", theirs, **options) as served:  # type: ignore[arg-type]
        await run(served)  # type: ignore[operator]
