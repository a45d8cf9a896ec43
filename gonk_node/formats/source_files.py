"""The files of a source that is a folder with many files of one kind, or one of them. What is in them is for importers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from gonk_node.errors import InputFileError
from gonk_node.formats.images import find
from gonk_node.state.strict_json import Problem


def source_files(source: Path, suffixes: Sequence[str]) -> Iterator[Path | Problem]:
    """The file that the source is; or all below it whose names end so, by folder and name. Links lead out of no folder.

    Args:
        source: a file, whatever its name, or a folder.
        suffixes: in lower case, with the dot.

    Raises:
        InputFileError: on the first step: there is none.
    """
    if not source.is_dir():
        if not source.is_file():
            raise InputFileError("is no file and no folder", where=str(source))
        yield source
        return
    root = source.resolve()
    empty = True
    unread: list[OSError] = []
    for at, folders, names in os.walk(root, onerror=unread.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.lower().endswith(tuple(suffixes)) or name.startswith("."):
                continue
            empty = False
            try:
                find(root, (Path(at) / name).relative_to(root).as_posix())
            except InputFileError as error:
                yield Problem(str(Path(at) / name), f"{error.what}; left out")
            else:
                yield Path(at) / name
    for problem in unread:
        yield Problem(str(problem.filename), f"cannot be read: {problem.strerror}; left out")
    if empty:
        raise InputFileError(f"holds no {' or '.join(suffixes)} file", where=str(source))
