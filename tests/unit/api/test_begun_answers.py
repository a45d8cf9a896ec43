"""An answer that fails after it began is broken off: nothing of an error stands in it."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientError, ClientSession, web

from gonk_node.api import app as api_app
from gonk_node.errors import StorageError


def test_an_answer_that_fails_is_broken_off() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        raise StorageError("the users cannot be read")

    async def run() -> bytes:
        app = web.Application(middlewares=[api_app._failures])
        app.on_response_prepare.append(api_app._seal)
        app.router.add_get("/", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        received = b""
        try:
            async with ClientSession() as session, session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/") as answer:
                with pytest.raises(ClientError):
                    async for part in answer.content.iter_any():
                        received += part
        finally:
            await runner.cleanup()
        return received

    assert b"users" not in asyncio.run(run())
