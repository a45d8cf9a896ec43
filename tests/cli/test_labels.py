"""gonk labels list, set, rename: names change, annotations do not."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from gonk_node.core.events import ACCEPT, ObjectUpdate
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.core.limits import LABEL_SET_BYTES_MAX
from gonk_node.formats.label_set import MEDIA_TYPE, LabelSet
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.signing.governing import Governor
from gonk_node.replica.signing.labels import label_set_of
from gonk_node.replica.signing.proposing import Proposer
from kit.command_line import Gonk, exchange

CELLS = {
    "schema": "schema-bounding-box",
    "labels": [
        {"id": "WBC", "name": "WBC", "colour": "#1f77b4", "hotkey": "w", "index": 0},
        {"id": "RBC", "name": "Red blood cell"},
    ],
}


@pytest.fixture
def labelled(gonk: Gonk) -> Gonk:
    """One box with the label WBC, and a label set that is accepted."""
    gonk.add()
    gonk.annotate()
    gonk.json("labels", "cells", "set", gonk.file("labels.json", CELLS))
    gonk.accept_all()
    return gonk


def label_set(gonk: Gonk, schema: str = "bounding-box") -> LabelSet:
    """What an exporter sees."""
    with gonk.node() as node:
        replica = node.replica("cells")
        return label_set_of(Queries(replica.db), node.content, schema)


def annotations(gonk: Gonk) -> Any:
    return gonk.json("list", "cells", "annotations")["annotations"]


def test_a_label_set_counts_once_it_is_accepted(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "bounding-box")
    made = gonk.json("labels", "cells", "set", gonk.file("labels.json", CELLS))
    assert (made["name"], made["media_type"], made["status"]) == ("labels-bounding-box.json", MEDIA_TYPE, ["pending"])
    assert gonk.json("labels", "cells", "list") == []
    assert "labels stand for themselves" in gonk.ok("labels", "cells", "list").err
    assert label_set(gonk) == LabelSet("schema-bounding-box")
    gonk.accept_all()
    (shown,) = gonk.json("labels", "cells", "list")
    assert shown == CELLS | {"uuid": made["uuid"], "version": 0, "event": made["event"]}
    assert "Red blood cell" in gonk.ok("labels", "cells", "list", "bounding-box").out
    assert label_set(gonk).indices(["RBC"]) == {"WBC": 0, "RBC": 1}


def test_the_bytes_of_the_file_are_kept(labelled: Gonk) -> None:
    assert labelled.ok("show", "cells", "labels-bounding-box.json", "--save", "-").out == json.dumps(CELLS)


def test_renaming_a_label_changes_no_annotation(labelled: Gonk) -> None:
    before = annotations(labelled)
    made = labelled.json("labels", "cells", "rename", "bounding-box", "WBC", "White blood cell")
    assert (made["version"], made["status"]) == (1, ["pending"])
    assert label_set(labelled).name_of("WBC") == "WBC"
    labelled.accept_all()
    assert label_set(labelled).name_of("WBC") == "White blood cell"
    assert labelled.json("labels", "cells", "list")[0]["labels"][0] == CELLS["labels"][0] | {"name": "White blood cell"}
    assert annotations(labelled) == before
    assert len(before) == 1
    assert before[0]["version"] == 0


def test_a_label_set_is_replaced_with_set(labelled: Gonk) -> None:
    more = {**CELLS, "labels": [*CELLS["labels"], {"id": "PLT", "name": "Platelet", "parent": "RBC"}]}
    assert labelled.json("labels", "cells", "set", "-", stdin=json.dumps(more))["version"] == 1
    labelled.accept_all()
    assert [each["id"] for each in labelled.json("labels", "cells", "list")[0]["labels"]] == ["WBC", "RBC", "PLT"]
    assert "nothing differs" in labelled.refused("labels", "cells", "set", "-", stdin=json.dumps(more)).err


def test_what_holds_together_badly_is_refused_with_its_place(labelled: Gonk) -> None:
    circle = {**CELLS, "labels": [{"id": "a", "name": "A", "parent": "a"}]}
    refused = labelled.refused("labels", "cells", "set", labelled.file("circle.json", circle))
    assert f"where: {labelled.files / 'circle.json'}: /labels/0/parent" in refused.err
    assert "own ancestor" in refused.err
    assert "next: gonk schema show label-set" in refused.err
    assert "where: standard input" in labelled.refused("labels", "cells", "set", "-", stdin="{").err


def test_a_label_set_needs_its_schema_in_the_dataset(gonk: Gonk) -> None:
    gonk.refused("labels", "cells", "set", gonk.file("labels.json", CELLS))


def test_a_rename_needs_a_label_set_and_a_label_that_is_there(labelled: Gonk) -> None:
    labelled.refused("labels", "cells", "rename", "caption", "WBC", "x")
    assert "there are: WBC, RBC" in labelled.refused("labels", "cells", "rename", "bounding-box", "wbc", "x").err
    assert "twice" in labelled.refused("labels", "cells", "rename", "bounding-box", "WBC", "Red blood cell").err


@pytest.mark.parametrize("words", [("set",), ("list", "a", "b"), ("rename", "bounding-box", "WBC"), ("forget",)])
def test_wrong_words_are_told(labelled: Gonk, words: tuple[str, ...]) -> None:
    result = labelled.run("labels", "cells", *words)
    assert result.code == 2
    assert result.err


def test_after_a_rejection_the_label_set_begins_anew(gonk: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "bounding-box")
    gonk.accept_all()
    file = gonk.file("labels.json", CELLS)
    gonk.ok("labels", "cells", "set", file)
    gonk.ok("review", "cells", "reject", "--all")
    gonk.ok("labels", "cells", "set", file)
    gonk.accept_all()
    assert label_set(gonk).name_of("RBC") == "Red blood cell"


def test_a_strangers_label_set_counts_for_nothing_and_stands_in_nobodys_way(labelled: Gonk, stranger: Gonk) -> None:
    exchange(labelled, stranger)
    mine = {**CELLS, "labels": [{"id": "WBC", "name": "Nonsense"}]}
    stranger.ok("labels", "cells", "set", stranger.file("mine.json", mine))
    exchange(labelled, stranger)
    assert label_set(labelled).name_of("WBC") == "WBC"
    labelled.ok("labels", "cells", "rename", "bounding-box", "WBC", "White blood cell")
    labelled.accept_all()
    assert label_set(labelled).name_of("WBC") == "White blood cell"


def test_a_label_set_whose_content_is_elsewhere_is_told_as_such(labelled: Gonk, stranger: Gonk) -> None:
    exchange(labelled, stranger)
    result = stranger.run("labels", "cells", "list")
    assert result.code != 0
    assert "gonk: " in result.err


def test_two_that_owners_set_apart_are_one_label_set_in_conflict(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("schema", "add", "cells", "bounding-box")
    gonk.accept_all()
    gonk.ok("owner", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    for who, name in ((gonk, "one"), (stranger, "other")):
        who.ok("labels", "cells", "set", "-", stdin=json.dumps({**CELLS, "labels": [{"id": "a", "name": name}]}))
        who.accept_all()
    exchange(gonk, stranger)
    (rivals,) = gonk.run("conflicts", "cells", "--json").json()
    assert [each["current"] for each in rivals] == [True, False]
    (rivals_there,) = stranger.run("conflicts", "cells", "--json").json()
    assert rivals_there[0]["event"] == rivals[0]["event"]


def test_renames_one_after_the_other_are_not_rivals(labelled: Gonk) -> None:
    labelled.ok("labels", "cells", "rename", "bounding-box", "WBC", "White")
    labelled.ok("labels", "cells", "rename", "bounding-box", "RBC", "Red")
    labelled.accept_all()
    names = [each["name"] for each in labelled.json("labels", "cells", "list")[0]["labels"]]
    assert names == ["White", "Red"]
    assert labelled.json("conflicts", "cells") == []


def propose_bytes(gonk: Gonk, document: bytes) -> EventRef:
    """A new version of the label set, of bytes that no command would propose; somebody's own program may."""
    with gonk.node() as node:
        author = node.author(node.replica("cells"))
        (base,) = author.queries.find_object("labels-bounding-box.json")
        info = node.content.put_file(io.BytesIO(document))
        entry = author.sign([ObjectUpdate(base.uuid, base.ref, "labels", MEDIA_TYPE, *info)])
        return EventRef(entry.entry_id, 0)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b'{"oops": 1}', "is none"),
        (b'{"schema": "schema-bounding-box", "labels": [' + b" " * LABEL_SET_BYTES_MAX + b"]}", "the limit is"),
        (b'{"schema": "schema-caption", "labels": []}', "not the one of schema-caption, which is another object"),
    ],
)
def test_one_that_is_none_cannot_be_accepted(labelled: Gonk, document: bytes, told: str) -> None:
    event = uuid_text(event_uuid(propose_bytes(labelled, document)))
    before = label_set(labelled)
    for words in ([event], ["--all"]):
        assert told in labelled.run("review", "cells", "accept", *words).err
    assert label_set(labelled) == before
    labelled.ok("review", "cells", "reject", event)


