"""The pages of an LMDB file, checked without LMDB: safe whatever is in the file. Knows nothing of keys and values."""

from __future__ import annotations

from pathlib import Path

import lmdb.verify


def walk_pages(path: Path) -> list[str]:
    """Check an environment's file before anything opens it, while nobody writes.

    Args:
        path: the environment's folder.

    Returns:
        One text for each thing wrong; empty for a sound file.
    """
    try:
        return list(lmdb.verify.verify(str(path)))  # type: ignore[no-untyped-call]
    except (lmdb.verify.VerifyError, OSError) as error:
        return [str(error)]
