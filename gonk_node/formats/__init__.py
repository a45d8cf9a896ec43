"""Other people's files: a module or a folder for each format, and the table of the formats.

Importers read the files they are given, and write nothing but temporary files of what they unpack. Nothing here knows a
dataset.
"""

from __future__ import annotations

from gonk_node.formats import class_folders, csv_labels, jsonl, voc
from gonk_node.formats.coco.importer import read as read_coco
from gonk_node.formats.cvat.importer import read as read_cvat
from gonk_node.formats.label_studio.importer import read as read_label_studio
from gonk_node.formats.parquet.importer import read as read_parquet
from gonk_node.formats.sample import Importer
from gonk_node.formats.webdataset.importer import read as read_webdataset
from gonk_node.formats.yolo.importer import reader as reader_of_yolo
from gonk_node.formats.yolo.shapes import DETECT, OBB, POSE, SEGMENT

IMPORTERS: dict[str, Importer] = {
    "coco": read_coco,
    "csv": csv_labels.read,
    "cvat": read_cvat,
    "imagefolder": class_folders.reader("imagefolder", ()),
    "jsonl": jsonl.read,
    "label-studio": read_label_studio,
    "parquet": read_parquet,
    "voc": voc.read,
    "webdataset": read_webdataset,
    "yolo-classify": class_folders.reader("yolo", class_folders.SPLITS),
    "yolo-detect": reader_of_yolo(DETECT),
    "yolo-obb": reader_of_yolo(OBB),
    "yolo-pose": reader_of_yolo(POSE),
    "yolo-segment": reader_of_yolo(SEGMENT),
}

IMAGES_BESIDE = frozenset({"coco", "csv", "cvat", "label-studio", "voc"})
"""Formats whose files do not say where the images are."""
