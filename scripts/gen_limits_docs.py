"""Makes docs/spec/11-limits.md from gonk_node/core/limits.py: the sections of it that say "the same on every node".

Usage: `python scripts/gen_limits_docs.py` prints the page; with `--write` it writes docs/spec/11-limits.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from generated_page import DOCS, print_or_write
from gonk_node.core import limits

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = DOCS / "spec" / "11-limits.md"
SOURCE = ROOT / "gonk_node" / "core" / "limits.py"

HEAD = """\
# 11 Limits

The numbers that are part of the protocol: every node must use these very ones. Made from `gonk_node/core/limits.py` by
`scripts/gen_limits_docs.py --write`; a test compares the two. Other limits of that file are a node's own (free).
"""
TITLES = {"protocol": "The signed format", "sync protocol": "Sync"}

_SECTION = re.compile(r"^# --- (.+?) -+$")
_CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]*) = .*?(?:  # (.+))?$")


def render() -> str:
    """The whole page, as markdown; a row for each constant, in the order of the file."""
    page, shared = HEAD, False
    for line in SOURCE.read_text(encoding="utf-8").splitlines():
        if section := _SECTION.match(line):
            shared = "the same on every node" in section[1]
            if shared:
                title = TITLES[re.split(r":| \(", section[1])[0]]
                page += f"\n## {title}\n\n| constant | value | why |\n|---|---|---|\n"
        elif shared and (constant := _CONSTANT.match(line)):
            page += f"| `{constant[1]}` | {_value(constant[1])} | {constant[2] or ''} |\n"
    return page


def _value(name: str) -> str:
    value = getattr(limits, name)
    if "BYTES" not in name or value < limits.KIB:
        return str(value)
    unit, label = (limits.MIB, "MiB") if value % limits.MIB == 0 else (limits.KIB, "KiB")
    return f"{value} ({value // unit} {label})"


def main(arguments: list[str]) -> int:
    """Print the page, or write it with `--write`."""
    return print_or_write(arguments, render(), DOCUMENT, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
