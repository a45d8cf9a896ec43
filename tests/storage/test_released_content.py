"""Which files are kept for releases alone."""

from __future__ import annotations

from pathlib import Path

from gonk_node.core.events import OWNER, REVIEWER, Grant, Revoke
from gonk_node.core.ids import EventRef
from gonk_node.replica.content.released_content import ReleasedContent
from gonk_node.replica.releases.releases import Releases
from kit import local_replica
from kit.authors import TestAuthor
from kit.history import accept, object_create


def test_what_a_reviewer_accepted_who_was_removed_back_to_before_that_stays_for_the_release(tmp_path: Path) -> None:
    """So it is where the root removes him without having heard of his last reviews, which another owner released."""
    replica = local_replica.make(tmp_path)
    owner, anna, bob, sam = (local_replica.author(replica, name) for name in ("owner", "anna", "bob", "sam"))
    bobs = TestAuthor("bob").author
    owner.sign([Grant(TestAuthor("anna").author, OWNER, "Anna"), Grant(bobs, REVIEWER, "Bob")])
    listed, never = object_create(1, "listed"), object_create(2, "never accepted")
    proposed = sam.sign([listed, never])
    bob.introduce()
    bob.sign([accept(EventRef(proposed.entry_id, 0))])
    released = ReleasedContent(replica, replica.db)
    assert Releases(replica).create(anna, "v1").summary.objects == 1
    assert released.files() == frozenset(), "it counts"
    owner.sign([Revoke(bobs, (), "a stolen key")])
    assert Releases(replica).verify("v1")
    assert released.files() == {(listed.content_id, listed.size)}
