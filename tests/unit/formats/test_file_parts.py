"""Parts of files: bytes from a place on, whether of a file that is there or of what was unpacked."""

from __future__ import annotations

import gc
import io
import os
import weakref
from pathlib import Path

import pytest

from gonk_node.errors import DiskFullError, InputFileError
from gonk_node.formats import file_part
from gonk_node.formats.file_part import FilePart, Spool, Unpacker, open_file, read_part
from gonk_node.formats.images import media_type
from kit import formats


def part_of(tmp_path: Path, data: bytes, offset: int, size: int) -> FilePart:
    path = tmp_path / "whole"
    path.write_bytes(data)
    return FilePart(path, offset, size)


def spooled(data: bytes, offset: int, size: int) -> FilePart:
    spool = Spool()
    spool.append(data)
    return FilePart(spool, offset, size)


@pytest.mark.parametrize("make", [part_of, lambda _, *of: spooled(*of)], ids=["of a file", "unpacked"])
def test_a_part_is_read_as_a_file_of_its_own(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    part = make(tmp_path, bytes(range(100)), 10, 20)
    assert read_part(part) == bytes(range(10, 30))
    with open_file(part) as file, open_file(part) as other:
        assert file.read(5) == bytes(range(10, 15))
        assert other.read(1) == b"\x0a"  # they do not disturb one another
        assert file.seek(-2, io.SEEK_END) == 18
        assert file.read() == bytes([28, 29])
        assert file.read() == b""
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)


def test_a_whole_file_will_do_too(tmp_path: Path) -> None:
    part_of(tmp_path, b"abc", 0, 0)
    with open_file(tmp_path / "whole") as file:
        assert file.read() == b"abc"


def test_a_file_that_became_shorter_is_an_error_and_no_shorter_part(tmp_path: Path) -> None:
    part = part_of(tmp_path, bytes(10), 5, 6)
    with pytest.raises(InputFileError, match="shorter"):
        read_part(part)


def test_the_media_type_is_that_of_the_part(tmp_path: Path) -> None:
    image = formats.png()
    assert media_type("a", part_of(tmp_path, b"x" * 7 + image + b"y", 7, len(image))) == "image/png"
    assert media_type("a.txt", part_of(tmp_path, b"x" * 7 + image + b"y", 0, 7)) == "text/plain"


def test_what_was_unpacked_is_gone_with_the_last_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_part, "SPOOL_BYTES", 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "packed").write_bytes(b"")
    unpacker = Unpacker(tmp_path / "packed")
    parts = [unpacker.part([b"abcdef", b"ghi"]) for _ in range(8)]
    spools = list(dict.fromkeys(weakref.ref(part.file) for part in parts))
    assert len(spools) == 4  # two parts to each
    assert [read_part(part) for part in parts] == [b"abcdefghi"] * 8
    assert sum(part.spooled_bytes for part in parts) == 72
    files = [os.fstat(spool()._descriptor) for spool in spools]  # type: ignore[union-attr]
    assert {file.st_nlink for file in files} == {0}  # no name is left behind, whatever happens
    del parts[:6]
    gc.collect()
    assert [spool() is None for spool in spools] == [True, True, True, False]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_small_file_cannot_unpack_to_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_part, "UNPACKED_BYTES_FREE", 100)
    (tmp_path / "packed").write_bytes(bytes(3))
    unpacker = Unpacker(tmp_path / "packed")
    assert unpacker.bytes_max == 100 + 3 * file_part.UNPACKED_RATIO_MAX
    unpacker.part([bytes(unpacker.bytes_max)])
    with pytest.raises(InputFileError, match="unpacks to more than"):
        unpacker.part([b"", b"x"])


def test_a_full_disk_has_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DiskFullError, match="TMPDIR"):
        Spool().append(b"x")
