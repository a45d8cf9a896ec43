"""docs/storage.md shows the very tables that `state.db` is made of."""

from __future__ import annotations

from gonk_node.store.state_schema import SCHEMA_SQL
from kit.source_tree import ROOT


def test_the_storage_page_shows_the_tables_of_the_state_as_they_are() -> None:
    assert SCHEMA_SQL.strip() in (ROOT / "docs" / "storage.md").read_text(encoding="utf-8")
