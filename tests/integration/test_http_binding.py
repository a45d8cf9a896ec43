"""Where the HTTP API listens: loopback, unless more is allowed; TLS with a certificate; a port in use is told."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from gonk_node.net.tls import ensure_certificate
from kit.http_api import served_api
from kit.processes import PATIENCE_SECONDS, person

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "203.0.113.7", "example.org"])
def test_the_api_is_not_served_beyond_loopback_by_mistake(tmp_path: Path, host: str) -> None:
    gonk = person(tmp_path, "Ada")
    result = gonk.run("serve", "--peer-port", "0", "--port", "0", "--host", host)
    assert result.code == 2
    assert "--allow-remote" in result.err


def test_a_port_in_use_is_told_with_the_way_out(tmp_path: Path) -> None:
    gonk = person(tmp_path, "Ada")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = gonk.run("serve", "--peer-port", "0", "--port", taken.getsockname()[1])
    assert result.code == 2
    assert "--port" in result.err
    assert "--no-http" in result.err


def test_a_node_may_serve_peers_only(tmp_path: Path) -> None:
    gonk = person(tmp_path, "Ada")
    command = [sys.executable, "-m", "gonk_node", "--home", str(gonk.home), "serve", "--peer-port", "0", "--no-http"]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert b'"http": null' in process.stdout.readline()
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def test_with_a_certificate_it_is_served_over_tls(tmp_path: Path) -> None:
    pem = tmp_path / "own.pem"
    ensure_certificate(pem)
    with served_api(tmp_path, GONK_HTTP_CERTIFICATE=str(pem), dataset=None) as api:
        assert api.url.startswith("https://127.0.0.1:")
        port = int(api.url.rpartition(":")[2])
        shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
        assert shown == ensure_certificate(pem)
        key = {"x-api-key": api.keys["alice"]}
        assert requests.get(api.url + "/", headers=key, verify=False, timeout=60).status_code == 200


def test_a_certificate_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gonk = person(tmp_path, "Ada")
    monkeypatch.setenv("GONK_HTTP_CERTIFICATE", str(gonk.file("none.pem", b"no certificate")))
    result = gonk.run("serve", "--peer-port", "0", "--port", "0")
    assert result.code == 1
    assert "none.pem" in result.err
