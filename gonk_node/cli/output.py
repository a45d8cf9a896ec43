"""Where a command's output goes: data to standard output, messages and progress to standard error.

A pipe gets a table's rows as a line each; a terminal that is too narrow for them gets each row on several lines, in columns
again, with nothing broken. --json gets one JSON document and no messages.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.cells import cell_len

from gonk_node.cli.ending import write_bytes, writing
from gonk_node.cli.text import safe

_INDENT = 4  # columns of the screen before what a row goes on with
Advance = Callable[[int, int], None]  # (done so far, total; 0: not known)


class Output:
    """The output of one command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    # --- data -------------------------------------------------------------------------------------------

    def json(self, value: Any) -> None:
        """One JSON document; characters beyond ASCII are escaped, so it is harmless in a terminal too."""
        self.line(json.dumps(value, indent=2))

    def line(self, text: str = "") -> None:
        """A line of data for people."""
        with writing():
            click.echo(text)

    def document(self, data: bytes) -> None:
        """A text as it was signed: the exact bytes for a pipe, made harmless for a terminal."""
        if _is_terminal():
            for line in data.decode(errors="replace").splitlines():
                self.line(safe(line))
            return
        write_bytes([data])

    def pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names with values, one a line."""
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            self.line(f"{name:<{width}}  {safe(value)}".rstrip())

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of texts; those of strangers are made harmless here."""
        lines = [list(columns), *([safe(cell) for cell in row] for row in rows)]
        widths = [max(cell_len(line[at]) for line in lines) for at in range(len(columns))]
        if not _is_terminal():
            for line in lines:
                self.line(_joined(line, widths))
            return
        with writing():
            _show_on_terminal(lines, widths)

    # --- messages ---------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """A message; none with --json."""
        if not self.as_json:
            click.echo(safe(text), err=True)

    def next(self, *commands: str) -> None:
        """What one might do next."""
        for command in commands:
            self.note(f"  next: {command}")

    @contextmanager
    def progress(self, what: str) -> Iterator[Advance]:
        """A bar on a terminal, and nothing elsewhere; give what it yields how far things are."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        from rich.console import Console  # lazy: terminals only
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # lazy: same

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        task = bar.add_task(what, total=None)

        def advance(done: int, total: int) -> None:
            if done < total or not total:  # what is done at once needs no bar
                bar.start()
            bar.update(task, completed=done, total=total or None)

        try:
            yield advance
        finally:
            bar.stop()


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells beside one another, each padded to its width on the screen."""
    padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _show_on_terminal(lines: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    """Print a table, the first line bold. What is too long even for a line of its own is left to the terminal to break."""
    from rich.console import Console  # lazy: terminals only
    from rich.text import Text  # lazy: terminals only

    console = Console()
    parts = _parts(widths, console.width)
    for number, line in enumerate(lines):
        for part in parts:
            text = " " * (_INDENT if part.start else 0) + _joined(line[part], widths[part])
            if text.strip() or not part.start:
                style = "" if number else "bold"
                console.print(Text(text, style=style), soft_wrap=True)  # Text: square brackets in names are no markup


def _parts(widths: Sequence[int], available: int) -> list[slice]:
    """Which columns stand on one line: as many as there is room for, from the left; those of further lines are indented."""
    starts, used = [0], 0
    for at, width in enumerate(widths):
        if at and used + 2 + width > available:
            starts.append(at)
            used = _INDENT + width
        else:
            used += width + (2 if at else 0)
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(widths)], strict=True)]
