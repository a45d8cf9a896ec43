"""gonk sync where nobody answers: said once, in plain words, with exit code 3, and nothing changed."""

from __future__ import annotations

import socket

from gonk_node.core.keys import Signer
from kit.command_line import Gonk


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_it_is_said_once_and_without_the_words_of_libraries(gonk: Gonk) -> None:
    key = Signer.from_seed(bytes(32)).author.hex()
    gonk.ok("peer", "add", f"gonk://127.0.0.1:{closed_port()}/{key}")
    before = gonk.state()
    result = gonk.run("sync", "cells")
    assert result.code == 3
    assert result.err.count("cannot be reached") == 1
    assert "the peer cannot be reached: connection refused\n" in result.err
    assert "gonk serve" in result.err
    assert gonk.state() == before
