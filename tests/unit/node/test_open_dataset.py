"""`open_dataset`: what counts now, for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

import gonk_node
from gonk_node.errors import NotFoundError, UsageError
from kit.command_line import BOX, Gonk


@pytest.fixture
def gonk(tmp_path: Path) -> Gonk:
    gonk = Gonk(tmp_path).with_dataset()
    gonk.add("a.png", b"pixels" * 300_000)
    gonk.annotate("a.png")
    gonk.accept_all()
    gonk.add("pending.png", b"x")
    return gonk


def test_what_counts_is_read_with_its_annotations_and_bytes(gonk: Gonk) -> None:
    with gonk_node.open_dataset("cells", gonk.home) as cells:
        (found,) = cells.objects()
        assert (found.name, found.version, found.size) == ("a.png", 0, 1_800_000)
        assert cells.object("a.png") == cells.object(str(found.uuid)) == found
        assert cells.read(found) == b"pixels" * 300_000
        with cells.open(found) as file:
            file.seek(-6, 2)
            assert file.read() == b"pixels"
        (box,) = cells.annotations(found)
        assert (box.schema, box.schema_version, box.body) == ("schema-bounding-box", 0, BOX)
        assert cells.has_content(found)
        digest, dataset = cells.state_digest.hex(), cells.id.hex()
    assert digest == gonk.state()[0]
    assert dataset == gonk.json("dataset", "show", "cells")["id"]


def test_several_are_open_at_a_time_and_one_twice(gonk: Gonk) -> None:
    gonk.ok("dataset", "create", "blood")
    with gonk_node.open_dataset("blood", gonk.home) as blood, gonk_node.open_dataset("cells", gonk.home) as cells:
        again = gonk_node.open_dataset("cells", gonk.home)
        (found,) = again.objects()
        again.close()
        again.close()
        assert cells.read(found)
        assert list(blood.objects()) == []
    gonk.ok("status")  # nothing is open any more in this process


def test_what_is_not_accepted_does_not_count(gonk: Gonk) -> None:
    with gonk_node.open_dataset("cells", gonk.home) as cells, pytest.raises(NotFoundError, match="is accepted"):
        cells.object("pending.png")


def test_what_is_not_there_is_told(gonk: Gonk, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no dataset"):
        gonk_node.open_dataset("blood", gonk.home)
    with pytest.raises(NotFoundError, match="no node here"):
        gonk_node.open_dataset("cells", tmp_path / "nowhere")
    for name in (None, 5, b"cells", tmp_path):
        with pytest.raises(UsageError, match=f"by its name, not by {type(name).__name__}"):
            gonk_node.open_dataset(name, gonk.home)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        _ = gonk_node.nonsense
