"""Exported folders: nothing leaves them, nothing is written over, and they appear as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.errors import ExistsError, NotFoundError, RefusedError, StorageError
from gonk_node.formats import folder as folder_module
from gonk_node.formats import safe_names
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.safe_names import Names, safe_path
from kit import formats

HOSTILE = [
    "../../escape.png",
    "/etc/passwd",
    "C:\\Windows\\system.ini",
    "..\\..\\up.png",
    "a/../../../b.png",
    "NUL",
    "con.png",
    "sub/LPT1.txt",
    "COM¹",
    "dot./space /x. ",
    "line\nbreak\x00\x1b[2J.png",
    "right\u202eto left.png",
    "a<b>c:d|e?f*g.png",
    "~",
    "-rf",
    "",
    ".",
    "///",
    "x" * 1000 + ".jpeg",
    "ü" * 500 + ".png",
    "/".join("abcdefghijklmnopqrstuvwxyz"),
    "\ud800.png",
    ".spool-000000000000",
]
RESERVED = {"con", "prn", "aux", "nul", "com1", "lpt1", "com¹"}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_safe_path_stays_below_and_is_good_everywhere(name: str) -> None:
    path = safe_path(name)
    assert path == safe_path(path), "it is its own safe path"
    assert len(path) > 0
    parts = path.split("/")
    assert len(parts) <= 16
    for part in parts:
        assert part not in ("", ".", "..")
        assert not set(part) & set('<>:"|?*\\')
        assert part.isprintable()
        assert part == part.rstrip(". ")
        assert part.split(".")[0].lower() not in RESERVED
        assert len(part.encode()) <= 200


def test_good_names_stay_as_they_are() -> None:
    later = "\U0001fae8.png"  # which Python 3.11 does not know and 3.12 does
    for name in ("a.png", "train/2017/000001.jpg", "Zelle (1).tif", "図.png", ".hidden", later):
        assert safe_path(name) == name


def test_names_that_some_system_takes_for_one_get_their_uuids_and_the_rest_keep_theirs() -> None:
    given = ["A.png", "a.png", "caf\u00e9.png", "cafe\u0301.png", "b.png", "../b.png", "c.png", "d", "d/e.png"]
    uuids = {name: bytes([index]) * 16 for index, name in enumerate(given)}
    names = Names()
    for name in given:
        names.add(name)
    paths = {name: names.path(name, uuids[name]) for name in given}
    assert paths["c.png"] == "c.png"
    assert paths["d/e.png"] == "d/e.png"
    for name in given:
        if name not in ("c.png", "d/e.png"):
            assert uuids[name].hex() in paths[name], name
    assert len({safe_names.folded(path) for path in paths.values()}) == len(given)


def test_a_name_that_looks_like_one_with_a_uuid_cannot_take_its_place() -> None:
    uuid = bytes(16)
    names = Names()
    given = ["a.png", "A.png", f"a~{uuid.hex()}.png"]
    for name in given:
        names.add(name)
    paths = [names.path(name, bytes([index]) * 16) for index, name in enumerate(given)]
    assert len(set(paths)) == 3
    assert paths[2] != f"a~{uuid.hex()}.png"


def test_too_many_folders_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_names, "EXPORT_FOLDERS_MAX", 3)
    names = Names()
    for index in range(3):
        names.add(f"{index}/a.png")
    with pytest.raises(RefusedError, match="folders"):
        names.add("4/a.png")


@pytest.mark.parametrize(
    "format_name", ["coco", "voc", "yolo-detect", "yolo-classify", "imagefolder", "jsonl", "csv", "label-studio"]
)
def test_hostile_names_of_objects_and_labels_stay_in_the_folder(tmp_path: Path, format_name: str) -> None:
    schema = "classification" if format_name in ("yolo-classify", "imagefolder", "csv") else "bounding-box"
    body = {} if schema == "classification" else {"x": 1, "y": 2, "w": 3, "h": 4}
    labels = [name for name in HOSTILE if name and "\ud800" not in name]
    named = [name for name in HOSTILE if "\ud800" not in name]
    samples = [
        formats.sample(name, [(schema, {"label": label[:256], **body})], data=formats.png(salt=bytes([index])))
        for index, (name, label) in enumerate(zip(named, [*labels, "x"], strict=True))
    ]
    inside = tmp_path / "deep" / "deeper"
    inside.mkdir(parents=True)
    formats.export(samples, format_name, inside / "out")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(inside / "out") for path in written)
    images = [path for path in written if path.read_bytes()[:4] == b"\x89PNG"]
    assert len(images) == len(samples)
    assert names_in(inside) == ["out"]


def test_the_folder_appears_when_all_is_written(tmp_path: Path) -> None:
    with FolderWriter(tmp_path / "out") as folder:
        folder.write("a/b.txt", b"1")
        assert not (tmp_path / "out").exists()
    assert formats.files(tmp_path / "out") == {"a/b.txt": b"1"}
    assert names_in(tmp_path) == ["out"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), FolderWriter(tmp_path / "out") as folder:
        folder.write("a.txt", b"1")
        raise ZeroDivisionError
    assert names_in(tmp_path) == []


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    (tmp_path / "out" / "SHA256SUMS").write_text("")
    with pytest.raises(ExistsError):
        FolderWriter(tmp_path / "out")
    for count in (1, 2):
        with FolderWriter(tmp_path / "out", replace=True) as folder:
            folder.write("a.txt", str(count).encode())
            folder.write_checksums()
    found = {name: data for name, data in formats.files(tmp_path).items() if "SHA256SUMS" not in name}
    assert found == {"out/a.txt": b"2", "out.1/mine.txt": b"mine", "out.2/a.txt": b"1"}


@pytest.mark.parametrize("what", ["a folder", "a file"])
def test_what_was_not_exported_is_never_put_aside(tmp_path: Path, what: str) -> None:
    """Such as a project's folder, or a node's home."""
    path = tmp_path / "out" / "config.toml" if what == "a folder" else tmp_path / "out"
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(ExistsError, match="not put aside"):
        FolderWriter(tmp_path / "out", replace=True)
    assert path.read_text() == "mine"
    assert names_in(tmp_path) == ["out"]


def test_a_link_at_the_target_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExistsError):
        FolderWriter(tmp_path / "out")
    with FolderWriter(tmp_path / "out", replace=True) as folder:
        folder.write("a.txt", b"1")
    assert names_in(tmp_path / "elsewhere") == []
    assert (tmp_path / "out.1").is_symlink()


def test_what_came_meanwhile_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ExistsError), FolderWriter(tmp_path / "out") as folder:
        folder.write("a.txt", b"1")
        (tmp_path / "out").write_text("somebody's")
    assert formats.files(tmp_path) == {"out": b"somebody's"}


def test_one_file_is_not_written_twice(tmp_path: Path) -> None:
    with pytest.raises(ExistsError, match="two files"), FolderWriter(tmp_path / "out") as folder:
        folder.write("a.txt", b"1")
        folder.write("../a.txt", b"2")


@pytest.mark.parametrize(("limit", "value"), [("EXPORT_FILES_MAX", 2), ("EXPORT_BYTES_MAX", 2)])
def test_number_and_size_of_files_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(folder_module, limit, value)
    with pytest.raises(RefusedError, match="at most"), FolderWriter(tmp_path / "out") as folder:
        for name in "abc":
            folder.write(name, b"1")
    assert names_in(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such folder") as missing:
        FolderWriter(tmp_path / "missing" / "out")
    assert (missing.value.where, missing.value.fault) == (str(tmp_path / "missing"), "you")
    with pytest.raises(StorageError, match="cannot be written"):
        FolderWriter(tmp_path / ("n" * 300) / "out")
