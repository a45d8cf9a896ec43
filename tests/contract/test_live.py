"""New entries as server-sent events: what is sent, where a stream goes on, and what ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests

from gonk_node.core.limits import API_STREAMS_MAX
from kit.http_api import Api, Client
from kit.processes import until

pytestmark = pytest.mark.processes

PATIENCE_SECONDS = 60


class Stream:
    """An open stream of `cells`."""

    def __init__(self, response: requests.Response) -> None:
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == "text/event-stream"
        self.parts = response.iter_content(chunk_size=None)
        self.text = ""

    def next(self) -> tuple[int, dict[str, Any]]:
        """The next entry, after whatever comments; its id and data."""
        while True:
            message, end, rest = self.text.partition("\n\n")
            if not end:
                self.text += next(self.parts).decode()
                continue
            self.text = rest
            lines = dict(line.split(": ", 1) for line in message.split("\n"))
            if "data" in lines:
                assert lines.keys() == {"id", "data"}
                return int(lines["id"]), json.loads(lines["data"])

    def is_over(self) -> bool:
        """Wait for its end, which must come in order."""
        return not [part for part in self.parts if not part.startswith(b":")]


@contextmanager
def following(client: Client, query: str = "", **headers: str) -> Iterator[Stream]:
    """Follow `cells`."""
    url = f"{client.url}/datasets/cells/events/live{query}"
    with requests.get(
        url, headers={"x-api-key": client.key or "", **headers}, stream=True, timeout=PATIENCE_SECONDS
    ) as response:
        yield Stream(response)


def test_new_entries_come_with_their_events_as_they_are_listed(api: Api) -> None:
    with following(api.bob) as stream:
        for _ in range(3):
            added = api.bob.new_object()
            lsn, entry = stream.next()
            if not entry["events"]:  # Bob introduces himself, once
                lsn, entry = stream.next()
            assert entry["events"] == api.bob.ok("GET", "events?limit=1000")[-1:]
            assert entry["events"][0]["object"]["uuid"] == added["uuid"]
            assert (entry["lsn"], entry["author"]) == (lsn, "bob")
            (logged,) = api.bob.ok("GET", "log?order=newest&limit=1")["entries"]
            assert {**logged, "events": entry["events"]} == entry


def test_what_another_process_adds_is_told(api: Api, tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("added by the command line")
    with following(api.bob) as stream:
        api.gonk.ok("add", "cells", str(tmp_path / "a.txt"))
        names = []
        while not names:
            names = [event["object"]["name"] for event in stream.next()[1]["events"]]
    assert names == ["a.txt"]


def test_a_stream_goes_on_where_its_reader_was(api: Api) -> None:
    for _ in range(40):
        api.bob.new_object()
    entries = api.bob.ok("GET", "log?limit=1000")["entries"]
    with following(api.bob, "?after=0") as stream:
        found = [stream.next() for _ in entries]
    assert [lsn for lsn, _ in found] == [entry["lsn"] for entry in entries]
    listed = [event for _, entry in found for event in entry["events"]]
    assert listed == api.bob.ok("GET", "events?limit=1000")
    with following(api.bob, "?after=0", **{"Last-Event-ID": str(entries[-3]["lsn"])}) as stream:
        assert [stream.next()[0], stream.next()[0]] == [entries[-2]["lsn"], entries[-1]["lsn"]]


def test_a_request_that_makes_no_sense_is_refused(api: Api) -> None:
    api.bob.refused(400, "GET", "events/live?after=x")
    api.bob.refused(400, "GET", "events/live", headers={"Last-Event-ID": "-1"})
    api.bob.refused(404, "GET", "/datasets/nothing/events/live")
    api.nobody.refused(400, "GET", "events/live")
    api.nobody.refused(401, "GET", "events/live", headers={"x-api-key": "gk_" + "a" * 32})


def test_asking_for_the_headers_alone_opens_no_stream(api: Api) -> None:
    answer = api.bob.call("HEAD", "events/live")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert api.bob.ok("GET", "/") == {"message": "hello"}


def test_one_more_than_there_may_be_is_refused_until_another_ends(fresh_api: Api) -> None:
    with ExitStack() as stack:
        for _ in range(API_STREAMS_MAX):
            stack.enter_context(following(fresh_api.bob))
        error = fresh_api.bob.refused(503, "GET", "events/live")
        assert str(API_STREAMS_MAX) in error["ServiceUnavailable"]
        assert fresh_api.bob.ok("GET", "/") == {"message": "hello"}
    fresh_api.bob.new_object()  # whoever left is noticed when something is sent

    def is_taken() -> bool:
        url = f"{fresh_api.url}/datasets/cells/events/live"
        with requests.get(url, headers={"x-api-key": fresh_api.bob.key or ""}, stream=True, timeout=60) as response:
            return response.status_code == 200

    until(is_taken, "a stream that ended makes room", fresh_api.server)


def test_streams_end_in_order_with_the_server(fresh_api: Api) -> None:
    with following(fresh_api.bob) as stream:
        fresh_api.server.stop()
        assert stream.is_over()
