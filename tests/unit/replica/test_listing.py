"""Lists in pages: random histories, compared with the definition; rivals; and that a page costs what it shows."""

from __future__ import annotations

import random
from itertools import groupby
from typing import Any

import pytest

from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.reading.listing import Entity, Filter, Listing, Page, Version
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.state.revisions import VIEWS
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA
from kit.arrival_log import ArrivalLog, shuffled
from kit.history import World, accept, key_of, object_create, object_update, random_history, ref, reject, some_uuid

KINDS = (OBJECT, ANNOTATION, SCHEMA)


def state_of(world: World, entries: list[Any] | None = None) -> StateDb:
    log = ArrivalLog(world.entries[:1])
    for entry in entries or world.entries:
        log.add(entry)
    db = StateDb(None, world.dataset)
    Projection(log, db).catch_up()
    return db


def is_listed(revision: Revision, wanted: Filter) -> bool:
    if revision.version is None or (wanted.author is not None and revision.author != wanted.author):
        return False
    if wanted.view == "pending":
        return "pending" in revision.views  # rivals too
    return revision.named and (wanted.view is None or wanted.view in revision.views)


def by_definition(db: StateDb, kind: int, wanted: Filter) -> list[list[Version]]:
    """What is listed, entity by entity."""
    revisions = [each for each in Queries(db).iterate(kind) if is_listed(each, wanted)]
    first = {each.uuid: each.number for each in reversed(revisions)}
    rows = sorted(
        {(first[each.uuid], each.uuid, each.version, each.name) for each in revisions}, key=lambda row: row[:3]
    )
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[1])]
    return [
        list(
            dict.fromkeys(
                Version(uuid, version or 0, name if kind == SCHEMA else None) for _, uuid, version, name in group
            )
        )
        for group in groups
    ]


def walk(page: Any) -> list[Page[Any]]:
    """All pages, by the cursor that each gives, as well as by the uuid of its last row."""
    pages = [page(None)]
    while pages[-1].after is not None:
        assert pages[-1].rows[-1].uuid == pages[-1].after
        pages.append(page(pages[-1].after))
    if pages[-1].rows:
        assert page(pages[-1].rows[-1].uuid).rows == []
    return pages


@pytest.mark.parametrize("seed", range(25))
def test_every_walk_gives_what_the_definition_says_once(seed: int) -> None:
    world, _ = random_history(seed, 60)
    rng = random.Random(seed)
    db = state_of(world, shuffled(world.entries, rng))
    listing = Listing(db)
    for kind in KINDS:
        for view in (None, *VIEWS):
            for author in (None, key_of("root"), rng.choice(world.entries).header.author):
                wanted, limit = Filter(view, author), rng.randint(1, 7)
                groups = by_definition(db, kind, wanted)
                pages = walk(lambda after, k=kind, w=wanted, n=limit: listing.versions(k, w, after, n))
                assert [row for page in pages for row in page.rows] == [row for group in groups for row in group]
                for page in pages[:-1]:
                    last = next(len(group) for group in groups if group[0].uuid == page.after)
                    assert limit <= len(page.rows) < limit + last

                uuids = [group[0].uuid for group in groups]
                pages = walk(lambda after, k=kind, w=wanted, n=limit: listing.entities(k, w, after, n))
                found = [row for page in pages for row in page.rows]
                assert [row.uuid for row in found] == uuids
                assert {len(page.rows) for page in pages[:-1]} <= {limit}
                for row in found:
                    named = [each for each in Queries(db).revisions(kind, row.uuid) if each.named]
                    assert (
                        row.versions
                        == len({each.version for each in named})
                        == max(each.version or 0 for each in named) + 1
                    )


@pytest.mark.parametrize("seed", range(10))
def test_schemas_are_walked_by_uuid(seed: int) -> None:
    world, _ = random_history(seed, 60)
    db = state_of(world)
    listing = Listing(db)
    for view in (None, *VIEWS):
        whole = listing.schemas(Filter(view), None, None).rows
        uuids = {group[0].uuid for group in by_definition(db, SCHEMA, Filter(view))}
        assert [row.uuid for row in whole] == sorted(uuids)
        pages = walk(lambda after, v=view: listing.schemas(Filter(v), after, 1))
        assert [row for page in pages for row in page.rows] == whole


def test_a_rival_that_nobody_reviewed_is_pending_though_another_answers_to_the_version() -> None:
    world = World()
    made = world.write("root", object_create(0))
    one = world.write("root", object_update(0, ref(made), "one.png"))
    two = world.write("root", object_update(0, ref(made), "two.png"))
    world.write("root", accept(ref(made), ref(one)))
    listing, uuid = Listing(state_of(world)), some_uuid(0)
    assert listing.versions(OBJECT, Filter("accepted"), None, 9).rows == [Version(uuid, 0), Version(uuid, 1)]
    assert listing.versions(OBJECT, Filter("pending"), None, 9).rows == [Version(uuid, 1)]
    assert listing.entities(OBJECT, Filter(), None, 9).rows == [Entity(uuid, 2)]
    world.write("root", reject(ref(two)))
    listing = Listing(state_of(world))
    assert listing.versions(OBJECT, Filter("pending"), None, 9).rows == []
    assert listing.versions(OBJECT, Filter("rejected"), None, 9).rows == []  # the version is what was accepted


def test_what_waits_is_not_listed() -> None:
    world = World()
    made = world.write("bob", object_create(0))
    world.write("root", object_update(0, ref(made)))
    listing = Listing(state_of(world, [each for each in world.entries if each is not made]))
    assert listing.versions(OBJECT, Filter(), None, 9).rows == []
    assert listing.versions(OBJECT, Filter("pending"), None, 9).rows == []
    assert listing.entities(OBJECT, Filter(), None, 9).rows == []
    assert listing.versions(OBJECT, Filter(), some_uuid(0), 9).rows == []
    assert listing.entity(OBJECT, some_uuid(0)) is None


def test_a_page_of_what_is_pending_is_found_by_index() -> None:
    """Not by going through all that is accepted: the plan says so, at any size."""
    db = state_of(World())
    asked: list[tuple[str, Any]] = []
    rows = db.rows
    db.rows = lambda sql, parameters=(): asked.append((sql, parameters)) or rows(sql, parameters)  # type: ignore[method-assign]
    Listing(db).versions(ANNOTATION, Filter("pending"), None, 25)
    (sql, parameters), *_ = asked
    plan = [str(row[3]) for row in rows("EXPLAIN QUERY PLAN " + sql, parameters)]
    assert "SEARCH t USING INDEX annotations_pending (event_no>?)" in plan
    assert "SEARCH o USING INDEX annotations_by_uuid (uuid=?)" in plan
    assert not any(step.startswith("SCAN") or "B-TREE" in step for step in plan)
