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


def test_who_clones_later_gets_what_a_release_lists_though_it_was_deleted_or_overruled(tmp_path: Path) -> None:
    owner, newcomer, reader = Gonk(tmp_path, "owner").with_dataset(), *(person(tmp_path, name) for name in ("new", "r"))
    for name in ("deleted.png", "overruled.png", "rejected.png", "stays.png"):
        owner.add(name, f"pixels of {name}")
    owner.annotate("stays.png")
    labels = {"schema": "schema-bounding-box", "labels": [{"id": "WBC", "name": "White"}]}
    owner.ok("labels", "cells", "set", owner.file("labels.json", labels))
    unwanted = owner.json("show", "cells", "rejected.png")["versions"][0]["event"]
    owner.ok("review", "cells", "reject", unwanted)
    owner.accept_all()
    owner.ok("release", "create", "cells", "v1.0")
    owner.ok("delete", "cells", owner.json("show", "cells", "deleted.png")["uuid"])
    owner.accept_all()
    overruled = owner.json("show", "cells", "overruled.png")["versions"][0]["event"]
    owner.ok("review", "cells", "reject", overruled, "--supersede")
    with serving(owner) as server:
        newcomer.ok("clone", server.link)
        reader.ok("clone", server.link, "--content", "none")
    assert newcomer.json("status", "cells")["content"]["missing"] == 0
    for who in (owner, newcomer):
        who.ok("export", "cells", "jsonl", who.files / "out", "--release", "v1.0")
    listed = sorted(path.name for path in (newcomer.files / "out/files").iterdir())
    assert listed == ["deleted.png", "overruled.png", "stays.png"]
    assert (owner.files / "out/SHA256SUMS").read_bytes() == (newcomer.files / "out/SHA256SUMS").read_bytes()
    reader.ok("export", "cells", "jsonl", reader.files / "out", "--release", "v1.0", "--images", "none")  # labels came
    refused = reader.refused("export", "cells", "jsonl", reader.files / "more", "--release", "v1.0", code=3)
    assert ".png" in refused.err
