"""What an export holds: single files by themselves, as many as samples as sets, and never too many to hold."""

from __future__ import annotations

import pytest

from gonk_node.formats import inventory as inventory_module
from gonk_node.formats import media_types
from gonk_node.formats.inventory import ANY_FOLDER, FileSet, Inventory, WrittenFile


def test_single_files_come_in_order_and_the_rest_as_sets_by_folder_and_type() -> None:
    inventory = Inventory()
    for path, part_of in [
        ("b.json", ""),
        ("images/2.JPG", "images"),
        ("images/sub/1.jpg", "images"),
        ("images/3.png", "images"),
        ("images/4.strange", "images"),
        ("images/5", "images"),
        ("cat/6.png", ANY_FOLDER),
        ("a.csv", ""),
    ]:
        inventory.add(WrittenFile(path, 10, bytes(32)), part_of)
    assert [(file.path, file.media_type) for file in inventory.files()] == [
        ("a.csv", "text/csv"),
        ("b.json", "application/json"),
    ]
    assert inventory.sets() == [
        FileSet(ANY_FOLDER, "image/png", {".png"}, 1, 10),
        FileSet("images", media_types.ANY, set(), 2, 20),
        FileSet("images", "image/jpeg", {".jpg", ".JPG"}, 2, 20),
        FileSet("images", "image/png", {".png"}, 1, 10),
    ]


def test_too_many_single_files_are_told_as_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_module, "INVENTORY_FILES_MAX", 3)
    inventory = Inventory()
    for number in range(3):
        inventory.add(WrittenFile(f"shards/{number}.tar", 1, bytes(32)), "")
    inventory.add(WrittenFile("shards/x.tar", 1, bytes(32)), "shards")
    assert len(inventory.files()) == 3
    assert inventory.sets() == [FileSet("shards", "application/x-tar", {".tar"}, 1, 1)]
    for number in range(3, 50):
        inventory.add(WrittenFile(f"shards/{number}.TAR", 1, bytes(32)), "")
    inventory.add(WrittenFile("top.json", 1, bytes(32)), "")
    assert inventory.files() == []
    assert inventory.sets() == [
        FileSet("", "application/json", {".json"}, 1, 1),
        FileSet("shards", "application/x-tar", {".tar", ".TAR"}, 51, 51),
    ]
