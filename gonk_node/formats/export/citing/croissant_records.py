"""The record sets of croissant.json: what the files of an export hold, field by field, where Croissant has words for it.

That is CSV, JSONL and COCO. Each field is one that every record has, or may lack without moving the others. Exports in the
other formats are told as files only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gonk_node import schemas as shipped
from gonk_node.formats.export.citing.croissant import Node, file_object
from gonk_node.formats.inventory import Inventory
from gonk_node.state.release_notes import is_url


class Described(NamedTuple):
    """What was found to say.

    Attributes:
        record_sets: of all files.
        parts: further file objects, each for a record set of a file that has several.
        conforms_to: by path of a file: the schemas that the bodies in it follow, by their `$id`.
    """

    record_sets: list[Node]
    parts: list[Node]
    conforms_to: dict[str, list[str]]


def describe(format_name: str, inventory: Inventory, schemas: Mapping[str, bytes]) -> Described:
    """The record sets of an export.

    Args:
        format_name: one of `formats.export.EXPORTERS`.
        inventory: of its files.
        schemas: the documents of the schemas of the dataset, by name (without `schema-`).
    """
    describer = _DESCRIBERS.get(format_name)
    return Described([], [], {}) if describer is None else describer(inventory, schemas)


class _Column(NamedTuple):
    """A field: its name, type (or types), where it is, in words what; how a box is written; whether it is an array."""

    name: str
    data_type: str | Sequence[str]
    extract: Node
    description: str
    format: str = ""
    is_array: bool = False


def _field(record_set: str, file: str, column: _Column, transform: Node | None = None) -> Node:
    source: Node = {"fileObject": {"@id": file}, "extract": column.extract}
    source |= {"transform": transform} if transform else {}
    source |= {"format": column.format} if column.format else {}
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        "description": column.description,
        "dataType": column.data_type,
        "source": source,
        **({"isArray": True, "arrayShape": "-1"} if column.is_array else {}),
    }


def _record_set(name: str, file: str, columns: Sequence[_Column], description: str, **more: Any) -> Node:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        **more,
        "field": [_field(name, file, column) for column in columns],
    }


# --- CSV ---------------------------------------------------------------------------------------------------


def _csv(_inventory: Inventory, _schemas: Mapping[str, bytes]) -> Described:
    guard = "One that would begin as a formula has a ' before it."
    said = {
        "file_name": ("sc:Text", f"The image, a path below images. {guard}"),
        "label": (["sc:Text", "cr:Label"], f"What is in the image; empty where nobody said. {guard}"),
        "score": ("sc:Float", "How sure who labelled it was, from 0 to 1; empty where that is not known."),
        "annotation": (
            "sc:Integer",
            "Rows of one image with the same number here are one list of labels; empty for one label by itself.",
        ),
    }
    columns = [_Column(name, kind, {"column": name}, text) for name, (kind, text) in said.items()]
    return Described([_record_set("labels", "annotations.csv", columns, "A row for each label of an image.")], [], {})


# --- JSONL -------------------------------------------------------------------------------------------------

_OBJECT = (
    ("uuid", "sc:Text", "The object in the dataset, 32 hex digits."),
    ("version", "sc:Integer", "Of the object, from 0."),
    ("name", "sc:Text", "What the object is called."),
    ("media_type", "sc:Text", "Of its file."),
    ("size", "sc:Integer", "Of its file, in bytes."),
    ("sha256", "sc:Text", "Of its file, 64 hex digits."),
    ("file", "sc:Text", "Its file, a path in this folder."),
)
_ANNOTATION = (
    ("uuid", "sc:Text", "The annotation in the dataset, 32 hex digits.", "uuid"),
    ("version", "sc:Integer", "Of the annotation, from 0.", "version"),
    ("schema", "sc:Text", "The name of its schema, which is in schemas.jsonl.", "schema"),
    ("schema_version", "sc:Integer", "Of the schema, from 0.", "schema_version"),
)
_LABEL = ("label", ["sc:Text", "cr:Label"], "Its label, where the body has one: an id in labels.jsonl.", "body.label")


def _jsonl(inventory: Inventory, schemas: Mapping[str, bytes]) -> Described:
    file, name = "objects.jsonl", "objects"
    has_files = any(each.folder == "files" for each in inventory.sets())
    ids = sorted({found for document in schemas.values() if (found := _schema_id(document))})
    columns = [_Column(each, kind, {"column": each}, text) for each, kind, text in _OBJECT[: None if has_files else -1]]
    made = _record_set(
        name, file, columns, "An object of the dataset with its annotations.", key={"@id": "objects/uuid"}
    )
    ours = all(each in shipped.names() and document == shipped.load(each) for each, document in schemas.items())
    below = [
        _field(f"{name}/annotations", file, _Column(each, kind, {"column": "annotations"}, text), {"jsonPath": path})
        for each, kind, text, path in (*_ANNOTATION, *([_LABEL] if ours else []))  # in others it may be anything
    ]
    annotations = {
        "@type": "cr:Field",
        "@id": f"{name}/annotations",
        "name": "annotations",
        "description": "What was annotated on the object. Each has a body besides, as its schema says.",
        "dataType": ["cr:Label", *ids],
        "isArray": True,
        "subField": below,
    }
    made["field"].append(annotations)
    return Described([made], [], {file: ids} if ids else {})


def _schema_id(document: bytes) -> str:
    """The `$id` of a schema, if it is an address; else ""."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        return ""
    found = value.get("$id") if isinstance(value, dict) else None
    return found if isinstance(found, str) and is_url(found) else ""


