"""docs/README.md has one line for each page of docs, and docs/testing.md a row for each folder of tests."""

from __future__ import annotations

import re

from kit.source_tree import ROOT, text, tracked_files

DOCS = ROOT / "docs"
LINE = re.compile(r"^- \[[^]]+\]\(([^)]+)\): \S.*$", re.MULTILINE)


def test_every_page_has_one_line() -> None:
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"} | {"spec/README.md"}
    listed = LINE.findall(text(DOCS / "README.md"))
    assert sorted(listed) == sorted(pages), "give each page one line in docs/README.md"


def test_every_folder_of_tests_has_a_row() -> None:
    folders = {path.relative_to(ROOT).parts[1] for path in tracked_files() if path.is_relative_to(ROOT / "tests")}
    described = re.findall(r"^\| `tests/(\w+)` \|", text(DOCS / "testing.md"), re.MULTILINE)
    assert sorted(described) == sorted(name for name in folders if "." not in name)
