"""What a server does with people it does not know: quotas, private datasets, and garbage of every kind."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from random import Random

import aiohttp
import pytest

from gonk_node.net.address import parse_link
from gonk_node.net.content_wire import BATCH_PATH
from gonk_node.net.session_server import SESSION_PATH
from gonk_node.net.tls import client_context
from kit.command_line import Gonk
from kit.processes import Serving, digest, person, serving, status, sync, until

pytestmark = pytest.mark.processes

QUOTA_BYTES = 4096


def clone(folder: Path, name: str, server: Serving) -> Gonk:
    gonk = person(folder, name)
    gonk.ok("clone", server.link)
    return gonk


def entries_of(gonk: Gonk, author: str) -> int:
    """How many entries of a key a node holds."""
    with gonk.node() as node:
        return node.replica("cells").log.author_totals(bytes.fromhex(author))[0]


def bytes_of(gonk: Gonk, author: str) -> int:
    """How many bytes of records of a key a node holds."""
    with gonk.node() as node:
        return node.replica("cells").log.author_totals(bytes.fromhex(author))[1]


def test_a_stranger_fills_his_quota_and_no_more_until_somebody_vouches_for_him(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner").with_dataset()
    with serving(owner, GONK_STRANGER_BYTES_PER_KEY=str(QUOTA_BYTES)) as server:
        stranger, other = clone(tmp_path, "stranger", server), clone(tmp_path, "other", server)
        for number in range(30):
            stranger.add(f"{number}.png", f"pixels {number}".encode())
        other.add("other.png", b"one proposal of somebody else")
        outcome = sync(stranger, server.link)
        assert (outcome["error"], outcome["same_entries"]) == (None, False)
        assert 0 < entries_of(owner, stranger.key()) < entries_of(stranger, stranger.key())
        assert bytes_of(owner, stranger.key()) <= QUOTA_BYTES
        assert sync(other, server.link)["same_state"] is not False
        assert entries_of(owner, other.key()) == entries_of(other, other.key())

        owner.ok("contributor", "add", "cells", stranger.key())
        until(lambda: sync(stranger, server.link)["same_entries"], "all of it is taken", server)
    assert entries_of(owner, stranger.key()) == entries_of(stranger, stranger.key())
    assert status(owner)["counts"]["objects"]["pending"] == 31


def test_a_private_dataset_is_shown_to_those_with_a_role_only(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner")
    owner.ok("init")
    owner.ok("dataset", "create", "cells", "--private")
    owner.add("a.png", b"secret pixels")
    owner.accept_all()
    member, stranger = person(tmp_path, "member"), person(tmp_path, "stranger")
    owner.ok("contributor", "add", "cells", member.key())
    with serving(owner) as server:
        refused = stranger.run("clone", server.link, "--json")
        assert (refused.code, refused.error()["code"]) == (1, "not-found")
        assert stranger.json("dataset", "list") == []
        report = member.json("clone", server.link)
        assert (report["same_state"], report["content"]["files"]) == (True, 1)
        member.add("b.png", b"more pixels")
        assert sync(member, server.link)["same_state"] is True
    assert digest(member) == digest(owner)


def test_who_loses_his_role_loses_the_private_dataset_at_once(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner")
    owner.ok("init")
    owner.ok("dataset", "create", "cells", "--private")
    member = person(tmp_path, "member")
    owner.ok("contributor", "add", "cells", member.key())
    with serving(owner) as server:
        member.ok("clone", server.link)
        with serving(member) as other:
            until(lambda: "in sync" in other.log, "the two are connected", server, other)
            owner.ok("contributor", "remove", "cells", member.key())
            until(lambda: member.json("peer", "list")[0]["problem"], "the session is ended", server, other)
            owner.add("later.png", b"not for him")
            refused = member.run("sync", "cells", "--json")
            assert (refused.code, refused.error()["code"]) == (1, "not-found")
    assert status(member)["counts"]["objects"]["pending"] == 0


def test_garbage_of_every_kind_leaves_the_server_serving(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner").with_dataset()
    with serving(owner) as server:
        link = parse_link(server.link)
        held_open = asyncio.run(_throw_garbage(link.address.host, link.address.port))
        reader = clone(tmp_path, "reader", server)  # while dozens of connections say nothing
        for connection in held_open:
            connection.close()
        assert "Traceback" not in server.log
    assert digest(reader) == digest(owner)


async def _throw_garbage(host: str, port: int) -> list[socket.socket]:
    """Say nonsense on every layer: TCP, TLS, HTTP, WebSocket, frames; returns connections that stay open and silent."""
    silent = [socket.create_connection((host, port)) for _ in range(40)]
    random = Random(5)
    for _ in range(20):
        with socket.create_connection((host, port)) as plain:
            plain.sendall(random.randbytes(random.randint(1, 4000)))
    for request in (
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0" * 5000,
        b"GET " + b"a" * 100_000,
        b"POST / HTTP/1.1\r\nHost: x\r\n",
    ):
        _, writer = await asyncio.open_connection(host, port, ssl=client_context())
        try:
            writer.write(request)
            await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        writer.close()
    base = f"https://{host}:{port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=client_context())) as http:
        for path in ("/", "/gonk/1/session", "/gonk/1/content/" + "0" * 64 + "/list", "/../../etc/passwd"):
            async with http.get(base + path) as answer:
                assert answer.status >= 400
        async with http.post(
            base + BATCH_PATH, data=b"x" * 32, headers={"Authorization": "Bearer " + "0" * 64}
        ) as answer:
            assert answer.status == 401
        for frame in (b"", b"\0", b"\0" + random.randbytes(1000), b"\1" + bytes(65_535), b"\7" * 100):
            async with http.ws_connect(base + SESSION_PATH) as socket_:
                for _ in range(3):
                    await socket_.send_bytes(frame)
                async for _ in socket_:
                    pass  # until it hangs up
        async with http.ws_connect(base + SESSION_PATH) as socket_:
            await socket_.send_str("hello")
            async for _ in socket_:
                pass
    return silent
