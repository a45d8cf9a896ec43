"""What a replica asks its peers for: a stranger's bulk never hides what counts."""

from __future__ import annotations

import os

from gonk_node.core.entry import without_bodies
from gonk_node.core.events import ACCEPT, Profile, Review
from gonk_node.core.ids import EventRef
from kit.authors import TestAuthor
from kit.history import accept, object_create
from kit.stateful_log import StatefulLog


def _replica(owner: TestAuthor) -> StatefulLog:
    genesis = owner.genesis()
    log = StatefulLog(owner.dataset)
    log.ingest([genesis.record])
    return log


def test_a_strangers_reviews_of_what_nobody_has_do_not_hide_what_an_owner_accepted() -> None:
    owner = TestAuthor("owner")
    log = _replica(owner)
    stranger, annotator = TestAuthor("stranger", owner.dataset), TestAuthor("annotator", owner.dataset)
    nowhere = tuple(EventRef(bytes(2) + os.urandom(30), 0) for _ in range(2000))
    proposal = annotator.append(object_create(1))
    entries = [stranger.append(Review(ACCEPT, nowhere, (), "")), owner.append(accept(EventRef(proposal.entry_id, 0)))]
    log.ingest([entry.record for entry in entries])
    assert log.wanted() == [proposal.entry_id]


def test_what_is_asked_for_changes_where_an_owner_accepted_more_than_fits() -> None:
    owner = TestAuthor("owner")
    log = _replica(owner)
    nowhere = tuple(EventRef(os.urandom(32), 0) for _ in range(1500))
    log.ingest([owner.append(Review(ACCEPT, nowhere, (), "")).record])
    asked = [frozenset(log._view(log.projection).wanted()) for _ in range(12)]  # not what the kit remembers
    assert {len(each) for each in asked} == {1000}
    assert len(frozenset.union(*asked)) > 1400


def test_bodies_that_strangers_withhold_do_not_hide_those_of_an_owner_or_of_what_he_accepted() -> None:
    owner = TestAuthor("owner")
    log = _replica(owner)
    stranger, annotator = TestAuthor("stranger", owner.dataset), TestAuthor("annotator", owner.dataset)
    bulk = [without_bodies(stranger.append(Profile(str(number))), {0}) for number in range(1100)]
    proposal, own = annotator.append(object_create(1)), owner.append(object_create(2))
    accepted = owner.append(accept(EventRef(proposal.entry_id, 0)))
    entries = [*bulk, without_bodies(proposal, {0}), without_bodies(own, {0}), accepted]
    log.ingest([entry.record for entry in entries])
    asked = log.incomplete()
    assert len(asked) == 1000
    assert {each.entry_id for each in asked[:2]} == {proposal.entry_id, own.entry_id}
