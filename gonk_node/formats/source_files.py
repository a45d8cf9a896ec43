"""The files of a source that is a folder with many files of one kind, or one of them. What is in them is for importers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from gonk_node.errors import InputFileError
from gonk_node.formats.images import find
from gonk_node.state.strict_json import Problem

T = TypeVar("T")


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


def good_files(files: Iterable[Path], open_one: Callable[[Path], T]) -> Iterator[tuple[Path, T] | Problem]:
    """Each file with what is made of it; one that is refused is a Problem, told as soon as another one is good.

    Args:
        files: of one format, as it seems.
        open_one: raises InputFileError for one that is not of it.

    Raises:
        InputFileError: of the first file, after the last one: none is good.
    """
    refused: InputFileError | None = None
    waiting: list[Problem] = []
    good = False
    for file in files:
        try:
            made = open_one(file)
        except InputFileError as error:
            error.where = error.where or str(file)
            refused = refused or error
            waiting.append(Problem(error.where, f"{error.what}; left out"))
        else:
            good = True
            yield from waiting
            waiting = []
            yield file, made
    if refused is not None and not good:
        raise refused
    yield from waiting
