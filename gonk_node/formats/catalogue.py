"""The formats by name, with a line about each for people: what `--help` says of them. The code of each is beside this."""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """One format.

    Attributes:
        name: as commands take it.
        what: what it is, and what of it is known; a few words.
        path: what an import is given.
    """

    name: str
    what: str
    path: str


CATALOGUE = (
    Format("jsonl", "gonk's own; any object, any schema", "the folder with objects.jsonl"),
    Format("webdataset", "shards; any object, any schema", "a .tar, or the folder with them"),
    Format("parquet", "tables; any object, any schema", "a .parquet, or the folder with them"),
    Format("coco", "boxes, outlines, masks, keypoints, captions", "a JSON file, or the folder with them"),
    Format("cvat", "shapes and tags of images, tracks of videos", "an XML file, or the folder with them"),
    Format("label-studio", "tasks of images, texts, sounds, videos", "a JSON file, or the folder with tasks.json"),
    Format("voc", "boxes", "the folder with XML files"),
    Format("yolo-detect", "boxes", "the folder with data.yaml"),
    Format("yolo-segment", "outlines", "the folder with data.yaml"),
    Format("yolo-pose", "keypoints", "the folder with data.yaml"),
    Format("yolo-obb", "turned boxes", "the folder with data.yaml"),
    Format("yolo-classify", "a label for each image", "the folder with one for each class"),
    Format("imagefolder", "a label for each image", "the folder with one for each class"),
    Format("csv", "labels of images", "a CSV file, or the folder with annotations.csv"),
)


def path_of(name: str) -> str:
    """What an import in the format of that name is given."""
    return next(each.path for each in CATALOGUE if each.name == name)


def import_help() -> str:
    """A line for each format, as a paragraph that click leaves as it is: its name, and what PATH is."""
    return _lines([(each.name, each.path) for each in CATALOGUE])


def export_help() -> str:
    """The same of what is written."""
    return _lines([(each.name, each.what) for each in CATALOGUE])


def _lines(pairs: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in pairs)
    return "\b\n" + "\n".join(f"{name:<{width}}  {text}" for name, text in pairs)
