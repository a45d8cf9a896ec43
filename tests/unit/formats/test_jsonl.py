"""JSONL: what a line becomes, and lines that are none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats import jsonl
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.job import Job, SchemaDocument
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import Loss, NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, ImportedSchema, Record
from gonk_node.state.strict_json import Problem
from kit import formats

SCHEMA = b'{"$schema":"https://json-schema.org/draft/2020-12/schema",  "type":"object"}'


def lines(folder: Path, *texts: object, schemas: tuple[object, ...] = ()) -> list[Record]:
    """All that is read of a folder with those lines; what is no text becomes JSON."""
    for name, content in (("objects.jsonl", texts), ("schemas.jsonl", schemas)):
        made = [each if isinstance(each, str) else json.dumps(each) for each in content]
        (folder / name).write_text("".join(f"{each}\n" for each in made))
    (folder / "files").mkdir(exist_ok=True)
    (folder / "files/a.png").write_bytes(formats.png())
    return formats.read("jsonl", folder)


def problems(records: list[Record]) -> list[tuple[str, str]]:
    return [(each.place.rpartition("/")[2], each.what) for each in records if isinstance(each, Problem)]


def good(**more: Any) -> dict[str, Any]:
    return {"name": "a", "file": "files/a.png", "annotations": [], **more}


def test_the_lines_are_what_is_documented(tmp_path: Path) -> None:
    one = formats.sample(
        "x/ü.txt", [("my schema", {"b": 1.5, "a": [None, "é"]})], data=b"text", media_type="text/plain"
    )
    formats.export([one], "jsonl", tmp_path / "out")
    assert (tmp_path / "out/objects.jsonl").read_text() == (
        '{"annotations":[{"body":{"a":[null,"é"],"b":1.5},"schema":"my schema","schema_version":0,'
        f'"uuid":"{one.annotations[0].uuid.hex()}","version":0}}],"file":"files/x/ü.txt","media_type":"text/plain",'
        f'"name":"x/ü.txt","sha256":"{hashlib.sha256(b"text").hexdigest()}","size":4,"uuid":"{one.uuid.hex()}",'
        '"version":0}\n'
    )
    assert (tmp_path / "out/files/x/ü.txt").read_bytes() == b"text"


def test_schemas_come_back_byte_for_byte_and_label_sets_with_them(tmp_path: Path) -> None:
    loss = Loss()
    with FolderWriter(tmp_path / "out") as folder:
        label = Label("a", "A", hotkey="a", index=4, attributes={"coco": {"id": 3}})
        job = Job(
            lambda annotations=True: iter([]),
            folder,
            loss,
            True,
            {"mine": {"a": label}},
            [SchemaDocument("mine", 0, SCHEMA), SchemaDocument("other", 3, b"true")],
        )
        EXPORTERS["jsonl"](job)
    assert formats.read("jsonl", tmp_path / "out") == [
        ImportedSchema("mine", SCHEMA),
        ImportedSchema("other", b"true", 3),
        ImportedLabels("mine", (label,), f"{tmp_path}/out/labels.jsonl: line 1"),
    ]
    assert not loss


def test_objects_of_one_name_stay_apart(tmp_path: Path) -> None:
    both = [
        formats.sample("a.png", [("caption", {"text": text})], data=formats.png(salt=text.encode())) for text in "xy"
    ]
    formats.export(both, "jsonl", tmp_path / "out")
    records = formats.read("jsonl", tmp_path / "out")
    images = {each.name: each for each in records if isinstance(each, ImportedImage)}
    assert [each.object_name for each in images.values()] == ["a.png", "a.png"]
    for each in records:
        if isinstance(each, ImportedAnnotation):
            path = images[each.image_name].path
            assert path is not None and path.read_bytes() == formats.png(salt=json.loads(each.body)["text"].encode())


def test_annotations_are_the_same_wherever_the_folder_is(tmp_path: Path) -> None:
    both = [
        formats.sample("a.png", [("caption", {"text": text})], data=formats.png(salt=text.encode())) for text in "xy"
    ]
    keys = []
    for name in ("one", "two"):
        formats.export(both, "jsonl", tmp_path / name)
        records = formats.read("jsonl", tmp_path / name)
        keys.append([each.key for each in records if isinstance(each, ImportedAnnotation)])
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 2


def test_a_body_as_deep_as_bodies_may_be_comes_back(tmp_path: Path) -> None:
    body: Any = {}
    for _ in range(63):
        body = {"a": body}
    formats.export([formats.sample("a.png", [("mine", body)])], "jsonl", tmp_path / "out")
    [found] = [each for each in formats.read("jsonl", tmp_path / "out") if isinstance(each, ImportedAnnotation)]
    assert json.loads(found.body) == body


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "is not JSON"),
        ("[]", "is no JSON object"),
        ('{"name":"a","name":"b"}', "twice"),
        ({"file": "files/a.png"}, "needs a name"),
        (good(name=7), "needs a name"),
        (good(file="../objects.jsonl"), "leads out"),
        (good(file="/etc/hostname"), "leads out"),
        (good(file="files/none.png"), "missing"),
        (good(file="files/out.png"), "leads out"),
        (good(sha256="00" * 32), "another SHA-256"),
        (good(annotations={}), "is no list"),
        (good(file="files/none.png", annotations=[{}, {}]), "its 2 annotations"),
    ],
)
def test_a_bad_line_is_a_problem_at_its_place_and_the_rest_is_read(tmp_path: Path, line: object, what: str) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/out.png").symlink_to("/etc/hostname")
    records = lines(tmp_path, good(), line, good(name="c"))
    assert [each.name for each in records if isinstance(each, ImportedImage)] == ["a", "c"]
    [(place, said)] = problems(records)
    assert place == "objects.jsonl: line 2"
    assert what in said


@pytest.mark.parametrize("item", [7, {}, {"schema": "caption"}, {"schema": "", "body": {}}, {"schema": 1, "body": {}}])
def test_a_bad_annotation_is_a_problem_at_its_place(tmp_path: Path, item: object) -> None:
    fine = {"schema": "caption", "body": {"text": "x"}}
    records = lines(tmp_path, good(annotations=[fine, item, fine]))
    assert len({each.key for each in records if isinstance(each, ImportedAnnotation)}) == 2
    assert problems(records) == [("1", "an annotation needs a schema and a body; left out")]


@pytest.mark.parametrize("document", [{}, {"name": "x", "document": {}}, {"name": "x", "document": '{"type":7}'}, "x"])
def test_a_bad_schema_is_a_problem(tmp_path: Path, document: object) -> None:
    records = lines(tmp_path, schemas=(document, {"name": "fine", "document": "true"}))
    assert [each.name for each in records if isinstance(each, ImportedSchema)] == ["fine"]
    assert [place for place, _ in problems(records)] == ["schemas.jsonl: line 1"]


def test_what_has_no_place_here_is_told(tmp_path: Path) -> None:
    item = {"schema": "caption", "body": {}, "schema_version": 2, "mood": "good"}
    records = lines(tmp_path, good(uuid="00" * 16, weight=3, annotations=[item]))
    told = [each.what.split(":")[0] for each in records if isinstance(each, NotCarried)]
    assert told == [
        "'weight' of objects",
        "uuids and versions",
        "'mood' of annotations",
    ]


def test_names_of_schemas_may_have_their_prefix(tmp_path: Path) -> None:
    annotations = [{"schema": name, "body": {}} for name in ("mine", "schema-mine")]
    document = {"name": "schema-mine", "document": SCHEMA.decode()}
    records = lines(tmp_path, good(annotations=annotations), schemas=(document,))
    assert [each.name for each in records if isinstance(each, ImportedSchema)] == ["mine"]
    assert [each.schema for each in records if isinstance(each, ImportedAnnotation)] == ["mine", "mine"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    records = lines(tmp_path, "\ufeff" + json.dumps(good()), "\ufeff" + json.dumps(good(name="b")))
    assert [each.object_name for each in records if isinstance(each, ImportedImage)] == ["a"]
    assert len(problems(records)) == 1


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "JSONL_LINE_BYTES_MAX", 100)
    with pytest.raises(InputFileError, match="longer than 100 bytes"):
        lines(tmp_path, good(), " " * 200)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        formats.read("jsonl", tmp_path)