def test_one_that_is_none_and_was_accepted_elsewhere_is_told_and_ends_no_export(labelled: Gonk) -> None:
    ref = propose_bytes(labelled, b'{"oops": 1}')
    with labelled.node() as node:
        assert Governor(node.author(node.replica("cells"))).review(ACCEPT, [ref]).events == [ref]
    for format_name in ("coco", "jsonl"):
        report = labelled.json("export", "cells", format_name, labelled.files / format_name)
        assert report["annotations"] == 1
        assert any("schema-bounding-box" in each["place"] for each in report["problems"])
    refused = labelled.run("labels", "cells", "list")
    assert "schema-bounding-box" in refused.err and "labels cells set" in refused.err
    labelled.ok("labels", "cells", "set", labelled.file("labels.json", CELLS))
    labelled.accept_all()
    assert label_set(labelled).name_of("RBC") == "Red blood cell"


def proposed(gonk: Gonk, document: dict[str, Any]) -> str:
    event: str = gonk.json("labels", "cells", "set", gonk.file("labels.json", document))["event"]
    return event


def test_a_reviewer_sees_what_a_proposed_label_set_changes(labelled: Gonk) -> None:
    white, red = CELLS["labels"]
    changed = [{"id": "PLT", "name": "Platelet"}, dict(red, name="Erythrocyte"), dict(white, index=4, colour="#ff0000")]
    event = proposed(labelled, CELLS | {"labels": changed})
    told = labelled.ok("show", "cells", event).out
    assert "1 label added, 1 label renamed, 1 label renumbered, 1 label otherwise changed against version 0" in told
    for line in (
        'added "PLT", called "Platelet"',
        'renamed "RBC": "Red blood cell" → "Erythrocyte"',
        'renumbered in exports "WBC": 0 → 4',
        'colour of "WBC": "#1f77b4" → "#ff0000"',
    ):
        assert f"  {line}\n" in told
        assert f"    {line}\n" in labelled.ok("blame", "cells", event).out
    found = labelled.json("show", "cells", event)["labels"]
    assert found["renamed"] == [{"id": "RBC", "field": "name", "old": "Red blood cell", "new": "Erythrocyte"}]
    assert found["added"] == [{"id": "PLT", "name": "Platelet", "index": None}]
    assert (found["base"], found["read"], found["removed"]) == (0, True, [])
    assert labelled.json("blame", "cells", event)[0]["labels"] == found
    gone = proposed(labelled, CELLS | {"labels": [white]})
    assert 'removed "RBC", called "Erythrocyte"' in labelled.ok("show", "cells", gone).out


