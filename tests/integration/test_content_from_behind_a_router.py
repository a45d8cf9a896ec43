"""Nodes that only call, and can be called by nobody, bring the bytes of what they add; real processes over real TLS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gonk_node.core.limits import MIB
from kit.command_line import Gonk

pytestmark = pytest.mark.processes


@contextmanager
def serving(gonk: Gonk) -> Iterator[str]:
    """`gonk serve` as a process of its own; gives the link of the dataset `cells`."""
    words = ("serve", "--peer-port", "0", "--port", "0", "--json")
    command = [sys.executable, "-m", "gonk_node", "--home", str(gonk.home), *words]
    log = (gonk.files / "serve.log").open("ab")
    with log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=dict(os.environ)) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline() or b"{}")
            assert ready.get("ready"), (gonk.files / "serve.log").read_text()
            yield ready["links"]["cells"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def person(folder: Path, name: str) -> Gonk:
    gonk = Gonk(folder, name)
    gonk.ok("init", "--name", name)
    return gonk


def sync(gonk: Gonk, link: str) -> dict[str, Any]:
    """One `gonk sync` with whoever serves there now (the port is another one each time)."""
    gonk.ok("peer", "add", link)
    outcome: dict[str, Any] = gonk.json("sync", "cells")[0]
    return outcome


def content_sent(outcome: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = outcome["content_sent"]
    return found


def saved(gonk: Gonk, name: str) -> bytes:
    target = gonk.files / "saved"
    target.unlink(missing_ok=True)
    gonk.ok("show", "cells", name, "--save", target)
    return target.read_bytes()


@pytest.fixture
def owner(tmp_path: Path) -> Gonk:
    gonk = Gonk(tmp_path, "owner").with_dataset()
    gonk.add("first.png", b"first")
    gonk.ok("review", "cells", "accept", "--all")
    return gonk


def test_an_annotators_new_files_reach_the_owner_and_those_who_clone_later(owner: Gonk, tmp_path: Path) -> None:
    small, large = b"small file", Random(1).randbytes(3 * MIB + 5)
    annotator = person(tmp_path, "annotator")
    owner.ok("contributor", "add", "cells", annotator.key())
    with serving(owner) as link:
        annotator.ok("clone", link)
    annotator.add("small.png", small)
    annotator.add("large.png", large)
    with serving(owner) as link:
        sent = content_sent(sync(annotator, link))
        assert (sent["files"], sent["bytes"], sent["declined"]) == (2, len(small) + len(large), 0)
        assert content_sent(sync(annotator, link))["files"] == 0  # once is enough
        assert saved(owner, "large.png") == large  # before he decides
        owner.ok("review", "cells", "accept", "--all")
        later = person(tmp_path, "later")
        later.ok("clone", link)
    assert [saved(each, "small.png") for each in (owner, later)] == [small, small]
    assert [saved(each, "large.png") for each in (owner, later)] == [large, large]
    assert owner.run("fsck").code == 0


def test_a_stranger_brings_what_he_proposes_within_the_quota(owner: Gonk, tmp_path: Path) -> None:
    stranger = person(tmp_path, "stranger")
    with serving(owner) as link:
        stranger.ok("clone", link)
        fits, beyond = Random(2).randbytes(40 * MIB), Random(3).randbytes(40 * MIB)
        stranger.add("fits.bin", fits)
        stranger.add("beyond.bin", beyond)
        sent = content_sent(sync(stranger, link))
        assert (sent["files"], sent["declined"], sent["failed"]) == (1, 1, 0)
        assert saved(owner, "fits.bin") == fits
        assert owner.run("show", "cells", "beyond.bin", "--save", owner.files / "none").code != 0
        owner.ok("review", "cells", "accept", "--all", "--author", stranger.key())
        sent = content_sent(sync(stranger, link))  # accepted: no quota any more
        assert (sent["files"], sent["declined"]) == (1, 0)
    assert saved(owner, "beyond.bin") == beyond


def test_an_interrupted_hand_over_goes_on_with_the_next_sync(owner: Gonk, tmp_path: Path) -> None:
    annotator = person(tmp_path, "annotator")
    owner.ok("contributor", "add", "cells", annotator.key())
    with serving(owner) as link:
        annotator.ok("clone", link)
    data = Random(4).randbytes(60 * MIB)
    annotator.add("large.bin", data)
    with serving(owner) as link:
        annotator.ok("peer", "add", link)
        command = [sys.executable, "-m", "gonk_node", "--home", str(annotator.home), "sync", "cells"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(1.5)  # in time or not: the end is the same
            except subprocess.TimeoutExpired:
                process.kill()
        sent = content_sent(sync(annotator, link))
        assert (sent["declined"], sent["failed"]) == (0, 0)
        assert saved(owner, "large.bin") == data
    assert owner.run("fsck").code == 0


def test_what_is_added_while_connected_follows_at_once(owner: Gonk, tmp_path: Path) -> None:
    annotator = person(tmp_path, "annotator")
    owner.ok("contributor", "add", "cells", annotator.key())
    with serving(owner) as link:
        annotator.ok("clone", link)  # which puts the owner into the peer book
        with serving(annotator):
            added = annotator.add("live.png", b"added while both were connected")
            deadline = time.monotonic() + 60
            while not is_here(owner, added["uuid"]):
                assert time.monotonic() < deadline, (annotator.files / "serve.log").read_text()
                time.sleep(0.1)
    assert saved(owner, "live.png") == b"added while both were connected"


def is_here(gonk: Gonk, uuid: str) -> bool:
    """Whether the object is known, and its content held."""
    shown = gonk.run("show", "cells", uuid, "--json")
    return shown.code == 0 and shown.json()["content_here"]
