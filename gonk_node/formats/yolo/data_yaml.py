"""`data.yaml` of YOLO datasets: which keys there are, as `strict_yaml` reads and writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gonk_node.core.limits import YOLO_YAML_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats import strict_yaml


def load(path: Path) -> dict[str, Any]:
    """The keys of a file with their values: texts, whole numbers, None, and lists and dicts of them.

    Raises:
        InputFileError: it cannot be read, is too large, no UTF-8, no YAML that is read here, or no mapping; says where.
    """
    return _keys(strict_yaml.load(path, YOLO_YAML_BYTES_MAX), str(path))


def parse(text: str) -> dict[str, Any]:
    """The same of a text."""
    return _keys(strict_yaml.parse(text), None)


def _keys(value: Any, where: str | None) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise InputFileError("is no mapping", where=where)
    return {str(key): below for key, below in (value or {}).items()}


def dump(pairs: Mapping[str, Any], names: Mapping[int, str], points: Mapping[int, Iterable[str]]) -> str:
    """A `data.yaml`.

    Args:
        pairs: keys with their values, which come first.
        names: of the classes, by index.
        points: names of the keypoints of each class; empty without any.
    """
    lists = {"kpt_names": {index: list(own) for index, own in points.items()}} if points else {}
    return strict_yaml.dump({**pairs, "names": dict(names), **lists})
