"""The pages of an LMDB file, checked without LMDB: safe whatever is in the file. Knows nothing of keys and values."""

from __future__ import annotations

from pathlib import Path

import lmdb.verify

_TRIES = 5
_META_BYTES = 2 * 4096  # the two pages that every commit changes


def file_problems(path: Path) -> list[str]:
    """Check an environment's file before anything opens it.

    Args:
        path: the environment's folder. Where another process writes to it meanwhile, the check is repeated.

    Returns:
        One text for each thing wrong; empty for a sound file.
    """
    problems: list[str] = []
    for _ in range(_TRIES):
        before = _meta_pages(path)
        problems = walk_pages(path)
        if not problems or _meta_pages(path) == before:
            break
    return problems


def walk_pages(path: Path) -> list[str]:
    """The same, while nobody writes."""
    try:
        return list(lmdb.verify.verify(str(path)))  # type: ignore[no-untyped-call]
    except (lmdb.verify.VerifyError, OSError) as error:
        return [str(error)]


def _meta_pages(path: Path) -> bytes:
    try:
        with (path / "data.mdb").open("rb") as file:
            return file.read(_META_BYTES)
    except OSError:
        return b""
