"""Pages that a browser shows cannot use the API behind its user's back, and nobody reaches it by another name."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from kit.http_api import Api, served_api

pytestmark = pytest.mark.processes

PAGE = "https://attacker.example"


@pytest.mark.parametrize(
    "host", ["attacker.example", "attacker.example:5000", "127.0.0.1.attacker.example", "[::2]", "0", ""]
)
def test_another_host_name_is_misdirected(api: Api, host: str) -> None:
    """DNS rebinding: a page whose name now points to loopback asks with its own name."""
    assert "MisdirectedRequest" in api.alice.refused(421, "GET", "/datasets", headers={"Host": host})
    api.nobody.refused(421, "GET", "/openapi.json", headers={"Host": host})


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "LOCALHOST", "[::1]"])
def test_names_of_loopback_are_ours(api: Api, name: str) -> None:
    port = urlsplit(api.url).port
    assert api.alice.call("GET", "/", headers={"Host": f"{name}:{port}"}).status_code == 200


@pytest.mark.parametrize("origin", [PAGE, "null", "http://localhost.attacker.example", "http://[", "file://", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_page_of_another_origin_is_refused(api: Api, origin: str, method: str) -> None:
    answer = api.alice.call(method, "/datasets", headers={"Origin": origin}, json={"name": "stolen"})
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert "stolen" not in api.alice.ok("GET", "/datasets")


def test_our_own_page_may_ask(api: Api) -> None:
    headers = {"Origin": api.url, "Sec-Fetch-Site": "same-origin"}
    assert api.alice.call("GET", "/datasets", headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_what_a_browser_says_of_the_page_counts(api: Api, site: str) -> None:
    api.alice.refused(403, "GET", "/datasets", headers={"Sec-Fetch-Site": site})


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None]
)
def test_a_form_post_of_another_page_does_nothing(api: Api, content_type: str | None) -> None:
    """Forms need no preflight: JSON that is sent as text, with or without the headers of a browser."""
    for more in ({}, {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}):
        headers: dict[str, Any] = {"Content-Type": content_type, **more}
        answer = api.alice.call("POST", "/datasets", data='{"name":"formed"}', headers=headers)
        assert answer.status_code in (400, 403)
    assert "formed" not in api.alice.ok("GET", "/datasets")


def test_a_preflight_gets_no_permission(api: Api) -> None:
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    answer = api.nobody.call("OPTIONS", "/datasets", headers=headers)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_websocket_of_another_origin_is_refused(api: Api) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    api.alice.refused(403, "GET", "events/live", headers={**upgrade, "Origin": PAGE})
    api.alice.refused(400, "GET", "events/live", headers={**upgrade, "Origin": api.url})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_packed_body_is_refused(api: Api, encoding: str) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    api.alice.refused(415, "POST", "/datasets", data=b"\x1f\x8b\x08", headers=headers)


def test_a_key_in_a_cookie_or_in_the_address_opens_nothing_and_no_cookie_is_set(api: Api) -> None:
    key = api.keys["alice"]
    api.nobody.refused(400, "GET", f"/datasets?x-api-key={key}", cookies={"x-api-key": key})
    assert "Set-Cookie" not in api.alice.call("GET", "/datasets").headers


def test_answers_are_sealed(api: Api) -> None:
    for path in ("/", "/nothing", "/docs", "/openapi.json"):
        headers = api.alice.call("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": str(10**12)}
    answer = raw(api, "POST", "/datasets", {**headers, "x-api-key": api.keys["alice"]}, b"{")
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "y" * 20_000},
        {f"X-{number}": "y" for number in range(500)},
        {"Content-Length": "5", "Transfer-Encoding": "chunked"},
        {"Host": "localhost\r\nHost: attacker.example"},
    ],
)
def test_broken_or_swollen_headers_are_refused_and_the_node_stays_up(api: Api, headers: dict[str, str]) -> None:
    answer = raw(api, "POST", "/datasets", headers, b"")
    assert answer[9:12] in (b"400", b"413", b"421", b"431"), answer[:100]
    assert api.alice.call("GET", "/").status_code == 200


def test_a_user_who_floods_is_told_to_wait_and_others_are_not(api: Api, tmp_path: Any) -> None:
    with served_api(tmp_path, GONK_HTTP_REQUESTS_PER_SECOND="5") as slow:
        statuses = [slow.alice.call("GET", "/").status_code for _ in range(60)]
        assert set(statuses) == {200, 429}
        assert slow.bob.call("GET", "/").status_code == 200


def raw(api: Api, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """What comes back for bytes that no HTTP library would send."""
    parts = urlsplit(api.url)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if "Host" not in headers:
        lines.insert(1, f"Host: {parts.netloc}")
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return connection.recv(65_536)
