"""A labelling config of Label Studio, as far as tasks are read by it: which data they label, and with which labels.

Format: https://labelstud.io/tags. The config is a file of its own, beside that of the tasks: `label_config.xml`, or
`NAME.label_config.xml` beside `NAME.json`, as Label Studio's own converters call it. `export.label_studio.config` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from gonk_node.core.limits import LABEL_STUDIO_CONFIG_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats import strict_xml
from gonk_node.formats.label_set import Label, declared_label

FILE = "label_config.xml"
KINDS = {"Image": "image", "Text": "text", "Audio": "audio", "AudioPlus": "audio", "Video": "video"}
"""What the tags of data stand for; of others (HTML, dialogues, time series, …) objects are not made."""

_RGBA = re.compile(r"rgba?\( *(\d{1,3}) *, *(\d{1,3}) *, *(\d{1,3}) *(?:, *1(?:\.0)? *)?\)")
RELATIONS = "Relations"
"""What labels of relations are asked for by: their tag needs no name."""


@dataclass(frozen=True, slots=True)
class Control:
    """A tag with which something is labelled.

    Attributes:
        tag: such as RectangleLabels.
        to_name: the name of the data that it labels.
        attributes: as the file has them.
        labels: with their colours and keys.
    """

    tag: str
    to_name: str
    attributes: dict[str, str]
    labels: list[Label] = field(default_factory=list)

    @property
    def multiple(self) -> bool:
        """Whether several choices can hold at once."""
        return self.attributes.get("choice") == "multiple"


@dataclass(frozen=True, slots=True)
class Data:
    """A tag that shows a part of a task: its kind (see KINDS, "" for others), and the name of that part."""

    kind: str
    key: str
    attributes: dict[str, str]


@dataclass(slots=True)
class LabelConfig:
    """What a config says; empty where there is none."""

    place: str = ""
    data: dict[str, Data] = field(default_factory=dict)  # by name
    controls: dict[str, Control] = field(default_factory=dict)  # by name
    relations: list[Label] = field(default_factory=list)

    def labels(self, names: Iterable[str]) -> tuple[Label, ...]:
        """The labels of some controls, each once; a hotkey only with the first that has it, as label sets are to be.

        Args:
            names: of the controls, or RELATIONS.
        """
        found: dict[str, Label] = {}
        keys: set[str | None] = set()
        for name in names:
            control = self.controls.get(name)
            for label in self.relations if name == RELATIONS else control.labels if control is not None else ():
                if label.id not in found:
                    free = label.hotkey not in keys
                    found[label.id] = label if free else Label(label.id, label.name, colour=label.colour)
                    keys.add(label.hotkey)
        return tuple(found.values())


def config_of(tasks: str) -> str:
    """The name of the config beside a file of tasks of that name, in an export."""
    return FILE if tasks == "tasks.json" else f"{tasks.removesuffix('.json')}.{FILE}"


def find(tasks: Path) -> Path | None:
    """The config beside a file of tasks; None where there is none."""
    beside = (tasks.with_name(f"{tasks.stem}.{FILE}"), tasks.with_name(FILE))
    return next((path for path in beside if path.is_file()), None)


def read(file: Path) -> LabelConfig:
    """Read a config.

    Raises:
        InputFileError: it cannot be read, is too large, or is no XML.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(LABEL_STUDIO_CONFIG_BYTES_MAX + 1)
        if len(text) > LABEL_STUDIO_CONFIG_BYTES_MAX:
            raise InputFileError(f"is larger than {LABEL_STUDIO_CONFIG_BYTES_MAX:,} bytes")
        top = strict_xml.parse(text)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except InputFileError as error:
        raise InputFileError(error.what, where=str(file), hint="it is to say what the tasks beside it label") from error
    config = LabelConfig(str(file))
    _read(top, None, config)
    return config


def _read(element: Element, above: Control | None, config: LabelConfig) -> None:
    """Take an element and what is in it; strict_xml bounds how deep that is."""
    attributes = dict(element.attrib)
    name, to_name, value = attributes.get("name"), attributes.get("toName"), attributes.get("value", "")
    if name and to_name:
        above = config.controls.setdefault(name, Control(element.tag, to_name.partition(",")[0], attributes))
    elif name and value.startswith("$"):
        config.data.setdefault(name, Data(KINDS.get(element.tag, ""), value[1:], attributes))
    elif element.tag in ("Label", "Choice", "Relation"):
        label = _label(attributes)
        if label is not None and element.tag == "Relation":
            config.relations.append(label)
        elif label is not None and above is not None:
            above.labels.append(label)
    for child in element:
        _read(child, above, config)


def _label(attributes: dict[str, str]) -> Label | None:
    name = attributes.get("alias") or attributes.get("value", "")
    return declared_label(name, colour=_colour(attributes.get("background")), hotkey=attributes.get("hotkey"))


def _colour(text: str | None) -> str | None:
    """As #rrggbb where it is an rgb(…) that is not transparent; else as it is."""
    found = _RGBA.fullmatch(text or "")
    parts = [int(part) for part in found.groups()] if found is not None else []
    return "#" + bytes(parts).hex() if parts and max(parts) < 256 else text
