"""Parquet files that are small and hold much, or are damaged: told before they are unpacked, in bounded memory."""

from __future__ import annotations

import io
import json
import struct
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.errors import InputFileError
from gonk_node.formats import file_part
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.parquet import file as parquet_file
from gonk_node.formats.parquet import pages as parquet_pages
from gonk_node.formats.parquet.file import ParquetFile
from gonk_node.formats.parquet.pages import Chunk, check_chunk
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage
from gonk_node.state.strict_json import Problem
from kit import formats

pa = pytest.importorskip("pyarrow", reason="extra parquet")
pq = pytest.importorskip("pyarrow.parquet", reason="extra parquet")

FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
MIB = 1 << 20


def images(*data: bytes) -> Any:
    return pa.array([{"bytes": each, "path": None} for each in data], FILE)


def same(text: Any, count: int) -> Any:
    """One value many times, stored once."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([text]))


def most_memory(path: Path) -> int:
    """The most bytes of pyarrow's that were in use at the end of any row."""
    most, before = 0, pa.total_allocated_bytes()
    try:
        for _ in formats.read("parquet", path):
            most = max(most, pa.total_allocated_bytes() - before)
    except InputFileError:
        pass
    return most


def own_table(bodies: Any) -> Any:
    """A table of one object with those bodies, which are texts of a dictionary."""
    count = len(bodies)
    item = {"uuid": same("", count), "schema": same("schema-x", count), "body": bodies}
    items = pa.StructArray.from_arrays(list(item.values()), list(item))
    about = {name: ["x"] for name in ("uuid", "name", "media_type", "sha256")}
    return pa.table(about | {"annotations": pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), items)})


def test_a_kilobyte_of_terabytes_in_a_list_is_left_out(tmp_path: Path) -> None:
    text = json.dumps({"x": "y" * MIB})
    pq.write_table(own_table(same(text, 1_000_000)), tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 20_000
    [problem] = [each for each in formats.read("parquet", tmp_path) if isinstance(each, Problem)]
    assert "bytes of annotations" in problem.what
    assert most_memory(tmp_path / "a.parquet") < 100 * MIB


def test_a_kilobyte_of_gigabytes_in_cells_is_read_cell_by_cell_up_to_what_a_file_may_unpack_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = pa.StructArray.from_arrays([same(b"x" * MIB, 900), pa.nulls(900, pa.string())], ["bytes", "path"])
    pq.write_table(pa.table({"image": cells}), tmp_path / "a.parquet", compression="zstd")
    monkeypatch.setattr(file_part, "UNPACKED_BYTES_FREE", 100 * MIB)
    records = formats.read("parquet", tmp_path)
    assert 90 < sum(isinstance(each, ImportedImage) for each in records) < 110
    assert "unpacks to more than" in records[-1].what  # type: ignore[union-attr]
    assert most_memory(tmp_path / "a.parquet") < 80 * MIB


@pytest.mark.parametrize("codec", ["zstd", "gzip", "snappy"])
def test_a_page_that_unpacks_to_too_much_is_refused_unread(
    tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_pages, "PARQUET_PAGE_BYTES_MAX", 10 * MIB)
    pq.write_table(pa.table({"image": images(bytes(20 * MIB))}), tmp_path / "a.parquet", compression=codec)
    with pytest.raises(InputFileError, match=r"row group 0, column 'image.bytes': a page unpacks to"):
        formats.read("parquet", tmp_path / "a.parquet")
    assert most_memory(tmp_path / "a.parquet") < MIB


def test_a_list_of_many_pages_that_unpacks_to_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_pages, "PARQUET_PAGE_BYTES_MAX", 10 * MIB)
    texts = [f"{n}" + "x" * MIB for n in range(20)]
    columns = {"image": images(b"x"), "captions": pa.array([texts])}
    pq.write_table(
        pa.table(columns), tmp_path / "a.parquet", compression="zstd", use_dictionary=False, write_batch_size=1
    )
    with pytest.raises(InputFileError, match="lists unpack to"):
        formats.read("parquet", tmp_path / "a.parquet")


