"""Questions that are asked once for each of many revisions: the plan has no search through a whole table, at any size."""

from __future__ import annotations

from typing import Any

from gonk_node.replica.reading.queries import Queries
from gonk_node.store.state_db import StateDb


def test_the_deletions_of_a_revision_are_found_by_index() -> None:
    db = StateDb(None, bytes(32))
    asked: list[tuple[str, Any]] = []
    rows = db.rows
    db.rows = lambda sql, parameters=(): asked.append((sql, parameters)) or rows(sql, parameters)  # type: ignore[method-assign]
    Queries(db).deletions_of(1 << 12)
    ((sql, parameters),) = asked
    plan = [str(row[3]) for row in rows("EXPLAIN QUERY PLAN " + sql, parameters)]
    assert "SEARCH d USING INDEX deletions_by_target (target_no=?)" in plan
    assert not any(step.startswith("SCAN") for step in plan)
