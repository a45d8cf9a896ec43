"""Who sends a body too slowly is told so and cut off, also when single bytes keep coming."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gonk_node.api import body, uploads
from gonk_node.api.failure import describe
from gonk_node.store.content_spool import Spool

FORM = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


async def trickle(start: bytes) -> AsyncIterator[bytes]:
    yield start
    for _ in range(200):
        await asyncio.sleep(0.02)
        yield b"x"


@pytest.mark.parametrize("form", ["json", "raw", "form"])
def test_a_body_that_trickles_is_given_up(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (body, uploads):
        monkeypatch.setattr(module, "API_BODY_PART_SECONDS", 0.5)
    kept: list[Spool] = []

    async def handle(request: web.Request) -> web.Response:
        try:
            with Spool(tmp_path) as spool:
                kept.append(spool)
                await (body.read_bytes(request, 1000) if form == "json" else uploads.receive(request, spool))
        except Exception as error:  # noqa: BLE001 - as the application does
            status, value = describe(error)
            return web.json_response(value, status=status)
        return web.Response()

    async def run() -> int:
        app = web.Application()
        app.router.add_post("/", handle)
        content_type = "multipart/form-data; boundary=B" if form == "form" else "application/octet-stream"
        async with TestClient(TestServer(app)) as client:
            data = trickle(FORM if form == "form" else b"")
            async with client.post("/", data=data, headers={"Content-Type": content_type}) as answer:
                return answer.status

    assert asyncio.run(run()) == 408
    assert len(kept) == 1
    assert list(tmp_path.iterdir()) == []
