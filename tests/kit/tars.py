"""Tar files as the standard library writes them, and members that it would not write, for tests of what reads tars."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

Item = tuple[str, bytes]


def tar(items: Iterable[Item], kind: int = tarfile.USTAR_FORMAT) -> bytes:
    """A tar with those files, in that order."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind) as archive:
        for name, data in items:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def header(name: str = "x", *, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> bytes:
    """The header of a member of any type, without what follows it."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info.tobuf(tarfile.GNU_FORMAT)


def items(path: Path) -> list[Item]:
    """The files in a tar, in its order."""
    with tarfile.open(path) as archive:
        return [(each.name, archive.extractfile(each).read()) for each in archive]  # type: ignore[union-attr]
