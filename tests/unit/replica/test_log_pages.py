"""The log in pages: what is chosen, and how much is looked at for one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gonk_node.core.events import Profile
from gonk_node.replica.history import log_pages as module
from gonk_node.replica.history.log_pages import Chosen, log_entries, log_page
from gonk_node.replica.replica import Replica
from kit.local_replica import author, furnish, make

NOTHING = Chosen(kind="redact")


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    """A log of 21 entries: the genesis, one of 4 events, one of a stranger, 18 of one event."""
    replica = make(tmp_path)
    furnish(replica)
    author(replica, "sam").sign([Profile("Sam")])
    for number in range(18):
        author(replica, "owner").sign([Profile(f"number {number}")])
    yield replica
    replica.close()


def walk(replica: Replica, chosen: Chosen, limit: int, *, newest_first: bool) -> tuple[list[int], int]:
    """The lsns that all pages give, and how many pages that were."""
    found: list[int] = []
    after: int | None = None
    pages = 0
    while True:
        page = log_page(replica, replica.db, chosen, after=after, limit=limit, newest_first=newest_first)
        assert len(page.entries) <= limit
        found += [each.lsn for each in page.entries]
        pages += 1
        after = page.cursor
        if after is None:
            return found, pages


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [1, 5, 1000])
@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("LOG_PAGE_ENTRIES_MAX", 4),
        ("LOG_PAGE_EVENTS_MAX", 3),
        ("LOG_PAGE_BYTES_MAX", 700),
        ("LOG_PAGE_ENTRIES_MAX", 4000),
    ],
)
def test_pages_have_everything_once_however_little_is_looked_at(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, *, newest_first: bool, limit: int, constant: str, value: int
) -> None:
    monkeypatch.setattr(module, constant, value)
    in_order = list(range(21, 0, -1) if newest_first else range(1, 22))
    assert walk(replica, Chosen(), limit, newest_first=newest_first)[0] == in_order
    assert [each.lsn for each in log_entries(replica, replica.db, Chosen(), 7, newest_first=newest_first)] == in_order[
        :7
    ]
    found, pages = walk(replica, NOTHING, limit, newest_first=newest_first)
    assert found == []
    assert (pages > 3) == (value < 4000)


def test_author_kind_and_time_choose(replica: Replica) -> None:
    sam = author(replica, "sam").key
    (entry,) = log_page(replica, replica.db, Chosen(author=sam), limit=9).entries
    assert entry.lsn == 3
    assert [each.lsn for each in log_page(replica, replica.db, Chosen(kind="schema.create"), limit=9).entries] == [2]
    moment = next(
        e.entry.header.time_ms for e in log_page(replica, replica.db, Chosen(), limit=99).entries if e.lsn == 10
    )
    before = walk(replica, Chosen(until_ms=moment), 99, newest_first=False)[0]
    since = walk(replica, Chosen(since_ms=moment), 99, newest_first=False)[0]
    assert before + since == list(range(1, 22))
    assert 10 in since


def test_an_entry_names_its_events_of_a_kind(replica: Replica) -> None:
    (logged,) = log_page(replica, replica.db, Chosen(kind="object.create"), limit=9).entries
    assert [ref.index for ref, _ in logged.events("object.create")] == [1, 2, 3]
    assert [ref.index for ref, _ in logged.events()] == [0, 1, 2, 3]
