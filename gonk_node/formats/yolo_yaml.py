"""`data.yaml` of YOLO datasets: the part of YAML that such files use, read and written. It is no YAML library.

Read: keys at the left edge with a text, a number, or a flow list or mapping on the same line; or below them a block list or
mapping of such values. Anything else (anchors, tags, deeper blocks, texts over several lines) is refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from gonk_node.core.limits import EXPORT_LABELS_MAX, YOLO_YAML_BYTES_MAX
from gonk_node.errors import InputFileError

Value: TypeAlias = Any  # a text, a whole number, None, or a list or dict of those

_BLANK = re.compile(r"[ \t]*")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_SINGLE = re.compile(r"'((?:[^']|'')*+)'")
_PLAIN_KEY = re.compile(r"[^\s\"'\[\]{},#&*!|>%@`-][^:#]*?(?=\s*:(?:\s|$))")
_PLAIN = re.compile(r"[^\s\"'\[\]{},#&*!|>%@`](?:[^#]|(?<!\s)#)*")
_PLAIN_IN_FLOW = re.compile(r"[^\s\"'\[\]{},#&*!|>%@`](?:[^#,\[\]{}:]|:(?=\S)|(?<!\s)#)*")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "_": "\xa0",
}
_WHOLE = re.compile(r"[-+]?\d{1,15}$")
_DEPTH_MAX = 3


def load(path: Path) -> dict[str, Value]:
    """The keys of a file with their values.

    Raises:
        InputFileError: it cannot be read, is too large, no UTF-8, or not of that part of YAML; says in which line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(YOLO_YAML_BYTES_MAX + 1)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > YOLO_YAML_BYTES_MAX:
        raise InputFileError(f"is larger than {YOLO_YAML_BYTES_MAX:,} bytes", where=str(path))
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputFileError(f"is not UTF-8 (at byte {error.start})", where=str(path)) from error
    except InputFileError as error:
        raise InputFileError(error.what, where=str(path)) from error


def parse(text: str) -> dict[str, Value]:
    """The same of a text."""
    found: dict[str, Value] = {}
    key: str | None = None
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        cursor = _Cursor(line, number)
        if cursor.at_end() or line.startswith("---"):
            continue
        if line[0] not in " \t-":
            name, value = cursor.pair()
            key = str(name)
            found[key] = value
        elif key is None:
            raise cursor.wrong("belongs to no key")
        else:
            found[key] = _with_line(found[key], cursor)
        cursor.end()
    return found


def _with_line(value: Value, cursor: _Cursor) -> Value:
    """A block list or mapping and what another line adds to it."""
    if cursor.take("- "):
        value = [] if value is None else value
        if not isinstance(value, list):
            raise cursor.wrong("is no part of a list")
        value.append(cursor.value())
    else:
        value = {} if value is None else value
        if not isinstance(value, dict):
            raise cursor.wrong("is no part of a mapping")
        name, below = cursor.pair()
        value[name] = below
    if len(value) > EXPORT_LABELS_MAX:
        raise cursor.wrong(f"is one of more than {EXPORT_LABELS_MAX:,} entries")
    return value


class _Cursor:
    """One line, read from the left."""

    def __init__(self, text: str, number: int) -> None:
        self._text = text
        self._number = number
        self._at = 0

    def wrong(self, what: str) -> InputFileError:
        return InputFileError(f"line {self._number} {what}: {self._text[:60]!r}")

    def at_end(self) -> bool:
        self._blank()
        return self._at >= len(self._text) or self._text[self._at] == "#"

    def end(self) -> None:
        if not self.at_end():
            raise self.wrong("is no YAML that is read here")

    def take(self, sign: str) -> bool:
        self._blank()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def pair(self) -> tuple[Value, Value]:
        """`key: value`; None where nothing follows."""
        self._blank()
        text = self._quoted()
        key = _typed(self._match(_PLAIN_KEY)) if text is None else text
        if not self.take(":"):
            raise self.wrong("has no colon")
        return key, None if self.at_end() else self.value()

    def value(self, flow: int = 0) -> Value:
        """A text, a number, a flow list or a flow mapping."""
        if flow > _DEPTH_MAX:
            raise self.wrong("is nested too deep")
        self._blank()
        text = self._quoted()
        if text is not None:
            return text
        if self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.value(flow + 1))
                self._comma("]")
            return items
        if self.take("{"):
            members: dict[Value, Value] = {}
            while not self.take("}"):
                name = self.value(flow + 1)
                if isinstance(name, list | dict) or not self.take(":"):
                    raise self.wrong("has no colon")
                members[name] = self.value(flow + 1)
                self._comma("}")
            return members
        return _typed(self._match(_PLAIN_IN_FLOW if flow else _PLAIN))

    def _comma(self, close: str) -> None:
        if not self.take(",") and not self._text.startswith(close, self._at):
            raise self.wrong("misses a comma")

    def _quoted(self) -> str | None:
        if (found := _DOUBLE.match(self._text, self._at)) is not None:
            self._at = found.end()
            return _ESCAPE.sub(self._unescaped, found[1])
        if (found := _SINGLE.match(self._text, self._at)) is not None:
            self._at = found.end()
            return found[1].replace("''", "'")
        return None

    def _unescaped(self, found: re.Match[str]) -> str:
        digits = found[1] or found[2] or found[3]
        code = int(digits, 16) if digits else -1
        if not digits:
            return _ESCAPES.get(found[4], found[4])
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise self.wrong("has an escape that is no character")
        return chr(code)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self.wrong("is no YAML that is read here")
        self._at = found.end()
        return found[0].strip()

    def _blank(self) -> None:
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at


def _typed(text: str) -> str | int | None:
    if _WHOLE.match(text):
        return int(text)
    return None if text in ("", "~", "null") else text


def quoted(text: str) -> str:
    """A text in double quotes, as every reader of YAML 1.1 and 1.2 has it."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def dump(pairs: Mapping[str, str], names: Mapping[int, str], points: Mapping[int, Iterable[str]]) -> str:
    """A `data.yaml`.

    Args:
        pairs: keys with values as they stand in the file.
        names: of the classes, by index.
        points: names of the keypoints of each class; empty without any.
    """
    lines = [f"{key}: {value}" for key, value in pairs.items()]
    lines += ["names:" if names else "names: {}", *(f"  {index}: {quoted(name)}" for index, name in names.items())]
    if points:
        lists = {index: ", ".join(map(quoted, own)) for index, own in points.items()}
        lines += ["kpt_names:", *(f"  {index}: [{own}]" for index, own in lists.items())]
    return "\n".join([*lines, ""])