def test_of_a_first_label_set_all_labels_are_told_as_added(labelled: Gonk) -> None:
    told = labelled.ok("show", "cells", "labels-bounding-box.json").out
    assert "2 labels added\n" in told and 'added "WBC", index 0\n' in told


def test_what_a_label_set_changes_cannot_be_told_without_its_content(labelled: Gonk, stranger: Gonk) -> None:
    event = proposed(labelled, CELLS | {"labels": CELLS["labels"][:1]})
    exchange(labelled, stranger)
    told = stranger.ok("show", "cells", event).out
    assert "cannot be told: version 1: its content is not on this node" in told
    assert "not on this node" in stranger.json("show", "cells", event)["labels"]["unknown"]


def test_a_label_set_that_no_schema_has_is_told_so_and_what_is_none_as_well(gonk: Gonk) -> None:
    from_afar = {"aside": json.dumps(CELLS).encode(), "nonsense": b"[]"}
    with gonk.node() as node:
        replica = node.replica("cells")
        author = node.author(replica)
        for name, data in from_afar.items():
            info = node.content.put_file(io.BytesIO(data))
            author.sign([Proposer(author).object_create(name, MEDIA_TYPE, info)])
    assert "it is not the label set of schema-bounding-box" in gonk.ok("show", "cells", "aside").out
    assert gonk.json("show", "cells", "aside")["labels"]["read"] is False
    assert "is none" in gonk.ok("show", "cells", "nonsense").out
