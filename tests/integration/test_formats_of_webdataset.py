"""webdataset reads the shards that gonk exports, and gonk reads the shards that webdataset writes."""

from __future__ import annotations

import json
from pathlib import Path

from gonk_node.formats.file_part import FilePart, read_part
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels
from gonk_node.state.strict_json import Problem
from kit import formats, other_tools
from kit.sample_dataset import png

BOX = {"label": "dog", "x": 10, "y": 5, "w": 20, "h": 10}


def test_it_reads_our_shards(tmp_path: Path) -> None:
    samples = [
        formats.sample(
            "a.png",
            [("bounding-box", BOX), ("classification", {"label": "dog"})],
            data=png(60, 40),
            uuid=bytes([1]) * 16,
        ),
        formats.sample("b.png", [("classification", {"label": "cat"})], data=png(60, 41), uuid=bytes([2]) * 16),
        formats.sample(
            "c.txt", [("caption", {"text": "Ä."})], data=b"text", media_type="text/plain", uuid=bytes([3]) * 16
        ),
        formats.sample("d", [], data=b"12345", media_type="a/b", uuid=bytes([4]) * 16),
    ]
    formats.export(samples, "webdataset", tmp_path / "out")
    one, two, three, four = other_tools.run("webdataset_read", tmp_path / "out/shard-000000.tar")
    assert [each["__key__"] for each in (one, two, three, four)] == [each.uuid.hex() for each in samples]
    assert (one["png"], one["cls"], two["png"], two["cls"]) == ([40, 60, 3], 1, [41, 60, 3], 0)
    assert (three["object.txt"], three["txt"]) == ("text", "Ä.")
    assert (four["bin"], set(four)) == (5, {"__key__", "bin", "json"})
    assert (one["json"]["name"], one["json"]["annotations"][0]["body"]) == ("a.png", BOX)
    assert (tmp_path / "out/classes.txt").read_text() == "cat\ndog\n"


def test_we_read_what_its_writers_write(tmp_path: Path) -> None:
    other_tools.run("webdataset_write", tmp_path / "in")
    records = formats.read("webdataset", tmp_path / "in")
    objects = {each.name: each for each in records if isinstance(each, ImportedImage)}
    assert sorted(objects) == ["n/0000.png", "n/0001.png", "n/0002.png", "sound.npy", "sound.wav"]
    assert {each.media_type for name, each in objects.items() if name.endswith("png")} == {"image/png"}
    wav = objects["sound.wav"].path
    assert isinstance(wav, FilePart)
    assert read_part(wav) == b"RIFF1234WAVE"
    said = {
        (each.image_name, each.schema): json.loads(each.body)
        for each in records
        if isinstance(each, ImportedAnnotation)
    }
    assert {key: body.get("label") or body["text"] for key, body in said.items()} == {
        ("sound.wav", "classification"): "a dog",
        **{(f"n/000{n}.png", "classification"): ("cat", "dog")[n % 2] for n in range(3)},
        **{(f"n/000{n}.png", "caption"): f"Text {n}." for n in range(3)},
    }
    kept = said["n/0001.png", "classification"]["attributes"]["webdataset"]
    assert kept == {"key": "n/0001", "cls": 1, "json": {"url": "http://example.org/1"}}
    [declared] = [each for each in records if isinstance(each, ImportedLabels)]
    assert [label.id for label in declared.labels] == ["cat", "dog"]
    assert [each.what.split(":")[0] for each in records if isinstance(each, Problem | NotCarried)] == [
        "that several files are one sample"
    ]
