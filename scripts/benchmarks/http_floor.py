"""The floor under an HTTP API: a bare aiohttp server, as a child process, that reads each request and answers fixed bytes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from .processes import Facts, run_role

_HOST = "127.0.0.1"


@asynccontextmanager
async def serve(answer: str) -> AsyncIterator[Facts]:
    """Serve any path and method with that JSON; tells port and process."""
    data = answer.encode()

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=data, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, _HOST, 0).start()
    try:
        yield {"port": runner.addresses[0][1], "pid": os.getpid()}
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    run_role({"serve": serve}, {})
