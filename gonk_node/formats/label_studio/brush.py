"""Label Studio's run-length encoding of brush regions, to and from the runs of the schema `mask`.

Format: @thi.ng/rle-pack (https://github.com/thi-ng/umbrella/tree/develop/packages/rle-pack), of the image's RGBA bytes, row
by row, as label_studio_sdk.converter.brush writes them. A pixel belongs to the region if its alpha is not 0. As bits, the
most significant first: 32 for the number of values; 5 for the bits of a value, less 1; 4 for each of four widths, less 1; and
then runs: 1 that says whether one value is repeated, 2 that choose a width, that width for the number of values, less 1, and
one value or so many. What fills the last byte is 0.

Runs of `mask` go column by column and alternate, beginning with pixels outside (see `rle`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gonk_node.core.limits import IMPORTED_BODY_BYTES_MAX, LABEL_STUDIO_MASK_PIXELS_MAX
from gonk_node.errors import InputFileError
from gonk_node.state.strict_json import Json

_CHANNELS = 4
_VALUE_BITS = 8
_WIDTHS = (3, 4, 8, 16)  # those that Label Studio's own converter writes
_HEADER = (f"{_VALUE_BITS - 1:05b}", *(f"{width - 1:04b}" for width in _WIDTHS))


def decode(encoded: Json, width: int, height: int) -> list[int]:
    """The runs of a region.

    Args:
        encoded: a list of bytes, as the file has it.
        width: of the image, in pixels; memory is a byte for each pixel, twice.
        height: of the image, in pixels.

    Raises:
        InputFileError: it is none, is of another size or breaks off; the image has more than LABEL_STUDIO_MASK_PIXELS_MAX
            pixels; or the runs would not fit into an annotation.
    """
    if (
        not isinstance(encoded, list)
        or not encoded
        or not all(type(each) is int and 0 <= each < 256 for each in encoded)
    ):
        raise InputFileError("the brush region has no list of bytes (rle)")
    _check_size(width, height)
    return _runs(_transposed(_inside(_Bits(bytes(encoded)), width * height), width, height))


def encode(runs: Sequence[int], width: int, height: int) -> list[int]:
    """The same region as Label Studio has it, byte for byte as its own converter writes it: 0 or 255 in all four channels.

    Args:
        runs: which cover the image exactly.
        width: of the image, in pixels.
        height: of the image, in pixels.

    Raises:
        InputFileError: the image has more than LABEL_STUDIO_MASK_PIXELS_MAX pixels.
    """
    _check_size(width, height)
    inside = bytearray()
    for index, run in enumerate(runs):
        inside += (b"\1" if index % 2 else b"\0") * run
    bits = [f"{_CHANNELS * width * height:032b}", *_HEADER]
    rows = _transposed(inside, height, width)  # its columns, one after the other, are rows of the other way
    at = 0
    while at < len(rows):
        value = rows[at]
        end = rows.find(1 - value, at)
        end = len(rows) if end < 0 else end
        bits += _repeated(_CHANNELS * (end - at), 255 * value)
        at = end
    text = "".join(bits)
    text += "0" * (8 - len(text) % 8)  # a whole byte where it is full already, as their converter does
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def _check_size(width: int, height: int) -> None:
    if width * height > LABEL_STUDIO_MASK_PIXELS_MAX:
        raise InputFileError(f"brush regions are taken of images of up to {LABEL_STUDIO_MASK_PIXELS_MAX:,} pixels")


class _Bits:
    """Bits of a text of bytes, from the first on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, count: int) -> int:
        """The next bits as a number; InputFileError beyond the end."""
        end = self._at + count
        last = (end + 7) // 8
        if last > len(self._data):
            raise InputFileError("the brush region breaks off")
        value = int.from_bytes(self._data[self._at // 8 : last], "big") >> (8 * last - end)
        self._at = end
        return value & ((1 << count) - 1)

    def only_filling_is_left(self) -> bool:
        """Whether all further bits are 0."""
        return not any(self._data[(self._at + 7) // 8 :])


def _inside(bits: _Bits, pixels: int) -> bytearray:
    """1 for each pixel that belongs to the region and 0 for each other, row by row."""
    count = bits.read(32)
    if count != _CHANNELS * pixels:
        raise InputFileError(f"the brush region has {count:,} values, the image {_CHANNELS * pixels:,}")
    if bits.read(5) + 1 != _VALUE_BITS:
        raise InputFileError("the brush region has values that are no bytes")
    widths = [bits.read(4) + 1 for _ in range(4)]
    inside = bytearray(pixels)
    at = 0
    while at < count:
        repeated = bits.read(1)
        end = at + 1 + bits.read(widths[bits.read(2)])
        if end > count:
            raise InputFileError("the brush region has more values than it says")
        first, last = at // _CHANNELS, end // _CHANNELS  # the pixels whose alpha is among these values
        if repeated:
            if bits.read(_VALUE_BITS):
                inside[first:last] = b"\1" * (last - first)
        else:
            values = bits.read(_VALUE_BITS * (end - at)).to_bytes(end - at, "big")
            inside[first:last] = bytes(map(bool, values[_CHANNELS - 1 - at % _CHANNELS :: _CHANNELS]))
        at = end
    if not bits.only_filling_is_left():
        raise InputFileError("the brush region has something behind its end")
    return inside


def _transposed(rows: bytearray, width: int, height: int) -> bytearray:
    """Pixels row by row become pixels column by column; as many steps as the shorter side has pixels."""
    columns = bytearray(len(rows))
    if height <= width:
        for row in range(height):
            columns[row::height] = rows[row * width : (row + 1) * width]
    else:
        for column in range(width):
            columns[column * height : (column + 1) * height] = rows[column::width]
    return columns


def _runs(pixels: bytearray) -> list[int]:
    runs: list[int] = []
    at = value = 0
    while True:
        end = pixels.find(1 - value, at)
        runs.append((len(pixels) if end < 0 else end) - at)
        if end < 0:
            return runs
        if len(runs) > IMPORTED_BODY_BYTES_MAX:  # each takes a byte at least
            raise InputFileError("the brush region has more runs than fit into an annotation")
        at, value = end, 1 - value


def _repeated(count: int, value: int) -> list[str]:
    """The bits of a value that comes so many times; one value alone does not come."""
    most = 1 << _WIDTHS[-1]
    whole, rest = divmod(count - 1, most)
    bits = [_run(3, most, value)] * whole
    chosen = 3 if whole else next(index for index, width in enumerate(_WIDTHS) if rest < 1 << width)
    return [*bits, _run(chosen, rest + 1, value)]


def _run(chosen: int, count: int, value: int) -> str:
    return f"1{chosen:02b}{count - 1:0{_WIDTHS[chosen]}b}{value:08b}"
