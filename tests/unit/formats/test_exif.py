"""The EXIF orientation of JPEG files, whole, cut off and hostile."""

from __future__ import annotations

import io
import struct

import pytest

from gonk_node.formats.exif import is_turned


def jpeg(orientation: int, order: str = "<", before: bytes = b"") -> bytes:
    entries = struct.pack(order + "HHIHH", 0x010F, 2, 1, 65, 0) + struct.pack(
        order + "HHIHH", 0x0112, 3, 1, orientation, 0
    )
    tiff = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 2) + entries
    exif = b"Exif\0\0" + tiff
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 50, 100, 3) + bytes(9)
    return b"\xff\xd8" + before + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + frame


@pytest.mark.parametrize("order", ["<", ">"])
def test_orientations_but_the_first_turn_a_picture(order: str) -> None:
    turned = [at for at in range(10) if is_turned(io.BytesIO(jpeg(at, order)))]
    assert turned == [2, 3, 4, 5, 6, 7, 8]


def test_other_segments_before_it_are_passed_over() -> None:
    assert is_turned(io.BytesIO(jpeg(6, before=b"\xff\xe0\0\x04ab\xff\xe1\0\x07http:")))


def test_what_is_cut_off_or_no_jpeg_is_not_turned() -> None:
    whole = jpeg(6)
    assert not any(is_turned(io.BytesIO(whole[:size])) for size in range(40))
    assert not is_turned(io.BytesIO(b"\x89PNG\r\n\x1a\n" + whole))
    assert not is_turned(io.BytesIO(whole.replace(b"II*\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff")))
    assert not is_turned(io.BytesIO(b"\xff\xd8" + b"\xff\xe1\0\0" * 3))
