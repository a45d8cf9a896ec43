"""gonk share and gonk peer: links that work for others, and the peer book."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gonk_node.core.keys import Signer
from kit.command_line import Gonk

PEER = Signer.from_seed(sha256(b"a peer").digest()).author.hex()


def set_config(gonk: Gonk, line: str) -> None:
    """Put a line at the end of config.toml."""
    path = gonk.home / "config.toml"
    path.write_text(path.read_text() + "\n" + line + "\n")


def test_a_link_names_host_port_node_key_and_dataset(gonk: Gonk) -> None:
    shared = gonk.json("share", "cells")
    node_key = gonk.json("whoami")["node"]
    assert shared["link"] == f"gonk://127.0.0.1:7475/{node_key}/{shared['id']}"
    assert gonk.ok("share", "cells").out.strip() == shared["link"]


def test_a_loopback_address_is_warned_of(gonk: Gonk) -> None:
    assert "this machine only" in gonk.json("share", "cells")["doubt"]
    assert "this machine only" in gonk.ok("share", "cells").err


def test_the_address_for_others_comes_from_the_settings_or_the_option(gonk: Gonk) -> None:
    set_config(gonk, 'advertise = "node.example.org:9000"')
    shared = gonk.json("share", "cells")
    assert shared["link"].startswith("gonk://node.example.org:9000/")
    assert shared["doubt"] is None
    assert gonk.json("share", "cells", "--address", "[2001:db8::1]:7")["link"].startswith("gonk://[2001:db8::1]:7/")


def test_where_all_addresses_are_served_the_link_has_the_name_of_the_machine(gonk: Gonk) -> None:
    set_config(gonk, 'peer_host = "0.0.0.0"')
    shared = gonk.json("share", "cells")
    assert "0.0.0.0" not in shared["link"]
    assert "advertise" in shared["doubt"] or "this machine only" in shared["doubt"]


@pytest.mark.parametrize("address", ["nonsense", "host:0", "host:99999", "a b:1"])
def test_an_address_that_cannot_be_is_refused(gonk: Gonk, address: str) -> None:
    assert gonk.run("share", "cells", "--address", address).code == 2


def test_peers_are_added_listed_and_removed(gonk: Gonk) -> None:
    dataset = gonk.json("share", "cells")["id"]
    assert gonk.json("peer", "list") == []
    added = gonk.json("peer", "add", f"gonk://10.0.0.1:7475/{PEER}/{dataset}")
    assert (added["names"], added["last_synced"], added["problem"]) == (["cells"], None, None)
    moved = gonk.json("peer", "add", f"gonk://10.0.0.2:7475/{PEER}")
    assert (moved["address"], moved["names"]) == (f"gonk://10.0.0.2:7475/{PEER}", ["cells"])
    assert gonk.json("peer", "list") == [moved]
    assert "10.0.0.2:7475" in gonk.ok("peer", "list").out
    assert gonk.json("peer", "remove", PEER[:8]) == {"node_key": PEER}
    assert gonk.json("peer", "list") == []


def test_a_peer_that_is_not_known_is_named(gonk: Gonk) -> None:
    assert gonk.run("peer", "remove", PEER[:8]).code == 1
    assert gonk.run("peer", "remove", "zz").code == 2
    assert gonk.run("sync", "cells", "--peer", PEER[:8]).code == 1


@pytest.mark.parametrize("link", ["http://host:1/x", f"gonk://host/{PEER}", "gonk://host:1/" + "0" * 64, ""])
def test_what_is_no_address_is_refused(gonk: Gonk, link: str) -> None:
    result = gonk.run("peer", "add", link, "--json")
    assert (result.code, result.error()["code"]) == (2, "usage")


def test_a_node_is_no_peer_of_its_own(gonk: Gonk) -> None:
    own = gonk.json("share", "cells")["link"]
    assert gonk.run("peer", "add", own).code == 2


def test_without_peers_sync_says_how_to_add_one(gonk: Gonk) -> None:
    result = gonk.run("sync", "--json")
    assert (result.code, result.error()["hint"]) == (1, "gonk peer add LINK")


def test_a_port_that_is_taken_is_told(gonk: Gonk) -> None:
    result = gonk.run("serve", "--peer-host", "203.0.113.7", "--json")
    assert (result.code, result.error()["code"]) == (2, "usage")
    assert "--peer-port" in result.error()["hint"]
