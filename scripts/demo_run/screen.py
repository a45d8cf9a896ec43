"""What the demo shows: its own words, and dimmed, the commands it runs with what they print."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence

_WIDTH = 96
_OUTPUT_LINES_MAX = 16
# Hints for people at a keyboard, and a remark about loopback that is true of every line here.
_LEFT_OUT = ("  next:", "this address works on this machine only")
_LONG_HEX = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{32,}\b")


def _styled(text: str, code: str) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{code}m{text}\033[0m"


def _shortened(text: str) -> str:
    return _LONG_HEX.sub(r"\1…", text)


def heading(text: str) -> None:
    print(f"\n{_styled(text, '1')}", flush=True)


def say(text: str) -> None:
    """A paragraph in plain words."""
    words = " ".join(text.split())
    print(textwrap.fill(words, _WIDTH, break_long_words=False, break_on_hyphens=False), flush=True)


def command(who: str, line: str) -> None:
    """A command, as it is typed, but for keys and ids: their first 8 digits are shown."""
    print(_styled(f"    {who}$ {_shortened(line)}", "2"), flush=True)


def output(text: str) -> None:
    """What a command printed: its first lines, keys and ids shortened."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(_LEFT_OUT)]
    for line in lines[:_OUTPUT_LINES_MAX]:
        print(_styled(f"      {_shortened(line)}", "2"))
    if len(lines) > _OUTPUT_LINES_MAX:
        print(_styled(f"      … and {len(lines) - _OUTPUT_LINES_MAX} more lines", "2"))
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = [list(columns), *map(list, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        print("  " + (_styled(text, "1") if number == 0 else text))
    sys.stdout.flush()


def complain(text: str) -> None:
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)
