"""Reviews that replace others: each names the older ones of its own events, however many there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.core import limits
from gonk_node.core.events import ACCEPT, REJECT
from gonk_node.errors import UsageError
from gonk_node.replica.signing.governing import Governor
from kit.local_replica import author, furnish, make


@pytest.mark.parametrize("refs_max", [2, 3, 4096])
def test_who_changes_his_mind_about_more_than_a_review_holds_is_heard_about_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refs_max: int
) -> None:
    replica = make(tmp_path)
    furnish(replica, 6)  # seven proposals
    governor = Governor(author(replica, "owner"))
    refs = [each.ref for each in governor.awaiting()]
    for ref in refs:  # a review each
        governor.review(ACCEPT, [ref])
    monkeypatch.setattr(limits, "REFS_PER_REVIEW_MAX", refs_max)
    done = governor.review(REJECT, refs, supersede=True)
    assert (done.events, done.refused) == (refs, [])
    assert {table: views["rejected"] for table, views in governor.author.queries.counts().items()} == {
        "objects": 6,
        "annotations": 0,
        "schemas": 1,
    }
    replica.close()


def test_a_comment_that_no_review_holds_is_told_before_anything_is_signed(tmp_path: Path) -> None:
    governor = Governor(author(make(tmp_path), "owner"))
    governor.check_comment("x" * limits.COMMENT_BYTES_MAX)
    for comment in ("x" * (limits.COMMENT_BYTES_MAX + 1), "\ud800"):
        with pytest.raises(UsageError, match="cannot be signed"):
            governor.check_comment(comment)
