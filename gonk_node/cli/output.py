"""Where a command's output goes: data to standard output, messages and progress to standard error.

A terminal gets tables that fit it; a pipe gets the same in full width, plain; --json gets one JSON document and no messages.
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

_WHOLE = frozenset(("uuid", "event", "annotation", "key", "entry", "id"))  # columns that are copied from: never broken
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
        cells = [[safe(cell) for cell in row] for row in rows]
        if _is_terminal():
            with writing():
                _rich_table(columns, cells)
            return
        lines = [list(columns), *cells]
        widths = [max(cell_len(line[at]) for line in lines) for at in range(len(columns))]
        for line in lines:
            padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)]
            self.line("  ".join(padded).rstrip())

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


def _rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # lazy: terminals only
    from rich.table import Table  # lazy: terminals only
    from rich.text import Text  # lazy: terminals only

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in _WHOLE)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: square brackets in names are no markup
    Console().print(table)
