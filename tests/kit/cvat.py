"""CVAT files made by hand, and what an importer makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedLabels, Record
from gonk_node.state.strict_json import Problem
from kit import formats

OWNER = "<owner><username>ada</username><email>ada@example.org</email></owner>"
TASK = f"<id>4</id><name>cells</name><mode>annotation</mode><created>2024-01-02</created><updated>2024-01-03</updated>{OWNER}"
VIDEO_TASK = (
    "<id>5</id><name>street</name><mode>interpolation</mode><source>clip.mp4</source>"
    "<original_size><width>640</width><height>480</height></original_size>"
)


def label(name: str, more: str = "") -> str:
    return f"<label><name>{name}</name>{more}</label>"


def document(content: str, *, labels: str = "", task: str = TASK, kind: str = "task") -> str:
    """A file with those images or tracks."""
    meta = f"<meta><{kind}>{task}<labels>{labels}</labels></{kind}></meta>"
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
    return f"{head}{meta}\n{content}\n</annotations>\n"


def image(shapes: str = "", name: str = "a.png", more: str = "") -> str:
    return f'<image id="7" name="{name}" width="64" height="48"{more}>\n{shapes}\n</image>'


def track(shapes: str, label: str = "car", more: str = "") -> str:
    return f'<track id="3" label="{label}" source="manual"{more}>\n{shapes}\n</track>'


def box(more: str = "", corners: tuple[str, ...] = ("1", "2", "4.5", "7.25"), content: str = "") -> str:
    said = " ".join(f'{name}="{value}"' for name, value in zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True))
    return f"<box {said} {more}>{content}</box>"


class Cvat:
    """A folder with `annotations.xml` and `images`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "annotations.xml"
        self.images = folder / "images"
        self.images.mkdir()
        self.add("a.png", formats.png())

    def add(self, name: str, data: bytes = b"bytes") -> Path:
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def read(self, text: str, images: Path | None = None, source: Path | None = None) -> list[Record]:
        """What the importer makes of a file with that text."""
        self.file.write_text(text)
        return formats.read("cvat", source or self.file, images or self.images)

    def without_images(self, text: str) -> list[Record]:
        """The same, where there is no folder with images."""
        self.file.write_text(text)
        return formats.read("cvat", self.file, None)


def said(records: list[Record]) -> list[tuple[str, dict[str, Any]]]:
    """(schema, whole body) of all annotations."""
    return [(each.schema, json.loads(each.body)) for each in records if isinstance(each, ImportedAnnotation)]


def kept(records: list[Record]) -> list[dict[str, Any]]:
    """`attributes.cvat` of all annotations."""
    return [body["attributes"]["cvat"] for _, body in said(records)]


def problems(records: list[Record]) -> list[str]:
    """What was left out, without the file: "line 7: <box>: what"."""
    found = [each for each in records if isinstance(each, Problem)]
    return [f"{each.place.rpartition('.xml: ')[2]}: {each.what}" for each in found]


def lost(records: list[Record]) -> list[str]:
    return [each.what for each in records if isinstance(each, NotCarried)]


def labels(records: list[Record]) -> dict[str, ImportedLabels]:
    return {each.schema: each for each in records if isinstance(each, ImportedLabels)}
