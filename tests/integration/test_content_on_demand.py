"""Content that is not here is fetched when somebody reads it: between real nodes, verified, shared, or told in full."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

import gonk_node
from gonk_node.core.chunks import chunk_id
from gonk_node.core.limits import MIB
from gonk_node.errors import NotFoundError, PeerUnavailableError
from gonk_node.net.address import PeerAddress
from gonk_node.net.peers import Peer, PeerBook
from gonk_node.node import on_demand
from gonk_node.node.node import Node
from gonk_node.node.on_demand import OnDemand
from gonk_node.node.serving import Server
from gonk_node.replica.content.contents import Contents
from kit.command_line import Gonk, exchange
from kit.damage import replace_row
from kit.loopback import LOOPBACK, until
from kit.processes import person, serving

SMALL, LARGE = b"a small file", Random(1).randbytes(3 * MIB + 5)


@pytest.fixture
def owner(tmp_path: Path) -> Gonk:
    gonk = Gonk(tmp_path, "owner").with_dataset()
    gonk.add("small.png", SMALL)
    gonk.add("large.bin", LARGE)
    gonk.accept_all()
    return gonk


@pytest.fixture
def reader(tmp_path: Path) -> Gonk:
    return person(tmp_path, "reader")


def is_here(gonk: Gonk, name: str) -> bool:
    here: bool = gonk.json("show", "cells", name)["content_here"]
    return here


# --- by the command line ---------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_a_clone_without_content_fetches_what_is_shown_and_nothing_else(owner: Gonk, reader: Gonk) -> None:
    with serving(owner) as server:
        reader.ok("clone", server.link, "--content", "none")
        assert not is_here(reader, "small.png")
        assert not is_here(reader, "large.bin")
        before = owner.state()
        reader.add("mine.png", b"a draft")
        target = reader.files / "saved"
        told = reader.ok("show", "cells", "large.bin", "--save", target)
        assert target.read_bytes() == LARGE
        assert "fetching large.bin" in told.err
        assert is_here(reader, "large.bin")
        assert not is_here(reader, "small.png")
        assert reader.ok("show", "cells", "small.png", "--save", "-").out == SMALL.decode()
    assert owner.state() == before  # reading sends nothing
    target.unlink()
    reader.ok("show", "cells", "large.bin", "--save", target)  # kept: no peer is needed any more
    assert target.read_bytes() == LARGE
    assert reader.run("fsck").code == 0


@pytest.mark.processes
def test_peers_that_are_away_or_lack_it_are_named_and_nothing_is_left(
    owner: Gonk, reader: Gonk, tmp_path: Path
) -> None:
    with serving(owner) as server:
        reader.ok("clone", server.link, "--content", "none")
        away = server.address
    target = reader.files / "saved"
    failed = reader.refused("show", "cells", "large.bin", "--save", target, code=3)
    assert f"{away}: the peer cannot be reached" in failed.err
    assert "gonk peer add" in failed.err
    other = person(tmp_path, "other")
    exchange(owner, other)
    with serving(other) as server:
        reader.ok("peer", "add", server.link)
        failed = reader.refused("show", "cells", "large.bin", "--save", target, code=3)
        assert f"{away}: the peer cannot be reached" in failed.err
        assert f"{server.address}: the peer does not have it" in failed.err
    assert not target.exists()
    assert not is_here(reader, "large.bin")
    assert reader.run("fsck").code == 0


@pytest.mark.processes
def test_a_peer_whose_bytes_are_wrong_is_not_believed(owner: Gonk, reader: Gonk) -> None:
    damaged = LARGE[MIB : 2 * MIB]
    replace_row(owner.home / "content", b"chunks", chunk_id(damaged), chunk_id(damaged), damaged[:-1] + b"!")
    with serving(owner) as server:
        reader.ok("clone", server.link, "--content", "none")
        target = reader.files / "saved"
        reader.refused("show", "cells", "large.bin", "--save", target, code=3)
        assert not target.exists()
        assert not is_here(reader, "large.bin")
    assert reader.run("fsck").code == 0


@pytest.mark.processes
def test_content_of_a_private_dataset_is_fetched_by_those_with_a_role(tmp_path: Path, reader: Gonk) -> None:
    owner = Gonk(tmp_path, "owner")
    owner.ok("init", "--name", "owner")
    owner.ok("dataset", "create", "cells", "--private")
    owner.add("small.png", SMALL)
    owner.accept_all()
    owner.ok("contributor", "add", "cells", reader.key())
    with serving(owner) as server:
        reader.ok("clone", server.link, "--content", "none")
        assert reader.ok("show", "cells", "small.png", "--save", "-").out == SMALL.decode()


def test_without_any_peer_it_is_said_what_to_do(owner: Gonk, reader: Gonk) -> None:
    exchange(owner, reader)
    failed = reader.refused("show", "cells", "small.png", "--save", reader.files / "small.png", code=3)
    assert "no peer is known" in failed.err
    assert "gonk peer add" in failed.err


@pytest.mark.processes
def test_programs_read_what_is_not_here_yet_from_many_threads(owner: Gonk, reader: Gonk) -> None:
    with serving(owner) as server:
        reader.ok("clone", server.link, "--content", "none")
        with gonk_node.open_dataset("cells", reader.home) as cells, ThreadPoolExecutor(8) as threads:
            small, large = cells.object("small.png"), cells.object("large.bin")
            assert not cells.has_content(large)
            assert list(threads.map(cells.read, [large, small] * 8)) == [LARGE, SMALL] * 8
            with cells.open(large) as file:
                file.seek(-5, 2)
                assert file.read() == LARGE[-5:]


# --- within one process ------------------------------------------------------------------------------------------------


class Two:
    """A node that serves, and one that has its entries, knows it and holds no content."""

    def __init__(self, there: Node, here: Node, server: Server) -> None:
        self.there = there
        self.here = here
        self.server = server
        self.dataset = here.replica("cells").dataset
        self.files = {name: self._content_id(name) for name in ("small.png", "large.bin")}
        address = PeerAddress(LOOPBACK, server.port, there.node_key)
        PeerBook(here.home.root).add(Peer(address.node_key, address.host, address.port, (self.dataset,)))

    def _content_id(self, name: str) -> bytes:
        row = self.here.replica("cells").db.one("SELECT content_id FROM objects WHERE name = ?", (name,))
        assert row is not None
        return bytes(row[0])


@pytest.fixture
def run(owner: Gonk, reader: Gonk) -> Iterator[Callable[[Callable[[Two], Awaitable[None]]], None]]:
    """Runs a test's coroutine on two such nodes."""
    exchange(owner, reader)

    async def with_server(test: Callable[[Two], Awaitable[None]]) -> None:
        with owner.node() as there, reader.node() as here:
            server = Server(there)
            await server.start(LOOPBACK, 0)
            try:
                async with asyncio.timeout(60):
                    await test(Two(there, here, server))
            finally:
                await server.stop()

    yield lambda test: asyncio.run(with_server(test))


