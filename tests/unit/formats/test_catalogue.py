"""Every format that can be read or written is in the catalogue, and has its row and its chapter on the page about formats."""

from __future__ import annotations

import re

from gonk_node.formats import IMPORTERS
from gonk_node.formats.catalogue import CATALOGUE
from gonk_node.formats.export import EXPORTERS
from kit.source_tree import ROOT, text


def test_all_formats_are_told_and_no_others() -> None:
    names = [each.name for each in CATALOGUE]
    assert sorted(names) == sorted(IMPORTERS) == sorted(EXPORTERS)


def test_the_page_has_a_row_for_each_in_the_same_order() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ", text(ROOT / "docs" / "formats.md"), re.MULTILINE)
    assert rows[: len(CATALOGUE)] == [each.name for each in CATALOGUE]
