"""Sizes of images from their first bytes: right where they are known, None where not, and never an error."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.formats.image_size import ImageSize, read_size
from kit import formats
from kit.source_tree import ROOT


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments)


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


FRAME = struct.pack(">BHHB", 8, 480, 640, 3) + bytes(9)


def tiff(order: str, kind: int) -> bytes:
    value = "HH" if kind == 3 else "I"
    tags = [(256, 640), (257, 480), (277, 4)]
    entries = b"".join(
        struct.pack(order + "HHI" + value, tag, kind, 1, *((number, 0) if kind == 3 else (number,)))
        for tag, number in tags
    )
    return (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "IH", 8, len(tags)) + entries


IMAGES = {
    "png": formats.png(640, 480),
    "jpeg": jpeg(segment(0xE1, bytes(3000)), b"\xff", segment(0xC4, bytes(20)), segment(0xC2, FRAME)),
    "gif": b"GIF89a" + struct.pack("<HH", 640, 480),
    "bmp": b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 640, -480, 1, 24),
    "bmp of OS/2": b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 640, 480, 1, 24),
    "webp lossy": b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 640, 480),
    "webp lossless": b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14),
    "webp extended": b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little"),
    "tiff": tiff("<", 3),
    "tiff of Motorola": tiff(">", 4),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_the_size_is_read(kind: str) -> None:
    found = read_size(io.BytesIO(IMAGES[kind]))
    assert found is not None
    assert (found.width, found.height) == (640, 480)


def test_a_photograph_is_read_with_its_channels() -> None:
    path = next((ROOT / "scripts/demo_data/bccd/images").glob("*.jpg"))
    with path.open("rb") as file:
        assert read_size(file) == ImageSize(640, 480, 3)


@pytest.mark.parametrize("kind", IMAGES)
def test_what_is_cut_off_has_no_size_or_the_right_one(kind: str) -> None:
    for end in range(len(IMAGES[kind])):
        found = read_size(io.BytesIO(IMAGES[kind][:end]))
        assert found is None or (found.width, found.height) == (640, 480)


def test_an_image_without_pixels_has_no_size() -> None:
    assert read_size(io.BytesIO(formats.png(0, 480))) is None


@given(st.sampled_from([data[:12] for data in IMAGES.values()]), st.binary(max_size=200))
def test_no_bytes_make_it_fail(head: bytes, rest: bytes) -> None:
    found = read_size(io.BytesIO(head + rest))
    assert found is None or (found.width > 0 and found.height > 0)


def test_a_file_of_segments_without_end_is_given_up() -> None:
    assert read_size(io.BytesIO(jpeg(*[segment(0xE0, b"")] * 5000, segment(0xC0, FRAME)))) is None