@pytest.mark.parametrize("encoding", ["DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
def test_lists_of_texts_that_are_stored_one_by_one_are_read(tmp_path: Path, encoding: str) -> None:
    plain = pa.Table.from_pylist(own_table(pa.array(['{"x":1}'] * 5).dictionary_encode()).to_pylist())
    encodings = dict.fromkeys(["annotations.list.element.body", "annotations.list.element.schema", "name"], encoding)
    pq.write_table(plain, tmp_path / "a.parquet", use_dictionary=False, column_encoding=encodings)
    records = formats.read("parquet", tmp_path / "a.parquet")
    assert sum(isinstance(each, ImportedAnnotation) for each in records) == 5


def test_what_the_footer_says_of_sizes_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": images(bytes(20 * MIB))}), path, compression="zstd")
    chunk = pq.read_metadata(path).row_group(0).column(0)
    data = path.read_bytes()
    length = struct.unpack("<I", data[-8:-4])[0]
    footer = data[-8 - length :]
    real, lie = varint(chunk.total_uncompressed_size), varint(100, len(varint(chunk.total_uncompressed_size)))
    assert real in footer
    path.write_bytes(data[: -8 - length] + footer.replace(real, lie))
    assert pq.read_metadata(path).row_group(0).column(0).total_uncompressed_size == 100
    monkeypatch.setattr(parquet_pages, "PARQUET_PAGE_BYTES_MAX", 10 * MIB)
    with pytest.raises(InputFileError, match="a page unpacks to"):
        formats.read("parquet", path)


def varint(value: int, size: int = 0) -> bytes:
    """A number as Thrift's compact protocol has it, in so many bytes."""
    value = value << 1
    out = bytearray()
    while value > 0x7F or len(out) < size - 1:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def test_nulls_without_number_are_refused(tmp_path: Path) -> None:
    nulls = pa.nulls(20_000_000, FILE)
    pq.write_table(pa.table({"image": nulls}), tmp_path / "a.parquet", row_group_size=1 << 26)
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    with pytest.raises(InputFileError, match="values in one row group"):
        formats.read("parquet", tmp_path / "a.parquet")


def test_more_rows_than_bytes_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": pa.nulls(100_000, FILE)}), tmp_path / "a.parquet")
    size = (tmp_path / "a.parquet").stat().st_size
    records = formats.read("parquet", tmp_path)
    assert len(records) <= size + 1
    assert records[-1].what.startswith("has more rows than bytes")  # type: ignore[union-attr]


def test_texts_in_lists_that_are_stored_as_differences_are_refused(tmp_path: Path) -> None:
    texts = own_table(pa.array(["x" * 1000] * 5).dictionary_encode())
    plain = pa.Table.from_pylist(texts.to_pylist())
    encodings = {"annotations.list.element.body": "DELTA_BYTE_ARRAY", "name": "DELTA_BYTE_ARRAY"}
    pq.write_table(plain, tmp_path / "a.parquet", use_dictionary=False, column_encoding=encodings)
    with pytest.raises(InputFileError, match="stored as differences"):
        formats.read("parquet", tmp_path / "a.parquet")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PAR1",
        b"PAR1" + bytes(20),
        b"PAR1" + bytes(4) + b"\xff\xff\xff\x7fPAR1",
        b"PAR1" + bytes(40) + b"\x08\x00\x00\x00PAR1",
        b"PARE" + bytes(40) + b"\x08\x00\x00\x00PARE",
    ],
)
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(InputFileError, match=r"a\.parquet"):
        formats.read("parquet", tmp_path / "a.parquet")


def test_columns_that_are_nested_deep_are_refused_before_pyarrow_sees_them(tmp_path: Path) -> None:
    kind = pa.int8()
    for _ in range(40):
        kind = pa.struct([("a", kind)])
    pq.write_table(pa.table({"image": pa.nulls(1, kind)}), tmp_path / "a.parquet")
    with pytest.raises(InputFileError, match="nested more than 32 deep"):
        formats.read("parquet", tmp_path / "a.parquet")
    element = b"\x48\x01a\x15\x02\0"  # SchemaElement: name a, one child
    footer = b"\x15\x02\x19" + b"\xfc\xc0\x84\x3d" + element * 1_000_000 + b"\x16\0\x19\x0c\0"
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(InputFileError, match="more than 262,144 structures"):
        formats.read("parquet", tmp_path / "a.parquet")