# --- COCO --------------------------------------------------------------------------------------------------

_IDS = (("id", "sc:Integer", "The annotation."), ("image_id", "sc:Integer", "The id of its image, see images."))
_OF_THINGS = (
    *_IDS,
    ("category_id", "sc:Integer", "The id of its category, see the record set of categories."),
    ("bbox", "cr:BoundingBox", "x and y of the top left corner, width and height, in pixels."),
    ("area", "sc:Float", "Of the thing, in pixels."),
    ("iscrowd", "sc:Integer", "1 for a group of things that are not told apart, else 0."),
)
_OF_FILES = {
    "instances": _OF_THINGS,
    "person_keypoints": (
        *_OF_THINGS,
        ("num_keypoints", "sc:Integer", "How many points are labelled."),
        ("keypoints", "sc:Float", "x, y and visibility of each point of the category, one after the other."),
    ),
    "captions": (*_IDS, ("caption", "sc:Text", "What is said of the image.")),
}
_IMAGE = (("id", "sc:Integer", "The image."), ("file_name", "sc:Text", "Its path below images."))
_CATEGORY = (
    ("id", "sc:Integer", "The category."),
    ("name", ["sc:Text", "cr:Label"], "What it is called."),
    ("supercategory", "sc:Text", "What it is a kind of; empty where nobody said."),
)


def _coco(inventory: Inventory, _schemas: Mapping[str, bytes]) -> Described:
    described, files = Described([], [], {}), {file.path: file for file in inventory.files()}
    for kind, columns in _OF_FILES.items():
        file = files.get(f"annotations/{kind}_default.json")
        if file is None:
            continue
        described.record_sets.append(_of_array(kind, file.path, "annotations", columns, f"Annotations of {file.path}."))
        parts: dict[str, tuple[str, Any]] = {"images": ("images", _IMAGE)} if kind == "instances" else {}
        if kind != "captions":
            parts["categories"] = (f"{kind}_categories", _CATEGORY)
        for part, (name, fields) in parts.items():
            node = file_object(file, part)
            described.parts.append(node)
            text = f"The {part} of {file.path}."
            described.record_sets.append(_of_array(name, node["@id"], part, fields, text))
    return described


def _of_array(name: str, file: str, array: str, fields: Sequence[tuple[str, Any, str]], description: str) -> Node:
    columns = [
        _Column(
            name=each,
            data_type=kind,
            extract={"jsonPath": f"$.{array}[*].{each}"},
            description=text,
            format="XYWH" if each == "bbox" else "",
            is_array=each == "keypoints",
        )
        for each, kind, text in fields
    ]
    more = {"dataType": "sc:Enumeration"} if array == "categories" else {}
    return _record_set(name, file, columns, description, key={"@id": f"{name}/id"}, **more)


_DESCRIBERS: dict[str, Callable[[Inventory, Mapping[str, bytes]], Described]] = {
    "coco": _coco,
    "csv": _csv,
    "jsonl": _jsonl,
}
