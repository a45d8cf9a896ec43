"""datumaro_write.py FORMAT OUT IMAGE: writes a dataset of two images, with the annotations below, by datumaro itself."""

from __future__ import annotations

import sys

import datumaro
import numpy
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
    }
    wanted = {
        "coco_instances": ("box", "polygon", "mask"),
        "voc_detection": ("box",),
        "yolo": ("box",),
        "yolo_ultralytics": ("box",),
        "cvat": ("box", "polygon"),
    }[format_name]
    annotations = [each for kind in wanted for each in shapes[kind]]
    other = "val" if format_name == "yolo_ultralytics" else "train"
    grey = numpy.full((40, 60, 3), 128, numpy.uint8)
    split = [("a", "train", grey, annotations), ("b", other, grey + 1, [])]
    items = [
        datumaro.DatasetItem(
            name, subset=subset, media=Image.from_numpy(pixels), annotations=found, attributes={"id": number}
        )
        for number, (name, subset, pixels, found) in enumerate(split, 1)
    ]
    dataset = datumaro.Dataset.from_iterable(items, categories=LABELS)
    dataset.export(out, format_name, save_media=True, image_ext=".png")
    print("null")


if __name__ == "__main__":
    main()
