"""Shards that are read: gonk's own come back whole, those of others as far as gonk has words; and shards that are none."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats.file_part import FilePart, read_part
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, ImportedSchema, Record
from gonk_node.formats.webdataset import importer as webdataset
from gonk_node.state.strict_json import Problem
from kit import formats
from kit.tars import Item, header, items, tar

PNG = formats.png()


def read(tmp_path: Path, *members: Item, name: str = "a.tar") -> list[Record]:
    """All that is read of a shard with those files."""
    (tmp_path / name).write_bytes(tar(members))
    return formats.read("webdataset", tmp_path)


def images(records: list[Record]) -> dict[str, bytes]:
    found = {}
    for each in records:
        if isinstance(each, ImportedImage):
            assert isinstance(each.path, FilePart)
            found[each.object_name] = read_part(each.path)
    return found


def annotations(records: list[Record]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (each.image_name, each.schema, json.loads(each.body))
        for each in records
        if isinstance(each, ImportedAnnotation)
    ]


def told(records: list[Record]) -> list[str]:
    return [each.what for each in records if isinstance(each, Problem | NotCarried)]


# --- gonk's own -----------------------------------------------------------------------------------------------


def test_what_gonk_wrote_comes_back_as_from_jsonl(tmp_path: Path) -> None:
    samples = [
        formats.sample("a.png", [("mine", {"x": [1.5]}), ("classification", {"label": "y"})]),
        formats.sample("a.png", [("caption", {"text": "z"})], data=PNG),
        formats.sample("notes.txt", [("caption", {"text": "about"})], data=b"text", media_type="text/plain"),
        formats.sample("b", [], data=b"", media_type="a/b"),
    ]
    labels = {"classification": {"y": Label("y", "Y", index=2)}}
    for name in ("jsonl", "webdataset"):
        formats.export(samples, name, tmp_path / name, labels=labels)
    found = {name: formats.read(name, tmp_path / name) for name in ("jsonl", "webdataset")}
    assert [shown(each) for each in found["webdataset"]] == [shown(each) for each in found["jsonl"]]


def shown(record: Record) -> object:
    """All but places, and names in the source, which say where something was."""
    if isinstance(record, ImportedImage):
        return record.object_name, record.media_type
    if isinstance(record, ImportedAnnotation):
        return record.schema, record.body, record.key, record.uuid, record.shipped
    if isinstance(record, ImportedLabels):
        return record.schema, record.labels
    return record.what if isinstance(record, NotCarried | Problem) else record


def test_it_is_the_same_wherever_the_shards_are_and_however_they_are_cut(tmp_path: Path) -> None:
    samples = [formats.sample("a.png", [("mine", {"x": n})], data=bytes([n])) for n in range(4)]
    formats.export(samples, "webdataset", tmp_path / "out")
    whole = formats.read("webdataset", tmp_path / "out")
    members = items(tmp_path / "out/shard-000000.tar")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut/1.tar").write_bytes(tar(members[:2]))
    (tmp_path / "cut/2.tgz").write_bytes(gzip.compress(tar(members[2:])))
    (tmp_path / "cut/schemas.jsonl").touch()
    cut = formats.read("webdataset", tmp_path / "cut")
    last = formats.read("webdataset", tmp_path / "cut/2.tgz")
    keys = [[each.key for each in of if isinstance(each, ImportedAnnotation)] for of in (whole, cut, last)]
    assert keys[0] == keys[1] == [*keys[1][:1], *keys[2]]
    assert images(whole) == images(cut)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"sha256": "00" * 32}, "another SHA-256"),
        ({"file": "other.png"}, "not among those of its sample"),
        ({"file": 7}, "is no text"),
        ({"name": ""}, "needs a name"),
        ({"annotations": 3}, "is no list"),
    ],
)
def test_an_own_sample_that_was_tampered_with_is_left_out(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    formats.export([formats.sample("a.png", [])], "webdataset", tmp_path / "out")
    (json_name, line), image = sorted(items(tmp_path / "out/shard-000000.tar"))
    (tmp_path / "in").mkdir()
    records = read(tmp_path / "in", (json_name, json.dumps(json.loads(line) | change).encode()), image)
    assert images(records) == {}
    assert [what in each for each in told(records)] == [True]


def test_schemas_and_label_sets_beside_the_shards_are_read(tmp_path: Path) -> None:
    (tmp_path / "schemas.jsonl").write_text('{"name":"mine","document":"true"}\n')
    records = read(tmp_path, ("a.png", PNG))
    assert records[0] == ImportedSchema("mine", b"true")


# --- those of others --------------------------------------------------------------------------------------------


def test_a_sample_of_others_becomes_an_object_with_class_and_caption(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\n\ndog\r\ndog\nunused 4\n")
    records = read(
        tmp_path,
        ("x/0.JPG", PNG),
        ("x/0.cls", b"2\n"),
        ("x/0.txt", b"Ein Hund."),
        ("x/0.json", b'{"url":"http://example.org","w":1.5}'),
        ("x/1.wav", b"RIFF"),
        ("x/1.cls", b"0"),
    )
    assert images(records) == {"x/0.JPG": PNG, "x/1.wav": b"RIFF"}
    kept = {"key": "x/0", "json": {"url": "http://example.org", "w": 1.5}}
    assert annotations(records) == [
        ("x/0.JPG", "classification", {"label": "dog", "attributes": {"webdataset": kept | {"cls": 2}}}),
        ("x/0.JPG", "caption", {"text": "Ein Hund.", "attributes": {"webdataset": {"key": "x/0"}}}),
        ("x/1.wav", "classification", {"label": "cat", "attributes": {"webdataset": {"key": "x/1", "cls": 0}}}),
    ]
    [declared] = [each for each in records if isinstance(each, ImportedLabels)]
    assert [(each.id, each.attributes) for each in declared.labels] == [
        ("cat", {"webdataset": {"cls": 0}}),
        ("dog", {"webdataset": {"cls": 2}}),
    ]
    assert told(records) == ["that several classes have one name"]


def test_without_names_a_class_is_called_by_its_number_and_a_text_stands_for_itself(tmp_path: Path) -> None:
    records = read(tmp_path, ("a.png", PNG), ("a.cls", b"7"), ("b.png", PNG), ("b.cls", b" tabby cat\n"))
    bodies = [body for _, _, body in annotations(records)]
    assert [body["label"] for body in bodies] == ["7", "tabby cat"]
    assert [body["attributes"]["webdataset"].get("cls") for body in bodies] == [7, None]
    assert not any(isinstance(each, ImportedLabels) for each in records)


@pytest.mark.parametrize(
    ("extension", "data", "what"),
    [
        ("cls", b"9", "there is no class 9"),
        ("cls", b"-1", "is no number of a class"),
        ("cls", b"\xff", "is not UTF-8"),
        ("cls", b"", "makes no classification"),
        ("cls", b"1" * 5000, "is longer than"),
        ("txt", b"\xff\xfe", "is not UTF-8"),
        ("txt", b"x" * (2 << 20), "is longer than"),
        ("json", b"{", "members .json of samples"),
        ("json", b'{"a":1}', "members .json of samples"),  # nothing to keep it with
        ("json", b"[" * 70 + b"]" * 70, "members .json of samples"),
        ("id", b"5", "members .id of samples"),
        ("txt", b"", "texts that are empty"),
        ("transcript", b"yes", ""),
    ],
)
def test_what_cannot_be_taken_of_a_sample_is_told_and_the_rest_is_taken(
    tmp_path: Path, extension: str, data: bytes, what: str
) -> None:
    (tmp_path / "classes.txt").write_text("cat\n")
    records = read(tmp_path, ("a.png", PNG), (f"a.{extension}", data), ("b.png", PNG))
    assert images(records) == {"a.png": PNG, "b.png": PNG}
    assert [what in each for each in told(records)] == [True] * bool(what)


def test_several_files_are_several_objects_and_the_one_of_the_plainest_name_is_described(tmp_path: Path) -> None:
    records = read(tmp_path, ("a.npy", b"npy"), ("a.seg.png", b"seg"), ("a.jpg", PNG), ("a.txt", b"text"))
    assert list(images(records)) == ["a.jpg", "a.seg.png", "a.npy"]
    assert [(name, schema) for name, schema, _ in annotations(records)] == [("a.jpg", "caption")]
    assert told(records) == ["that several files are one sample: its class and text are those of the first"]


def test_a_sample_of_text_or_json_alone_is_an_object(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        ("a.txt", b"Dear"),
        ("a.cls", b"spam"),
        ("b.json", b"{}"),
        ("c.txt", b"x"),
        ("c.json", b"{}"),
        ("d.cls", b"1"),
    )
    assert images(records) == {"a.txt": b"Dear", "b.json": b"{}", "c.txt": b"x"}
    assert [(name, schema) for name, schema, _ in annotations(records)] == [("a.txt", "classification")]
    assert ["members .json" in told(records)[0], "no file that it is about" in told(records)[1]] == [True, True]
    types = [each.media_type for each in records if isinstance(each, ImportedImage)]
    assert types == ["text/plain", "application/json", "text/plain"]


def test_samples_of_one_key_in_two_shards_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(tar([("0.png", b"second"), ("0.txt", b"two")]))
    records = read(tmp_path, ("0.png", b"first"), ("0.txt", b"one"), ("1.png", b""), ("0.png", b"third"))
    names = [each.name for each in records if isinstance(each, ImportedImage)]
    assert len(set(names)) == 4
    texts = {name: body["text"] for name, _, body in annotations(records)}
    by_name = {each.name: read_part(each.path) for each in records if isinstance(each, ImportedImage)}  # type: ignore[arg-type]
    assert {by_name[name]: text for name, text in texts.items()} == {b"first": "one", b"second": "two"}


def test_what_belongs_to_no_sample_is_told(tmp_path: Path) -> None:
    records = read(
        tmp_path, ("README", b""), ("._a.png", b""), ("__meta__/x.png", b""), ("x.d/.y.png", b""), ("a.png", PNG)
    )
    assert images(records) == {"a.png": PNG}
    assert told(records) == ["members of shards that belong to no sample"] * 4


@pytest.mark.parametrize(
    "name",
    [
        "/etc/a.png",
        "../a.png",
        "x/../../a.png",
        "a\\b.png",
        "a\nb.png",
        "schema-x.png",
        "C:/x.png",
        "x" * 1100 + ".png",
    ],
)
def test_names_that_lead_elsewhere_are_left_out_with_what_is_on_them(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.tar").write_bytes(
        tar([(name, PNG), (name.removesuffix("png") + "txt", b"text"), ("b.png", PNG)], tarfile.PAX_FORMAT)
    )
    records = formats.read("webdataset", tmp_path)
    assert images(records) == {"b.png": PNG}
    assert annotations(records) == []
    assert len(told(records)) == 1


def test_names_that_are_no_unicode_are_left_out(tmp_path: Path) -> None:
    records = read(tmp_path, ("\udcff.png", PNG), ("b.png", PNG))
    assert images(records) == {"b.png": PNG}
    assert ["no Unicode" in each for each in told(records)] == [True]


def test_a_file_that_is_there_twice_and_files_beyond_the_limit_are_told(tmp_path: Path) -> None:
    many = [(f"a.{n}.x", b"") for n in range(webdataset.WEBDATASET_MEMBERS_MAX + 50)]
    records = read(tmp_path, ("b.png", b"1"), ("b.PNG", b"2"), *many)
    assert images(records)["b.png"] == b"1"
    assert "has a file .png already" in told(records)[0]
    assert ["has more than 64 files" in each for each in told(records)].count(True) == 50


# --- shards that are none -----------------------------------------------------------------------------------------


def test_links_and_devices_are_told(tmp_path: Path) -> None:
    odd = header("a.png", kind=tarfile.SYMTYPE, link="/etc/passwd") + header("b.png", kind=tarfile.CHRTYPE)
    (tmp_path / "a.tar").write_bytes(odd + tar([("c.png", PNG)]))
    records = formats.read("webdataset", tmp_path)
    assert images(records) == {"c.png": PNG}
    assert told(records) == ["is a link, no plain file; left out", "is a device, no plain file; left out"]


def test_a_shard_that_is_cut_off_gives_its_whole_samples_and_the_next_one_is_read(tmp_path: Path) -> None:
    data = tar([("a.png", PNG), ("a.txt", b"x"), ("b.png", PNG), ("b.txt", bytes(600))])
    (tmp_path / "1.tar").write_bytes(data[: 7 * 512 + 100])
    (tmp_path / "2.tar").write_bytes(tar([("c.png", PNG)]))
    for source, more in ((tmp_path, ["c.png"]), (tmp_path / "1.tar", [])):
        records = formats.read("webdataset", source)
        assert list(images(records)) == ["a.png", *more]
        assert told(records) == ["is cut off; what follows there is left out"]


def test_what_is_no_shard_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"holds no \.tar"):
        formats.read("webdataset", tmp_path)
    with pytest.raises(InputFileError, match="is no file"):
        formats.read("webdataset", tmp_path / "none")
    (tmp_path / "a.tar").write_bytes(b"hello")
    with pytest.raises(InputFileError, match="is no tar"):
        formats.read("webdataset", tmp_path / "a.tar")
    assert [each[:9] for each in told(formats.read("webdataset", tmp_path))] == ["is no tar"]
    with pytest.raises(InputFileError, match="have the files of their samples themselves"):
        formats.read("webdataset", tmp_path, tmp_path)


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.tar").write_bytes(tar([("a.png", PNG)]))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.tar").symlink_to(tmp_path / "elsewhere.tar")
    records = formats.read("webdataset", tmp_path / "in")
    assert ["leads out" in each for each in told(records)] == [True]
    assert images(records) == {}


@pytest.mark.parametrize("data", [b"\xff", b"\n" * 70_000, b"x" * (5 << 20)])
def test_classes_that_are_none_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "classes.txt").write_bytes(data)
    with pytest.raises(InputFileError, match=r"classes\.txt"):
        read(tmp_path, ("a.png", PNG))


def test_a_packed_shard_is_read_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "a.tgz").write_bytes(gzip.compress(tar([("a.png", PNG), ("a.txt", b"x")])))
    records = formats.read("webdataset", tmp_path)
    assert images(records) == {"a.png": PNG}
    assert [schema for _, schema, _ in annotations(records)] == ["caption"]
    assert list((tmp_path / "tmp").iterdir()) == []
