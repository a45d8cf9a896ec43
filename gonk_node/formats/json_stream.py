"""JSON files that are one long array, or an object with long arrays, read element by element in little memory.

Each element is decoded by the standard library, which refuses what is nested too deep for it; a parser of events that keeps
the path of each value needs memory in the square of the depth. What the elements are is for importers.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from gonk_node.core.limits import JSONL_LINE_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.state.strict_json import Json

_PIECE_CHARS = 1 << 18
_BLANK = " \t\r\n"
_CLOSED = frozenset('}]"')  # a value that ends so is whole; a number may go on in the next piece,
_AFTER_WORDS = frozenset(",]}" + _BLANK)  # unless one of these follows


class Member(NamedTuple):
    """A member of the top object, or an element of one that is an array.

    Attributes:
        name: of the member.
        position: of the element, from 0; None where the value is the whole member.
        value: decoded.
    """

    name: str
    position: int | None
    value: Json


def read_array(file: Path) -> Iterator[Json]:
    """The elements of a file that is one array; they must be objects.

    Raises:
        InputFileError: it cannot be read; or is no array of objects, from where that shows.
    """
    with _Text(file) as text:
        if text.peek() != "[":
            raise InputFileError("is no JSON array", where=str(file))
        for index in text.elements():
            if text.peek() != "{":
                raise InputFileError(f"is no array of JSON objects: see element {index}", where=str(file))
            yield text.value(f"/{index}")
        text.end()


def read_members(file: Path, arrays: Collection[str]) -> Iterator[Member]:
    """The members of a file that is one object, in its order; those named in `arrays` element by element.

    A member of such a name that is no array comes whole.

    Raises:
        InputFileError: it cannot be read, or is no JSON object, from where that shows; or has a value that is too long.
    """
    with _Text(file) as text:
        if text.peek() != "{":
            raise InputFileError("is no JSON object", where=str(file))
        for _ in text.elements("}"):
            name = text.value("a name")
            text.take(":")
            if not isinstance(name, str):
                raise InputFileError("is not JSON: the name of a member is no text", where=str(file))
            if name in arrays and text.peek() == "[":
                for index in text.elements():
                    yield Member(name, index, text.value(f"/{name}/{index}"))
            else:
                yield Member(name, None, text.value(f"/{name}"[:80]))
        text.end()


class _Text:
    """The text of a file, of which a piece is held; use it in a `with` statement."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stream: TextIO | None = None
        self._text = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def __enter__(self) -> _Text:
        try:
            self._stream = self._file.open(encoding="utf-8-sig")
        except OSError as error:
            raise InputFileError(f"cannot be read: {error.strerror}", where=str(self._file)) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def peek(self) -> str:
        """The next character that is no blank, which is not taken; "" at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _BLANK:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._read():
                return ""

    def take(self, wanted: str) -> None:
        """Take one character; InputFileError where another one is next."""
        if self.peek() != wanted:
            found = repr(self.peek()) if self.peek() else "the end"
            raise InputFileError(f"is not JSON: {wanted!r} is missing before {found}", where=str(self._file))
        self._at += 1

    def elements(self, last: str = "]") -> Iterator[int]:
        """Take an array or object; before each of its elements, which the caller takes, yields its index."""
        self.take("[" if last == "]" else "{")
        index = 0
        while self.peek() != last:
            if index:
                self.take(",")
            yield index
            index += 1
        self.take(last)

    def value(self, where: str) -> Json:
        """Take a value; more text is read until it holds all of it."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:  # ValueError: cut off, no JSON, or a number too long
                size = len(self._text) - self._at
                if size > JSONL_LINE_BYTES_MAX or isinstance(error, RecursionError) or not self._read(size):
                    what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                    raise InputFileError(f"is not JSON: {what}", where=f"{self._file}: {where}") from error
                continue
            whole = self._text[end - 1] in _CLOSED or self._text[end : end + 1] in _AFTER_WORDS
            if whole or not self._read():
                self._at = end
                return value

    def end(self) -> None:
        """InputFileError where anything follows."""
        if self.peek():
            raise InputFileError("is not JSON: something follows its end", where=str(self._file))

    def _read(self, chars_min: int = 0) -> bool:
        """Hold more text: at least so many characters more, if the file has them; False at its end."""
        try:
            piece = self._stream.read(max(_PIECE_CHARS, chars_min)) if self._stream is not None else ""
        except OSError as error:
            raise InputFileError(f"cannot be read: {error.strerror}", where=str(self._file)) from error
        except UnicodeDecodeError as error:
            raise InputFileError("is not UTF-8", where=str(self._file)) from error
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)
