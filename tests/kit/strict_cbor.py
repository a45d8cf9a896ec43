"""A second decoder for section 2 of the spec, written from its text: slow, plain Python, an oracle for tests.

It shares no code with `gonk_node.core.codec` and uses no CBOR library.
"""

from __future__ import annotations

DEPTH_MAX = 6
ITEMS_MAX = 65_536
INT_MAX = 2**53 - 1

Value = int | bytes | str | None | list["Value"]


class RefusedError(Exception):
    """The bytes are not the strict encoding of a value."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.items = 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.position : self.position + count]
        if len(taken) < count:
            raise RefusedError("ends too early")
        self.position += count
        return taken

    def argument(self, low_bits: int) -> int:
        if low_bits < 24:
            return low_bits
        if low_bits > 27:
            raise RefusedError("reserved, or of indefinite length")
        width = 1 << low_bits - 24
        value = int.from_bytes(self.take(width), "big")
        if value < (24 if width == 1 else 1 << 4 * width):
            raise RefusedError("longer than needed")
        return value

    def item(self, depth: int) -> Value:
        self.items += 1
        if self.items > ITEMS_MAX:
            raise RefusedError("too many items")
        initial = self.take(1)[0]
        if initial == 0xF6:
            return None
        major, argument = initial >> 5, self.argument(initial & 31)
        if major in (0, 1):
            if argument + major > INT_MAX:
                raise RefusedError("integer out of range")
            return -1 - argument if major else argument
        if major == 2:
            return self.take(argument)
        if major == 3:
            try:
                return self.take(argument).decode("utf-8", "strict")
            except UnicodeDecodeError:
                raise RefusedError("no UTF-8") from None
        if major == 4:
            if depth == DEPTH_MAX:
                raise RefusedError("too deep")
            return [self.item(depth + 1) for _ in range(argument)]
        raise RefusedError(f"major type {major}")


def decode(data: bytes) -> Value:
    """The value of a strict encoding; `RefusedError` for anything else."""
    reader = _Reader(data)
    value = reader.item(0)
    if reader.position != len(data):
        raise RefusedError("trailing bytes")
    return value
