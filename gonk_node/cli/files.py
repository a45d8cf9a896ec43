"""Files that people name on the command line: small ones read whole, and results written without harm to what is there."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable
from pathlib import Path

from gonk_node.cli.ending import write_bytes
from gonk_node.errors import DiskFullError, ExistsError, InputFileError, NotFoundError, StorageError, UsageError


def read_input(source: str, *, bytes_max: int) -> bytes:
    """The bytes of a file, or of standard input for "-"; InputFileError where they cannot be had or are too many."""
    try:
        if source == "-":
            data = sys.stdin.buffer.read(bytes_max + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(bytes_max + 1)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=source) from error
    if len(data) > bytes_max:
        raise InputFileError(f"has more than the {bytes_max:,} bytes that are allowed", where=source)
    return data


def place_in(source: str, where: str | None, document: str) -> str:
    """The place of an error in what `read_input` read, with its name: "a.json: /type".

    Args:
        source: as of `read_input`.
        where: the place as an error has it, which begins with what the document is.
        document: what it is, such as "schema".
    """
    inside = (where or "").removeprefix(document).strip()
    name = "standard input" if source == "-" else source
    return f"{name}: {inside}" if inside else name


def check_output(target: str, option: str, *, as_json: bool) -> None:
    """UsageError where what `write_output` writes for an option, and JSON, would both go to standard output."""
    if target == "-" and as_json:
        raise UsageError(f"{option} - and --json both want standard output", hint=f"{option} FILE, or leave out --json")


def write_output(target: str, pieces: Iterable[bytes]) -> None:
    """Write pieces into a new file, or to standard output for "-"; a file that cannot be finished is removed.

    Raises:
        ExistsError: there is such a file. NotFoundError: its folder is not there. StorageError, DiskFullError.
        OutputError: standard output cannot be written.
    """
    if target == "-":
        write_bytes(pieces)
        return
    path = Path(target)
    try:
        with path.open("xb") as file:
            try:
                for piece in pieces:
                    file.write(piece)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise ExistsError("there is such a file already; it is left as it is", where=target) from None
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError("the folder that it is to be in is not there", where=target, hint="make it first") from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (DiskFullError if full else StorageError)(f"cannot be written: {error.strerror}", where=target) from error
