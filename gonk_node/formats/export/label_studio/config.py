"""The labelling config that makes Label Studio show what is in a file of tasks, and by which its converter reads them.

Format: https://labelstud.io/tags. Names of tags are those that the tasks came with, as far as one tag has one name; labels
come with the colours, keys and numbers of their label sets. Made in two passes: first everything is asked for, then written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from gonk_node.core.limits import EXPORT_LABELS_MAX, LABEL_STUDIO_TAGS_MAX
from gonk_node.errors import InputFileError, RefusedError
from gonk_node.formats.label_set import Label
from gonk_node.formats.label_studio.config import KINDS, RELATIONS
from gonk_node.formats.loss import Loss
from gonk_node.state.strict_json import Json

_NAME = re.compile(r"[^\W\d][\w .:-]{0,99}")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_LABEL = {"Choices": "Choice", "Relations": "Relation"}  # what a label is called there; Label elsewhere
_TAGS = {kind: tag for tag, kind in reversed(KINDS.items())}
_UNNUMBERED = 1 << 60


_ONE = (("choice", "single"),)
_SEVERAL = (("choice", "multiple"),)


class Control(NamedTuple):
    """A sort of tag: what can be said with it, wherever it stands.

    Attributes:
        tag: such as RectangleLabels.
        name: what it is called where nothing else is wanted.
        attributes: beyond its name.
    """

    tag: str
    name: str
    attributes: tuple[tuple[str, str], ...] = ()


class Config:
    """The config of the tasks of one kind of data.

    Args:
        kind: of the data: "image", "text", "audio" or "video".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._controls: dict[str, Control] = {}  # by name
        self._labels: dict[str, dict[str, Label | None]] = {}  # by the name of the control, and theirs
        self._label_count = 0
        self._keys: Counter[str] = Counter()
        self._names: Counter[str] = Counter()
        self.channels = False  # whether channels of sounds are told apart

    def add_data(self, key: Json, name: Json) -> None:
        """Take note of what the data of a task, and its tag, were called."""
        for counter, wanted in ((self._keys, key), (self._names, name)):
            if (
                isinstance(wanted, str)
                and _NAME.fullmatch(wanted)
                and (wanted in counter or len(counter) < LABEL_STUDIO_TAGS_MAX)
            ):
                counter[wanted] += 1

    def control(self, control: Control, wanted: Json = None) -> str:
        """The name of a tag of that sort; the same for the same question, also in a later pass.

        Args:
            control: the sort.
            wanted: what it was called where it comes from.

        Raises:
            InputFileError: there would be too many tags.
        """
        name = control.name
        room = len(self._controls) < LABEL_STUDIO_TAGS_MAX
        known = isinstance(wanted, str) and wanted in self._controls
        if isinstance(wanted, str) and _NAME.fullmatch(wanted) and (room or known) and self._fits(wanted, control):
            name = wanted
        number = 1
        while not self._fits(name, control):
            number += 1
            name = f"{control.name}-{number}"
        if number > 1 and not room and name not in self._controls:  # there is always room for the first of each sort
            raise InputFileError(f"needs one more tag than {LABEL_STUDIO_TAGS_MAX} in the labelling config")
        if self._controls.setdefault(name, control).attributes == _ONE:
            self._controls[name] = control  # perhaps of several
        return name

    def _fits(self, name: str, control: Control) -> bool:
        """Whether a tag of that name is free, or one by which the same can be said."""
        other = self._controls.get(name)
        if other is None:
            return name not in (*_TAGS, RELATIONS)
        choices = {other.attributes, control.attributes} <= {_ONE, _SEVERAL}
        return other.tag == control.tag and (other.attributes == control.attributes or choices)

    def add_label(self, name: str, label: str, said: Label | None = None) -> None:
        """A label that something has, or could have.

        Args:
            name: of the control, as `control` gave it; RELATIONS for those of relations.
            label: what it is called.
            said: what the label set says of it.

        Raises:
            RefusedError: there are more than EXPORT_LABELS_MAX.
        """
        labels = self._labels.setdefault(name, {})
        if label not in labels:
            self._label_count += 1
            if self._label_count > EXPORT_LABELS_MAX:
                raise RefusedError(f"the labelling config would have more than {EXPORT_LABELS_MAX:,} labels")
        if labels.get(label) is None:
            labels[label] = said

    @property
    def key(self) -> str:
        """What the data of each task is called."""
        return _most_common(self._keys, self.kind)

    @property
    def to_name(self) -> str:
        """The name of the tag that shows it."""
        name = _most_common(self._names, self.kind)
        return name if name not in self._controls else self.kind

    def document(self, order: Mapping[str, int], loss: Loss) -> bytes:
        """The file.

        Args:
            order: places of labels in their label sets, by what they are called.
            loss: where it is told which labels XML cannot have.
        """
        shown = {"name": self.to_name, "value": f"${self.key}"}
        if self.channels:
            shown["splitchannels"] = "true"
        lines = ["<View>", f"  <{_TAGS[self.kind]}{_attributes(shown)}/>"]
        given = _Given(loss)
        for name, control in sorted(self._controls.items()):
            said = {"name": name, "toName": self.to_name, **dict(control.attributes)}
            lines += given.element(control.tag, said, self._in_order(name, order))
        if RELATIONS in self._labels:
            lines += given.element(RELATIONS, {}, self._in_order(RELATIONS, order))
        return "\n".join([*lines, "</View>", ""]).encode()

    def _in_order(self, name: str, order: Mapping[str, int]) -> list[tuple[str, Label | None]]:
        labels = self._labels.get(name, {})
        return sorted(labels.items(), key=lambda item: (order.get(item[0], _UNNUMBERED), item[0]))


def _most_common(counter: Counter[str], default: str) -> str:
    return min(counter, key=lambda name: (-counter[name], name), default=default)


class _Given:
    """Elements of one config, and what of them may be there once only.

    Args:
        loss: where it is told which labels cannot be in a config.
    """

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._keys: set[str] = set()  # one key chooses one label, whatever tags have it
        self._points: dict[str, int] = {}  # their converter puts the keypoints of all tags in one order

    def element(self, tag: str, attributes: Mapping[str, str], labels: Iterable[tuple[str, Label | None]]) -> list[str]:
        """The lines of a control with its labels."""
        inside = []
        for name, label in labels:
            if _NOT_XML.search(name) or name.startswith("$"):
                what = "labels in the config that begin with $ or have control characters"
                self._loss.not_carried(f"label {name[:80]!r}", what)
                continue
            said = {"value": name}
            if label is not None and label.colour is not None:
                said["background"] = label.colour
            if label is not None and label.hotkey is not None and label.hotkey not in self._keys:
                self._keys.add(label.hotkey)
                said["hotkey"] = label.hotkey
            if tag == "KeyPointLabels":
                said["model_index"] = str(self._points.setdefault(name, len(self._points)))
            elif label is not None and label.index is not None:
                said["category"] = str(label.index)  # its number in what their converter makes of it
            inside.append(f"    <{_LABEL.get(tag, 'Label')}{_attributes(said)}/>")
        if not inside:
            return [f"  <{tag}{_attributes(attributes)}/>"]
        return [f"  <{tag}{_attributes(attributes)}>", *inside, f"  </{tag}>"]


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())
