"""What every `gen_*_docs.py` does with the page that it made: print it, or write it into docs/."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def print_or_write(arguments: list[str], page: str, document: Path, usage: str | None) -> int:
    """Print a page, or with the argument `--write` write it to `document`; the exit code (2: other arguments)."""
    if arguments == ["--write"]:
        document.write_text(page, encoding="utf-8")
    elif arguments:
        print(usage, file=sys.stderr)
        return 2
    else:
        sys.stdout.write(page)
    return 0
