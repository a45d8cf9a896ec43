"""gonk delete: a proposal like any other; refused where there is nothing to delete."""

from __future__ import annotations

from kit.command_line import Gonk


def test_a_deletion_waits_and_then_counts(gonk: Gonk) -> None:
    added = gonk.add("a.png", b"one")
    gonk.accept_all()
    made = gonk.json("delete", "cells", added["uuid"])
    assert made["target"]["version"] == 0
    shown = gonk.json("show", "cells", "a.png")["versions"][0]
    assert sorted(shown["status"]) == ["accepted", "pending"]
    gonk.ok("review", "cells", "accept", made["event"])
    shown = gonk.json("show", "cells", "a.png")["versions"][0]
    assert (shown["status"], shown["current"]) == (["deleted"], False)
    assert shown["deletions"][0]["decision"] == "accepted"


def test_deleting_the_current_version_makes_the_one_before_current_again(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.accept_all()
    gonk.ok("update", "cells", "a.png", gonk.file("x", b"two"))
    gonk.accept_all()
    gonk.ok("delete", "cells", "a.png@1")
    gonk.accept_all()
    assert gonk.json("show", "cells", "a.png")["shown"] == 0


def test_a_schema_is_deprecated(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "caption")
    gonk.accept_all()
    assert "deprecation of schema-caption" in gonk.ok("delete", "cells", "schema-caption").err
    gonk.accept_all()
    assert "deprecated" in gonk.ok("schema", "list", "cells").out


def test_what_is_rejected_is_not_deleted(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.ok("review", "cells", "reject", "--all")
    assert "rejected" in gonk.refused("delete", "cells", "a.png").err
    assert "it is rejected, so there is nothing to delete" in gonk.refused("delete", "cells", "a.png@0").err


def test_what_is_deleted_already_is_not_deleted_again(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.accept_all()
    gonk.ok("delete", "cells", "a.png")
    assert "its deletion is asked for already" in gonk.refused("delete", "cells", "a.png").err
    gonk.accept_all()
    assert "deleted" in gonk.refused("delete", "cells", "a.png").err
    assert "it is deleted, so there is nothing to delete" in gonk.refused("delete", "cells", "a.png@0").err


def test_a_deletion_that_was_rejected_can_be_asked_for_again(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.accept_all()
    event = gonk.json("delete", "cells", "a.png")["event"]
    gonk.ok("review", "cells", "reject", event)
    gonk.ok("delete", "cells", "a.png")


def test_what_is_not_there_is_told(gonk: Gonk) -> None:
    gonk.refused("delete", "cells", "00000000-0000-4000-8000-000000000000")
    gonk.add("a.png", b"one")
    assert "there is no version 3" in gonk.refused("delete", "cells", "a.png@3").err
