"""hugging_face_write.py OUT: writes OUT/train.parquet by Hugging Face's datasets: images with classes and captions."""

from __future__ import annotations

import sys
from pathlib import Path

import datasets
import numpy
from PIL import Image


def main() -> None:
    (out,) = sys.argv[1:]
    grey = [Image.fromarray(numpy.full((40, 60, 3), 100 + number, numpy.uint8)) for number in range(3)]
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
            "tags": datasets.Sequence(datasets.ClassLabel(names=["indoors", "night"])),
            "caption": datasets.Value("string"),
            "image_id": datasets.Value("int64"),
            "boxes": datasets.Sequence(datasets.Sequence(datasets.Value("float32"))),
        }
    )
    columns = {
        "image": grey,
        "label": [1, 0, -1],
        "tags": [[0, 1], [], [1]],
        "caption": ["A dog.", "A cat.", None],
        "image_id": [7, 8, 9],
        "boxes": [[[1.0, 2.0, 3.0, 4.0]], [], []],
    }
    made = datasets.Dataset.from_dict(columns, features=features)
    Path(out).mkdir()
    made.to_parquet(str(Path(out) / "train.parquet"))
    print("null")


if __name__ == "__main__":
    main()
