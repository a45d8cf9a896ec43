"""Route of new entries as they come: server-sent events (WHATWG HTML, section 9.2), each stream at its reader's pace.

A reader that is too slow is cut off, and goes on later from the last `id` that it saw.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import ClientConnectionResetError, web

from gonk_node.api.answering import KEY_HEADER
from gonk_node.api.desk import Desk
from gonk_node.api.events import gonk_events
from gonk_node.api.log import entry_json, parse_lsn
from gonk_node.api.route import Call, Query, Route
from gonk_node.api.shapes import COUNT
from gonk_node.core.limits import API_STREAM_KEEPALIVE_SECONDS, API_STREAM_WRITE_SECONDS, API_STREAMS_MAX
from gonk_node.errors import RequestError
from gonk_node.replica.history.log_pages import Chosen, log_page
from gonk_node.store.state_db import StateDb

_ENTRIES_AT_ONCE = 16  # read together; each may have 4 MiB
_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_KEEPALIVE = b": still here\n\n"


class Streams:
    """The streams that are open on this node, so that they can be counted, and ended with the server."""

    def __init__(self) -> None:
        self.is_ending = False
        self._alarms: set[asyncio.Event] = set()

    @contextmanager
    def open(self) -> Iterator[asyncio.Event]:
        """One more stream; gives what wakes it. RequestError 503 where there are too many, or the server ends."""
        if self.is_ending or len(self._alarms) >= API_STREAMS_MAX:
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{len(self._alarms)} streams are open, and this node takes no more",
                name="ServiceUnavailable",
                hint="close one, or ask …/events?after= now and then",
            )
        alarm = asyncio.Event()
        self._alarms.add(alarm)
        try:
            yield alarm
        finally:
            self._alarms.discard(alarm)

    async def end(self, _: web.Application) -> None:
        """End all streams: the server stops."""
        self.is_ending = True
        for alarm in self._alarms:
            alarm.set()


STREAMS = web.AppKey("STREAMS", Streams)


async def follow(call: Call) -> web.StreamResponse:
    """New entries as they come, as server-sent events: `id` is the lsn of an entry, `data` the entry as JSON.

    Its `events` are as `…/events` has them; an entry of which nothing is listed there comes with none. To go on after a
    break, send the last id in the header Last-Event-ID or as `after`; after=0 begins with the first entry.
    """
    desk = await call.desk()
    text = call.request.headers.get("Last-Event-ID") or call.query.get("after")
    lsn = desk.replica.log.last_lsn() if text is None else parse_lsn(text, "after")
    response = web.StreamResponse(headers=_HEADERS)
    if call.request.method == "HEAD":
        return response
    streams = call.request.app[STREAMS]
    loop = asyncio.get_running_loop()
    with streams.open() as alarm:

        def wake(_: int) -> None:
            loop.call_soon_threadsafe(alarm.set)  # called by whichever thread writes

        unsubscribe = desk.replica.subscribe(wake)
        try:
            await response.prepare(call.request)
            await _send_all(call, desk, response, alarm, lsn)
        except (TimeoutError, ClientConnectionResetError):
            if call.request.transport is not None:
                call.request.transport.abort()  # gone, or too slow: what it has not taken is not kept for it
        finally:
            unsubscribe()
    return response


async def _send_all(call: Call, desk: Desk, response: web.StreamResponse, alarm: asyncio.Event, lsn: int) -> None:
    """Send what came after `lsn`, and whatever comes, until the server ends or the API key is taken away."""
    streams = call.request.app[STREAMS]
    await _write(response, b": welcome\n\n")
    while True:
        alarm.clear()
        lsn = await _send_new(call, desk, response, lsn)
        if streams.is_ending:
            return
        try:
            async with asyncio.timeout(API_STREAM_KEEPALIVE_SECONDS):
                await alarm.wait()
        except TimeoutError:
            if call.backend.caller(call.request.headers.get(KEY_HEADER, "")) is None:
                return
            await _write(response, _KEEPALIVE)


async def _send_new(call: Call, desk: Desk, response: web.StreamResponse, lsn: int) -> int:
    """Send what came after `lsn`; returns the lsn up to which all is sent."""
    streams = call.request.app[STREAMS]
    while not streams.is_ending:
        messages, cursor = await desk.read_db(call.user, partial(_messages, call, desk, lsn))
        for number, message in messages:
            await _write(response, message)
            lsn = number
        if cursor is None:
            break
        lsn = cursor
    return lsn


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(API_STREAM_WRITE_SECONDS):
        await response.write(data)


def _messages(call: Call, desk: Desk, after: int, db: StateDb) -> tuple[list[tuple[int, bytes]], int | None]:
    """The next entries, by lsn, and where to go on; None where there are no more for now."""
    page = log_page(desk.replica, db, Chosen(), after=after, limit=_ENTRIES_AT_ONCE)
    events = gonk_events(call, desk, db)
    return [
        (logged.lsn, _message(logged.lsn, entry_json(call.backend, logged) | {"events": events.of_entry(logged.lsn)}))
        for logged in page.entries
    ], page.cursor


def _message(lsn: int, value: dict[str, Any]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))  # one line: JSON has no line breaks of its own
    return f"id: {lsn}\ndata: {text}\n\n".encode()


ROUTES = (
    Route(
        "GET",
        "/datasets/{dataset}/events/live",
        follow,
        "Follow new entries",
        None,
        query=(Query("after", COUNT, "the lsn of the last entry seen"),),
        statuses=(503,),
        media_types=("text/event-stream",),
    ),
)
