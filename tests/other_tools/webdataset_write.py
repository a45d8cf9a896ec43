"""webdataset_write.py OUT: writes shards of webdataset's own ShardWriter and TarWriter."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy
import webdataset


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir()
    grey = numpy.full((40, 60, 3), 128, numpy.uint8)
    with webdataset.ShardWriter(str(out / "train-%06d.tar"), maxcount=2, verbose=0) as shards:
        for number in range(3):
            sample = {"__key__": f"n/{number:04d}", "png": grey + number, "cls": number % 2}
            shards.write({**sample, "txt": f"Text {number}.", "json": {"url": f"http://example.org/{number}"}})
    packed = webdataset.TarWriter(str(out / "more.tar.gz"), compress=True)
    packed.write({"__key__": "sound", "wav": b"RIFF1234WAVE", "npy": numpy.zeros(3), "cls": "a dog"})
    packed.close()
    (out / "classes.txt").write_text("cat\ndog\n")
    print("null")


if __name__ == "__main__":
    main()
