"""A release among nodes: verified by who cloned later, from somebody else, while its owner was away."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.command_line import BOX, Gonk
from kit.processes import person, serving, sync

pytestmark = pytest.mark.processes


def test_a_release_is_verified_by_who_clones_it_from_another_without_its_owner(tmp_path: Path) -> None:
    owner = Gonk(tmp_path, "owner").with_dataset()
    colleague, newcomer = person(tmp_path, "colleague"), person(tmp_path, "newcomer")
    owner.ok("owner", "add", "cells", colleague.key())
    owner.add("a.png", b"pixels of a")
    owner.annotate("a.png")
    owner.accept_all()
    with serving(owner) as server:
        colleague.ok("clone", server.link)
        colleague.add("b.png", b"pixels of b")
        colleague.annotate("a.png", {**BOX, "x": 7})
        colleague.accept_all()
        sync(colleague, server.link)
    made = owner.json("release", "create", "cells", "v1.0")
    assert (made["objects"], made["annotations"]) == (2, 2)
    with serving(owner) as server:
        sync(colleague, server.link)

    owner.add("late.png", b"after the release")
    owner.accept_all()
    with serving(colleague) as server:
        newcomer.ok("clone", server.link)
    for each in (owner, colleague, newcomer):
        verified = each.json("release", "verify", "cells", "v1.0")
        assert verified["manifest_hash"] == made["manifest_hash"]
        lines = each.ok("release", "show", "cells", "v1.0", "--manifest", "-").out
        assert lines.count("\nobject\t") == lines.count("\nannotation\t") == 2
        objects = each.json("list", "cells", "objects", "--status", "current", "--at", "v1.0")["objects"]
        assert sorted(found["name"] for found in objects) == ["a.png", "b.png"]
    again = colleague.json("release", "create", "cells", "v1.1")
    assert again["manifest_hash"] == made["manifest_hash"], "the same State, by another owner on another node"
