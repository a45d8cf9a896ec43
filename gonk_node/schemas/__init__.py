"""The annotation schemas that ship with gonk: one JSON file each, named by its file; a new file is a new schema.

Nothing is checked here; the files are data like any schema that a user brings.
"""

from __future__ import annotations

from importlib import resources

from gonk_node.errors import NotFoundError

_SUFFIX = ".json"


def names() -> tuple[str, ...]:
    """The names of the schemas, sorted: "bounding-box", "caption", …."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def load(name: str) -> bytes:
    """The document of one schema: UTF-8 JSON, exactly the bytes of its file.

    Raises:
        NotFoundError: no schema of that name ships; lists those that do.
    """
    if name not in names():
        raise NotFoundError(f"no schema {name!r} ships with gonk", hint="there are: " + ", ".join(names()))
    return resources.files(__name__).joinpath(name + _SUFFIX).read_bytes()
