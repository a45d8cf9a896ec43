"""label_studio_brush.py FILE: prints brush regions as Label Studio's library has them.

FILE holds a list of [pixels, rle]: rows of 0 and 255, and bytes. Printed is a list of [rle of the pixels, pixels of the rle].
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy
from label_studio_sdk.converter import brush


def main() -> None:
    found = []
    for pixels, encoded in json.loads(Path(sys.argv[1]).read_text()):
        rows = numpy.array(pixels, numpy.uint8)
        alpha = brush.decode_rle(bytes(encoded)).reshape(*rows.shape, 4)[:, :, 3]
        found.append([brush.mask2rle(rows), alpha.tolist()])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
