"""Tar files of strangers: what is in them, as the standard library reads it; and what is damaged, told with its place."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import tarfile
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.errors import GonkError, InputFileError
from gonk_node.formats import file_part
from gonk_node.formats.file_part import read_part
from gonk_node.formats.webdataset.tar_members import TarMember, read_tar
from gonk_node.state.strict_json import Problem
from kit.tars import Item, header, tar


def read(path: Path, data: bytes) -> tuple[list[Item], list[str]]:
    """The members of a tar of those bytes, and what was told."""
    path.write_bytes(data)
    members, told = [], []
    for each in read_tar(path):
        if isinstance(each, TarMember):
            members.append((each.name, read_part(each.part)))
        else:
            told.append(each.what)
    return members, told


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300).filter(
    lambda text: text == text.rstrip("/") and not text.startswith("./")
)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(names, st.binary(max_size=2000)), min_size=1, max_size=6),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.booleans(),
)
def test_whatever_the_standard_library_writes_is_read_alike(items: list[Item], kind: int, packed: bool) -> None:
    data = tar(items, kind)
    with tempfile_of(gzip.compress(data) if packed else data) as path:
        found = [(each.name, read_part(each.part)) for each in read_tar(path) if isinstance(each, TarMember)]
    assert found == items


@contextlib.contextmanager
def tempfile_of(data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tar"
        path.write_bytes(data)
        yield path


def test_members_are_parts_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar([("a", b"xy"), ("b", b"z")]))
    parts = [each.part for each in read_tar(tmp_path / "a.tar") if isinstance(each, TarMember)]
    assert [(part.file, part.offset, part.size) for part in parts] == [
        (tmp_path / "a.tar", 512, 2),
        (tmp_path / "a.tar", 1536, 1),
    ]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "is a link"),
        (tarfile.LNKTYPE, "is a link"),
        (tarfile.CHRTYPE, "is a device"),
        (tarfile.BLKTYPE, "is a device"),
        (tarfile.FIFOTYPE, "is a pipe"),
        (tarfile.GNUTYPE_SPARSE, "is a sparse file"),
        (b"Q", "is of the unknown type"),
    ],
)
def test_what_is_no_plain_file_is_told_and_the_rest_is_read(tmp_path: Path, kind: bytes, what: str) -> None:
    odd = header("odd", kind=kind, size=600, link="/etc/passwd")
    if kind in (tarfile.GNUTYPE_SPARSE, b"Q"):
        odd += bytes(1024)  # they have data
    members, told = read(tmp_path / "a.tar", header("a") + odd + tar([("b", b"b")]))
    assert members == [("a", b""), ("b", b"b")]
    assert len(told) == 1
    assert what in told[0]


def test_sparse_files_of_either_kind_are_passed_over_as_a_whole(tmp_path: Path) -> None:
    old = bytearray(header("old", kind=tarfile.GNUTYPE_SPARSE, size=10))
    old[482] = 1  # two more blocks of the map follow
    old[148:156] = b"%06o\0 " % (256 + sum(old[:148]) + sum(old[156:512]))
    maps = [bytearray(512), bytearray(512)]
    maps[0][504] = 1
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("new")
        info.size, info.pax_headers = 3, {"GNU.sparse.major": "1", "GNU.sparse.name": "n"}
        archive.addfile(info, io.BytesIO(b"abc"))
    new = made.getvalue()[: -tarfile.RECORDSIZE] or made.getvalue().rstrip(b"\0")
    data = bytes(old) + b"".join(maps) + bytes(512) + new + bytes(-len(new) % 512) + tar([("b", b"b")])
    members, told = read(tmp_path / "a.tar", data)
    assert members == [("b", b"b")]
    assert len(told) == 2


def test_folders_are_passed_over_and_names_may_begin_at_the_folder(tmp_path: Path) -> None:
    assert read(tmp_path / "a.tar", header("./", kind=tarfile.DIRTYPE) + tar([("./a", b"x")])) == ([("a", b"x")], [])


def test_a_tar_that_ends_without_its_mark_is_read_and_it_is_told(tmp_path: Path) -> None:
    whole = tar([("a", b"x"), ("b", b"y")])
    members, told = read(tmp_path / "a.tar", whole[:2048])
    assert [name for name, _ in members] == ["a", "b"]
    assert ["no end mark" in each for each in told] == [True]
    assert read(tmp_path / "b.tar", bytes(10240)) == ([], [])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is no tar"),
        (b"hello", "is no tar"),
        (b"x" * 512, "is no tar"),
        (header(size=100) + bytes(99), "is cut off"),
        (header(size=8**11 - 1), "is cut off"),
        (header(size=2**60), "a size that no file has"),
        (header(kind=tarfile.XHDTYPE, size=8**10), "more than 8 headers"),
        (header(kind=tarfile.GNUTYPE_LONGNAME, size=8**10), "more than 8 headers"),
        (header(kind=tarfile.XHDTYPE) * 9, "more than 8 headers"),
        (header(kind=tarfile.XHDTYPE, size=5) + b"9 a=b" + bytes(507), "a pax header that is none"),
        (header(kind=tarfile.XHDTYPE, size=5) + b"0 a=b" + bytes(507), "a pax header that is none"),
        (header(kind=tarfile.XHDTYPE, size=11) + b"11 size=-5\n" + bytes(501), "a size that no file has"),
        (header(kind=tarfile.XGLTYPE, size=10) + b"10 path=x\n" + bytes(502), "one name or size for all"),
        (header(kind=tarfile.XHDTYPE, size=10) + b"10 pa", "is cut off"),
        (b"BZh91AY&SY", "compressed with bzip2"),
        (b"\xfd7zXZ\x00\x00", "compressed with xz"),
        (b"\x1f\x8b\x08garbage", "cannot be read"),
        (gzip.compress(tar([("a", random.Random(1).randbytes(9999))]))[:5000], "cannot be read"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(InputFileError, match=what) as raised:
        read(tmp_path / "a.tar", data)
    assert str(raised.value.where).startswith(str(tmp_path / "a.tar"))


def test_a_negative_size_is_no_way_back(tmp_path: Path) -> None:
    block = bytearray(header())
    block[124:136] = b"\xff" * 10 + b"\xfe\x00"  # -512 in base 256
    block[148:156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))
    with pytest.raises(InputFileError, match="a size that no file has"):
        read(tmp_path / "a.tar", bytes(block) * 3)


def test_a_member_of_a_packed_tar_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_part, "UNPACKED_BYTES_FREE", 1 << 20)
    for items in ([("a", bytes(9 << 20))], [("a", b"")] * 9000):
        with pytest.raises(InputFileError, match="unpacks to more than"):
            read(tmp_path / "a.tar.gz", gzip.compress(tar(items)))


def test_headers_and_members_take_no_memory(tmp_path: Path) -> None:
    items = [(f"{number}.bin", bytes(4000)) for number in range(4000)]
    (tmp_path / "a.tar").write_bytes(tar(items))
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar(items)))
    for name in ("a.tar", "a.tar.gz"):
        tracemalloc.start()
        for each in read_tar(tmp_path / name):
            assert isinstance(each, TarMember)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 3 << 20, f"{name}: {most}"


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_damaged_tar_gives_what_is_left_of_it_or_a_typed_error(data: st.DataObject) -> None:
    bytes_ = bytearray(tar([("a" * 120, b"x" * 700), ("b.png", b"y"), ("c", b"")], tarfile.PAX_FORMAT)[:6000])
    for _ in range(data.draw(st.integers(1, 4))):
        bytes_[data.draw(st.integers(0, len(bytes_) - 1))] = data.draw(st.integers(0, 255))
    with tempfile_of(bytes(bytes_[: data.draw(st.integers(0, len(bytes_)))])) as path:
        try:
            for each in read_tar(path):
                assert isinstance(each, TarMember | Problem)
        except GonkError as error:
            assert isinstance(error, InputFileError)
