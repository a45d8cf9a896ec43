"""webdataset_read.py SHARD...: prints what webdataset decodes of the samples in shards, as JSON."""

from __future__ import annotations

import json
import sys

import webdataset


def shown(value: object) -> object:
    """An image as its shape, bytes as their number, all else as it is."""
    if hasattr(value, "shape"):
        return list(value.shape)
    return len(value) if isinstance(value, bytes) else value


def main() -> None:
    samples = webdataset.WebDataset(sys.argv[1:], shardshuffle=False).decode("rgb8")
    found = [
        {name: shown(value) for name, value in sample.items() if not name.startswith("__") or name == "__key__"}
        for sample in samples
    ]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
