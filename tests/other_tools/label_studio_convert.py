"""label_studio_convert.py FORMAT CONFIG TASKS OUT: Label Studio's converter makes another format of tasks; prints its files.

Of masks (BRUSH_TO_NUMPY) it prints the area, and the first and last pixel in reading order, of each file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy
from label_studio_sdk.converter import Converter


def shown(path: Path) -> object:
    """A file as text; a mask as said above."""
    if path.suffix == ".npy":
        inside = numpy.flatnonzero(numpy.load(path))
        return [int(inside.size), int(inside[0]), int(inside[-1])]
    return path.read_text(encoding="utf-8")


def main() -> None:
    format_name, config, tasks, out = sys.argv[1:]
    folder = Path(tasks).parent
    converter = Converter(
        config, str(folder), download_resources=False, local_files_resolver=lambda path: str(folder / path)
    )
    Path(out).mkdir()
    converter.convert(tasks, out, format_name, is_dir=False)
    files = sorted(path for path in Path(out).rglob("*") if path.is_file())
    print(json.dumps({path.relative_to(out).as_posix(): shown(path) for path in files}))


if __name__ == "__main__":
    main()
