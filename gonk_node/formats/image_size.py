"""Width, height and channels of an image, from its first bytes; pixels are never decoded.

PNG, JPEG, GIF, BMP, WebP and TIFF. The size is that of the pixels as stored: an EXIF orientation is not applied.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from gonk_node.core.limits import JPEG_SEGMENTS_MAX, TIFF_TAGS_MAX

_HEAD_BYTES = 32
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TIFF_TYPES = {3: "H", 4: "I"}  # SHORT, LONG


class ImageSize(NamedTuple):
    """In pixels; channels None where they are not said in so many words."""

    width: int
    height: int
    channels: int | None = None


def read_size(file: BinaryIO) -> ImageSize | None:
    """The size; None if it is no image of a kind that is known, or is cut off.

    Args:
        file: seekable, at its beginning.
    """
    head = file.read(_HEAD_BYTES)
    try:
        found = _read(head, file)
    except struct.error:  # cut off
        return None
    return found if found is not None and found.width > 0 and found.height > 0 else None


def _read(head: bytes, file: BinaryIO) -> ImageSize | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        width, height, _, colour = struct.unpack_from(">IIBB", head, 16)
        return ImageSize(width, height, _PNG_CHANNELS.get(colour))
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(file)
    if head[:6] in (b"GIF87a", b"GIF89a"):
        width, height = struct.unpack_from("<HH", head, 6)
        return ImageSize(width, height, 3)
    if head.startswith(b"BM"):
        return _bmp(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return _tiff("<" if head[:1] == b"I" else ">", head, file)
    return None


def _jpeg(file: BinaryIO) -> ImageSize | None:
    """The frame header (ITU T.81, B.2.2) comes after any number of other segments."""
    at = 2
    for _ in range(JPEG_SEGMENTS_MAX):
        file.seek(at)
        marker, kind, length = struct.unpack(">BBH", file.read(4))
        if marker != 0xFF:
            return None
        if kind == 0xFF:  # a fill byte
            at += 1
            continue
        if kind in _JPEG_FRAMES:
            _, height, width, channels = struct.unpack(">BHHB", file.read(6))
            return ImageSize(width, height, channels)
        at += 2 if kind == 0x01 or 0xD0 <= kind <= 0xD7 else 2 + length  # those have no length
    return None


def _bmp(head: bytes) -> ImageSize | None:
    (size,) = struct.unpack_from("<I", head, 14)
    if size == 12:  # OS/2
        width, height = struct.unpack_from("<HH", head, 18)
        return ImageSize(width, height, 3)
    width, height, _, bits = struct.unpack_from("<iiHH", head, 18)
    return ImageSize(width, abs(height), 4 if bits == 32 else 3)


def _webp(head: bytes) -> ImageSize | None:
    """https://developers.google.com/speed/webp/docs/riff_container."""
    kind = head[12:16]
    if kind == b"VP8X" and len(head) >= 30:
        flags = head[20]
        width = 1 + int.from_bytes(head[24:27], "little")
        height = 1 + int.from_bytes(head[27:30], "little")
        return ImageSize(width, height, 4 if flags & 0x10 else 3)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return ImageSize(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), 4 if bits >> 28 & 1 else 3)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return ImageSize(width & 0x3FFF, height & 0x3FFF, 3)
    return None


def _tiff(order: str, head: bytes, file: BinaryIO) -> ImageSize | None:
    """The first image file directory (TIFF 6.0, section 2): tags 256 width, 257 height, 277 samples per pixel."""
    (at,) = struct.unpack_from(order + "I", head, 4)
    file.seek(at)
    (count,) = struct.unpack(order + "H", file.read(2))
    found: dict[int, int] = {}
    for _ in range(min(count, TIFF_TAGS_MAX)):
        entry = file.read(12)
        tag, kind, values = struct.unpack_from(order + "HHI", entry)
        if tag in (256, 257, 277) and values == 1 and kind in _TIFF_TYPES:
            (found[tag],) = struct.unpack_from(order + _TIFF_TYPES[kind], entry, 8)
    if 256 not in found or 257 not in found:
        return None
    return ImageSize(found[256], found[257], found.get(277, 1))
