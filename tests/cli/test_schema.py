"""gonk schema add, list, show; and what schema documents are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node import schemas
from kit.command_line import BOX, Gonk, exchange


def test_a_schema_that_ships_is_proposed_under_its_name(gonk: Gonk) -> None:
    made = gonk.json("schema", "add", "cells", "bounding-box")
    assert (made["name"], made["version"], made["status"]) == ("schema-bounding-box", 0, ["pending"])
    assert gonk.json("schema", "list", "cells") == [made]
    assert "schema-bounding-box" in gonk.ok("schema", "list", "cells").out


def test_every_schema_that_ships_is_proposed_by_its_name(gonk: Gonk) -> None:
    for name in schemas.names():
        gonk.ok("schema", "add", "cells", name)
    assert [each["name"] for each in gonk.json("schema", "list", "cells")] == [
        f"schema-{name}" for name in schemas.names()
    ]


def test_those_that_ship_are_listed_and_shown_without_a_dataset_or_a_node(tmp_path: Path) -> None:
    gonk = Gonk(tmp_path)
    lines = gonk.ok("schema", "list").out.splitlines()[1:]
    assert [line.split("  ", 1)[0] for line in lines] == list(schemas.names())
    assert lines[1].endswith("Bounding box")
    assert {"name", "id", "title", "description"} == gonk.json("schema", "list")[0].keys()
    assert gonk.ok("schema", "show", "mask").out == schemas.load("mask").decode()
    assert gonk.json("schema", "show", "label-set")["document"] == schemas.document("label-set")
    assert "there are: audio-segment" in gonk.run("schema", "show", "masks").err
    assert gonk.run("schema", "show", "cells", "mask", "0").code == 2
    assert gonk.run("schema", "show").code == 2
    assert not gonk.home.exists()


def test_the_form_of_label_sets_is_no_schema_for_annotations(gonk: Gonk) -> None:
    assert "is no file" in gonk.refused("schema", "add", "cells", "label-set").err


def test_a_schema_from_a_file_keeps_its_exact_bytes(gonk: Gonk) -> None:
    document = '{ "type" :"object"  }\n'
    made = gonk.json("schema", "add", "cells", gonk.file("stain.json", document))
    assert made["name"] == "schema-stain"
    assert gonk.ok("schema", "show", "cells", "stain").out == document
    assert gonk.json("schema", "show", "cells", "schema-stain")["document"] == {"type": "object"}


def test_a_schema_from_standard_input_needs_a_name(gonk: Gonk) -> None:
    assert "--name" in gonk.refused("schema", "add", "cells", "-", code=2, stdin="{}").err
    assert gonk.json("schema", "add", "cells", "-", "--name", "any", stdin="{}")["name"] == "schema-any"


def test_a_new_version_is_proposed_with_update(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "caption")
    gonk.accept_all()
    changed = gonk.file("caption.json", '{"type": "object"}')
    assert "--update proposes a new version" in gonk.refused("schema", "add", "cells", changed).err
    made = gonk.json("schema", "add", "cells", changed, "--update")
    assert (made["version"], made["status"]) == (1, ["pending"])
    assert gonk.ok("schema", "show", "cells", "caption").out == schemas.load("caption").decode()
    assert gonk.ok("schema", "show", "cells", "caption@1").out == '{"type": "object"}'


def test_an_update_that_changes_nothing_is_refused(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "caption")
    assert "nothing differs" in gonk.refused("schema", "add", "cells", "caption", "--update").err


def test_an_update_of_a_schema_that_is_not_there_is_refused(gonk: Gonk) -> None:
    assert "there is no schema schema-caption" in gonk.refused("schema", "add", "cells", "caption", "--update").err


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('{"type": 5}', "is no JSON Schema"),
        ('"hello"', "is no JSON Schema"),
        ("{", "JSON"),
        ("", "JSON"),
        ('{"$ref": "https://example.org/x.json"}', "$ref"),
        ('{"$schema": "https://example.org/mine"}', "is no draft that gonk knows"),
    ],
)
def test_a_document_that_is_no_json_schema_is_refused_and_says_why(gonk: Gonk, document: str, reason: str) -> None:
    file = gonk.file("bad.json", document)
    refused = gonk.refused("schema", "add", "cells", file).err
    assert reason in refused
    assert f"  where: {file}" in refused


def test_a_document_that_is_too_large_is_refused(gonk: Gonk) -> None:
    gonk.refused("schema", "add", "cells", gonk.file("big.json", '{"title": "' + "x" * 70_000 + '"}'))


def test_what_is_neither_a_file_nor_ships_is_told_with_what_ships(gonk: Gonk) -> None:
    assert "bounding-box, caption" in gonk.refused("schema", "add", "cells", "bounding-boxes").err


def test_a_rejected_schema_keeps_its_name(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "caption")
    gonk.ok("review", "cells", "reject", "--all")
    assert "already (rejected)" in gonk.refused("schema", "add", "cells", "caption").err
    assert "rejected" in gonk.refused("schema", "add", "cells", "caption", "--update").err


@pytest.mark.parametrize("name", ["polygon", "schema-polygon"])
def test_schemas_go_by_their_names_with_and_without_the_prefix_everywhere(gonk: Gonk, name: str) -> None:
    assert gonk.ok("schema", "show", name).out == schemas.load("polygon").decode()
    assert gonk.json("schema", "show", name) == gonk.json("schema", "show", "polygon")
    made = gonk.json("schema", "add", "cells", name)
    assert made["name"] == "schema-polygon"
    assert gonk.ok("schema", "show", "cells", name).out == schemas.load("polygon").decode()
    assert gonk.json("show", "cells", name)["uuid"] == made["uuid"]
    assert gonk.json("blame", "cells", name)[0]["uuid"] == made["uuid"]
    assert gonk.json("delete", "cells", f"{name}@0")["target"]["uuid"] == made["uuid"]


def test_an_object_goes_before_a_schema_of_that_name_without_its_prefix(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "polygon")
    gonk.add("polygon")
    assert gonk.json("show", "cells", "polygon")["type"] == "object"
    assert gonk.json("show", "cells", "schema-polygon")["type"] == "schema"


def hinted(refused: str) -> list[str]:
    """The words behind `gonk` of the command in the hint of an error."""
    return refused.partition("next: gonk ")[2].partition(" takes that back")[0].partition(" proposes")[0].split()


@pytest.mark.parametrize("asked", ["add", "update", "annotate"])
def test_the_way_back_of_a_deprecated_schema_is_told_and_works(gonk: Gonk, asked: str) -> None:
    gonk.add()
    gonk.annotate()
    gonk.accept_all()
    gonk.ok("delete", "cells", "schema-bounding-box")
    gonk.accept_all()
    words = {
        "add": ("schema", "add", "cells", "bounding-box"),
        "update": ("schema", "add", "cells", "bounding-box", "--update"),
        "annotate": ("annotate", "cells", "a.png", "bounding-box", gonk.file("again.json", BOX)),
    }[asked]
    told = gonk.refused(*words).err
    assert "deprecated" in told and "deleted" not in told
    gonk.ok(*hinted(told))
    assert gonk.json("schema", "list", "cells")[0]["current"] is True
    gonk.annotate(body=BOX | {"x": 7})


def test_who_may_not_review_is_told_how_to_propose_a_deprecated_schema_again(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "caption")
    gonk.accept_all()
    gonk.ok("delete", "cells", "schema-caption")
    gonk.accept_all()
    exchange(gonk, stranger)
    told = stranger.refused("schema", "add", "cells", "caption", "--update").err
    stranger.ok(*hinted(told))
    exchange(gonk, stranger)
    gonk.ok("review", "cells", "accept", "--author", stranger.key())
    assert [each["current"] for each in gonk.json("schema", "list", "cells")] == [False, True]


def test_the_way_back_of_a_rejected_schema_is_told_and_works(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "caption")
    gonk.ok("review", "cells", "reject", "--all")
    told = gonk.refused("schema", "add", "cells", "caption").err
    gonk.ok(*hinted(told))
    assert gonk.json("schema", "list", "cells")[0]["current"] is True
