"""mlcroissant reads croissant.json and the records of an export, and CITATION.cff is valid by the schema of its format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gonk_node import schemas
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.citing import cff
from gonk_node.formats.export.citing.release_facts import Person
from gonk_node.state.release_notes import ReleaseNotes
from kit import formats, other_tools
from kit.history import key_of
from kit.release_facts import ADA, facts
from kit.sample_dataset import png

BOX = {"label": "dog", "x": 10.5, "y": 5, "w": 20, "h": 10}
POSE = {"label": "dog", "points": [{"name": "nose", "x": 1, "y": 2, "v": 2}, {"name": "tail", "v": 0}]}


def exported(folder: Path, format_name: str, bodies: formats.Bodies, **changes: Any) -> Path:
    """Two images, the first of which has all of the bodies."""
    samples = [
        formats.sample("sub/a.png", bodies, data=png(60, 40), uuid=b"1" * 16),
        formats.sample("b.png", [], data=png(60, 41), uuid=b"2" * 16),
    ]
    own = {name: schemas.load(name) for name in dict(bodies)}
    formats.export(samples, format_name, folder / "out", schemas=own, release=facts(**changes))
    return folder / "out"


def read(folder: Path) -> Any:
    (found,) = other_tools.run("croissant_read", folder / "croissant.json", cwd=folder.parent)
    return found


def test_mlcroissant_finds_nothing_wrong_in_any_format(tmp_path: Path) -> None:
    bodies: formats.Bodies = [("bounding-box", BOX), ("classification", {"label": "dog"})]
    files = []
    for format_name in sorted(EXPORTERS):
        (tmp_path / format_name).mkdir()
        files.append(exported(tmp_path / format_name, format_name, bodies) / "croissant.json")
    all_found = other_tools.run("croissant_read", *files, cwd=tmp_path)
    assert len(all_found) == len(EXPORTERS)
    for found in all_found:
        assert found["version"] == "http://mlcommons.org/croissant/1.1"
        assert found["warnings"] == []
        assert sorted(found["creators"]) == ["Ada Lovelace", "Eve"]
        assert found["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html"]
        assert found["published"] == "2025-12-31"
        assert "SHA256SUMS" in found["file_sets"]


def test_mlcroissant_finds_that_a_file_was_changed(tmp_path: Path) -> None:
    out = exported(tmp_path, "csv", [("classification", {"label": "dog"})])
    with (out / "annotations.csv").open("ab") as file:
        file.write(b"b.png,cat,,\r\n")
    with pytest.raises(AssertionError, match="is not identical with the reference"):
        read(out)


def test_mlcroissant_reads_the_records_of_csv(tmp_path: Path) -> None:
    labels = [
        ("classification", {"label": "dog", "score": 0.5}),
        ("classification", {"labels": ["=cat", "dog"]}),
    ]
    found = read(exported(tmp_path, "csv", labels))["records"]["labels"]
    names = ("file_name", "label", "score", "annotation")
    assert [tuple(each[f"labels/{name}"] for name in names) for each in found] == [
        ("sub/a.png", "dog", 0.5, None),
        ("sub/a.png", "'=cat", None, 1),
        ("sub/a.png", "dog", None, 1),
        ("b.png", None, None, None),
    ]


def test_mlcroissant_reads_the_records_of_jsonl(tmp_path: Path) -> None:
    bodies: formats.Bodies = [("bounding-box", BOX), ("caption", {"text": "a dog"})]
    first, second = read(exported(tmp_path, "jsonl", bodies))["records"]["objects"]
    assert (first["objects/name"], first["objects/file"], first["objects/version"]) == (
        "sub/a.png",
        "files/sub/a.png",
        0,
    )
    assert first["objects/size"] == len(png(60, 40))
    own = ("schema", "schema_version", "label")
    assert [tuple(each[f"objects/annotations/{name}"] for name in own) for each in first["objects/annotations"]] == [
        ("bounding-box", 0, "dog"),
        ("caption", 0, None),
    ]
    assert second["objects/annotations"] == []


def test_mlcroissant_reads_the_records_of_coco(tmp_path: Path) -> None:
    bodies: formats.Bodies = [("bounding-box", BOX), ("keypoints", POSE), ("caption", {"text": "a dog"})]
    found = read(exported(tmp_path, "coco", bodies))["records"]
    assert [each["instances/bbox"] for each in found["instances"]] == [[10.5, 5, 20, 10]]
    (pose,) = found["person_keypoints"]
    assert pose["person_keypoints/keypoints"] == [1, 2, 2, 0, 0, 0]
    assert [each["captions/caption"] for each in found["captions"]] == ["a dog"]
    assert sorted(each["images/file_name"] for each in found["images"]) == ["b.png", "sub/a.png"]
    for name in ("instances", "person_keypoints"):
        assert [each[f"{name}_categories/name"] for each in found[f"{name}_categories"]] == ["dog"]
        assert [each[f"{name}_categories/id"] for each in found[f"{name}_categories"]] == [
            each[f"{name}/category_id"] for each in found[name]
        ]


def test_mlcroissant_reads_what_strangers_called_themselves_and_a_dataset_without_anything(tmp_path: Path) -> None:
    people = tuple(Person(key_of(name), name) for name in ['"}],"@id":"x', "\u202e\x1b[31m", "{{}}\\", "😀"])
    for number, bodies in enumerate([[("bounding-box", BOX)], []]):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = read(exported(folder, "coco", bodies, creators=people, notes=ReleaseNotes("")))  # type: ignore[arg-type]
        assert sorted(found["creators"]) == sorted(person.called for person in people)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"notes": ReleaseNotes("", "https://example.org/licence?a=b#c")},
        {"about": "", "notes": ReleaseNotes(""), "time_ms": 2**53 - 1, "creators": (), "unnamed": 5},
        {"creators": (ADA, Person(key_of("x"), ADA.name), Person(key_of("y"), "no: [\n"), Person(key_of("z"), ""))},
    ],
    ids=["whole", "own licence", "bare", "names"],
)
def test_the_citation_file_is_valid(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / cff.NAME
    path.write_text(cff.text(facts(**changes)))
    assert other_tools.run("cff_check", path) == ""


def test_a_citation_file_that_is_not_valid_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / cff.NAME
    path.write_text(cff.text(facts()).replace('license: "CC-BY-4.0"', 'license: "mine"'))
    assert "license" in other_tools.run("cff_check", path)
