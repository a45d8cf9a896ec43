"""Datasets as other programs' files: a module or a folder for each format, and the table of the formats.

Modules here write into the folder that they are given; they read nothing but the samples, and know no dataset.
"""

from __future__ import annotations

from gonk_node.formats.export import class_folders, csv_labels, jsonl, voc, yolo
from gonk_node.formats.export.coco.exporter import write as write_coco
from gonk_node.formats.export.cvat.exporter import write as write_cvat
from gonk_node.formats.export.job import Exporter
from gonk_node.formats.export.label_studio.exporter import write as write_label_studio
from gonk_node.formats.export.shards import parquet, webdataset
from gonk_node.formats.yolo.shapes import DETECT, OBB, POSE, SEGMENT

EXPORTERS: dict[str, Exporter] = {
    "coco": write_coco,
    "csv": csv_labels.write,
    "cvat": write_cvat,
    "imagefolder": class_folders.writer("imagefolder", ()),
    "jsonl": jsonl.write,
    "label-studio": write_label_studio,
    "parquet": parquet.write,
    "voc": voc.write,
    "webdataset": webdataset.write,
    "yolo-classify": class_folders.writer("yolo", class_folders.SPLITS),
    "yolo-detect": yolo.writer(DETECT),
    "yolo-obb": yolo.writer(OBB),
    "yolo-pose": yolo.writer(POSE),
    "yolo-segment": yolo.writer(SEGMENT),
}

OF_ANY_SCHEMA = frozenset({"jsonl", "parquet", "webdataset"})
"""Exporters that take annotations of any schema, and rely on it that they fit."""
