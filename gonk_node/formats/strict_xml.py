"""XML of strangers: no document type, no entities, nothing fetched; what is held of it is bounded.

The parser of the standard library expands entities that a document declares (a few bytes can become gigabytes); a document
that declares any, or has a document type at all, is refused here. `parse` makes one element of a small document; `read` goes
through a file of any size, a part at a time. Namespaces and comments are not kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeAlias
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from gonk_node.core.limits import XML_DEPTH_MAX, XML_ELEMENT_CHARS_MAX, XML_ELEMENTS_MAX, XML_TOKEN_BYTES_MAX
from gonk_node.errors import InputFileError

_PIECE_BYTES = 1 << 18


class Begun(NamedTuple):
    """The start of an element that comes in parts; `line` is that of its tag, from 1."""

    tag: str
    attributes: dict[str, str]
    line: int


class Whole(NamedTuple):
    """An element with all in it; `line` is that of its first tag, from 1."""

    element: Element
    line: int


class Ended(NamedTuple):
    """The end of an element that came in parts."""

    tag: str


Part: TypeAlias = Begun | Whole | Ended


def parse(text: bytes) -> Element:
    """The top element of an XML document.

    Args:
        text: the document, in the encoding that it declares (UTF-8 without a declaration).

    Raises:
        InputFileError: it is no well-formed XML (says line and column), has a document type, or is larger or nested deeper
            than the limits.
    """
    parser = _Parser(())
    parser.feed(text, last=True)
    return next(part.element for part in parser.take() if isinstance(part, Whole))


def read(file: Path, opened: Sequence[Collection[str]]) -> Iterator[Part]:
    """The elements of a file of any size.

    Args:
        file: the document.
        opened: for each depth, from that of the top element on, the names of the elements that are given in parts: when they
            begin, what is in them, and when they end. Every other one that is directly in such a one is given as a whole.
            Text between them is not given.

    Raises:
        InputFileError: as of `parse`, from where it shows; also if the file cannot be read, or its top element is not among
            `opened`.
    """
    parser = _Parser(opened)
    try:
        with file.open("rb") as stream:
            last = False
            while not last:
                # what breaks off in a tag is gone through from the tag's beginning again: so each time as much as waits
                more = min(parser.waiting, XML_TOKEN_BYTES_MAX - parser.waiting)
                piece = stream.read(max(_PIECE_BYTES, more))
                last = not piece
                parser.feed(piece, last=last)
                yield from parser.take()
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except InputFileError as error:
        raise InputFileError(error.what, where=str(file)) from error


class _Parser:
    """Text in, parts out."""

    def __init__(self, opened: Sequence[Collection[str]]) -> None:
        self.waiting = 0  # bytes since the last token ended
        self._opened = opened
        self._parts: list[Part] = []
        self._depth = 0
        self._builder: TreeBuilder | None = None  # of the element that is made as a whole
        self._top = 0  # its depth
        self._line = 0
        self._elements = self._chars = 0  # in it
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._text
        self._expat.CommentHandler = self._pass
        self._expat.ProcessingInstructionHandler = self._pass
        self._expat.StartDoctypeDeclHandler = self._refuse
        self._expat.EntityDeclHandler = self._refuse
        self._expat.ExternalEntityRefHandler = self._refuse

    def feed(self, piece: bytes, *, last: bool) -> None:
        """Take more of the document, or its end; errors as of `parse`."""
        self.waiting += len(piece)
        try:
            self._expat.Parse(piece, last)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise InputFileError(f"is not XML: {what} at line {error.lineno}, column {error.offset + 1}") from error
        except (LookupError, ValueError) as error:  # an encoding that is unknown or of several bytes
            raise InputFileError(f"is not XML in a known encoding: {error}") from error
        if self.waiting > XML_TOKEN_BYTES_MAX and not last:
            where = f"behind line {self._expat.CurrentLineNumber}"
            raise InputFileError(f"has a tag or comment of more than {XML_TOKEN_BYTES_MAX:,} bytes {where}")

    def take(self) -> list[Part]:
        """The parts since it was asked before."""
        parts, self._parts = self._parts, []
        return parts

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.waiting = 0
        if self._builder is None:
            if self._depth < len(self._opened) and tag in self._opened[self._depth]:
                self._parts.append(Begun(tag, attributes, self._expat.CurrentLineNumber))
                self._depth += 1
                return
            if not self._depth and self._opened:
                wanted = " or ".join(f"<{each}>" for each in sorted(self._opened[0]))
                raise InputFileError(f"its top element is <{tag[:40]}>, not {wanted}")
            self._builder, self._top, self._line = TreeBuilder(), self._depth, self._expat.CurrentLineNumber
            self._elements = self._chars = 0
        self._depth += 1
        if self._depth > XML_DEPTH_MAX:
            raise InputFileError(f"is nested deeper than {XML_DEPTH_MAX} elements")
        self._elements += 1
        if self._elements > XML_ELEMENTS_MAX:
            raise InputFileError(f"has an element with more than {XML_ELEMENTS_MAX:,} in it, at line {self._line}")
        self._grow(len(tag) + sum(len(name) + len(value) for name, value in attributes.items()))
        self._builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self.waiting = 0
        self._depth -= 1
        if self._builder is None:
            self._parts.append(Ended(tag))
            return
        self._builder.end(tag)
        if self._depth == self._top:
            self._parts.append(Whole(self._builder.close(), self._line))
            self._builder = None

    def _text(self, text: str) -> None:
        self.waiting = 0
        if self._builder is not None:
            self._grow(len(text))
            self._builder.data(text)

    def _grow(self, chars: int) -> None:
        self._chars += chars
        if self._chars > XML_ELEMENT_CHARS_MAX:
            what = f"has an element of more than {XML_ELEMENT_CHARS_MAX:,} characters, at line {self._line}"
            raise InputFileError(what)

    def _pass(self, *_: object) -> None:
        self.waiting = 0

    def _refuse(self, *_: object) -> NoReturn:
        raise InputFileError("has a document type or entities (<!DOCTYPE …>), which are refused")
