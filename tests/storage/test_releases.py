"""Releases on the disk: every node comes to the same manifest, or says why it does not."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from gonk_node.core.entry import read_stored, without_bodies
from gonk_node.core.events import (
    CONTRIBUTOR,
    OWNER,
    PUBLIC,
    DatasetCreate,
    Delete,
    Grant,
    Redact,
    ReleaseCreate,
    ReleaseHead,
)
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from gonk_node.core.times import time_json
from gonk_node.errors import (
    ErasedError,
    NotAllowedError,
    NotFoundError,
    NotHeldError,
    ReleaseError,
    VerificationError,
    WrongStateError,
)
from gonk_node.replica.releases.releases import Release, Releases
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.governing import Governor
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.replica.signing.recovering import replace_root
from gonk_node.state.manifest import NONCONFORMING, OBJECT_LEFT_OUT
from gonk_node.store.state_db import StateDb
from kit import local_replica
from kit.authors import TestAuthor
from kit.history import accept, annotation_create, object_create, schema_create
from kit.local_replica import copy_of, records


def accept_all(replica: Replica, name: str = "owner", *, strangers: bool = False) -> None:
    governor = Governor(local_replica.author(replica, name))
    governor.review(1, [each.ref for each in governor.awaiting(strangers=strangers)])


@pytest.fixture
def replica(tmp_path: Path) -> Replica:
    """Three objects and, by a contributor, an annotation of each, all accepted; a second owner; a stranger's proposals."""
    (tmp_path / "first").mkdir()
    made = local_replica.make(tmp_path / "first")
    local_replica.furnish(made)
    owner = local_replica.author(made, "owner")
    owner.sign([Grant(TestAuthor("nora").author, CONTRIBUTOR, "Nora"), Grant(TestAuthor("anna").author, OWNER, "Anna")])
    accept_all(made)
    proposer = Proposer(local_replica.author(made, "nora"))
    for number in range(3):
        proposer.author.sign([local_replica.annotating(proposer, number)().event])
    accept_all(made)
    local_replica.author(made, "sam").sign([object_create(50, "sam's")])
    return made


def release(replica: Replica, tag: str = "v1", name: str = "owner") -> Release:
    return Releases(replica).create(local_replica.author(replica, name), tag)


@pytest.mark.parametrize("seed", range(4))
def test_nodes_that_got_the_entries_in_other_orders_verify_and_make_the_same(
    replica: Replica, tmp_path: Path, seed: int
) -> None:
    made = release(replica)
    assert made.summary[1:] == (3, 3, 0)
    other = copy_of(tmp_path / "other", records(replica), seed)
    assert Releases(other).verify("v1").release == made
    again = Releases(other).create(local_replica.author(other, "anna"), "v2")
    assert again.summary == made.summary
    assert list(Releases(other).diff("v1", "v2")) == []
    replica.ingest(records(other))
    assert Releases(replica).verify("v2").release == again


def test_a_node_that_lacks_strangers_proposals_verifies_too(replica: Replica, tmp_path: Path) -> None:
    made = release(replica)
    sam = TestAuthor("sam").author
    assert sam not in {head.author for head in made.heads}
    without = [record for record in records(replica) if read_stored(record).header.author != sam]
    assert Releases(copy_of(tmp_path / "third", without)).verify("v1").release.summary == made.summary


def test_what_was_accepted_of_a_stranger_is_in_the_release_and_what_he_wrote_later_is_not(replica: Replica) -> None:
    accept_all(replica, strangers=True)
    sam = local_replica.author(replica, "sam")
    sam.sign([object_create(51, "more of sam's")])
    made = release(replica)
    assert made.summary.objects == 4
    (head,) = [each for each in made.heads if each.author == sam.key]
    assert head.seq == replica.log.leaves(sam.key, head.log_id)[0].seq - 1


def test_no_release_is_made_that_would_lack_what_counts_for_a_strangers_schema(replica: Replica) -> None:
    schema = local_replica.author(replica, "sam").sign([schema_create("schema-sams")])
    nora = local_replica.author(replica, "nora")
    named = EventRef(schema.entry_id, 0)
    drawn = nora.sign([annotation_create(9, named, local_replica.thing(replica, 0)[0].ref)])
    owner = local_replica.author(replica, "owner")
    owner.sign([accept(EventRef(drawn.entry_id, 0))])
    with pytest.raises(WrongStateError, match=r"what strangers proposed .* in 1 places"):
        release(replica)
    owner.sign([accept(named)])
    assert release(replica).summary.annotations == 4


