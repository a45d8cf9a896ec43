"""Fetching content from peers that lie, stall, flood or break the protocol: nothing false is kept, others are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from gonk_node.core.chunks import encode_chunk_list
from gonk_node.core.limits import CHUNK_BYTES, CONTENT_MISBEHAVIOURS_MAX, MIB
from gonk_node.errors import ContentMismatchError, PeerUnavailableError
from gonk_node.net import content_http
from gonk_node.net.content_client import FetchReport, Wanted, fetch
from gonk_node.net.content_wire import BATCH_PATH, CHUNK_ROUTE, LIST_ROUTE, NOT_HELD
from kit.content import MemoryContent, fetch_now, file_bytes, serving

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(body: bytes, **options: object) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, **options)

    return answer


def says_endlessly(start: bytes = b"", length: int | None = None) -> Answer:
    """Goes on until the other side has gone."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = length
        await response.prepare(request)
        await response.write(start)
        while True:
            await response.write(bytes(64 * 1024))

    return answer


async def says_nothing(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError("nobody waits that long")


def stops_after(start: bytes, length: int | None) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = length
        await response.prepare(request)
        await response.write(start)
        await asyncio.sleep(60)
        return response

    return answer


def piece(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


LARGE = file_bytes(1, 5 * CHUNK_BYTES)
SMALL = file_bytes(2, 5000)


def truth() -> tuple[MemoryContent, Wanted, Wanted]:
    store = MemoryContent()
    return store, store.keep(LARGE), store.keep(SMALL)


def against(
    folder: Path, wanted: list[Wanted], answers: dict[str, Answer], *, honest: MemoryContent | None = None
) -> tuple[FetchReport, MemoryContent]:
    """Fetch from a peer that answers so (and truly where nothing is said), and from an honest one if given."""
    store, ours = truth()[0], MemoryContent()
    routes = [
        *(web.get(path, answer) for path, answer in answers.items() if path != BATCH_PATH),
        *(web.post(path, answer) for path, answer in answers.items() if path == BATCH_PATH),
    ]

    async def run() -> FetchReport:
        async with serving(folder / "liar", store, instead=routes) as liar:
            sources = [liar.source()]
            if honest is None:
                return await fetch(wanted, sources, ours, stall_seconds=0.5, request_seconds=5)
            async with serving(folder / "honest", honest) as other:
                sources.append(other.source())
                return await fetch(wanted, sources, ours, stall_seconds=0.5, request_seconds=5)

    return asyncio.run(run()), ours


WRONG_LIST = encode_chunk_list(len(LARGE), [b"x" * 32] * 5)
LIES_ABOUT_LARGE: dict[str, dict[str, Answer]] = {
    "wrong list": {LIST_ROUTE: says(WRONG_LIST)},
    "list of another size": {LIST_ROUTE: says(encode_chunk_list(len(LARGE) + 1, [b"x" * 32] * 6))},
    "list of absurd length": {LIST_ROUTE: says_endlessly(length=2**40)},
    "endless list": {LIST_ROUTE: says_endlessly()},
    "wrong chunk": {CHUNK_ROUTE: says(bytes(CHUNK_BYTES))},
    "short chunk": {CHUNK_ROUTE: says(LARGE[:10])},
    "endless chunk": {CHUNK_ROUTE: says_endlessly()},
    "long chunk": {CHUNK_ROUTE: says_endlessly(length=2**40)},
    "redirect": {CHUNK_ROUTE: says(b"", status=302, headers={"Location": "https://127.0.0.1:1/"})},
    "compressed chunk": {
        CHUNK_ROUTE: says(bytes(CHUNK_BYTES), headers={"Content-Encoding": "gzip"})
    },
}  # fmt: skip
LIES_ABOUT_SMALL: dict[str, dict[str, Answer]] = {
    "wrong piece": {BATCH_PATH: says(piece(bytes(5000)))},
    "long piece": {BATCH_PATH: says_endlessly((2**30).to_bytes(4, "big"))},
    "endless batch": {BATCH_PATH: says_endlessly(piece(SMALL))},
    "no batch": {BATCH_PATH: says(b"", status=404)},
    "compressed batch": {BATCH_PATH: says(piece(SMALL), headers={"Content-Encoding": "deflate"})},
}
FAILURES: dict[str, dict[str, Answer]] = {
    "stall before the list": {LIST_ROUTE: says_nothing},
    "stall in a chunk": {CHUNK_ROUTE: stops_after(LARGE[:100], CHUNK_BYTES)},
    "stall before a batch": {BATCH_PATH: says_nothing},
    "stall in a batch": {BATCH_PATH: stops_after(piece(SMALL)[:100], None)},
    "batch cut short": {BATCH_PATH: says(piece(SMALL)[:100])},
    "empty batch": {BATCH_PATH: says(b"")},
    "failing peer": {LIST_ROUTE: says(b"", status=500), BATCH_PATH: says(b"", status=500)},
}
EVERYTHING = {**LIES_ABOUT_LARGE, **LIES_ABOUT_SMALL, **FAILURES}


@pytest.mark.parametrize("name", EVERYTHING)
def test_beside_an_honest_peer_no_bad_one_does_harm(tmp_path: Path, name: str) -> None:
    store, large, small = truth()
    report, ours = against(tmp_path, [large, small], EVERYTHING[name], honest=store)
    assert (report.fetched, report.failed) == (2, [])
    assert ours.whole(large) == LARGE
    assert ours.whole(small) == SMALL


@pytest.mark.parametrize("name", LIES_ABOUT_LARGE)
def test_a_lie_about_a_large_file_is_named_and_nothing_false_is_kept(tmp_path: Path, name: str) -> None:
    _, large, small = truth()
    report, ours = against(tmp_path, [large, small], LIES_ABOUT_LARGE[name])
    assert report.fetched == 1
    assert ours.whole(small) == SMALL
    assert [failure.wanted for failure in report.failed] == [large]
    kind = PeerUnavailableError if name in {"redirect", "compressed chunk"} else ContentMismatchError
    assert isinstance(report.failed[0].error, kind)
    # An honest peer would answer so too, had the author declared a wrong size.
    assert bool(report.misbehaved) == (name != "list of another size")
    assert not ours.has(large.content_id)


@pytest.mark.parametrize("name", LIES_ABOUT_SMALL)
def test_a_lie_about_a_small_file_is_named_and_nothing_false_is_kept(tmp_path: Path, name: str) -> None:
    _, large, small = truth()
    report, ours = against(tmp_path, [large, small], LIES_ABOUT_SMALL[name])
    assert ours.whole(large) == LARGE
    assert sum(report.misbehaved.values()) == 1
    if name == "endless batch":  # what came first was true
        assert ours.whole(small) == SMALL
    else:
        assert [failure.wanted for failure in report.failed] == [small]


@pytest.mark.parametrize("name", FAILURES)
def test_a_peer_that_stalls_or_fails_is_given_up_in_time(tmp_path: Path, name: str) -> None:
    _, large, small = truth()
    report, _ = against(tmp_path, [large, small], FAILURES[name])
    assert report.failed
    assert all(isinstance(failure.error, PeerUnavailableError) for failure in report.failed)
    assert report.misbehaved == {}


def test_a_peer_that_lies_again_and_again_is_asked_no_more(tmp_path: Path) -> None:
    store, ours = MemoryContent(), MemoryContent()
    wanted = [store.keep(file_bytes(seed, 2 * MIB)) for seed in range(10)]

    async def run() -> FetchReport:
        async with serving(tmp_path / "a", store, instead=[web.get(LIST_ROUTE, says(bytes(72)))]) as liar:
            report = await fetch(wanted, [liar.source()], ours, concurrency=1)
            assert len(liar.paths) == CONTENT_MISBEHAVIOURS_MAX
            return report

    report = asyncio.run(run())
    assert list(report.misbehaved.values()) == [CONTENT_MISBEHAVIOURS_MAX]
    assert len(report.failed) == 10


def test_a_true_file_of_another_size_than_declared_is_not_the_fault_of_the_peer(tmp_path: Path) -> None:
    store, large, small = truth()
    lied = [Wanted(large.content_id, large.size + CHUNK_BYTES), Wanted(small.content_id, small.size - 1)]
    lied += [Wanted(small.content_id, -1), Wanted(large.content_id, 2**60)]
    ours = MemoryContent()
    report = fetch_now(lied, [lambda: serving(tmp_path / "a", store)], ours)
    assert {failure.wanted for failure in report.failed} == set(lied)
    assert all(isinstance(failure.error, ContentMismatchError) for failure in report.failed)
    assert report.misbehaved == {}
    assert not ours.chunks


def test_a_busy_peer_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_http, "CONTENT_BUSY_SECONDS", 0)
    _, _, small = truth()
    answers = [429, 503, 429]

    async def busy(request: web.Request) -> web.StreamResponse:
        if answers:
            return web.Response(status=answers.pop())
        return web.Response(body=piece(SMALL))

    report, ours = against(tmp_path, [small], {BATCH_PATH: busy})
    assert report.fetched == 1
    assert ours.whole(small) == SMALL


def test_a_peer_that_is_busy_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_http, "CONTENT_BUSY_SECONDS", 0)
    _, _, small = truth()
    report, _ = against(tmp_path, [small], {BATCH_PATH: says(b"", status=429)})
    assert "busy" in str(report.failed[0].error)


def test_files_after_one_that_the_peer_lacks_still_come(tmp_path: Path) -> None:
    _, _, small = truth()
    lacking = Wanted(b"\1" * 32, 10)
    body = NOT_HELD.to_bytes(4, "big") + piece(SMALL)
    report, ours = against(tmp_path, [lacking, small], {BATCH_PATH: says(body)})
    assert (report.fetched, [failure.wanted for failure in report.failed]) == (1, [lacking])
    assert ours.whole(small) == SMALL
