"""docs/README.md has one line for each page of docs."""

from __future__ import annotations

import re

from kit.source_tree import ROOT, text

DOCS = ROOT / "docs"
LINE = re.compile(r"^- \[[^]]+\]\(([^)]+)\): \S.*$", re.MULTILINE)


def test_every_page_has_one_line() -> None:
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"} | {"spec/README.md"}
    listed = LINE.findall(text(DOCS / "README.md"))
    assert sorted(listed) == sorted(pages), "give each page one line in docs/README.md"