def test_a_tampered_manifest_hash_or_count_is_refused(replica: Replica) -> None:
    made = release(replica)
    heads = tuple(ReleaseHead(*head) for head in made.heads)
    event = ReleaseCreate("hash", "", heads, bytes(32), made.summary[1:])
    counts = ReleaseCreate("counts", "", heads, made.summary.hash, (3, 2, 0))
    local_replica.author(replica, "owner").sign([event, counts])
    with pytest.raises(ReleaseError, match="another hash"):
        Releases(replica).verify("hash")
    with pytest.raises(ReleaseError, match="another hash"):
        Releases(replica).snapshot_of("hash", erased_too=True)
    with pytest.raises(ReleaseError, match="counts are wrong"):
        Releases(replica).verify("counts")
    assert ReleaseError.exit_code == ErasedError.exit_code == NotHeldError.exit_code == 4


def test_heads_that_nobody_has_and_heads_that_say_what_is_not_so_are_refused_and_told_apart(replica: Replica) -> None:
    made = release(replica)
    heads = [ReleaseHead(*head) for head in made.heads]
    author = local_replica.author(replica, "owner")
    known, seq = heads[0], heads[0].seq - 1
    for tag, head, error, what in (
        ("unknown", known._replace(entry_id=bytes(32)), NotHeldError, "is not on this node"),
        (
            "elsewhere",
            known._replace(seq=seq),
            ReleaseError,
            f"as number {seq} of a log of .*, which is number {known.seq}",
        ),
        ("another log", known._replace(log_id=bytes(8)), ReleaseError, "of another log"),
    ):
        author.sign([ReleaseCreate(tag, "", tuple(sorted([head, *heads[1:]])), made.summary.hash, made.summary[1:])])
        with pytest.raises(error, match=what):
            Releases(replica).verify(tag)


def test_an_entry_that_is_not_here_yet_is_told_and_then_it_verifies(replica: Replica, tmp_path: Path) -> None:
    release(replica)
    held = records(replica)
    nora = TestAuthor("nora").author
    last = max((r for r in held if read_stored(r).header.author == nora), key=lambda r: read_stored(r).header.seq)
    other = copy_of(tmp_path / "other", [record for record in held if record != last])
    with pytest.raises(NotHeldError, match="is not on this node") as caught:
        Releases(other).verify("v1")
    assert "gonk sync" in (caught.value.hint or "")
    other.ingest([last])
    Releases(other).verify("v1")


def test_who_is_no_owner_or_was_removed_makes_no_release(replica: Replica) -> None:
    for name in ("nora", "sam"):
        with pytest.raises(NotAllowedError):
            release(replica, "v9", name)
    early = release(replica, "early", "anna")
    Governor(local_replica.author(replica, "owner")).revoke(TestAuthor("anna").author, OWNER, "")
    with pytest.raises(NotAllowedError):
        release(replica, "v9", "anna")
    event = ReleaseCreate("late", "", tuple(ReleaseHead(*h) for h in early.heads), early.summary.hash, (3, 3, 0))
    replica.sign(TestAuthor("anna").signer, [event])
    with pytest.raises(ReleaseError, match="no owner"):
        Releases(replica).verify("late")
    assert Releases(replica).verify("early").release == early, "what she did before stands"


def tagged(replica: Replica, name: str, tag: str, made: Release) -> str:
    """Somebody signs the same release once more, under a tag that no honest node signs; the uuid of its event."""
    heads = tuple(ReleaseHead(*head) for head in made.heads)
    entry = local_replica.author(replica, name).sign([ReleaseCreate(tag, "", heads, made.summary[0], made.summary[1:])])
    return uuid_text(event_uuid(EventRef(entry.entry_id, 0)))


def test_an_entry_that_is_dated_before_the_dataset_does_not_make_it_older(replica: Replica) -> None:
    genesis = replica.log.header_of(replica.dataset)
    assert genesis is not None
    replica.ingest([TestAuthor("sam", replica.dataset).append(object_create(9), time_ms=1000).record])
    with pytest.raises(NotFoundError, match="did not exist yet"):
        Releases(replica).at("1980-01-01")
    with Releases(replica).at(time_json(genesis.time_ms) or "") as snapshot:
        assert snapshot.events == 2


@pytest.mark.parametrize("name", ["sam", "owner"])
def test_no_tag_stands_in_the_way_of_a_time(replica: Replica, name: str) -> None:
    made = release(replica)
    local_replica.author(replica, "owner").sign([object_create(7, "came later")])
    event = tagged(replica, name, "2100-01-01", made)
    with Releases(replica).at("2100-01-01") as snapshot:
        assert snapshot.state_digest() == replica.state_digest()
    with pytest.raises(NotFoundError) as refused:
        Releases(replica).snapshot_of("2100-01-01")
    if name == "owner":
        assert event in str(refused.value), "it tells how to name that release"
        with Releases(replica).at(event) as snapshot:
            assert snapshot.summary() == made.summary


