"""CITATION.cff and croissant.json: what they say of a release, whatever strangers call themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gonk_node import schemas
from gonk_node.core.limits import CITED_NAME_CHARS_MAX
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.citing import bibtex, cff
from gonk_node.formats.export.citing.release_facts import Person
from gonk_node.state.release_notes import ReleaseNotes
from kit import formats
from kit.history import key_of
from kit.release_facts import ADA, EVE, facts
from kit.sample_dataset import png

BOX = ("bounding-box", {"label": "dog", "x": 1, "y": 2, "w": 3, "h": 4})
LABEL = ("classification", {"label": "dog"})
_IMAGES = ("imagefolder", "yolo-classify")  # formats that consist of image files
HOSTILE = "\u202eeve\x1b[31m\n- name: root\x85\u2028'\"}{\\%$~^_#&"


def croissant(folder: Path, format_name: str = "coco", images: bool = True, **changes: Any) -> dict[str, Any]:
    """That of an export of two images and one text; the second image has a name without an end."""
    folder.mkdir(exist_ok=True)
    samples = [
        formats.sample("a.PNG", [BOX, LABEL], data=png(8, 8)),
        formats.sample("sub/b", [BOX, LABEL], data=png(9, 9)),
        formats.sample("c.txt", [], data=b"text", media_type="text/plain"),
    ]
    own = {"bounding-box": schemas.load("bounding-box"), "classification": schemas.load("classification")}
    own |= changes.pop("schemas", {})
    formats.export(samples, format_name, folder / "out", images=images, schemas=own, release=facts(**changes))
    found: dict[str, Any] = json.loads((folder / "out/croissant.json").read_bytes())
    return found


def test_the_citation_file_says_what_the_release_does() -> None:
    said = yaml.safe_load(cff.text(facts()))
    assert {name: said[name] for name in said if name != "identifiers"} == {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": "Blood cells",
        "abstract": "Cells under the microscope.\n\nFirst light.",
        "authors": [{"name": "Eve"}, {"name": "Ada Lovelace"}],
        "version": "1.0.0",
        "date-released": "2025-12-31",
        "license": "CC-BY-4.0",
        "url": "https://example.org/cells",
        "keywords": ["cells", "blood"],
    }
    assert [each["value"] for each in said["identifiers"]] == [
        bytes(range(32)).hex(),
        "6d" * 32,
        "65" * 32,
        "01234567-89ab-8000-8000-000000000000",
    ]


def test_what_a_release_does_not_say_is_left_out_and_told(tmp_path: Path) -> None:
    bare = {"about": "", "notes": ReleaseNotes(""), "time_ms": 2**53 - 1, "creators": (), "unnamed": 3}
    said = yaml.safe_load(cff.text(facts(**bare)))
    assert {"license", "license-url", "url", "keywords", "date-released"}.isdisjoint(said)
    assert said["authors"] == [{"name": "Ada Lovelace"}, {"name": "3 others"}]
    assert said["abstract"] == "Blood cells, release 1.0.0: 2 objects and 3 annotations."
    loss = formats.export([], "coco", tmp_path / "out", release=facts(**bare))
    assert [each.what.partition(",")[0] for each in loss.kinds()] == [
        "a licence",
        "a time that no calendar has",
        "an address of the dataset",
        "the names of 3 creators",
    ]
    found = json.loads((tmp_path / "out/croissant.json").read_bytes())
    assert {"license", "url", "keywords", "datePublished"}.isdisjoint(found)
    assert [each["name"] for each in found["creator"]] == ["Ada Lovelace", "3 others"]
    assert not formats.export([], "coco", tmp_path / "whole", release=facts())


def test_a_licence_is_named_by_its_id_where_there_is_one(tmp_path: Path) -> None:
    assert croissant(tmp_path)["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    own = ReleaseNotes("", "https://example.org/licence")
    assert yaml.safe_load(cff.text(facts(notes=own)))["license-url"] == "https://example.org/licence"
    assert croissant(tmp_path / "own", notes=own)["license"] == "https://example.org/licence"


def test_names_of_strangers_are_one_line_of_harmless_text_in_all_files(tmp_path: Path) -> None:
    people = (Person(key_of("x"), HOSTILE), Person(key_of("y"), "\x00\u200b"), Person(key_of("z"), "n" * 1000))
    cleaned = "eve[31m - name: root'\"}{\\%$~^_#&"
    short = "n" * (CITED_NAME_CHARS_MAX - 1) + "…"
    text = cff.text(facts(creators=people, name=HOSTILE, about=HOSTILE, tag=HOSTILE))
    said = yaml.safe_load(text)
    assert [each["name"] for each in said["authors"]] == [cleaned, key_of("y").hex()[:8], short]
    assert (said["title"], said["version"]) == (cleaned, cleaned)
    assert said["abstract"].startswith("eve[31m\n- name: root")
    found = croissant(tmp_path, creators=people, tag=HOSTILE)
    assert [each["name"] for each in found["creator"]] == [each["name"] for each in said["authors"]]
    author = found["citeAs"].splitlines()[1]
    assert author.startswith(
        r"""  author = {{eve[31m - name: root'"\}\{\textbackslash{}\%\$\textasciitilde{}\textasciicircum{}\_\#\&} and {"""
    )
    for harmful in "\u202e\x1b\x85\u2028\x00\u200b":
        assert harmful not in text + json.dumps(found, ensure_ascii=False)


def test_people_of_one_name_are_told_apart_where_names_are_all_there_is() -> None:
    twins = (Person(key_of("1"), "Ada"), Person(key_of("2"), "Ada"), Person(key_of("3"), "Eve"))
    names = [each["name"] for each in yaml.safe_load(cff.text(facts(creators=twins)))["authors"]]
    assert names == [f"Ada ({key_of('1').hex()[:16]})", f"Ada ({key_of('2').hex()[:16]})", "Eve"]
    third = Person(key_of("4"), names[0])
    again = yaml.safe_load(cff.text(facts(creators=(*twins, third))))["authors"]
    assert len(again) == len({each["name"] for each in again}), "the format wants each author once"


def test_a_citation_is_one_entry_of_bibtex() -> None:
    assert bibtex.entry(facts(unnamed=7, tag="1.0 {x}")).splitlines() == [
        "@misc{gonk-00010203-1.0--x-,",
        "  author = {{Eve} and {Ada Lovelace} and others},",
        "  title = {{Blood cells}},",
        r"  version = {1.0 \{x\}},",
        "  year = {2025},",
        "  url = {https://example.org/cells},",
        f"  note = {{gonk-node dataset {bytes(range(32)).hex()}, manifest hash {'6d' * 32}}}",
        "}",
    ]


def test_croissant_names_people_by_their_keys_and_attributes_the_dataset_to_them(tmp_path: Path) -> None:
    found = croissant(tmp_path)
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert (found["version"], found["datePublished"], found["isLiveDataset"]) == ("1.0.0", "2025-12-31", False)
    ids = [f"ed25519-{person.key.hex()}" for person in (EVE, ADA)]
    assert [each["@id"] for each in found["creator"]] == ids
    assert found["prov:wasAttributedTo"] == [{"@id": each} for each in ids]
    assert found["publisher"] == {"@id": ids[1]}
    other = Person(key_of("z"), "Zoe")
    assert croissant(tmp_path / "z", publisher=other)["publisher"]["name"] == "Zoe"


def test_single_files_have_their_hashes_and_images_are_sets(tmp_path: Path) -> None:
    found = croissant(tmp_path)
    written = formats.files(tmp_path / "out")
    resources = {each["@id"]: each for each in found["distribution"]}
    file = resources["annotations/instances_default.json"]
    assert file["contentSize"] == f"{len(written[file['contentUrl']])} B"
    sums = dict(reversed(line.split("  ")) for line in written["SHA256SUMS"].decode().splitlines())
    assert file["sha256"] == sums[file["contentUrl"]]
    assert sums.keys() == written.keys() - {"SHA256SUMS"}
    assert resources["images-image-png"]["includes"] == ["images/*.PNG", "images/**/*.PNG"]
    rest = resources["images-application-octet-stream"]
    assert (rest["includes"], rest["excludes"]) == (["images/*", "images/**/*"], ["images/*.PNG", "images/**/*.PNG"])
    assert resources["SHA256SUMS"]["@type"] == "cr:FileSet"
    assert "CITATION.cff" not in resources


@pytest.mark.parametrize(
    ("format_name", "images"),
    [
        *((name, True) for name in sorted(EXPORTERS)),
        *((name, False) for name in sorted(EXPORTERS) if name not in _IMAGES),
    ],
)
def test_resources_are_named_once_and_fields_are_read_of_those_that_are_there(
    tmp_path: Path, format_name: str, images: bool
) -> None:
    found = croissant(tmp_path, format_name, images)
    written = formats.files(tmp_path / "out")
    ids = [each["@id"] for each in found["distribution"]]
    assert len(ids) == len(set(ids))
    assert all(each["contentUrl"] in written for each in found["distribution"] if each["@type"] == "cr:FileObject")
    sets = found.get("recordSet", [])
    assert [each["@id"] for each in sets] == {
        "coco": ["instances", "images", "instances_categories"],
        "csv": ["labels"],
        "jsonl": ["objects"],
    }.get(format_name, [])
    fields = [field for each in sets for field in each["field"]]
    for field in (part for each in fields for part in each.get("subField", [each])):
        assert field["source"]["fileObject"]["@id"] in ids
    if format_name == "jsonl":
        assert ("objects/file" in [field["@id"] for field in fields]) == images


def test_schemas_are_linked_by_their_ids_and_labels_described_where_all_are_known(tmp_path: Path) -> None:
    ids = [f"https://gonk.dev/schemas/{name}/1" for name in ("bounding-box", "classification")]

    def described(found: dict[str, Any]) -> tuple[Any, Any, list[str]]:
        file = next(each for each in found["distribution"] if each["@id"] == "objects.jsonl")
        annotations = found["recordSet"][0]["field"][-1]
        return file["conformsTo"], annotations["dataType"], [each["name"] for each in annotations["subField"]]

    own = ["uuid", "version", "schema", "schema_version"]
    assert described(croissant(tmp_path / "1", "jsonl")) == (ids, ["cr:Label", *ids], [*own, "label"])
    for number, document in enumerate([b'{"$id": "javascript:1"}', b"{}", b'{"$id": 7}', b"true"]):
        other = croissant(tmp_path / f"x{number}", "jsonl", schemas={"mine": document})
        assert described(other) == (ids, ["cr:Label", *ids], own)


def test_no_class_takes_the_name_of_a_file_beside_the_export(tmp_path: Path) -> None:
    labels = ["SHA256SUMS", "citation.CFF", "croissant.json", "cat"]
    samples = [
        formats.sample(f"{number}.png", [("classification", {"label": label})], data=png(8 + number, 8))
        for number, label in enumerate(labels)
    ]
    loss = formats.export(samples, "imagefolder", tmp_path / "out", release=facts())
    assert [(each.what.partition(" that")[0], each.count) for each in loss.kinds()] == [("names of classes", 3)]
    folders = sorted(path.name.partition("~")[0] for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert folders == sorted(["SHA256SUMS", "citation", "croissant", "cat"])
