"""The EXIF orientation of a JPEG file, from its first segments: whether programs that apply it show the picture turned.

Format: Exif 2.32, tag 0x0112, in a TIFF directory (TIFF 6.0, section 2). Nothing is turned here, and no pixel is decoded.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from gonk_node.core.limits import JPEG_SEGMENTS_MAX, TIFF_TAGS_MAX

_AS_STORED = 1
_TURNED = range(2, 9)
_ORIENTATION, _SHORT = 0x0112, 3
_MARK = b"Exif\0\0"
_SCAN = 0xDA  # the pixels begin


def is_turned(file: BinaryIO) -> bool:
    """Whether a picture is to be shown turned or mirrored; False for what is no JPEG, or cut off.

    Args:
        file: seekable; where it stands does not matter.
    """
    try:
        return _orientation(file) in _TURNED
    except struct.error:  # cut off
        return False


def _orientation(file: BinaryIO) -> int:
    file.seek(0)
    if file.read(2) != b"\xff\xd8":
        return _AS_STORED
    for _ in range(JPEG_SEGMENTS_MAX):
        marker, kind, length = struct.unpack(">BBH", file.read(4))
        if marker != 0xFF or kind == _SCAN or length < 2:
            return _AS_STORED
        data = file.read(length - 2)  # 64 KiB at most
        if kind == 0xE1 and data.startswith(_MARK):
            return _of_directory(data[len(_MARK) :])
    return _AS_STORED


def _of_directory(data: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return _AS_STORED
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    for index in range(min(count, TIFF_TAGS_MAX)):
        tag, kind, values, found = struct.unpack_from(order + "HHIH", data, at + 2 + 12 * index)
        if (tag, kind, values) == (_ORIENTATION, _SHORT, 1):
            return int(found)
    return _AS_STORED
