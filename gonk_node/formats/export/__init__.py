"""Datasets as other programs' files: one module a format, and the table of the formats.

Modules here write into the folder that they are given; they read nothing but the samples, and know no dataset.
"""

from __future__ import annotations

from gonk_node.formats.export import class_folders, csv_labels, jsonl, voc, yolo
from gonk_node.formats.export.coco import exporter as coco
from gonk_node.formats.export.cvat import exporter as cvat
from gonk_node.formats.export.job import Exporter
from gonk_node.formats.export.label_studio import exporter as label_studio
from gonk_node.formats.export.shards import parquet, webdataset
from gonk_node.formats.yolo.shapes import DETECT, OBB, POSE, SEGMENT

EXPORTERS: dict[str, Exporter] = {
    "coco": coco.write,
    "csv": csv_labels.write,
    "cvat": cvat.write,
    "imagefolder": class_folders.writer("imagefolder", ()),
    "jsonl": jsonl.write,
    "label-studio": label_studio.write,
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
