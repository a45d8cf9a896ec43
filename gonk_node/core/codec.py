"""The strict CBOR of gonk: one value has exactly one encoding, and only a few types exist.

Values are integers within ±(2^53-1), byte strings, text, null and lists of those. No maps, floats, booleans, tags or
indefinite lengths; shortest form only; no trailing bytes (spec section 2; RFC 8949 section 4.2.1 for the shortest form).
It knows nothing of entries or events.
"""

from __future__ import annotations

from typing import Any, NoReturn

import cbor2

from gonk_node.core.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, INT_MAX


class CodecError(ValueError):
    """The bytes are no strict CBOR; the message says why. Callers turn it into the error of their rule."""


def _refuse_tag(*_: object) -> NoReturn:
    raise CodecError("CBOR tags are not allowed")


# cbor2's built-in tag decoders build dates, bignums, shared references: shared ones can hang a re-encoding. These are
# all tags that cbor2 6 decodes by itself; any other goes to tag_hook.
_REFUSED_TAGS = dict.fromkeys((*range(6), *range(25, 41), 43000, 100, 256, 258, 260, 261, 1004, 55799), _refuse_tag)
_ARGUMENT_BYTES = (0,) * 24 + (1, 2, 4, 8) + (0,) * 4  # that follow an initial byte (RFC 8949 section 3)
_STRINGS = (2, 3)  # major types whose argument is a length in bytes


def encode(value: object) -> bytes:
    """Encode ints, bytes, str, None and (nested) lists or tuples of them, in the one strict form.

    Raises:
        CodecError: for text with lone surrogates, which Python makes of file names that are no UTF-8.
    """
    try:
        return cbor2.dumps(value)
    except UnicodeEncodeError:
        raise CodecError("text that is no Unicode (lone surrogates)") from None


def decode(data: bytes, *, depth_max: int = CBOR_DEPTH_MAX) -> Any:
    """Decode strict CBOR.

    Args:
        data: the whole encoding.
        depth_max: how deep lists may nest (the outermost counts one). One empty list more is let through.

    Returns:
        int, bytes, str, None or lists of them. What stands inside lists, and the range of integers, is not checked here
        (floats, booleans and maps come through): the field tables of `event_codec` do that, or `check_plain`.

    Raises:
        CodecError: for tags, indefinite lengths, longer forms, trailing bytes, bad UTF-8, too many data items.
    """
    if len(data) > CBOR_ITEMS_MAX and _has_more_items(data, CBOR_ITEMS_MAX):  # an item takes a byte at least
        raise CodecError(f"more than {CBOR_ITEMS_MAX} data items")
    try:
        value = cbor2.loads(
            data,
            tag_hook=_refuse_tag,
            semantic_decoders=_REFUSED_TAGS,
            max_depth=depth_max,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise CodecError(f"not strict CBOR: {error}") from None
    # Safe only because no tag was decoded: shared references could make this hang.
    if cbor2.dumps(value) != data:
        raise CodecError("not in shortest form, or trailing bytes")
    return value


def decode_stored(data: bytes) -> Any:
    """Decode bytes that this node verified when it stored them: the same value, without the checks."""
    return cbor2.loads(data)


def _has_more_items(data: bytes, items_max: int) -> bool:
    """Count the heads of data items, without building any: an empty list of one byte would take 64 in memory.

    It walks as the decoder does, so it never sees fewer items than the decoder would build before it meets an error.
    """
    position = count = 0
    while position < len(data):
        count += 1
        if count > items_max:
            return True
        initial = data[position]
        position += 1
        argument = initial & 0x1F
        if width := _ARGUMENT_BYTES[argument]:
            argument = int.from_bytes(data[position : position + width], "big")
            position += width
        if initial >> 5 in _STRINGS:
            position += argument
    return False


def check_plain(value: object, depth_max: int = CBOR_DEPTH_MAX) -> None:
    """Refuse every type but integers within ±(2^53-1), bytes, text, null and lists of those, and deeper lists.

    Raises:
        CodecError: says which type, or that lists nest deeper than `depth_max`.
    """
    if type(value) is list:
        if depth_max == 0:
            raise CodecError(f"lists nest deeper than {CBOR_DEPTH_MAX}")
        for item in value:
            check_plain(item, depth_max - 1)
    elif type(value) is int:
        check_int(value, "each value", low=-INT_MAX)
    elif value is not None and type(value) not in (bytes, str):
        raise CodecError(f"a {type(value).__name__} is not allowed")


def check_int(value: object, what: str, *, low: int = 0, high: int = INT_MAX) -> int:
    """Return `value` where it is an integer within [low, high]; CodecError naming `what` otherwise."""
    if type(value) is not int or not low <= value <= high:
        raise CodecError(f"{what} must be an integer from {low} to {high}")
    return value


def check_bytes(value: object, what: str, length: int) -> bytes:
    """Return `value` where it is a byte string of that length; CodecError naming `what` otherwise."""
    if type(value) is not bytes or len(value) != length:
        raise CodecError(f"{what} must be {length} bytes")
    return value