def test_a_tag_that_is_the_uuid_of_anothers_release_does_not_take_its_place(replica: Replica) -> None:
    made = release(replica)
    later = release(replica, "v2", "anna")
    impostor = tagged(replica, "anna", made.event, later)
    assert Releases(replica).find(made.event).ref == made.ref
    assert Releases(replica).find(impostor).tag == made.event
    unknown = str(UUID(bytes=bytes(16)))
    tagged(replica, "anna", unknown, later)
    with pytest.raises(NotFoundError):
        Releases(replica).find(unknown)


def test_of_two_releases_with_one_tag_every_node_takes_the_higher_owners(replica: Replica, tmp_path: Path) -> None:
    other = copy_of(tmp_path / "other", records(replica))
    annas = release(other, "v1", "anna")
    owners = release(replica, "v1")
    both = [*records(replica), *records(other)]
    for node in (replica, other):
        node.ingest(both)
        found = Releases(node)
        assert found.find("v1").ref == owners.ref
        assert {each.ref: each.is_named for each in found.all()} == {owners.ref: True, annas.ref: False}
        assert found.verify(annas.event).release.ref == annas.ref


def test_a_review_or_revoke_that_comes_later_does_not_change_a_release(replica: Replica) -> None:
    made = release(replica)
    author = local_replica.author(replica, "owner")
    nora = TestAuthor("nora").author
    for number in range(3):
        mine = [each.ref for each in local_replica.thing(replica, number)]
        Governor(author).review(2, mine, supersede=True)
    Governor(author).revoke(nora, CONTRIBUTOR, "")
    assert not any(each.current for number in range(3) for each in local_replica.thing(replica, number))
    assert Releases(replica).verify("v1").release == made


# --- bodies that are not there ------------------------------------------------------------------------------


def _first_of(replica: Replica, name: str) -> EventRef:
    key = TestAuthor(name).author
    entries = (read_stored(record) for record in records(replica))
    return next(EventRef(entry.entry_id, 0) for entry in entries if entry.header.author == key)


