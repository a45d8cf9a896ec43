"""datumaro_read.py FORMAT PATH: prints what datumaro finds in a dataset, as JSON: labels in order, and items by id."""

from __future__ import annotations

import json
import sys

import datumaro


def annotation(found: datumaro.Annotation, labels: list[str]) -> dict[str, object]:
    """Kind, label and coordinates; of a mask its area."""
    label = getattr(found, "label", None)
    said: dict[str, object] = {"kind": found.type.name, "label": None if label is None else labels[label]}
    if hasattr(found, "get_area") and found.type.name == "mask":
        said["area"] = float(found.get_area())
    elif hasattr(found, "points"):
        said["points"] = [float(value) for value in found.points]
    if hasattr(found, "caption"):
        said["caption"] = found.caption
    return said | {"attributes": {name: value for name, value in found.attributes.items() if not callable(value)}}


def main() -> None:
    format_name, path = sys.argv[1:]
    dataset = datumaro.Dataset.import_from(path, format_name)
    labels = [label.name for label in dataset.categories().get(datumaro.AnnotationType.label, [])]
    items = {item.id: [annotation(each, labels) for each in item.annotations] for item in dataset}
    print(json.dumps({"labels": labels, "items": items}))


if __name__ == "__main__":
    main()