class Counted:
    """Counts calls of a function of `on_demand`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.count = 0
        self._call = getattr(on_demand, name)
        monkeypatch.setattr(on_demand, name, self)

    async def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.count += 1
        return await self._call(*arguments, **options)


def test_readers_of_one_file_share_one_download_and_one_may_give_up(
    run: Callable[[Callable[[Two], Awaitable[None]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = Counted(monkeypatch, "fetch")

    async def test(two: Two) -> None:
        reading = OnDemand(two.here)
        large = two.files["large.bin"]
        first, *others = [asyncio.create_task(reading.fetch(two.dataset, large)) for _ in range(5)]
        await until(lambda: downloads.count)
        first.cancel()
        await asyncio.gather(*others)
        assert first.cancelled() or first.done()
        assert b"".join(two.here.content.read(large)) == LARGE
        await reading.close()

    run(test)
    assert downloads.count == 1


def test_one_call_serves_several_files_and_a_peer_that_was_started_anew_is_called_again(
    run: Callable[[Callable[[Two], Awaitable[None]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Counted(monkeypatch, "dial")

    async def test(two: Two) -> None:
        reading = OnDemand(two.here)
        await reading.fetch(two.dataset, two.files["small.png"])
        await two.server.stop()
        again = Server(two.there)
        await again.start(LOOPBACK, two.server.port)
        try:
            assert calls.count == 1
            await reading.fetch(two.dataset, two.files["large.bin"])  # its token is forgotten there
            assert calls.count == 2
            for content_id in two.files.values():
                two.here.content.remove(content_id)
                await reading.fetch(two.dataset, content_id)
            assert calls.count == 2
        finally:
            await reading.close()
            await again.stop()

    run(test)


def test_a_server_asks_the_peers_that_it_is_connected_with(
    run: Callable[[Callable[[Two], Awaitable[None]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Counted(monkeypatch, "dial")

    async def test(two: Two) -> None:
        server = Server(two.here)
        await server.start(LOOPBACK, 0)
        try:
            await until(lambda: server._sources(two.dataset))
            two.here.content.remove(two.files["small.png"])  # its policy may have fetched it already
            await server.fetch(two.dataset, two.files["small.png"])
            assert b"".join(two.here.content.read(two.files["small.png"])) == SMALL
        finally:
            await server.stop()

    run(test)
    assert calls.count == 0


def test_what_no_object_names_is_not_asked_for(run: Callable[[Callable[[Two], Awaitable[None]]], None]) -> None:
    async def test(two: Two) -> None:
        reading = OnDemand(two.here)
        with pytest.raises(NotFoundError):
            await reading.fetch(two.dataset, bytes(32))
        with pytest.raises(NotFoundError):
            await reading.fetch(bytes(32), two.files["small.png"])
        await reading.close()

    run(test)


def test_a_size_that_an_object_declares_wrongly_does_not_hide_the_right_one(
    run: Callable[[Callable[[Two], Awaitable[None]]], None],
) -> None:
    async def test(two: Two) -> None:
        large = two.files["large.bin"]
        db = two.here.replica("cells").db
        columns = "uuid, live, version, status, current, named, name, media_type, content_id, sha256"
        with db.transaction():
            db.execute(
                f"INSERT INTO objects (event_no, size, {columns}) SELECT 1, 2, {columns} FROM objects"
                " WHERE content_id = ?",
                (large,),
            )
        assert sorted(Contents(db).sizes(large)) == [2, len(LARGE)]
        reading = OnDemand(two.here)
        await reading.fetch(two.dataset, large)
        assert b"".join(two.here.content.read(large)) == LARGE
        await reading.close()

    run(test)


def test_giving_up_ends_what_is_under_way(run: Callable[[Callable[[Two], Awaitable[None]]], None]) -> None:
    async def test(two: Two) -> None:
        reading = OnDemand(two.here)
        task = asyncio.create_task(reading.fetch(two.dataset, two.files["large.bin"]))
        await asyncio.sleep(0.01)
        await reading.close()
        result = (await asyncio.gather(task, return_exceptions=True))[0]
        assert result is None or isinstance(result, asyncio.CancelledError | PeerUnavailableError)

    run(test)
