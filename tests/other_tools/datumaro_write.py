"""datumaro_write.py FORMAT OUT: writes a dataset of two images, with the annotations below, by datumaro itself.

`cvat_video` is CVAT's format for video: one track, through both images as frames.
"""

from __future__ import annotations

import sys

import datumaro
import numpy
from datumaro.components.annotation import RotatedBbox
from datumaro.components.media import Image

LABELS = ["cat", "dog"]


def main() -> None:
    format_name, out = sys.argv[1:]
    inside = numpy.zeros((40, 60), bool)
    inside[5:15, 10:30] = True
    shapes = {
        "box": [
            datumaro.Bbox(10, 5, 20, 10, label=1, id=1, group=1),
            datumaro.Bbox(0, 0, 7, 9, label=0, id=2, group=2),
        ],
        "polygon": [datumaro.Polygon([1, 1, 11, 1, 11, 21], label=0, id=3, group=3)],
        "mask": [datumaro.Mask(inside, label=1, id=4, group=4, attributes={"is_crowd": True})],
        "rotated": [RotatedBbox(20, 15, 10, 6, 30, label=0, id=5, group=5)],
        "line": [datumaro.PolyLine([1, 1, 11, 1, 11, 21], label=0, id=6, z_order=2)],
        "points": [datumaro.Points([1, 2, 3, 4], label=0, id=7)],
        "tag": [datumaro.Label(1, id=8)],
        "track": [
            datumaro.Bbox(10, 5, 20, 10, label=1, attributes={"track_id": 3, "keyframe": True, "occluded": True})
        ],
    }
    wanted = {
        "coco_instances": ("box", "polygon", "mask"),
        "voc_detection": ("box",),
        "yolo": ("box",),
        "yolo_ultralytics": ("box",),
        "cvat": ("box", "polygon", "mask", "rotated", "line", "points", "tag"),
        "cvat_video": ("track",),
    }[format_name]
    annotations = [each for kind in wanted for each in shapes[kind]]
    other = "val" if format_name == "yolo_ultralytics" else "train"
    grey = numpy.full((40, 60, 3), 128, numpy.uint8)
    moved = [
        datumaro.Bbox(each.x + 1, each.y, each.w, each.h, label=each.label, attributes=dict(each.attributes))
        for each in annotations
        if format_name == "cvat_video"
    ]
    split = [("a", "train", grey, annotations), ("b", other, grey + 1, moved)]
    items = [
        datumaro.DatasetItem(
            name,
            subset=subset,
            media=Image.from_numpy(pixels),
            annotations=found,
            attributes={"id": number, "frame": number},
        )
        for number, (name, subset, pixels, found) in enumerate(split, 1)
    ]
    dataset = datumaro.Dataset.from_iterable(items, categories=LABELS)
    more = {"use_track": True} if format_name == "cvat_video" else {}
    dataset.export(out, format_name.removesuffix("_video"), save_media=True, image_ext=".png", **more)
    print("null")


if __name__ == "__main__":
    main()
