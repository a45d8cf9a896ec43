"""croissant_read.py FILE…: prints what mlcroissant finds in each croissant.json and the files beside it, as JSON."""

from __future__ import annotations

import json
import sys

import mlcroissant


def plain(value: object) -> object:
    """Texts come as bytes, and images as pictures of Pillow."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return list(value.size) if hasattr(value, "size") and hasattr(value, "mode") else value


def read(path: str) -> dict[str, object]:
    """What one of them says, and all records."""
    dataset = mlcroissant.Dataset(jsonld=path)
    found = dataset.metadata
    records = {each.id: [plain(record) for record in dataset.records(each.id)] for each in found.record_sets}
    return {
        "version": found.ctx.conforms_to.value,
        "warnings": sorted(warning for warning, _ in found.ctx.issues._warnings),
        "creators": [creator.name for creator in found.creators],
        "license": found.license,
        "published": str(found.date_published.date()),
        "file_objects": sorted(each.id for each in found.file_objects),
        "file_sets": {each.id: each.includes for each in found.file_sets},
        "records": records,
    }


def main() -> None:
    print(json.dumps([read(path) for path in sys.argv[1:]]))


if __name__ == "__main__":
    main()
