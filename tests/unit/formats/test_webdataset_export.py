"""Shards that are written: what a sample consists of, where a shard ends, and that nothing else is in the bytes."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import StorageError
from gonk_node.formats.export import numbering
from gonk_node.formats.export.job import Sample
from gonk_node.formats.export.shards import tar_shards
from gonk_node.formats.label_set import Label
from kit import formats, tars

BOX = {"label": "a", "x": 1, "y": 2, "w": 3, "h": 4}


def written(tmp_path: Path, *samples: Sample, **options: Any) -> dict[str, bytes]:
    """The files of all samples, by name."""
    formats.export(samples, "webdataset", tmp_path / "out", **options)
    return {name: data for shard in sorted(tmp_path.glob("out/*.tar")) for name, data in tars.items(shard)}


def class_of(**body: Any) -> tuple[str, dict[str, Any]]:
    return "classification", body


def test_a_sample_is_its_bytes_and_the_line_that_jsonl_has(tmp_path: Path) -> None:
    one = formats.sample("x/a.PNG", [("mine", {"any": ["thing", 1.5]}), ("bounding-box", BOX)])
    found = written(tmp_path, one)
    key = one.uuid.hex()
    assert found.keys() == {f"{key}.json", f"{key}.png"}
    formats.export([one], "jsonl", tmp_path / "jsonl")
    line = json.loads((tmp_path / "jsonl/objects.jsonl").read_bytes())
    assert json.loads(found[f"{key}.json"]) == {**line, "file": f"{key}.png"}
    assert found[f"{key}.png"] == formats.png(salt=b"x/a.PNG")


def test_its_first_class_and_caption_are_there_as_others_read_them(tmp_path: Path) -> None:
    sets = {"classification": {"x": Label("x", "Ex"), "y": Label("y", "Why", index=3)}}
    bodies = [
        class_of(labels=["y", "x"]),
        class_of(label="z"),
        ("caption", {"text": "ä\n"}),
        ("caption", {"text": "second"}),
    ]
    one, other = formats.sample("a.png", bodies), formats.sample("b.png", [class_of(label="x")])
    found = written(tmp_path, one, other, labels=sets)
    key = one.uuid.hex()
    assert (found[f"{key}.cls"], found[f"{key}.txt"]) == (b"3", "ä\n".encode())
    assert found[f"{other.uuid.hex()}.cls"] == b"0"
    assert (tmp_path / "out/classes.txt").read_text() == "Ex\nunused 1\nunused 2\nWhy\n"


def test_numbers_that_classes_came_with_are_kept(tmp_path: Path) -> None:
    bodies = [class_of(label=name, attributes={"webdataset": {"cls": n}}) for name, n in (("a", 2), ("b", 0))]
    samples = [formats.sample(f"{n}.png", [body]) for n, body in enumerate(bodies)]
    found = written(tmp_path, *samples)
    assert [found[f"{each.uuid.hex()}.cls"] for each in samples] == [b"2", b"0"]
    assert (tmp_path / "out/classes.txt").read_text() == "b\nunused 1\na\n"


def test_a_name_of_two_lines_is_one_line_of_the_classes_and_it_is_told(tmp_path: Path) -> None:
    one = formats.sample("a.png", [class_of(label="a\r\nb")])
    loss = formats.export([one], "webdataset", tmp_path / "out")
    assert (tmp_path / "out/classes.txt").read_bytes() == b"a b\n"
    assert [kind.what for kind in loss.kinds()] == ["line ends in names of classes (in classes.txt)"]


def test_where_classes_are_too_many_to_be_numbered_they_are_in_the_json_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbering, "EXPORT_LABELS_MAX", 2)
    samples = [formats.sample(f"{n}.png", [class_of(label=str(n))]) for n in range(3)]
    loss = formats.export(samples, "webdataset", tmp_path / "out")
    assert {name.rpartition(".")[2] for name, _ in tars.items(tmp_path / "out/shard-000000.tar")} == {"json", "png"}
    assert "classes.txt" not in formats.files(tmp_path / "out")
    assert ["numbers of classes" in kind.what for kind in loss.kinds()] == [True]


def test_annotations_of_other_schemas_of_that_name_are_in_the_json_only(tmp_path: Path) -> None:
    one = formats.sample("a.png", [("classification", {"mood": 1}), ("caption", {"words": 2})])
    found = written(tmp_path, one)
    assert sorted(name.rpartition(".")[2] for name in found) == ["json", "png"]
    assert len(json.loads(found[f"{one.uuid.hex()}.json"])["annotations"]) == 2


@pytest.mark.parametrize(
    ("name", "media_type", "extension"),
    [
        ("a.jpg", "image/png", "jpg"),
        ("a.tar.GZ", "application/gzip", "gz"),
        ("a", "image/jpeg", "jpg"),
        ("a.ü", "audio/x-wav", "wav"),
        ("../..", "video/mp4", "mp4"),
        ("a.b c", "no/such", "bin"),
        ("a." + "x" * 40, "text/csv", "csv"),
        (".png", "image/png", "png"),
        ("notes.txt", "text/plain", "object.txt"),
        ("a.JSON", "application/json", "object.json"),
        ("a.cls", "a/b", "object.cls"),
        ("a", "text/plain", "object.txt"),
    ],
)
def test_what_stands_behind_the_key_is_safe_and_never_something_else(
    tmp_path: Path, name: str, media_type: str, extension: str
) -> None:
    one = formats.sample(name, [("caption", {"text": "x"}), class_of(label="x")], media_type=media_type)
    found = written(tmp_path, one)
    assert {each.partition(".")[2] for each in found} == {extension, "json", "txt", "cls"}


def test_shards_end_by_number_and_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [formats.sample(f"{n}.png", [], data=bytes([n]) * 600) for n in range(7)]
    monkeypatch.setattr(tar_shards, "WEBDATASET_SHARD_SAMPLES", 3)
    formats.export(samples, "webdataset", tmp_path / "one")
    counts = [len(tars.items(path)) // 2 for path in sorted((tmp_path / "one").glob("*.tar"))]
    assert counts == [3, 3, 1]
    monkeypatch.setattr(tar_shards, "WEBDATASET_SHARD_BYTES", 6000)  # each takes 2560
    formats.export(samples, "webdataset", tmp_path / "two")
    assert [len(tars.items(path)) // 2 for path in sorted((tmp_path / "two").glob("*.tar"))] == [2, 2, 2, 1]
    monkeypatch.setattr(tar_shards, "WEBDATASET_SHARD_BYTES", 1)
    formats.export(samples, "webdataset", tmp_path / "three")
    names = [path.name for path in sorted((tmp_path / "three").glob("*.tar"))]
    assert names == [f"shard-{n:06d}.tar" for n in range(7)]


def test_the_bytes_are_plain_ustar_without_times_and_owners(tmp_path: Path) -> None:
    samples = [formats.sample(f"{n}.png", [class_of(label="x")]) for n in range(3)]
    formats.export(samples, "webdataset", tmp_path / "one")
    formats.export(reversed(samples), "webdataset", tmp_path / "two")
    assert formats.files(tmp_path / "one") == formats.files(tmp_path / "two")
    data = (tmp_path / "one/shard-000000.tar").read_bytes()
    assert len(data) % 10240 == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
    assert {(each.mtime, each.mode, each.uid, each.gid, each.uname, each.gname) for each in members} == {
        (0, 0o644, 0, 0, "", "")
    }
    assert data == tar_of(members, data)
    assert [each.name for each in members] == sorted(each.name for each in members)


def tar_of(members: list[tarfile.TarInfo], data: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for each in members:
            archive.addfile(each, io.BytesIO(data[each.offset_data : each.offset_data + each.size]))
    return made.getvalue()


def test_without_images_the_annotations_are_there(tmp_path: Path) -> None:
    one = formats.sample("a.png", [class_of(label="x")])
    found = written(tmp_path, one, images=False)
    assert sorted(name.rpartition(".")[2] for name in found) == ["cls", "json"]
    assert "file" not in json.loads(found[f"{one.uuid.hex()}.json"])


def test_an_object_of_another_size_than_its_author_states_is_written_whole(tmp_path: Path) -> None:
    one = replace(formats.sample("a.png", [], data=b"abc"), size=1, sha256=bytes(32))
    loss = formats.export([one], "webdataset", tmp_path / "out")
    assert dict(tars.items(tmp_path / "out/shard-000000.tar"))[f"{one.uuid.hex()}.png"] == b"abc"
    assert ["another SHA-256" in each.what for each in loss.problems] == [True]


def test_bytes_that_change_while_they_are_read_make_no_broken_shard(tmp_path: Path) -> None:
    class Shrinking(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return super().seek(offset, whence) + 600

    one = formats.sample("a.png", [])
    with pytest.raises(StorageError, match="changed while they were read"):
        formats.export([replace(one, open=lambda: Shrinking(b"x"))], "webdataset", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
