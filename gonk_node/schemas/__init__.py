"""The schemas that ship with gonk: one JSON file each, named by its file; a new file is a new schema.

Nothing is checked here; the files are data like any schema that a user brings. All but one are for annotations; that one says
what a label set looks like.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from gonk_node.errors import NotFoundError

LABEL_SET = "label-set"  # no annotation has this form: see formats/label_set.py
_SUFFIX = ".json"


def names() -> tuple[str, ...]:
    """The names of the schemas for annotations, sorted: "audio-segment", "bounding-box", …."""
    return tuple(name for name in _files() if name != LABEL_SET)


def load(name: str) -> bytes:
    """The document of one schema, LABEL_SET included: UTF-8 JSON, exactly the bytes of its file.

    Raises:
        NotFoundError: no schema of that name ships; lists those that do.
    """
    if name not in _files():
        raise NotFoundError(f"no schema {name!r} ships with gonk", hint="there are: " + ", ".join(names()))
    return resources.files(__name__).joinpath(name + _SUFFIX).read_bytes()


def document(name: str) -> dict[str, Any]:
    """What `load` gives, parsed."""
    parsed: dict[str, Any] = json.loads(load(name))
    return parsed


def _files() -> tuple[str, ...]:
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))
