"""Reviewing all that waits, where that is more than one request may decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.api import reviews
from gonk_node.core.events import ACCEPT
from gonk_node.core.ids import EventRef, event_uuid
from gonk_node.replica.signing.governing import Governor
from kit.local_replica import author, furnish, make


def test_each_request_goes_on_where_the_one_before_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "REFS_PER_REVIEW_MAX", 3)
    replica = make(tmp_path)
    furnish(replica, 7)  # eight proposals
    governor = Governor(author(replica, "owner"))
    found: list[list[EventRef]] = []
    after: bytes | None = None
    while not found or after is not None:
        wish = reviews._Wish(ACCEPT, "", None, None, after)
        refs, unknown, after = reviews._chosen(governor, wish)
        assert unknown == []
        assert after in (None, event_uuid(refs[-1]))
        found.append(refs)
    assert [len(refs) for refs in found] == [3, 3, 2]
    assert [ref.index for refs in found for ref in refs] == list(range(8))
    replica.close()
