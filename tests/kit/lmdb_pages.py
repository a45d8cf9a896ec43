"""The pages of an LMDB file, checked also while another process writes to it."""

from __future__ import annotations

from pathlib import Path

from gonk_node.store.structure import walk_pages

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


def _meta_pages(path: Path) -> bytes:
    try:
        with (path / "data.mdb").open("rb") as file:
            return file.read(_META_BYTES)
    except OSError:
        return b""
