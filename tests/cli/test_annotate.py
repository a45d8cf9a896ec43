"""gonk annotate: bodies that fit their schema, on objects that stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.command_line import BOX, Gonk


@pytest.fixture
def box(gonk: Gonk) -> Path:
    gonk.ok("schema", "add", "cells", "bounding-box")
    gonk.add("a.png", b"a")
    return gonk.file("box.json", BOX)


def test_a_pending_object_is_annotated_with_a_pending_schema(gonk: Gonk, box: Path) -> None:
    made = gonk.json("annotate", "cells", "a.png", "bounding-box", box)
    assert made["status"] == ["pending"]
    assert made["body"] == BOX
    assert made["schema"]["name"] == "schema-bounding-box"
    assert [each["name"] for each in made["objects"]] == ["a.png"]


def test_the_very_bytes_are_kept_also_from_standard_input(gonk: Gonk, box: Path) -> None:
    body = '{ "w":3.0, "h" : 4,"x":0,"y":0, "label":"RBC" }\n'
    made = gonk.json("annotate", "cells", "a.png", "schema-bounding-box", "-", stdin=body)
    assert gonk.ok("show", "cells", made["uuid"], "--save", "-").out == body


def test_one_annotation_hangs_on_several_objects(gonk: Gonk, box: Path) -> None:
    other = gonk.add("b.png", b"b")
    made = gonk.json("annotate", "cells", "a.png", "bounding-box", box, "--also", other["uuid"])
    assert sorted(each["name"] for each in made["objects"]) == ["a.png", "b.png"]


def test_a_new_version_is_proposed_with_update(gonk: Gonk, box: Path) -> None:
    made = gonk.json("annotate", "cells", "a.png", "bounding-box", box)
    gonk.accept_all()
    better = gonk.file("better.json", BOX | {"label": "RBC"})
    changed = gonk.json("annotate", "cells", "a.png", "bounding-box", better, "--update", made["uuid"])
    assert (changed["uuid"], changed["version"]) == (made["uuid"], 1)
    gonk.accept_all()
    assert gonk.json("show", "cells", made["uuid"])["shown"] == 1


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (json.dumps(BOX | {"w": 0}), "/w"),
        (json.dumps(BOX | {"x": "left"}), "/x"),
        (json.dumps({"label": "WBC"}), 'version 0: "x" is a required'),
        ("", "JSON"),
        ("{", "JSON"),
        ('{"label": "a", "label": "b", "x": 0, "y": 0, "w": 1, "h": 1}', "label"),
        ("\xff", "version 0: is not UTF-8"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_place_and_the_reason(
    gonk: Gonk, box: Path, body: str, place: str
) -> None:
    file = gonk.file("bad.json", body.encode("latin-1"))
    result = gonk.refused("annotate", "cells", "a.png", "bounding-box", file)
    assert "does not fit schema-bounding-box version 0" in result.err
    assert place in result.err


def reject_it(gonk: Gonk) -> str:
    gonk.ok("review", "cells", "reject", "--all")
    return "rejected"


def delete_it(gonk: Gonk) -> str:
    gonk.accept_all()
    gonk.ok("delete", "cells", "a.png")
    gonk.accept_all()
    return "deleted"


@pytest.mark.parametrize("undo", [reject_it, delete_it])
def test_a_rejected_or_deleted_object_is_not_annotated(gonk: Gonk, undo: Callable[[Gonk], str]) -> None:
    gonk.add("a.png", b"a")
    word = undo(gonk)
    gonk.ok("schema", "add", "cells", "bounding-box")
    box = gonk.file("box.json", BOX)
    assert word in gonk.refused("annotate", "cells", "a.png", "bounding-box", box).err
    assert word in gonk.refused("annotate", "cells", "a.png@0", "bounding-box", box).err


def test_a_schema_is_no_object_to_annotate(gonk: Gonk, box: Path) -> None:
    uuid = gonk.json("schema", "list", "cells")[0]["uuid"]
    for name in (uuid, "schema-bounding-box"):
        assert "this is a schema, not an object" in gonk.refused("annotate", "cells", name, "bounding-box", box).err


def test_a_rejected_schema_is_not_used(gonk: Gonk, box: Path) -> None:
    gonk.ok("review", "cells", "reject", gonk.json("schema", "list", "cells")[0]["event"])
    assert "the schema is rejected" in gonk.refused("annotate", "cells", "a.png", "bounding-box", box).err


def test_a_schema_or_object_that_is_not_there_is_told(gonk: Gonk, box: Path) -> None:
    assert "there is no schema schema-polygon" in gonk.refused("annotate", "cells", "a.png", "polygon", box).err
    assert "there is no object 'z.png'" in gonk.refused("annotate", "cells", "z.png", "bounding-box", box).err


def test_what_is_no_annotation_is_not_updated_as_one(gonk: Gonk, box: Path) -> None:
    words = ("annotate", "cells", "a.png", "bounding-box", box, "--update")
    assert "there is no annotation 'nope'" in gonk.refused(*words, "nope").err
    assert "this is an object, not an annotation" in gonk.refused(*words, "a.png").err


def test_a_name_that_several_objects_have_is_ambiguous(gonk: Gonk, box: Path) -> None:
    gonk.ok("add", "cells", gonk.file("other", b"other"), "--name", "a.png")
    result = gonk.refused("annotate", "cells", "a.png", "bounding-box", box)
    assert "several objects are named 'a.png'" in result.err


def test_an_update_must_differ_and_be_of_that_object(gonk: Gonk, box: Path) -> None:
    made = gonk.json("annotate", "cells", "a.png", "bounding-box", box)
    gonk.add("b.png", b"b")
    update = ("bounding-box", box, "--update", made["uuid"])
    assert "nothing differs" in gonk.refused("annotate", "cells", "a.png", *update).err
    assert "is of another object" in gonk.refused("annotate", "cells", "b.png", *update).err


def test_an_update_on_a_base_that_is_not_current_is_refused(gonk: Gonk, box: Path) -> None:
    made = gonk.json("annotate", "cells", "a.png", "bounding-box", box)
    one = gonk.file("one.json", BOX | {"label": "one"})
    gonk.accept_all()
    gonk.ok("annotate", "cells", "a.png", "bounding-box", one, "--update", made["uuid"])
    gonk.accept_all()
    two = gonk.file("two.json", BOX | {"label": "two"})
    words = ("annotate", "cells", "a.png", "bounding-box", two, "--update", made["uuid"] + "@0")
    assert "version 1 is what counts now" in gonk.refused(*words).err


def test_a_body_larger_than_an_event_is_refused(gonk: Gonk, box: Path) -> None:
    huge = gonk.file("huge.json", BOX | {"attributes": {"x": "y" * (1 << 20)}})
    gonk.refused("annotate", "cells", "a.png", "bounding-box", huge)
