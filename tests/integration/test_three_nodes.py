"""An owner, a colleague and a stranger: everything spreads, and nothing of the stranger counts before an owner signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.command_line import BOX, Gonk
from kit.processes import digest, person, serving, status, sync

pytestmark = pytest.mark.processes


def counted(gonk: Gonk) -> dict[str, int]:
    """How many objects and annotations count, and how many proposals wait."""
    found = status(gonk)
    counts = found["counts"]
    return {
        "objects": counts["objects"]["current"],
        "annotations": counts["annotations"]["current"],
        "pending": found["pending"],
    }


def saved(gonk: Gonk, name: str) -> bytes:
    """The bytes of an object as a node has them."""
    target = gonk.files / "saved"
    target.unlink(missing_ok=True)
    gonk.ok("show", "cells", name, "--save", target)
    return target.read_bytes()


def test_three_nodes_come_to_one_state(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner").with_dataset()
    owner.add("a.png", b"pixels of a")
    owner.annotate("a.png")
    owner.accept_all()
    colleague, stranger = person(tmp_path, "colleague"), person(tmp_path, "stranger")
    owner.ok("contributor", "add", "cells", colleague.key())
    with serving(owner) as server:
        colleague.ok("clone", server.link)
        stranger.ok("clone", server.link)

    # Offline, each for himself.
    colleague.add("colleague.png", b"by the colleague")
    stranger.add("stranger.png", b"by the stranger")
    stranger.annotate("a.png", {**BOX, "x": 7})
    assert counted(colleague) == {"objects": 1, "annotations": 1, "pending": 1}
    assert counted(stranger) == {"objects": 1, "annotations": 1, "pending": 2}

    with serving(owner) as server:
        for each in (colleague, stranger, colleague):
            sync(each, server.link)
        # All hold all of it; the stranger's proposals wait, and change nobody's State.
        assert len({digest(each) for each in (owner, colleague, stranger)}) == 1
        assert counted(owner) == {"objects": 1, "annotations": 1, "pending": 3}

        owner.ok("review", "cells", "accept", "--all", "--author", colleague.key())
        owner.ok("review", "cells", "accept", "--all", "--author", stranger.key())
        for each in (stranger, colleague):
            outcome = sync(each, server.link)
            assert (outcome["same_entries"], outcome["same_state"]) == (True, True)

        # What was accepted counts everywhere, and its bytes are everywhere, though nobody called the stranger.
        for each in (owner, colleague, stranger):
            assert counted(each) == {"objects": 3, "annotations": 2, "pending": 0}
            assert saved(each, "stranger.png") == b"by the stranger"
            assert saved(each, "colleague.png") == b"by the colleague"
        assert len({digest(each) for each in (owner, colleague, stranger)}) == 1
    for each in (owner, colleague, stranger):
        each.ok("fsck")


def test_what_an_owner_rejects_counts_nowhere(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner").with_dataset()
    stranger = person(tmp_path, "stranger")
    with serving(owner) as server:
        stranger.ok("clone", server.link)
        stranger.add("unwanted.png", b"unwanted")
        sync(stranger, server.link)
        owner.ok("review", "cells", "reject", "--all", "--author", stranger.key())
        outcome = sync(stranger, server.link)
        assert outcome["same_state"] is True
        later = person(tmp_path, "later")
        later.ok("clone", server.link)
    for each in (owner, stranger, later):
        assert counted(each) == {"objects": 0, "annotations": 0, "pending": 0}
    assert len({digest(each) for each in (owner, stranger, later)}) == 1


def test_competing_updates_end_in_a_conflict_that_sync_tells_of(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner").with_dataset()
    added = owner.add("a.png", b"first")
    owner.accept_all()
    second = person(tmp_path, "second")
    owner.ok("owner", "add", "cells", second.key())
    with serving(owner) as server:
        second.ok("clone", server.link)
        sync(second, server.link)
        for each in (owner, second):  # offline from one another, both update and accept
            each.ok("update", "cells", added["uuid"], each.file("new.png", f"by {each.home.name}".encode()))
            each.accept_all()
        second.ok("peer", "add", server.link)
        result = second.run("sync", "cells", "--json")
        assert (result.code, result.error()["code"]) == (5, "conflicts")
        assert result.json()[0]["same_state"] is True
    assert digest(owner) == digest(second)
    assert [len(each.run("conflicts", "cells", "--json").json()) for each in (owner, second)] == [1, 1]