def test_columns_without_number_and_two_of_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = images(b"x")
    pq.write_table(pa.Table.from_arrays([image, image], ["image", "image"]), tmp_path / "a.parquet")
    with pytest.raises(InputFileError, match="several columns of one name"):
        formats.read("parquet", tmp_path / "a.parquet")
    monkeypatch.setattr(parquet_file, "PARQUET_COLUMNS_MAX", 3)
    with pytest.raises(InputFileError, match="more than 3 columns"):
        formats.read("parquet", tmp_path / "a.parquet")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    held = []
    for count in (100, 400):
        cells = images(*(bytes([n % 256]) + bytes(n) * 20 + bytes(200_000) for n in range(count)))
        pq.write_table(pa.table({"image": cells}), tmp_path / f"{count}.parquet", use_dictionary=False)
        held.append(most_memory(tmp_path / f"{count}.parquet"))
    assert held[1] < max(held[0] * 2, 64 * MIB), held


# --- headers of pages -----------------------------------------------------------------------------------------


def check(data: bytes) -> int:
    return check_chunk(io.BytesIO(data), Chunk(0, len(data), 10**9), repeated=False).largest


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_page_headers_or_a_typed_error(data: bytes) -> None:
    try:
        assert check(data) >= 0
    except InputFileError as error:
        assert "header" in error.what or "page" in error.what


def number(field: int, value: int) -> bytes:
    return bytes([5 | field << 4]) + zigzag(value)


def zigzag(value: int) -> bytes:
    raw, out = (value << 1) if value >= 0 else (-value << 1) - 1, bytearray()
    while raw > 0x7F:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    return bytes([*out, raw])


@pytest.mark.parametrize(
    "header",
    [
        number(1, 0) + number(1, -1) + number(1, 5) + b"\0",  # a negative size
        number(1, 0) + number(1, 5) + number(1, -1) + b"\0",
        number(1, 0) + number(1, 1 << 40) + number(1, 1) + b"\0",  # cut to 32 bits it would be 0
        number(1, 0) + number(1, 1) + number(1, 1) + bytes([0x2C]) + number(1, -(1 << 32) + (1 << 31) - 1) + b"\0\0",
        b"\x1c" * 50,  # structures in structures
        b"\x19" + b"\xf9" * 50,  # lists in lists
        b"\x18\xff\xff\xff\xff\x0f",  # a text of 4 GiB
        b"\x19\xf5\xff\xff\xff\xff\x0f" + bytes(2 * MIB),  # a list of as many numbers
        b"\x1b\x01",  # a map
        b"\x15" + b"\x80" * 20 + b"\0",  # a number without end
    ],
)
def test_odd_page_headers_are_refused_at_once(header: bytes) -> None:
    with pytest.raises(InputFileError):
        check(header)


# --- damage -----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_file_gives_what_is_left_of_it_or_a_typed_error(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        formats.export(
            [formats.sample(f"{n}.png", [("mine", {"x": n})]) for n in range(3)], "parquet", Path(folder) / "out"
        )
        path = Path(folder) / "out/data-00000.parquet"
        damaged = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(4, len(damaged) - 9))] = data.draw(st.integers(0, 255))
        path.write_bytes(damaged)
        try:
            records = formats.read("parquet", path)
        except InputFileError as error:
            assert error.where
        else:
            kinds = (ImportedImage, ImportedAnnotation, NotCarried, Problem)
            assert all(isinstance(each, kinds) or type(each).__name__.startswith("Imported") for each in records)


def test_a_file_of_which_a_later_group_is_damaged_gives_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": images(b"one" * 100, b"two" * 100)}), path, row_group_size=1)
    data = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(1).column(0)
    begin = chunk.dictionary_page_offset or chunk.data_page_offset
    data[begin : begin + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    path.write_bytes(data)
    records = formats.read("parquet", path)
    assert [isinstance(each, ImportedImage) for each in records] == [True, False]
    assert "what follows there is left out" in records[1].what  # type: ignore[union-attr]
    assert list(ParquetFile(path).schema.names) == ["image"]
