"""gonk update: a new version of an object, built on what it is now."""

from __future__ import annotations

from kit.command_line import Gonk


def test_the_new_version_counts_once_it_is_accepted_and_begins_without_annotations(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.annotate()
    gonk.accept_all()
    made = gonk.json("update", "cells", "a.png", gonk.file("better", b"two"))
    assert (made["version"], made["name"], made["status"]) == (1, "a.png", ["pending"])
    assert gonk.json("show", "cells", "a.png")["shown"] == 0
    gonk.accept_all()
    shown = gonk.json("show", "cells", "a.png")
    assert (shown["shown"], shown["annotations"]) == (1, [])
    assert len(gonk.json("show", "cells", made["uuid"] + "@0")["annotations"]) == 1


def test_a_new_name_alone_is_a_new_version(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    made = gonk.json("update", "cells", "a.png", gonk.files / "a.png", "--name", "b.png")
    assert (made["version"], made["name"]) == (1, "b.png")


def test_an_update_that_changes_nothing_is_refused(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    assert "nothing differs" in gonk.refused("update", "cells", "a.png", gonk.files / "a.png").err


def test_the_content_of_another_object_is_refused(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.add("b.png", b"two")
    assert "as 'b.png'" in gonk.refused("update", "cells", "a.png", gonk.files / "b.png").err


def test_a_wrong_base_is_refused(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.accept_all()
    gonk.ok("update", "cells", "a.png", gonk.file("x", b"two"))
    gonk.accept_all()
    three = gonk.file("y", b"three")
    assert "version 1 is what counts now" in gonk.refused("update", "cells", "a.png@0", three).err
    assert "there is no version 7" in gonk.refused("update", "cells", "a.png@7", three).err


def test_a_rejected_object_is_not_updated(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.ok("review", "cells", "reject", "--all")
    result = gonk.refused("update", "cells", "a.png", gonk.file("x", b"two"))
    assert "rejected or deleted" in result.err


def test_a_schema_s_name_cannot_be_taken_and_schemas_are_updated_elsewhere(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.ok("schema", "add", "cells", "caption")
    new = gonk.file("x", b"two")
    gonk.refused("update", "cells", "a.png", new, "--name", "schema-x", code=2)
    assert "gonk schema add" in gonk.refused("update", "cells", "schema-caption", new).err
