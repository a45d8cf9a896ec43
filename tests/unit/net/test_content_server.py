"""Serving content: only with a token, only what its dataset names, within limits, and to peers that read."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from gonk_node.core.limits import (
    CHUNK_BYTES,
    CONTENT_BATCH_BYTES_MAX,
    CONTENT_BATCH_FILES_MAX,
    CONTENT_REQUESTS_PER_TOKEN,
    CONTENT_TOKEN_SECONDS,
    CONTENT_TOKENS_MAX,
    MIB,
)
from gonk_node.net.content_client import fetch
from gonk_node.net.content_wire import BATCH_PATH, PATH_PREFIX, chunk_path, list_path
from gonk_node.net.tokens import TokenTable
from kit.content import DATASET, NODE, MemoryContent, Served, file_bytes, serving

OTHER = b"o" * 32


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


Ask = Callable[..., Awaitable[Answer]]


def talk(folder: Path, store: MemoryContent, test: Callable[[Served, Ask], Awaitable[None]], **options: object) -> None:
    """Serve the store, and run `test` with a function that makes plain requests."""

    async def run() -> None:
        async with serving(folder / "a", store, **options) as served, aiohttp.ClientSession() as http:

            async def ask(path: str, method: str = "GET", token: str | None = None, **more: object) -> Answer:
                headers = {"Authorization": f"Bearer {token or served.token}", **more.pop("headers", {})}
                pin = aiohttp.Fingerprint(served.fingerprint)
                url = served.url + path
                async with http.request(method, url, ssl=pin, headers=headers, **more) as answer:
                    return Answer(answer.status, await answer.read(), dict(answer.headers))

            await test(served, ask)

    asyncio.run(run())


def batch_answer(body: bytes) -> list[bytes | None]:
    pieces: list[bytes | None] = []
    while body:
        length = int.from_bytes(body[:4], "big")
        pieces.append(None if length == 2**32 - 1 else body[4 : 4 + length])
        body = body[4:] if length == 2**32 - 1 else body[4 + length :]
    return pieces


def test_list_chunks_and_batches_are_answered_as_the_spec_says(tmp_path: Path) -> None:
    store = MemoryContent()
    large, small = store.keep(file_bytes(1, 2 * CHUNK_BYTES + 3)), store.keep(b"small")

    async def test(served: Served, ask: Ask) -> None:
        answer = await ask(list_path(large.content_id))
        assert (answer.status, answer.body) == (200, store.lists[large.content_id])
        assert answer.headers["Content-Length"] == str(8 + 3 * 32)
        assert "Content-Encoding" not in answer.headers
        chunks = [(await ask(chunk_path(large.content_id, index))).body for index in range(3)]
        assert b"".join(chunks) == store.whole(large)
        assert (await ask(chunk_path(small.content_id, 0))).body == b"small"
        ids = [small.content_id, b"\1" * 32, small.content_id]
        answer = await ask(BATCH_PATH, "POST", data=b"".join(ids))
        assert batch_answer(answer.body) == [b"small", None, b"small"]

    talk(tmp_path, store, test)


def test_what_is_not_here_is_not_found(tmp_path: Path) -> None:
    store = MemoryContent()
    large, small = store.keep(file_bytes(1, CHUNK_BYTES + 1)), store.keep(b"small")

    async def test(served: Served, ask: Ask) -> None:
        for path in (
            list_path(b"\1" * 32),
            list_path(small.content_id),
            chunk_path(b"\1" * 32, 0),
            chunk_path(small.content_id, 1),
            chunk_path(large.content_id, 2),
            chunk_path(large.content_id, 999_999),
            chunk_path(large.content_id, 1_000_000),
            chunk_path(large.content_id, 0).replace("chunk/0", "chunk/00"),
            f"{PATH_PREFIX}/zz/list",
            f"{PATH_PREFIX}/{large.content_id.hex().upper()}/list",
        ):
            assert (await ask(path)).status == 404, path
        assert (await ask(list_path(large.content_id), "POST", data=b"x" * 32)).status == 405
        assert (await ask(BATCH_PATH)).status == 405

    talk(tmp_path, store, test)


def test_the_content_of_another_dataset_is_as_if_it_were_not_here(tmp_path: Path) -> None:
    store = MemoryContent()
    large, small = store.keep(file_bytes(1, CHUNK_BYTES + 1)), store.keep(b"small")
    mine = store.keep(b"mine")

    async def test(served: Served, ask: Ask) -> None:
        for path in (list_path(large.content_id), chunk_path(large.content_id, 0), chunk_path(small.content_id, 0)):
            assert (await ask(path)).status == 404
            assert (await ask(path, token=served.tokens.issue(OTHER, NODE, 0))).status == 200
        answer = await ask(BATCH_PATH, "POST", data=small.content_id + mine.content_id)
        assert batch_answer(answer.body) == [None, b"mine"]
        report = await fetch([large, small, mine], [served.source()], MemoryContent())
        assert (report.fetched, len(report.failed)) == (1, 2)

    talk(tmp_path, store, test, allowed=lambda dataset, name: dataset == OTHER or name == mine.content_id)


def test_a_chunk_of_a_large_file_is_no_content_of_its_own(tmp_path: Path) -> None:
    store = MemoryContent()
    large = store.keep(file_bytes(1, CHUNK_BYTES + 1))
    part = store.missing_chunks(large.content_id, large.size) or store.lists[large.content_id][8:40]

    async def test(served: Served, ask: Ask) -> None:
        assert batch_answer((await ask(BATCH_PATH, "POST", data=part)).body) == [None]

    talk(tmp_path, store, test, allowed=lambda _dataset, name: name == large.content_id)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer 00", "Basic {token}", "{token}", "Bearer {token}0"]
)
def test_without_a_token_nothing_is_told(tmp_path: Path, header: str) -> None:
    store = MemoryContent()
    small = store.keep(b"small")

    async def test(served: Served, ask: Ask) -> None:
        headers = {"Authorization": header.format(token=served.token)}
        for path in (chunk_path(small.content_id, 0), list_path(b"\1" * 32)):
            answer = await ask(path, headers=headers)
            assert (answer.status, answer.body) == (401, b"Unauthorized")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await ask(BATCH_PATH, "POST", headers=headers, data=small.content_id)).status == 401

    talk(tmp_path, store, test)


def test_a_token_ends_unless_it_is_renewed(tmp_path: Path) -> None:
    store = MemoryContent()
    small = store.keep(b"small")

    async def test(served: Served, ask: Ask) -> None:
        path = chunk_path(small.content_id, 0)
        served.now = CONTENT_TOKEN_SECONDS - 1
        assert (await ask(path)).status == 200
        assert served.tokens.renew(served.token, served.now)
        served.now = 2 * CONTENT_TOKEN_SECONDS - 2
        assert (await ask(path)).status == 200
        served.now += 1
        assert (await ask(path)).status == 401
        report = await fetch([small], [served.source()], MemoryContent())
        assert "token was refused" in str(report.failed[0].error)

    talk(tmp_path, store, test)


def test_requests_that_do_not_have_their_form_are_refused(tmp_path: Path) -> None:
    store = MemoryContent()
    small = store.keep(b"small")
    path = chunk_path(small.content_id, 0)
    bomb = gzip.compress(bytes(10 * MIB))

    async def parts() -> object:
        yield small.content_id

    async def test(served: Served, ask: Ask) -> None:
        zipped = {"Content-Encoding": "gzip"}
        assert (await ask(path, data=b"a body")).status == 400
        assert (await ask(path, data=parts())).status == 400
        assert (await ask(path, data=bomb, headers=zipped)).status == 415
        assert (await ask(BATCH_PATH, "POST", data=bomb, headers=zipped)).status == 415
        assert (await ask(BATCH_PATH, "POST", data=parts())).status == 411
        assert (await ask(BATCH_PATH, "POST")).status == 400
        assert (await ask(BATCH_PATH, "POST", data=b"x" * 31)).status == 400
        too_many = bytes(32 * (CONTENT_BATCH_FILES_MAX + 1))
        assert (await ask(BATCH_PATH, "POST", data=too_many)).status == 413
        assert (await ask(path)).status == 200

    talk(tmp_path, store, test)


def test_a_long_batch_ends_early_after_a_whole_piece(tmp_path: Path) -> None:
    store = MemoryContent()
    files = [store.keep(file_bytes(seed, MIB)) for seed in range(8)]

    async def test(served: Served, ask: Ask) -> None:
        answer = await ask(BATCH_PATH, "POST", data=b"".join(file.content_id for file in files))
        pieces = batch_answer(answer.body)
        assert pieces == [store.whole(file) for file in files][: CONTENT_BATCH_BYTES_MAX // MIB]

    talk(tmp_path, store, test)


def test_one_token_gets_only_so_many_answers_at_a_time(tmp_path: Path) -> None:
    store = MemoryContent()
    large = store.keep(file_bytes(1, 20 * MIB))

    async def test(served: Served, ask: Ask) -> None:
        async with aiohttp.ClientSession(read_bufsize=1024) as http:
            held = []
            for index in range(CONTENT_REQUESTS_PER_TOKEN):  # never read, so never done
                url = served.url + chunk_path(large.content_id, index)
                headers = {"Authorization": f"Bearer {served.token}"}
                held.append(await http.get(url, ssl=aiohttp.Fingerprint(served.fingerprint), headers=headers))
            grant = served.tokens.check(served.token, 0)
            assert grant is not None
            grant.requests = CONTENT_REQUESTS_PER_TOKEN  # some may be done: the system's buffers took them
            refused = await ask(chunk_path(large.content_id, 0))
            assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
            other = served.tokens.issue(DATASET, NODE, 0)
            assert (await ask(chunk_path(large.content_id, 0), token=other)).status == 200
            for answer in held:
                answer.close()

    talk(tmp_path, store, test)


def test_a_peer_that_does_not_read_is_cut_off(tmp_path: Path) -> None:
    store = MemoryContent()
    files = [store.keep(file_bytes(seed, MIB)) for seed in range(4)]

    async def test(served: Served, ask: Ask) -> None:
        grant = served.tokens.check(served.token, 0)
        assert grant is not None
        async with aiohttp.ClientSession(read_bufsize=1024) as http:
            headers = {"Authorization": f"Bearer {served.token}"}
            pin = aiohttp.Fingerprint(served.fingerprint)
            data = b"".join(file.content_id for file in files)
            answer = await http.post(served.url + BATCH_PATH, ssl=pin, headers=headers, data=data)
            while grant.requests:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
            with pytest.raises(aiohttp.ClientError):
                await answer.read()

    # Less than the system's own buffers hold would be sent whole whether anybody reads or not.
    talk(tmp_path, store, test, write_seconds=0.2, send_buffer_bytes=16 * 1024)


def test_a_client_that_sends_half_a_batch_is_not_waited_for(tmp_path: Path) -> None:
    async def test(served: Served, ask: Ask) -> None:
        async def half() -> object:
            yield bytes(32)
            await asyncio.sleep(30)

        answer = await ask(BATCH_PATH, "POST", data=half(), headers={"Content-Length": "64"})
        assert answer.status == 408

    talk(tmp_path, MemoryContent(), test, write_seconds=0.2)


def test_tokens_are_random_and_open_one_dataset_to_one_node() -> None:
    table = TokenTable()
    tokens = [table.issue(DATASET, NODE, 0) for _ in range(100)]
    assert len(set(tokens)) == 100
    assert all(len(bytes.fromhex(token)) == 32 for token in tokens)
    grant = table.check(tokens[0], 1)
    assert grant is not None
    assert (grant.dataset, grant.node_key) == (DATASET, NODE)


def test_a_revoked_token_is_no_token() -> None:
    table = TokenTable()
    token = table.issue(DATASET, NODE, 0)
    table.revoke(token)
    table.revoke(token)
    assert table.check(token, 0) is None
    assert not table.renew(token, 0)


def test_the_table_keeps_no_token_as_it_is() -> None:
    table = TokenTable()
    token = table.issue(DATASET, NODE, 0)
    assert token not in repr(vars(table))
    assert repr(bytes.fromhex(token)) not in repr(vars(table))


def test_a_token_that_has_ended_cannot_be_renewed() -> None:
    table = TokenTable()
    token = table.issue(DATASET, NODE, 0)
    assert not table.renew(token, CONTENT_TOKEN_SECONDS)
    assert table.check(token, CONTENT_TOKEN_SECONDS) is None


def test_the_table_stays_bounded_and_drops_the_oldest() -> None:
    table = TokenTable()
    tokens = [table.issue(DATASET, NODE, 0) for _ in range(CONTENT_TOKENS_MAX + 5)]
    assert [table.check(token, 1) is None for token in tokens[:7]] == [True] * 5 + [False] * 2
    table.issue(DATASET, NODE, CONTENT_TOKEN_SECONDS)
    assert len(table._grants) == 1