def test_what_was_erased_since_is_told_apart_and_nothing_of_it_stays(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gonk_node.replica.releases.snapshot.SNAPSHOT_MEMORY_EVENTS_MAX", 0)
    made = release(replica)
    assert replica.db.path is not None
    kept = replica.db.path.parent / "at"
    assert len(list(kept.glob("*.db"))) == 1
    annotation = _first_of(replica, "nora")
    local_replica.author(replica, "nora").sign([Redact(annotation, "a face")])
    assert list(kept.iterdir()) == [], "a past State may hold what was erased"
    with pytest.raises(ErasedError, match="erased since, 1 of them"):
        Releases(replica).verify("v1")
    with Releases(replica).snapshot_of("v1", erased_too=True) as snapshot:
        assert snapshot.summary()[1:] == (3, 2, 0)
        assert snapshot.lacking() == [annotation]
    with pytest.raises(ErasedError):
        Releases(replica).snapshot_of("v1")
    assert release(replica, "v2").summary[1:] == (3, 2, 0)
    assert Releases(replica).find("v1") == made


def test_what_was_erased_before_a_release_is_no_part_of_it(replica: Replica, tmp_path: Path) -> None:
    local_replica.author(replica, "nora").sign([Redact(_first_of(replica, "nora"), "")])
    made = release(replica)
    assert made.summary[1:] == (3, 2, 0)
    assert Releases(copy_of(tmp_path / "other", records(replica), 1)).verify("v1").release == made


def test_an_erasure_whose_hash_is_wrong_all_the_same_is_no_verified_release(replica: Replica) -> None:
    made = release(replica)
    local_replica.author(replica, "nora").sign([Redact(_first_of(replica, "nora"), "")])
    heads = tuple(ReleaseHead(*head) for head in made.heads)
    local_replica.author(replica, "owner").sign([ReleaseCreate("bad", "", heads, bytes(32), (9, 9, 9))])
    with pytest.raises(VerificationError):
        Releases(replica).verify("bad")


def test_a_withheld_body_is_asked_for_and_no_release_is_made_without_it(replica: Replica, tmp_path: Path) -> None:
    made = release(replica)
    missing = _first_of(replica, "nora")
    held = [
        without_bodies(entry, {0}).record if entry.entry_id == missing.entry_id else entry.record
        for entry in map(read_stored, records(replica))
    ]
    other = copy_of(tmp_path / "other", held)
    with pytest.raises(NotHeldError, match="without their bodies"):
        Releases(other).verify("v1")
    with pytest.raises(NotHeldError, match="without their bodies"):
        release(other, "v2", "anna")
    other.ingest(records(replica))
    assert Releases(other).verify("v1").release == made
    assert release(other, "v2", "anna").summary == made.summary


def test_a_body_that_nobody_gives_holds_up_no_release_once_an_owner_redacts_it(
    replica: Replica, tmp_path: Path
) -> None:
    missing = _first_of(replica, "nora")
    held = [
        without_bodies(entry, {0}).record if entry.entry_id == missing.entry_id else entry.record
        for entry in map(read_stored, records(replica))
    ]
    other = copy_of(tmp_path / "other", held)
    Governor(local_replica.author(other, "anna")).redact(missing, "nobody has it")
    made = release(other, "v1", "anna")
    assert made.summary[1:] == (3, 2, 0)
    replica.ingest(records(other))
    assert Releases(replica).verify("v1").release == made


def test_a_strangers_redaction_of_what_was_accepted_is_under_the_heads(replica: Replica, tmp_path: Path) -> None:
    accept_all(replica, strangers=True)
    sam = local_replica.author(replica, "sam")
    entry = sam.sign([Redact(_first_of(replica, "sam"), "a mistake")])
    sam.sign([object_create(52, "later")])
    made = release(replica)
    assert entry.entry_id in {head.entry_id for head in made.heads}
    assert made.summary.objects == 3
    assert Releases(copy_of(tmp_path / "other", records(replica), 3)).verify("v1").release == made


def test_a_root_that_recovery_keys_made_releases_what_it_accepted(tmp_path: Path) -> None:
    names = ("k1", "k2")
    keys = [TestAuthor(name).author for name in names]
    create = DatasetCreate("x", "", 1, 1, PUBLIC, tuple(sorted(keys)), 2, bytes(16))
    Replica.make(
        tmp_path / "log", Replica.found(TestAuthor("owner").signer, local_replica.INSTANCE, create).record, None
    )
    replica = local_replica.reopen(tmp_path)
    local_replica.furnish(replica)
    for name in names:
        replace_root(local_replica.author(replica, name), TestAuthor("new").author)
    accept_all(replica, "new", strangers=True)
    accept_all(replica, "new")
    made = release(replica, "v1", "new")
    assert made.summary.objects == 3
    assert set(keys) <= {head.author for head in made.heads}
    assert Releases(replica).verify("v1").release == made


def test_what_is_left_out_is_told_with_the_reason(replica: Replica) -> None:
    owner = local_replica.author(replica, "owner")
    thing, schema = local_replica.thing(replica, 0)[0], Proposer(owner).usable_schema("schema-box")
    entry = owner.sign([annotation_create(7, schema.ref, thing.ref, body=b"[]")])
    owner.sign([accept(EventRef(entry.entry_id, 0)), Delete(local_replica.thing(replica, 1)[0].ref)])
    accept_all(replica)
    made = release(replica)
    assert made.summary[1:] == (2, 2, 2)
    with Releases(replica).snapshot_of("v1") as snapshot:
        assert sorted(each.reason for each in snapshot.left_out()) == [NONCONFORMING, OBJECT_LEFT_OUT]
        assert b"".join(snapshot.manifest().lines()).count(b"left-out") == 2


def test_votes_for_a_strangers_event_under_its_place_count(replica: Replica) -> None:
    sam = local_replica.author(replica, "sam")
    entry = sam.sign([object_create(60, "one"), object_create(61, "two")])
    local_replica.author(replica, "owner").sign([accept(EventRef(entry.entry_id, 1))])
    assert release(replica).summary.objects == 4


def test_what_others_accept_while_a_release_is_made_does_not_hold_it_up(replica: Replica) -> None:
    drawn = local_replica.author(replica, "nora").sign([object_create(60, "later")])
    owner = local_replica.author(replica, "owner")
    waiting = [accept(EventRef(drawn.entry_id, 0))]

    def others(_lsn: int, _last: int) -> None:
        if waiting:
            owner.sign([waiting.pop()])

    made = Releases(replica).create(owner, "v1", progress=others)
    assert made.summary[1:] == (3, 3, 0), "as it was when the heads were taken"
    assert Releases(replica).verify("v1").release == made


def test_what_another_process_appended_and_nobody_folded_yet_takes_no_log_out_of_a_release(
    replica: Replica, tmp_path: Path
) -> None:
    other = copy_of(tmp_path / "other", records(replica))
    later = local_replica.author(other, "nora").sign([object_create(60, "later")])
    replica.log.append([later])
    state = StateDb(replica.db.path, replica.dataset)
    with state.transaction():
        state.set_meta("noted", "by another process")
    state.close()
    made = release(replica)
    assert made.summary[1:] == (3, 3, 0)
    assert Releases(replica).verify("v1").release == made
