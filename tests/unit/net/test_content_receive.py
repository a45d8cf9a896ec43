"""Taking content in, against hostile senders: nothing false, nothing unasked, nothing without bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web

from gonk_node.core.chunks import encode_chunk_list
from gonk_node.core.limits import CHUNK_BYTES, CONTENT_BATCH_FILES_MAX, CONTENT_REQUESTS_PER_TOKEN, MIB
from gonk_node.errors import ProtocolError
from gonk_node.net import content_receive
from gonk_node.net.content_upload import offer
from gonk_node.net.content_wire import (
    PATH_PREFIX,
    PUT_BODY_BYTES_MAX,
    PUT_PATH,
    WANTED_PATH,
    Verdict,
    Wanted,
    chunk_path,
    decode_bits,
    encode_bits,
    encode_files,
    encode_wanted,
    list_path,
)
from kit.content import MemoryContent, Served, file_bytes, serving


class Answer(NamedTuple):
    status: int
    body: bytes


Ask = Callable[..., Awaitable[Answer]]

LARGE = file_bytes(1, 2 * CHUNK_BYTES + 3)
SMALL = file_bytes(2, 5000)


def known() -> tuple[MemoryContent, Wanted, Wanted]:
    store = MemoryContent()
    return store, store.keep(LARGE), store.keep(SMALL)


def talk(folder: Path, test: Callable[[Ask, MemoryContent, Served], Awaitable[None]], **options: Any) -> MemoryContent:
    """Run a test against a server with an empty store that takes the two files above."""
    theirs = MemoryContent()
    _, large, small = known()
    options.setdefault("takes", lambda _, files: [file in (large, small) for file in files])

    async def run() -> None:
        async with serving(folder / "a", theirs, **options) as served, aiohttp.ClientSession() as http:

            async def ask(method: str, path: str, data: Any = None, **headers: str) -> Answer:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                all_headers = {"Authorization": f"Bearer {served.token}", **named}
                pin = aiohttp.Fingerprint(served.fingerprint)
                async with http.request(method, served.url + path, data=data, ssl=pin, headers=all_headers) as answer:
                    return Answer(answer.status, await answer.read())

            await test(ask, theirs, served)

    asyncio.run(run())
    return theirs


def test_lists_chunks_and_files_are_taken_as_the_spec_says(tmp_path: Path) -> None:
    ours, large, small = known()
    listed = ours.lists[large.content_id]

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        question = encode_wanted([small, Wanted(b"\1" * 32, 7), large])
        assert (await ask("POST", WANTED_PATH, question)).body == bytes([1, 2, 1])
        answer = await ask("PUT", list_path(large.content_id), listed)
        assert answer == (200, bytes([0b11100000]))
        for index in (2, 0):
            chunk = LARGE[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
            assert await ask("PUT", chunk_path(large.content_id, index), chunk) == (204, b"")
        assert await ask("PUT", list_path(large.content_id), listed) == (200, bytes([0b01000000]))
        assert (await ask("PUT", chunk_path(large.content_id, 1), LARGE[CHUNK_BYTES : 2 * CHUNK_BYTES])).status == 204
        answer = await ask("POST", PUT_PATH, encode_files([(small.content_id, SMALL), (b"\1" * 32, b"x")]))
        assert answer == (200, bytes([Verdict.HELD, Verdict.DECLINED]))
        assert (await ask("POST", WANTED_PATH, question)).body == bytes([0, 2, 0])

    theirs = talk(tmp_path, test)
    assert (theirs.whole(large), theirs.whole(small)) == (LARGE, SMALL)


def test_nothing_false_is_kept(tmp_path: Path) -> None:
    ours, large, small = known()
    listed = ours.lists[large.content_id]
    false_list = encode_chunk_list(large.size, [b"x" * 32] * 3)

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        at = chunk_path(large.content_id, 0)
        assert (await ask("PUT", at, LARGE[:CHUNK_BYTES])).status == 409  # before its list
        assert (await ask("PUT", list_path(large.content_id), false_list)).status == 422
        assert (await ask("PUT", list_path(large.content_id), listed[:-1])).status == 422
        assert (await ask("PUT", list_path(large.content_id), listed + b"x" * 32)).status == 422
        assert not theirs.lists
        assert (await ask("PUT", list_path(large.content_id), listed)).status == 200
        for chunk in (bytes(CHUNK_BYTES), LARGE[: CHUNK_BYTES - 1], LARGE[CHUNK_BYTES : 2 * CHUNK_BYTES], b"x"):
            assert (await ask("PUT", at, chunk)).status == 422
        for index in (3, 999_999):
            assert (await ask("PUT", chunk_path(large.content_id, index), LARGE[:3])).status == 422
        answer = await ask("POST", PUT_PATH, encode_files([(small.content_id, bytes(5000))]))
        assert answer == (200, bytes([Verdict.MISMATCH]))

    theirs = talk(tmp_path, test)
    assert theirs.chunks == {}


def test_what_no_object_names_is_not_kept_however_it_is_sent(tmp_path: Path) -> None:
    ours, large, small = known()

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        theirs.lists[large.content_id] = ours.lists[large.content_id]  # of another dataset
        assert (await ask("PUT", list_path(large.content_id), ours.lists[large.content_id])).status == 403
        assert (await ask("PUT", chunk_path(large.content_id, 0), LARGE[:CHUNK_BYTES])).status == 403
        answer = await ask("POST", PUT_PATH, encode_files([(small.content_id, SMALL)]))
        assert answer.body == bytes([Verdict.DECLINED])

    theirs = talk(tmp_path, test, takes=lambda _, files: [False] * len(files))
    assert theirs.chunks == {}


def test_a_declared_size_binds(tmp_path: Path) -> None:
    ours, large, small = known()

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        assert (await ask("PUT", list_path(large.content_id), ours.lists[large.content_id])).status == 403
        answer = await ask("POST", PUT_PATH, encode_files([(small.content_id, SMALL)]))
        assert answer.body == bytes([Verdict.DECLINED])

    lies = [Wanted(large.content_id, large.size - 1), Wanted(small.content_id, 10)]
    theirs = talk(tmp_path, test, takes=lambda _, files: [file in lies for file in files])
    assert (theirs.chunks, theirs.lists) == ({}, {})


def test_requests_that_do_not_have_their_form_are_refused(tmp_path: Path) -> None:
    _, large, small = known()
    puts = (PUT_PATH, "POST"), (WANTED_PATH, "POST"), (list_path(large.content_id), "PUT")

    async def parts() -> Any:
        yield b"x" * 72

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        for path, method in (*puts, (chunk_path(large.content_id, 0), "PUT")):
            assert (await ask(method, path, parts())).status == 411
            assert (await ask(method, path, b"x" * 72, Content_Encoding="gzip")).status == 415
            assert (await ask(method, path, b"")).status == 400
            assert (await ask(method, path, b"x" * 80, Authorization="Bearer " + "0" * 64)).status == 401
        assert (await ask("POST", WANTED_PATH, b"x" * 41)).status == 400
        assert (await ask("POST", WANTED_PATH, bytes(40 * (CONTENT_BATCH_FILES_MAX + 1)))).status == 413
        assert (await ask("PUT", list_path(large.content_id), b"x" * 71)).status == 400
        for path, most in ((chunk_path(large.content_id, 0), CHUNK_BYTES), (PUT_PATH, PUT_BODY_BYTES_MAX)):
            method = "POST" if path == PUT_PATH else "PUT"
            too_long = {"Content_Length": str(most + 1)}
            assert (await ask(method, path, parts(), **too_long)).status == 413
        assert (await ask("PUT", list_path(large.content_id), parts(), Content_Length=str(2**40))).status == 413
        for body in (
            small.content_id + b"\xff\xff\xff\xff" + SMALL,
            encode_files([(small.content_id, SMALL)])[:-1],
            encode_files([(small.content_id, SMALL)]) + b"x",
            encode_files([(small.content_id, b"")] * (CONTENT_BATCH_FILES_MAX + 1)),
        ):
            assert (await ask("POST", PUT_PATH, body)).status == 400
        assert (await ask("PUT", f"{PATH_PREFIX}/zz/list", b"x" * 72)).status == 404

    assert talk(tmp_path, test).chunks == {}


def test_a_client_that_sends_half_a_body_is_not_waited_for(tmp_path: Path) -> None:
    _, large, _ = known()

    async def half() -> Any:
        yield bytes(100)
        await asyncio.sleep(30)

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        answer = await ask("PUT", chunk_path(large.content_id, 0), half(), Content_Length="1000")
        assert answer.status == 408

    talk(tmp_path, test, write_seconds=0.2)


def test_bodies_in_memory_have_a_bound_and_whoever_is_turned_away_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_receive, "CONTENT_RECEIVE_BYTES_MAX", 2 * MIB)
    ours = MemoryContent()
    files = [ours.keep(file_bytes(seed, 6 * MIB)) for seed in range(2)]

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        report = await offer(files, served.source(), ours)
        assert (report.sent, report.failed) == (2, ())
        answer = await ask("POST", PUT_PATH, encode_files([(ours.keep(bytes(MIB)).content_id, bytes(MIB))]))
        assert answer.body == bytes([Verdict.HELD])  # all room was given back

    theirs = talk(tmp_path, test, takes=lambda _, files: [True] * len(files))
    assert all(theirs.whole(file) == ours.whole(file) for file in files)


def test_one_token_gets_only_so_many_requests_at_a_time(tmp_path: Path) -> None:
    _, _, small = known()

    async def test(ask: Ask, theirs: MemoryContent, served: Served) -> None:
        grant = served.tokens.check(served.token, 0)
        assert grant is not None
        grant.requests = CONTENT_REQUESTS_PER_TOKEN
        body = encode_files([(small.content_id, SMALL)])
        assert (await ask("POST", PUT_PATH, body)).status == 429
        grant.requests = 0
        assert (await ask("POST", PUT_PATH, body)).body == bytes([Verdict.HELD])

    talk(tmp_path, test)


ANSWERS = {
    "too short": b"\1",
    "too long": b"\1" * 4,
    "no verdict": b"\1\1\7",
    "a verdict for what was not sent": b"\1\1\3",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none_ends_the_offer(tmp_path: Path, name: str) -> None:
    ours = MemoryContent()
    files = [ours.keep(file_bytes(seed, 10)) for seed in range(3)]

    async def lie(_: web.Request) -> web.Response:
        return web.Response(body=ANSWERS[name])

    async def run() -> None:
        async with serving(tmp_path / "a", MemoryContent(), instead=[web.post(WANTED_PATH, lie)]) as served:
            report = await offer(files, served.source(), ours)
            assert isinstance(report.lost, ProtocolError)
            assert (report.sent, report.declined) == (0, 0)

    asyncio.run(run())


def test_a_peer_that_answers_nothing_is_not_waited_for(tmp_path: Path) -> None:
    ours = MemoryContent()
    files = [ours.keep(file_bytes(seed, size)) for seed, size in enumerate((10, 3 * MIB))]

    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits that long")

    async def run() -> None:
        async with serving(tmp_path / "a", MemoryContent(), instead=[web.post(PUT_PATH, silent)]) as served:
            report = await offer(files, served.source(), ours, stall_seconds=0.5)
            assert "too slow" in str(report.lost)
            assert report.failed

    asyncio.run(run())


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 17])
def test_bits_name_the_chunks_that_lack(count: int) -> None:
    for wanted in ([], [0], [count - 1], list(range(0, count, 2))):
        bits = encode_bits(wanted, count)
        assert len(bits) == -(-count // 8)
        assert decode_bits(bits, count) == wanted
