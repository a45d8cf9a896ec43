"""Two nodes over real TLS on loopback: clone, both directions, live push, and the ends of sessions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gonk_node.core import limits
from gonk_node.core.events import AnnotationCreate
from gonk_node.core.heads import heads_digest
from gonk_node.core.ids import EventRef
from gonk_node.core.keys import Signer
from gonk_node.core.outcome import Ingested, Outcome
from gonk_node.errors import InvalidEntryError, NotFoundError, PeerUnavailableError, StorageError, WrongPeerError
from gonk_node.net.content_http import Source
from gonk_node.net.dial import dial
from gonk_node.sync.outputs import Failed, Progress, Synced
from kit.authors import TestAuthor
from kit.loopback import MemoryPort, Served, error_of, serving, until
from kit.memory_log import MemoryLog

ROOT = TestAuthor("root")
GENESIS = ROOT.genesis()
OWNERS = frozenset([ROOT.author])


def port(name: str, *authors: tuple[str, int]) -> MemoryPort:
    """A replica with the genesis and chains of authors; with none, an empty one."""
    log = MemoryLog(GENESIS.entry_id, OWNERS)
    if authors:
        log.ingest([GENESIS.record])
    for author, count in authors:
        log.ingest([entry.record for entry in TestAuthor(author, GENESIS.entry_id).chain(count)])
    return MemoryPort(log, name)


class Call:
    """A session that a test dialled, and what it reported."""

    def __init__(self, served: Served, client: MemoryPort, **options: object) -> None:
        self.events: list[object] = []
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(
            error_of(
                dial(
                    served.address,
                    client,
                    signer=client.signer,
                    on_event=self.events.append,
                    stop=self.stop,
                    **options,
                )
            )
        )

    @property
    def synced(self) -> Synced | None:
        return next((event for event in self.events if isinstance(event, Synced)), None)

    async def until_synced(self) -> Synced:
        await until(lambda: self.synced or self.task.done())
        assert self.synced is not None, self.task.result()
        return self.synced

    async def end(self) -> object:
        self.stop.set()
        return await self.task


def same(one: MemoryPort, other: MemoryPort) -> bool:
    return heads_digest(one.view.heads()) == heads_digest(other.view.heads())


def test_a_clone_takes_everything_and_ends_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        source, copy = port("source", ("root", 0), ("a", 300), ("b", 5)), port("copy")
        async with serving(source, tmp_path / "s") as served:
            call = Call(served, copy)
            assert await call.until_synced() == Synced(True, True)
            assert await call.end() is None
            assert same(source, copy)
            assert {result.outcome for result in copy.outcomes} == {Outcome.INSERTED}
            last = [event for event in call.events if isinstance(event, Progress)][-1]
            assert last.taken == last.to_take and last.taken.entries == 306
            await until(lambda: not source.listeners)
            assert served.identities[0].node_key == copy.signer.author

    asyncio.run(run())


def test_entries_go_both_ways_and_large_ones_pass(tmp_path: Path) -> None:
    async def run() -> None:
        one, other = port("one", ("a", 20)), port("other", ("b", 20))
        writer = TestAuthor("c", GENESIS.entry_id)
        ref = EventRef(b"r" * 32, 0)
        body = AnnotationCreate(b"u" * 16, ref, (ref,), bytes(1_000_000))
        one.view.ingest([writer.append(body, body, body, body).record, writer.append(body).record])
        async with serving(one, tmp_path / "s") as served:
            call = Call(served, other)
            assert await call.until_synced() == Synced(True, True)
            assert await call.end() is None
        assert same(one, other)

    asyncio.run(run())


def test_new_entries_are_pushed_both_ways_while_the_session_lives(tmp_path: Path) -> None:
    async def run() -> None:
        one, other = port("one", ("a", 1)), port("other", ("a", 1))
        async with serving(one, tmp_path / "s") as served:
            call = Call(served, other)
            await call.until_synced()
            for source, sink, name in ((one, other, "x"), (other, one, "y"), (one, other, "z")):
                entry = TestAuthor(name, GENESIS.entry_id).append()
                source.view.ingest([entry.record])
                source.announce()
                await until(lambda sink=sink, entry=entry: sink.view.has(entry.entry_id))
            assert not any(result.outcome is Outcome.DUPLICATE for result in one.outcomes + other.outcomes)
            assert await call.end() is None

    asyncio.run(run())


def test_three_nodes_pass_on_what_one_writes(tmp_path: Path) -> None:
    async def run() -> None:
        hub, one, other = port("hub", ("a", 1)), port("one"), port("other")
        async with serving(hub, tmp_path / "s") as served:
            calls = [Call(served, one), Call(served, other)]
            for call in calls:
                await call.until_synced()
            entry = TestAuthor("x", GENESIS.entry_id).append()
            one.view.ingest([entry.record])
            one.announce()
            await until(lambda: other.view.has(entry.entry_id))
            for call in calls:
                assert await call.end() is None

    asyncio.run(run())


def test_a_cursor_is_kept_for_the_next_session(tmp_path: Path) -> None:
    async def run() -> None:
        source, copy = port("source", ("a", 50)), port("copy")
        async with serving(source, tmp_path / "s") as served:
            for _ in range(2):
                call = Call(served, copy)
                await call.until_synced()
                await call.end()
        assert copy.cursors[source.signer.author].lsn == 51
        assert copy.cursors[source.signer.author].instance == source.instance
        assert len(copy.outcomes) == 51

    asyncio.run(run())


def test_the_client_gets_a_token_that_opens_the_dataset_to_its_node(tmp_path: Path) -> None:
    async def run() -> None:
        source, copy = port("source", ("a", 5)), port("copy")
        async with serving(source, tmp_path / "s") as served:
            call = Call(served, copy)
            await call.until_synced()
            await until(lambda: any(isinstance(event, Source) for event in call.events))
            (token,) = [event for event in call.events if isinstance(event, Source)]
            assert token.base_url == served.address.base_url
            grant = served.tokens.check(token.token, asyncio.get_running_loop().time())
            assert grant is not None and (grant.dataset, grant.node_key) == (source.dataset, copy.signer.author)
            await call.end()

    asyncio.run(run())


def test_a_dataset_that_is_not_there_or_not_for_you_is_not_found(tmp_path: Path) -> None:
    async def run() -> None:
        source = port("source", ("a", 5))
        elsewhere = MemoryPort(MemoryLog(b"x" * 32), "elsewhere")
        async with serving(source, tmp_path / "s") as served:
            assert isinstance(await Call(served, elsewhere).task, NotFoundError)
        async with serving(source, tmp_path / "s", may_read=lambda peer: False) as served:
            assert isinstance(await Call(served, port("copy")).task, NotFoundError)

    asyncio.run(run())


def test_an_author_key_opens_a_private_dataset(tmp_path: Path) -> None:
    async def run() -> None:
        author = Signer.from_seed(b"a" * 32)
        source = port("source", ("a", 5))
        async with serving(source, tmp_path / "s", may_read=lambda peer: peer.author == author.author) as served:
            assert isinstance(await Call(served, port("stranger")).task, NotFoundError)
            call = Call(served, port("member"), author=author)
            assert (await call.until_synced()).equal_heads
            await call.end()

    asyncio.run(run())


def test_another_key_than_the_address_says_is_a_wrong_peer(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(port("source", ("a", 5)), tmp_path / "s") as served:
            served.address = served.address._replace(node_key=Signer.from_seed(b"o" * 32).author)
            error = await Call(served, port("copy")).task
            assert isinstance(error, WrongPeerError)
            assert error.where == str(served.address)

    asyncio.run(run())


def test_nobody_at_the_address_is_unavailable(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(port("source", ("a", 5)), tmp_path / "s") as served:
            pass
        assert isinstance(await Call(served, port("copy")).task, PeerUnavailableError)

    asyncio.run(run())


def test_a_server_that_stops_ends_its_sessions_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(port("source", ("a", 5)), tmp_path / "s") as served:
            call = Call(served, port("copy"))
            await call.until_synced()
            served.server.stop()
            assert await call.task is None
            assert isinstance(await Call(served, port("late")).task, PeerUnavailableError)

    asyncio.run(run())


def test_a_cancelled_call_leaves_nothing_running(tmp_path: Path) -> None:
    async def run() -> None:
        source, copy = port("source", ("a", 500)), port("copy")
        async with serving(source, tmp_path / "s") as served:
            before = asyncio.all_tasks()
            call = Call(served, copy)
            await until(lambda: copy.outcomes)
            call.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call.task
            await until(lambda: not source.listeners and not copy.listeners)
            await until(lambda: asyncio.all_tasks() <= before)

    asyncio.run(run())


def test_a_clone_that_broke_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES", 5_000)
    monkeypatch.setattr(limits, "WINDOW_BYTES", 10_000)

    async def run() -> None:
        source, copy = port("source", ("a", 300)), port("copy")
        async with serving(source, tmp_path / "s") as served:
            call = Call(served, copy)
            await until(lambda: len(copy.outcomes) > 50)
            call.task.cancel()
            await asyncio.wait([call.task])
            held = len(copy.outcomes)
            assert held < 301
            copy.outcomes.clear()
            again = Call(served, copy)
            assert (await again.until_synced()).equal_heads
            assert len(copy.outcomes) == 301 - held
            await again.end()

    asyncio.run(run())


def test_a_disk_that_fails_ends_the_session_with_that_error_and_tells_no_paths(tmp_path: Path) -> None:
    class Broken(MemoryPort):
        async def ingest(self, records: object, cited: bool, ahead: None = None) -> list[Ingested]:
            raise StorageError("no space", where="/home/somebody")

    async def run() -> None:
        async with serving(port("source", ("a", 5)), tmp_path / "s") as served:
            broken = Broken(MemoryLog(GENESIS.entry_id, OWNERS), "broken")
            assert isinstance(await Call(served, broken).task, StorageError)
            await until(lambda: any(isinstance(event, Failed) for event in served.events))
            assert "somebody" not in str(served.events)

    asyncio.run(run())


def test_an_invalid_entry_ends_the_session_and_what_came_before_stays(tmp_path: Path) -> None:
    class Lying(MemoryLog):
        def read_range(self, *args: object, **options: object) -> list[bytes]:
            records = super().read_range(*args, **options)
            return [*records[:3], records[3][:-1] + bytes([records[3][-1] ^ 1])] if len(records) > 3 else records

    async def run() -> None:
        lying = Lying(GENESIS.entry_id, OWNERS)
        honest = port("honest", ("a", 20)).view
        lying.ingest([honest.entries[entry_id].record for entry_id in honest.arrivals])
        copy = port("copy")
        async with serving(MemoryPort(lying, "liar"), tmp_path / "s") as served:
            assert isinstance(await Call(served, copy).task, InvalidEntryError)
        assert len(copy.view.entries) == 4

    asyncio.run(run())
