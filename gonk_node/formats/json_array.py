"""A JSON file that is one long array, read element by element in little memory. It does not know what the elements are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gonk_node.core.limits import JSONL_LINE_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.state.strict_json import Json

_PIECE_CHARS = 1 << 18
_BLANK = " \t\r\n"


def read_array(file: Path) -> Iterator[Json]:
    """The elements, which must be objects, in order.

    Raises:
        InputFileError: it cannot be read; or is no array of objects, from where that shows.
    """
    try:
        with file.open(encoding="utf-8-sig") as stream:
            yield from _elements(iter(lambda: stream.read(_PIECE_CHARS), ""), str(file))
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise InputFileError("is not UTF-8", where=str(file)) from error


def _elements(pieces: Iterator[str], where: str) -> Iterator[Json]:
    decoder, text, count, wanted = json.JSONDecoder(), next(pieces, "").lstrip(_BLANK), 0, "["
    while True:
        while not (text := text.lstrip(_BLANK)) and (piece := next(pieces, "")):
            text = piece
        if wanted != "{" and text[:1] == "]" and (count or wanted == "first"):
            return
        if wanted in "[,":
            if text[:1] != wanted:
                raise InputFileError(f"is no JSON array: {wanted!r} is missing before element {count}", where=where)
            text, wanted = text[1:], "{" if count else "first"
            continue
        if text[:1] != "{":
            raise InputFileError(f"is no array of JSON objects: see element {count}", where=where)
        value, text = _one(decoder, text, pieces, f"{where}: /{count}")
        yield value
        count, wanted = count + 1, ","


def _one(decoder: json.JSONDecoder, text: str, pieces: Iterator[str], where: str) -> tuple[Json, str]:
    """The object that the text begins with, and what follows; the text is doubled until it holds all of it."""
    while True:
        try:
            value, end = decoder.raw_decode(text)
        except (ValueError, RecursionError) as error:  # ValueError: cut off, no JSON, or a number too long
            size = len(text)
            while len(text) < 2 * size and (piece := next(pieces, "")):
                text += piece
            if len(text) == size or size > JSONL_LINE_BYTES_MAX:
                raise InputFileError(f"is not JSON: {error}", where=where) from error
        else:
            return value, text[end:]
