"""YAML of strangers, read into plain values by PyYAML's parser, and values written as every reader of YAML takes them.

Read: texts, whole numbers, null, lists and mappings, however they are written. Refused, with line and column: anchors and
aliases (a few bytes can become gigabytes), tags, several documents, what is nested deep or has very many values. `no`, `on`
and `1.5` are texts: a class may be called so, and readers disagree about them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from gonk_node.core.limits import EXPORT_LABELS_MAX, YAML_DEPTH_MAX, YAML_VALUES_MAX
from gonk_node.errors import InputFileError

Value: TypeAlias = Any  # a text, a whole number, None, or a list or dict of those

_WHOLE = re.compile(r"[-+]?[0-9]{1,15}")
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*|-?[0-9]+")
_NULLS = frozenset(("", "~", "null"))
_WIDTH_CHARS = 1 << 30  # lines are never folded


def load(path: Path, bytes_max: int) -> Value:
    """The value in a file.

    Raises:
        InputFileError: it cannot be read, is larger than `bytes_max`, no UTF-8, or as of `parse`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > bytes_max:
        raise InputFileError(f"is larger than {bytes_max:,} bytes", where=str(path))
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputFileError(f"is not UTF-8 (at byte {error.start})", where=str(path)) from error
    except InputFileError as error:
        raise InputFileError(error.what, where=str(path)) from error


def parse(text: str) -> Value:
    """The same of a text; None of one that says nothing. Of a name that a mapping has twice the last one counts.

    Raises:
        InputFileError: it is no YAML, or something that is refused here; says in which line and column.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "cannot be read"
        raise _wrong(error.problem_mark or error.context_mark, f"is no YAML: {problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputFileError(f"line {line} is no YAML: {error.reason}") from error
    except (ValueError, OverflowError) as error:  # an escape beyond Unicode, a version of a thousand digits
        raise _wrong(builder.reached, f"is no YAML, or something after it is none: {error}") from error
    return builder.value


class _Builder:
    """Makes the value of the parser's events; a stack of its own, so that no depth overflows Python's."""

    def __init__(self) -> None:
        self.value: Value = None
        self.reached: Any = None  # the place of the last event
        self._open: list[list[Value] | dict[Value, Value]] = []
        self._keys: list[list[Value]] = []  # of each of those: the key that waits for its value, if it is a mapping
        self._documents = self._values = 0

    def take(self, event: Any) -> None:
        self.reached = event.start_mark
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _wrong(event.start_mark, "begins a second document")
        elif isinstance(event, yaml.NodeEvent):
            self._node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()

    def _node(self, event: Any) -> None:
        if event.anchor is not None:  # an alias has one too
            raise _wrong(event.start_mark, "has an anchor or alias, which are not read here")
        if event.tag is not None:
            raise _wrong(event.start_mark, "has a tag, which are not read here")
        self._values += 1
        if self._values > YAML_VALUES_MAX:
            raise _wrong(event.start_mark, f"is one of more than {YAML_VALUES_MAX:,} values")
        if isinstance(event, yaml.ScalarEvent):
            self._put(_scalar(event), event)
            return
        made: list[Value] | dict[Value, Value] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._put(made, event)
        self._open.append(made)
        self._keys.append([])
        if len(self._open) > YAML_DEPTH_MAX:
            raise _wrong(event.start_mark, f"is nested deeper than {YAML_DEPTH_MAX} lists and mappings")

    def _put(self, value: Value, event: Any) -> None:
        if not self._open:
            self.value = value
            return
        around = self._open[-1]
        if isinstance(around, list):
            around.append(value)
        elif not self._keys[-1]:
            if isinstance(value, list | dict):
                raise _wrong(event.start_mark, "has a list or mapping for a name")
            self._keys[-1].append(value)
        else:
            around[self._keys[-1].pop()] = value
        if len(around) > EXPORT_LABELS_MAX:
            raise _wrong(event.start_mark, f"is one of more than {EXPORT_LABELS_MAX:,} entries")


def _scalar(event: Any) -> str | int | None:
    text: str = event.value
    if event.style is None:
        if _WHOLE.fullmatch(text):
            return int(text)
        if text in _NULLS:
            return None
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise _wrong(event.start_mark, "has an escape that is no character")
    return text


def _wrong(mark: Any, what: str) -> InputFileError:
    place = "it" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
    return InputFileError(f"{place} {what}")


def dump(value: Value) -> str:
    """A value as YAML, the same bytes for the same value: texts in double quotes, names in the order that they have.

    So all readers take it alike, whether they follow YAML 1.1 or 1.2. Lists of lists or mappings have an entry a line,
    other lists are in brackets.
    """
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH_CHARS)
    return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - what PyYAML asks
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"')

    def list(self, data: list[Any]) -> yaml.SequenceNode:
        flat = not any(isinstance(each, list | dict) for each in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)

    def mapping(self, data: dict[Any, Any]) -> yaml.MappingNode:
        node = self.represent_mapping("tag:yaml.org,2002:map", data, flow_style=False)
        for key, _ in node.value:
            if _WORD.fullmatch(key.value):
                key.style = None  # PyYAML still quotes `no`
        return node


_Dumper.add_representer(str, _Dumper.text)
_Dumper.add_representer(list, _Dumper.list)
_Dumper.add_representer(dict, _Dumper.mapping)
