"""label_studio_write.py FROM IN OUT: Label Studio's converters make tasks of COCO (a file) or YOLO (a folder)."""

from __future__ import annotations

import sys

from label_studio_sdk.converter.imports.coco import convert_coco_to_ls
from label_studio_sdk.converter.imports.yolo import convert_yolo_to_ls


def main() -> None:
    kind, source, out = sys.argv[1:]
    if kind == "coco":
        convert_coco_to_ls(source, out, image_root_url="/data/local-files/?d=images")
    else:
        convert_yolo_to_ls(source, out)
    print("null")


if __name__ == "__main__":
    main()
