"""Clients that go away in the middle, and answers that fail after they began."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from kit.http_api import Api
from kit.processes import until

pytestmark = pytest.mark.processes


def test_a_client_that_goes_away_is_no_fault_of_the_node(fresh_api: Api) -> None:
    for head in ("objects/upload?name=a HTTP/1.1\r\n", "objects HTTP/1.1\r\nContent-Type: application/json\r\n"):
        with socket.create_connection(("127.0.0.1", urlsplit(fresh_api.url).port or 0)) as client:
            key = f"Host: localhost\r\nx-api-key: {fresh_api.keys['alice']}\r\nContent-Length: 9000000\r\n\r\n"
            client.sendall(f"POST /datasets/cells/{head}{key}".encode() + b"x" * 300_000)

    def noticed() -> int:
        lines = fresh_api.alice.call("GET", "/metrics").text.splitlines()
        return sum('status="499"' in line for line in lines if line.startswith("gonk_http_requests_total"))

    until(lambda: noticed() == 2, "both are noticed", fresh_api.server)
    assert "fault in gonk" not in fresh_api.server.log


def test_chunks_that_are_none_are_the_clients_fault(fresh_api: Api) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(fresh_api.url).port or 0)) as client:
        client.sendall(
            b"POST /datasets/cells/objects HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\nx-api-key: " + fresh_api.keys["alice"].encode() + b'\r\n\r\n5\r\n{"nam\r\n'
        )
        client.sendall(b"zz\r\n")
        client.settimeout(60)
        # aiohttp tells the reader of a body at once, or, where it had not begun to read, not at all until the time is over
        assert client.recv(4096).split()[1] in (b"400", b"408")
    assert "fault in gonk" not in fresh_api.server.log
