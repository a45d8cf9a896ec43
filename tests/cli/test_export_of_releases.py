"""gonk export --release: what stands beside the files, the same on every node, and told where the release does not say it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gonk_node.formats import IMAGES_BESIDE
from gonk_node.formats.export import EXPORTERS
from gonk_node.formats.export.citing.files import BESIDE
from gonk_node.formats.file_part import open_file
from gonk_node.formats.images import folder_beside
from gonk_node.formats.sample import ImportedImage, Record
from gonk_node.state.strict_json import Problem
from kit import formats
from kit.command_line import BOX, Gonk, exchange, share_content
from kit.sample_dataset import png

FACTS = ("--license", "cc-by-4.0", "--url", "https://example.org/cells", "--keyword", "blood", "--keyword", "cells")


def checked(folder: Path) -> dict[str, bytes]:
    """The files of an export, all of which are in SHA256SUMS as they are."""
    files = formats.files(folder)
    lines = files["SHA256SUMS"].decode().splitlines()
    said = {line[66:]: line[:64] for line in lines}
    assert said == {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "SHA256SUMS"}
    assert list(said) == sorted(said, key=str.encode)
    return files


@pytest.fixture
def released(gonk: Gonk) -> Gonk:
    """An object with a box, a label and a text beside it, and all of it released as v1."""
    gonk.add("a.png", png(40, 50))
    gonk.add("b.txt", "no image")
    gonk.annotate("a.png")
    gonk.ok("schema", "add", "cells", "classification")
    gonk.json("annotate", "cells", "a.png", "classification", gonk.file("body.json", {"label": "good"}))
    gonk.accept_all()
    gonk.ok("release", "create", "cells", "v1", "--notes", "First light.", *FACTS)
    return gonk


@pytest.mark.parametrize("format_name", sorted(EXPORTERS))
def test_every_export_has_its_hashes_and_one_of_a_release_is_cited(released: Gonk, format_name: str) -> None:
    released.ok("export", "cells", format_name, released.files / "now")
    released.ok("export", "cells", format_name, released.files / "then", "--release", "v1")
    now, then = checked(released.files / "now"), checked(released.files / "then")
    assert then.keys() - now.keys() == {"CITATION.cff", "croissant.json"}
    assert now.keys() - then.keys() == set()
    assert formats.data(released.files / "now") == formats.data(released.files / "then")


@pytest.mark.parametrize("format_name", sorted(EXPORTERS))
def test_importing_the_folder_does_not_stumble_over_what_stands_beside(released: Gonk, format_name: str) -> None:
    out = released.files / "out"
    released.ok("export", "cells", format_name, out, "--release", "v1")
    images = folder_beside(out) if format_name in IMAGES_BESIDE else None
    with_them = [_plain(each) for each in formats.read(format_name, out, images)]
    assert [each for each in with_them if isinstance(each, Problem)] == []
    for name in BESIDE:
        (out / name).unlink()
    assert [_plain(each) for each in formats.read(format_name, out, images)] == with_them
    assert any(isinstance(each, ImportedImage) for each in formats.read(format_name, out, images))


def _plain(record: Record) -> Record | tuple[ImportedImage, bytes]:
    """A record, of which two are equal if they say the same: parts of files by their bytes."""
    if isinstance(record, ImportedImage) and record.path is not None:
        with open_file(record.path) as file:
            return replace(record, path=None), file.read()
    return record


def test_what_the_owner_signed_is_in_the_files_and_shown(released: Gonk) -> None:
    shown = released.json("release", "show", "cells", "v1")
    assert (shown["license"], shown["url"]) == ("CC-BY-4.0", "https://example.org/cells")
    assert shown["keywords"] == ["blood", "cells"]
    assert shown["notes"].startswith("First light.\n\nLicense: CC-BY-4.0\n")
    lines = released.ok("release", "show", "cells", "v1").out.splitlines()
    assert [line.split(None, 1) for line in lines if line.startswith(("licence", "url", "keywords", "notes"))] == [
        ["licence", "CC-BY-4.0"],
        ["url", "https://example.org/cells"],
        ["keywords", "blood, cells"],
        ["notes", "First light."],
    ]
    report = released.json("export", "cells", "jsonl", released.files / "out", "--release", "v1")
    assert (report["problems"], report["not_carried"]) == ([], [])
    cff = yaml.safe_load((released.files / "out/CITATION.cff").read_text())
    croissant = json.loads((released.files / "out/croissant.json").read_text())
    (creator,) = croissant["creator"]
    assert (cff["title"], cff["version"], cff["license"]) == ("cells", "v1", "CC-BY-4.0")
    assert cff["authors"] == [{"name": "Ada"}]
    assert (creator["name"], creator["@id"]) == ("Ada", f"ed25519-{released.key()}")
    assert cff["date-released"] == croissant["datePublished"] == shown["time"][:10]
    known = {shown["manifest_hash"], shown["event"]}
    assert (
        known < {each["value"] for each in cff["identifiers"]} == {each["sc:value"] for each in croissant["identifier"]}
    )


def test_what_the_release_does_not_say_is_told_with_what_to_do(released: Gonk) -> None:
    released.ok("release", "create", "cells", "v2", "--notes", "no facts")
    result = released.ok("export", "cells", "csv", released.files / "out", "--release", "v2")
    assert "not carried: a licence, which the release does not name" in result.err
    assert "gonk release create … --license" in result.err
    assert "not carried: an address of the dataset" in result.err
    assert "license" not in yaml.safe_load((released.files / "out/CITATION.cff").read_text())
    silent = released.ok("export", "cells", "csv", released.files / "now")
    assert "licence" not in silent.err


def test_no_release_is_signed_with_facts_that_nobody_could_read(released: Gonk) -> None:
    for words in (["--license", "mine"], ["--url", "example.org"], ["--keyword", "x" * 65]):
        released.refused("release", "create", "cells", "v2", *words, code=2)
    released.refused("release", "create", "cells", "v2", "--notes", "License: MIT", "--license", "ISC", code=2)


@pytest.fixture
def others(released: Gonk, stranger: Gonk, tmp_path: Path) -> tuple[Gonk, Gonk]:
    """A stranger whose work is in v3, and somebody who clones after that and more."""
    exchange(released, stranger)
    stranger.file("c.png", png(30, 20))
    stranger.ok("add", "cells", stranger.files / "c.png")
    stranger.json("annotate", "cells", "c.png", "bounding-box", stranger.file("box.json", BOX | {"w": 5}))
    released.add("d.png", png(7, 7))
    exchange(released, stranger)
    listed = released.json("list", "cells", "annotations")["annotations"]
    box = next(each["uuid"] for each in listed if each["schema"]["name"] == "schema-bounding-box" and each["current"])
    moved = stranger.file("moved.json", BOX | {"x": 9})
    stranger.json("annotate", "cells", "a.png", "bounding-box", moved, "--update", box)
    exchange(released, stranger)
    released.ok("review", "cells", "accept", "--all", "--strangers")
    released.accept_all()
    released.ok("release", "create", "cells", "v3", *FACTS)
    exchange(released, stranger)
    stranger.add("later.png", png(9, 9))
    released.ok("delete", "cells", "a.png")
    released.accept_all()
    exchange(released, stranger)
    later = Gonk(tmp_path, "bob")
    later.ok("init", "--name", "Bob")
    exchange(stranger, later)
    share_content(released, stranger)
    share_content(stranger, later)
    return stranger, later


def test_nodes_that_got_the_entries_otherwise_or_later_write_the_same_bytes(
    released: Gonk, others: tuple[Gonk, Gonk]
) -> None:
    for node in others:
        assert node.json("release", "verify", "cells", "v3")["verified"] is True
    for format_name in sorted(EXPORTERS):
        for node in (released, *others):
            shutil.rmtree(node.files / "out", ignore_errors=True)
            node.ok("export", "cells", format_name, node.files / "out", "--release", "v3")
        one, *rest = [checked(node.files / "out") for node in (released, *others)]
        assert one.keys() >= set(BESIDE)
        assert all(other == one for other in rest), format_name
    authors = yaml.safe_load((released.files / "out/CITATION.cff").read_text())["authors"]
    assert {each["name"] for each in authors} == {"Ada", "Eve"}


def test_what_was_erased_since_and_no_manifest_names_is_told(released: Gonk) -> None:
    unused = released.json("show", "cells", released.add("c.txt", "never accepted")["uuid"])["versions"][0]["event"]
    released.ok("schema", "add", "cells", "polygon")
    released.ok("review", "cells", "accept", released.json("show", "cells", "polygon")["versions"][0]["event"])
    released.ok("release", "create", "cells", "v2", *FACTS)
    released.json("export", "cells", "jsonl", released.files / "before", "--release", "v2")
    schema = released.json("show", "cells", "polygon")["versions"][0]["event"]
    for event in (schema, unused):
        released.ok("redact", "cells", event, "--reason", "not ours")
    released.ok("release", "verify", "cells", "v2")
    told = released.json("export", "cells", "jsonl", released.files / "after", "--release", "v2")
    before, after = (checked(released.files / name) for name in ("before", "after"))
    assert {name for name in before if before[name] != after[name]} == {
        "SHA256SUMS",
        "croissant.json",
        "schemas.jsonl",
    }
    (lost,) = [each for each in told["not_carried"] if "erased since" in each["what"]]
    assert (lost["count"], sorted(lost["places"])) == (2, sorted([f"event {schema}", f"event {unused}"]))
