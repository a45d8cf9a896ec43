"""Cloning from a real server: verified, complete, resumable whoever is killed, and refused where it must be."""

from __future__ import annotations

import json
import socket
from hashlib import sha256
from pathlib import Path

import pytest

from gonk_node.core.keys import Signer
from kit.authors import TestAuthor
from kit.command_line import BOX, Gonk
from kit.processes import PATIENCE_SECONDS, digest, entries_held, found_chain, person, serving, start, status, until

pytestmark = pytest.mark.processes

ENTRIES = 12_000
OTHER_NODE = Signer.from_seed(sha256(b"another node").digest()).author.hex()


@pytest.fixture
def owner(tmp_path: Path) -> Gonk:
    """An owner of a dataset with a schema, an accepted object and an accepted annotation."""
    gonk = Gonk(tmp_path, "owner").with_dataset()
    gonk.add("a.png", b"pixels of a")
    gonk.ok("schema", "add", "cells", "bounding-box")
    gonk.ok("annotate", "cells", "a.png", "bounding-box", "-", stdin=json.dumps(BOX))
    gonk.ok("review", "cells", "accept", "--all")
    return gonk


def test_gonk_share_beside_a_server_prints_the_link_that_works(owner: Gonk, tmp_path: Path) -> None:
    with serving(owner) as server:
        link = owner.json("share", "cells")["link"]
        assert link == server.link
        other = person(tmp_path, "other")
        other.ok("clone", link)
        assert digest(other) == digest(owner)
        server.kill()
    assert ":7475/" in owner.json("share", "cells")["link"], "what a killed server left counts for nothing"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Gonk:
    """A dataset of many entries of one event each."""
    gonk = person(tmp_path_factory.mktemp("large"), "owner")
    found_chain(gonk, TestAuthor("founder of a long log"), ENTRIES)
    return gonk


def test_a_clone_is_the_same_dataset(owner: Gonk, tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with serving(owner) as server:
        report = reader.json("clone", server.link)
    assert report["name"] == "cells"
    assert report["same_entries"] is True
    assert report["same_state"] is True
    assert report["received"]["entries"] == report["entries"]
    assert report["sent"]["entries"] == 0
    assert report["content"] == {"files": 1, "bytes": len(b"pixels of a"), "missing": 0, "failures": []}
    here, there = status(reader), status(owner)
    assert {**here, "role": None, "content": None} == {**there, "role": None, "content": None}
    reader.ok("fsck")


def test_a_clone_puts_the_peer_into_the_peer_book(owner: Gonk, tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with serving(owner) as server:
        reader.ok("clone", server.link, "blood")
        [peer] = reader.json("peer", "list")
        assert (peer["address"], peer["names"], peer["problem"]) == (server.address, ["blood"], None)
        [outcome] = reader.json("sync")
    assert outcome["same_state"] is True
    assert outcome["received"]["entries"] == outcome["sent"]["entries"] == 0


def test_cloning_again_brings_the_clone_up_to_date_under_its_name(owner: Gonk, tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with serving(owner) as server:
        reader.ok("clone", server.link)
        owner.add("b.png", b"pixels of b")
        again = reader.json("clone", server.link)
        assert again["resumed"] is True
        assert again["received"]["entries"] == 1
        refused = reader.run("clone", server.link, "other", "--json")
    assert (refused.code, refused.error()["code"]) == (1, "exists")


def test_another_node_key_than_the_links_is_refused_and_nothing_is_made(owner: Gonk, tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with serving(owner) as server:
        scheme, blank, authority, _, dataset = server.link.split("/")
        result = reader.run("clone", "/".join([scheme, blank, authority, OTHER_NODE, dataset]), "--json")
    assert (result.code, result.error()["code"]) == (4, "wrong-peer")
    assert reader.json("dataset", "list") == []
    assert reader.json("peer", "list") == []


def test_a_dataset_that_the_peer_does_not_have_is_not_found(owner: Gonk, tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with serving(owner) as server:
        result = reader.run("clone", server.address + "/" + "0" * 64, "--json")
    assert (result.code, result.error()["code"]) == (1, "not-found")


def test_a_peer_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    result = reader.run("clone", f"gonk://127.0.0.1:{port}/{OTHER_NODE}/{'0' * 64}", "--json")
    assert (result.code, result.error()["code"]) == (3, "peer-unavailable")


def test_a_receiver_that_is_killed_goes_on_where_it_was(large: Gonk, tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with serving(large) as server:
        process = start(reader, "clone", server.link, "--json", log=tmp_path / "clone.log")
        until(lambda: entries_held(reader) > ENTRIES // 5, "the clone gets on", server)
        seen = entries_held(reader)
        process.kill()
        process.communicate()
        kept = entries_held(reader)
        assert seen <= kept < ENTRIES, "killed too late, or something was lost"
        assert status(reader)["entries"] == kept
        report = reader.json("clone", server.link)
    assert report["resumed"] is True
    assert report["received"]["entries"] == ENTRIES - kept  # not one of those that were durable came again
    assert (report["entries"], report["same_state"]) == (ENTRIES, True)
    assert digest(reader) == digest(large)
    reader.ok("fsck")


def test_a_sender_that_is_killed_leaves_a_part_that_the_same_command_completes(large: Gonk, tmp_path: Path) -> None:
    reader = person(tmp_path, "reader")
    with serving(large) as server:
        process = start(reader, "clone", server.link, "--json", log=tmp_path / "clone.log")
        until(lambda: entries_held(reader) > ENTRIES // 5, "the clone gets on", server)
        server.kill()
        process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 6, (tmp_path / "clone.log").read_text()
        error = json.loads((tmp_path / "clone.log").read_text())["error"]
        assert (error["code"], "same command" in error["hint"]) == ("partial", True)
        assert status(reader)["incomplete"] is True
        kept = entries_held(reader)
        assert 0 < kept < ENTRIES
    with serving(large, server.port) as server:
        report = reader.json("clone", server.link)
    assert report["received"]["entries"] == ENTRIES - kept
    assert status(reader)["incomplete"] is False
    assert digest(reader) == digest(large)
