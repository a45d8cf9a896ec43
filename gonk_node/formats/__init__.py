"""Other people's files: one module a format, and the table of the formats.

Modules here read the files they are given, and know no dataset; they write nothing but temporary files of what they unpack.
"""

from __future__ import annotations

from gonk_node.formats import class_folders, csv_labels, jsonl, voc
from gonk_node.formats.coco import importer as coco
from gonk_node.formats.cvat import importer as cvat
from gonk_node.formats.label_studio import importer as label_studio
from gonk_node.formats.parquet import importer as parquet
from gonk_node.formats.sample import Importer
from gonk_node.formats.webdataset import importer as webdataset
from gonk_node.formats.yolo import importer as yolo
from gonk_node.formats.yolo.shapes import DETECT, OBB, POSE, SEGMENT

IMPORTERS: dict[str, Importer] = {
    "coco": coco.read,
    "csv": csv_labels.read,
    "cvat": cvat.read,
    "imagefolder": class_folders.reader("imagefolder", ()),
    "jsonl": jsonl.read,
    "label-studio": label_studio.read,
    "parquet": parquet.read,
    "voc": voc.read,
    "webdataset": webdataset.read,
    "yolo-classify": class_folders.reader("yolo", class_folders.SPLITS),
    "yolo-detect": yolo.reader(DETECT),
    "yolo-obb": yolo.reader(OBB),
    "yolo-pose": yolo.reader(POSE),
    "yolo-segment": yolo.reader(SEGMENT),
}

IMAGES_BESIDE = frozenset({"coco", "csv", "cvat", "label-studio", "voc"})
"""Formats whose files do not say where the images are."""
