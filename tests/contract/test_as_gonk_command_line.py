"""Gonk's commands, as its users and their scripts have them: `gonk init --username`, `gonk users …`, `gonk run`.

Written from Gonk's contract alone; nothing here knows how the node is made.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
import requests

from kit.command_line import Gonk
from kit.processes import PATIENCE_SECONDS, serving, start, until

pytestmark = pytest.mark.processes

KEY = re.compile(r"gk_[A-Za-z0-9]{32}")


def key_in(printed: str) -> str:
    """The one line `KEY: gk_…`; the key."""
    keys = [line.removeprefix("KEY: ") for line in printed.splitlines() if line.startswith("KEY: ")]
    assert len(keys) == 1
    assert KEY.fullmatch(keys[0])
    return keys[0]


def status(url: str, key: str) -> int:
    return requests.get(url + "/", headers={"x-api-key": key}, timeout=60).status_code


def test_users_are_made_listed_and_given_new_keys(tmp_path: Path) -> None:
    gonk = Gonk(tmp_path)
    first = key_in(gonk.ok("init", "--username", "user.one").out)
    second = key_in(gonk.ok("users", "add", "User_2-b").out)
    assert first != second
    assert gonk.ok("users", "list").out == "1\tuser.one\n2\tUser_2-b\n"
    for again in (("init", "--username", "user.one"), ("users", "add", "User_2-b"), ("users", "add", "a b")):
        refused = gonk.run(*again)
        assert refused.code == (2 if again[-1] == "a b" else 1)
        assert "KEY" not in refused.out
    assert "KEY" not in gonk.run("users", "rekey", "nobody").out  # Gonk prints a key that opens nothing
    with serving(gonk) as server:
        assert [status(server.url, key) for key in (first, second)] == [200, 200]
        third = key_in(gonk.ok("users", "rekey", "User_2-b").out)
        assert [status(server.url, key) for key in (first, second, third)] == [200, 401, 200]
        added = key_in(gonk.ok("users", "add", "later").out)
        assert status(server.url, added) == 200


def test_run_serves_with_no_options(tmp_path: Path) -> None:
    gonk = Gonk(tmp_path)
    key = key_in(gonk.ok("init", "--username", "one").out)
    log = gonk.files / "run.log"
    process = start(gonk, "run", log=log, GONK_HTTP_PORT="0", GONK_PEER_PORT="0")
    try:
        until(lambda: "HTTP API" in log.read_text(), "gonk run says where it serves")
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        assert found
        assert status(found[0], key) == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
