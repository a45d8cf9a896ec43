"""Structures in Thrift's compact protocol, of strangers: numbers, structures and lists of these are kept, all else is not.

Format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. Where readers differ in what they
make of it, it is refused: a field that is there twice, a number that is longer than its type. What fields mean is not known
here.
"""

from __future__ import annotations

import io
from typing import BinaryIO, TypeAlias

from gonk_node.errors import InputFileError

_TRUE, _FALSE, _BYTE, I16, I32, I64, _DOUBLE, _BINARY, LIST, _SET, _MAP, STRUCT = range(1, 13)
_BITS = {I16: 16, I32: 32, I64: 64}
_NESTING_MAX = 16  # structures and lists in one another; those of Parquet have six

Fields: TypeAlias = "dict[tuple[int, int], int | Fields | list[Fields]]"
"""By number and type; of no other type than it is asked for there is anything in it."""


class CompactReader:
    """Reads structures from a file, from where it stands.

    Args:
        file: seekable.
        bytes_max: how much is read at most.
        lists_max: how many structures in lists there may be; None: none of them are kept.

    Attributes:
        bytes: read so far.
    """

    def __init__(self, file: BinaryIO, bytes_max: int, lists_max: int | None = None) -> None:
        self._file = file
        self._bytes_max = bytes_max
        self._lists_max = lists_max
        self._listed = 0
        self.bytes = 0

    def struct(self, depth: int = 0) -> Fields:
        """The next structure.

        Raises:
            InputFileError: there is none, or a larger one.
        """
        if depth > _NESTING_MAX:
            raise _none()
        fields: Fields = {}
        seen: set[int] = set()
        number = 0
        while head := self._byte():
            delta, kind = head >> 4, head & 15
            number = number + delta if delta else self._number(I16)
            if number in seen:
                raise _none()
            seen.add(number)
            if kind in _BITS:
                fields[number, kind] = self._number(kind)
            elif kind == STRUCT:
                fields[number, kind] = self.struct(depth + 1)
            elif kind == LIST:
                fields[number, kind] = self._list(depth + 1)
            elif kind not in (_TRUE, _FALSE):
                self._skip(kind, depth + 1)
        return fields

    def _list(self, depth: int) -> list[Fields]:
        """The structures in a list; none where it is of something else."""
        found: list[Fields] = []
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._varint()
        kind = head & 15
        for _ in range(size):
            if kind == STRUCT:
                value = self.struct(depth)
                self._listed += 1
                if self._lists_max is not None:
                    found.append(value)
                    if self._listed > self._lists_max:
                        raise InputFileError(f"has a header with more than {self._lists_max:,} structures")
            elif kind in _BITS:
                self._number(kind)
            else:
                self._skip(kind, depth)
        return found

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _NESTING_MAX or kind not in (_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, LIST, _SET):
            raise _none()  # nothing that is read here has a map
        if kind in (LIST, _SET):
            self._list(depth + 1)
        elif kind == _BINARY:
            self._pass(self._varint())
        else:
            self._pass(8 if kind == _DOUBLE else 1)

    def _pass(self, size: int) -> None:
        self._take(size)
        self._file.seek(size, io.SEEK_CUR)

    def _take(self, size: int) -> None:
        self.bytes += size
        if self.bytes > self._bytes_max:
            raise InputFileError(f"has a header of more than {self._bytes_max:,} bytes")

    def _byte(self) -> int:
        self._take(1)
        found = self._file.read(1)
        if not found:
            raise InputFileError("ends within a header")
        return found[0]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise _none()

    def _number(self, kind: int) -> int:
        value = self._varint()
        if value >= 1 << _BITS[kind]:  # of which some readers take a part
            raise _none()
        return value >> 1 ^ -(value & 1)


def _none() -> InputFileError:
    return InputFileError("has a header that is none")
