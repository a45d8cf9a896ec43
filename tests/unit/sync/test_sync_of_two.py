"""Two sessions face to face: what is sent, how much of it, in which order, and what both report."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gonk_node.core import limits
from gonk_node.core.entry import Entry, without_bodies
from gonk_node.core.events import ACCEPT, AnnotationCreate, Profile, Review
from gonk_node.core.heads import heads_digest
from gonk_node.core.ids import EventRef
from gonk_node.core.outcome import Outcome
from gonk_node.sync import messages as wire
from gonk_node.sync.outputs import (
    Closed,
    ContentToken,
    Cursor,
    NotDelivered,
    Progress,
    Synced,
    TakeStanding,
    Totals,
)
from gonk_node.sync.transitions import Phase
from kit.authors import TestAuthor
from kit.memory_log import MemoryLog
from kit.session_pair import INSTANCES, Pair


class World:
    """A dataset with a root, and logs of it."""

    def __init__(self) -> None:
        self.root = TestAuthor("root")
        self.genesis = self.root.genesis()
        self.dataset = self.genesis.entry_id

    def author(self, name: str) -> TestAuthor:
        return TestAuthor(name, self.dataset)

    def log(self, *entries: Entry, **options: object) -> MemoryLog:
        log = MemoryLog(self.dataset, frozenset([self.root.author]), **options)
        results = log.ingest([self.genesis.record, *(entry.record for entry in entries)], cited=True)
        assert all(result.outcome in (Outcome.INSERTED, Outcome.DUPLICATE) for result in results)
        return log

    def empty(self) -> MemoryLog:
        return MemoryLog(self.dataset, frozenset([self.root.author]))


@pytest.fixture
def world() -> World:
    return World()


def large(size: int) -> AnnotationCreate:
    """An event of about that many bytes."""
    ref = EventRef(b"r" * 32, 0)
    return AnnotationCreate(b"u" * 16, ref, (ref,), b"x" * size)


def sent_records(side_messages: list[wire.Records]) -> list[bytes]:
    return [record for message in side_messages for group in message.groups for record in group.records]


# --- the first sync --------------------------------------------------------------------------------------------


def test_a_clone_takes_everything_once_and_both_end_equal(world: World) -> None:
    source = world.log(*world.root.chain(30), *world.author("a").chain(10))
    pair = Pair(world.empty(), source).run()
    assert pair.client.synced == pair.server.synced == Synced(True, True)
    assert pair.client.outcomes == {Outcome.INSERTED: 41}
    assert pair.client.log.heads() and heads_digest(pair.client.log.heads()) == heads_digest(source.heads())
    assert pair.client.session.phase is pair.server.session.phase is Phase.LIVE
    assert not pair.server.outcomes


def test_both_directions_go_in_one_session(world: World) -> None:
    one = world.log(*world.author("a").chain(5))
    other = world.log(*world.author("b").chain(7))
    pair = Pair(one, other).run()
    assert pair.client.outcomes == {Outcome.INSERTED: 7}
    assert pair.server.outcomes == {Outcome.INSERTED: 5}
    assert pair.client.synced == pair.server.synced == Synced(True, True)


def test_equal_replicas_are_done_in_one_round_trip(world: World) -> None:
    entries = world.root.chain(20)
    pair = Pair(world.log(*entries), world.log(*entries))
    pair.run(stop=lambda: bool(pair.client.synced and pair.server.synced))
    assert pair.rounds <= 1
    pair.run()
    assert [type(message) for message in pair.client.sent + pair.server.sent] == [wire.Hello, wire.Hello]
    assert pair.client.cursor == Cursor(INSTANCES[1], 21)


def test_two_empty_replicas_are_equal(world: World) -> None:
    pair = Pair(world.empty(), world.empty()).run()
    assert pair.client.synced == Synced(True, True)


def test_a_diverged_log_of_one_author_sends_only_what_lies_beyond(world: World) -> None:
    author = world.author("a")
    entries = author.chain(100)
    pair = Pair(world.log(*entries[:90]), world.log(*entries)).run()
    assert sent_records(pair.server.messages(wire.Records)) == [entry.record for entry in entries[90:]]
    assert pair.client.outcomes == {Outcome.INSERTED: 10}


def test_both_branches_of_a_fork_replicate_and_little_is_sent_twice(world: World) -> None:
    author = world.author("equivocator")
    trunk = author.chain(50)
    branches = [author.fork_chain(trunk[40], 3) for _ in range(3)]
    entries = [*trunk, *(entry for branch in branches for entry in branch)]
    source = world.log(*entries)
    pair = Pair(world.empty(), source).run()
    assert len(pair.client.log.leaves(author.author, author.log_id)) == 4
    assert pair.client.synced == Synced(True, True)
    assert pair.client.outcomes[Outcome.DUPLICATE] <= 3 * 20


def test_two_nodes_that_hold_different_branches_end_with_both(world: World) -> None:
    author = world.author("equivocator")
    trunk = author.chain(20)
    one, other = author.fork_chain(trunk[9], 5), author.fork_chain(trunk[9], 5)
    pair = Pair(world.log(*trunk, *one), world.log(*trunk, *other)).run()
    assert pair.client.synced == Synced(True, True)
    assert len(pair.server.log.leaves(author.author, author.log_id)) == 3


def test_owners_logs_come_first_and_each_log_in_order(world: World) -> None:
    strangers = [world.author(f"s{number}") for number in range(5)]
    entries = [entry for author in strangers for entry in author.chain(4)]
    source = world.log(*entries, *world.root.chain(10))
    pair = Pair(world.empty(), source).run()
    heads = [source.head_of(entry_id) for entry_id in pair.client.log.arrivals]
    owners = [head is not None and head.author == world.root.author for head in heads]
    assert owners == sorted(owners, reverse=True)


def test_the_genesis_is_the_first_entry_that_a_clone_gets() -> None:
    for name in ("root", "another", "third"):  # whatever the order of their keys
        root = TestAuthor(name)
        genesis = root.genesis()
        others = [TestAuthor(f"owner {number}", genesis.entry_id) for number in range(5)]
        owners = frozenset([root.author, *(other.author for other in others)])
        source = MemoryLog(genesis.entry_id, owners)
        source.ingest([genesis.record, *(other.append().record for other in others)])
        pair = Pair(MemoryLog(genesis.entry_id), source).run()
        assert pair.client.log.arrivals[0] == genesis.entry_id


def test_entries_that_arrive_before_the_peer_has_greeted_are_pushed(world: World) -> None:
    pair = Pair(world.log(), world.log())
    pair.client.log.ingest([world.author("a").append().record])
    pair.client.session.appended(pair.client.log.last_lsn())
    pair.run()
    assert pair.server.outcomes == {Outcome.INSERTED: 1}


def test_totals_come_before_the_first_record_and_are_exact(world: World) -> None:
    author = world.author("a")
    entries = [author.append(*[Profile(str(n)) for n in range(300 if k == 3 else 2)]) for k in range(10)]
    source = world.log(*entries)
    pair = Pair(world.empty(), source).run()
    kinds = [type(message) for message in pair.server.sent]
    assert kinds.index(wire.Announce) < kinds.index(wire.Records)
    size = sum(len(entry.record) for entry in source.entries.values())
    assert pair.server.messages(wire.Announce) == [wire.Announce(11, 1 + 9 * 2 + 300, size)]
    last = pair.client.outputs(Progress)[-1]
    assert last.taken == last.to_take == Totals(11, 319, size)
    assert pair.server.outputs(Progress)[-1].given == last.taken


def test_records_travel_in_batches_of_bounded_size_and_one_large_record_alone(world: World) -> None:
    author = world.author("a")
    entries = [author.append(large(600_000)) for _ in range(5)]
    entries.append(author.append(*[large(1_000_000) for _ in range(4)]))
    pair = Pair(world.empty(), world.log(*entries)).run()
    for message in pair.server.messages(wire.Records):
        records = sent_records([message])
        assert len(records) == 1 or sum(map(len, records)) <= limits.BATCH_BYTES
    assert pair.client.synced == Synced(True, True)


def test_many_small_logs_share_messages(world: World) -> None:
    source = world.log(*[world.author(f"a{number}").append() for number in range(500)])
    pair = Pair(world.empty(), source).run()
    assert pair.client.outcomes == {Outcome.INSERTED: 501}
    assert len(pair.server.messages(wire.Records)) == 1


def test_more_heads_than_a_page_or_a_portion_holds_all_arrive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADS_PER_MESSAGE_MAX", 10)
    monkeypatch.setattr(limits, "HEADS_PER_PORTION_MAX", 25)
    monkeypatch.setattr(limits, "NEEDS_PER_MESSAGE_MAX", 10)
    source = world.log(*[world.author(f"a{number}").append() for number in range(99)])
    pair = Pair(world.empty(), source).run()
    assert pair.client.error is pair.server.error is None
    assert pair.client.outcomes == {Outcome.INSERTED: 100}
    assert sum(message.last for message in pair.server.messages(wire.Heads)) == 4
    assert pair.client.synced == Synced(True, True)


def test_no_more_than_the_window_is_ever_on_the_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES", 1000)
    monkeypatch.setattr(limits, "WINDOW_BYTES", 3000)
    pair = Pair(world.empty(), world.log(*world.author("a").chain(100)))
    pair.run()
    sent = acked = 0
    acks = iter(message.bytes for message in pair.client.messages(wire.Ack))
    for message in pair.server.messages(wire.Records):
        sent += sum(map(len, sent_records([message])))
        while sent - acked > 3000:
            acked = next(acks)
    assert pair.client.outcomes == {Outcome.INSERTED: 101}


def test_a_sender_waits_for_acknowledgements(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES", 1000)
    monkeypatch.setattr(limits, "WINDOW_BYTES", 3000)
    pair = Pair(world.empty(), world.log(*world.author("a").chain(100)))
    pair.client.session.ingested = lambda results: None  # a client that never gets through
    pair.run()
    sent = sum(map(len, sent_records(pair.server.messages(wire.Records))))
    assert 2000 <= sent <= 3000


# --- cursors ---------------------------------------------------------------------------------------------------


def test_a_cursor_makes_the_next_sync_speak_of_new_logs_only(world: World) -> None:
    authors = [world.author(f"a{number}") for number in range(50)]
    source = world.log(*[author.append() for author in authors])
    first = Pair(world.empty(), source).run()
    assert first.client.cursor == Cursor(INSTANCES[1], 51)
    source.ingest([authors[7].append().record])
    again = Pair(first.client.log, source, first.client.cursor, first.server.cursor).run()
    assert [len(message.heads) for message in again.server.messages(wire.Heads)] == [1]
    assert [len(message.heads) for message in again.client.messages(wire.Heads)] == [0]
    assert again.client.outcomes == {Outcome.INSERTED: 1}


@pytest.mark.parametrize(
    "cursor", [Cursor(b"another instance", 51), Cursor(INSTANCES[1], 5000)], ids=["other store", "beyond the end"]
)
def test_a_cursor_that_cannot_be_this_stores_is_ignored(world: World, cursor: Cursor) -> None:
    source = world.log(*world.author("a").chain(50))
    pair = Pair(world.empty(), source, cursor, None).run()
    assert pair.client.outcomes == {Outcome.INSERTED: 51}


def test_an_interrupted_clone_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES", 2000)
    monkeypatch.setattr(limits, "WINDOW_BYTES", 4000)
    source = world.log(*world.author("a").chain(60))
    first = Pair(world.empty(), source)
    first.run(stop=lambda: first.client.outcomes.total() >= 30)
    held = first.client.outcomes.total()
    assert 30 <= held < 61
    assert first.client.cursor is None
    again = Pair(first.client.log, source).run()
    assert again.client.outcomes == {Outcome.INSERTED: 61 - held}


def test_what_was_declined_keeps_the_cursor_from_moving(world: World) -> None:
    stranger = world.author("stranger")
    source = world.log(*stranger.chain(20))
    client = MemoryLog(
        world.dataset, frozenset([world.root.author]), vouched=frozenset([world.root.author]), stranger_bytes=2000
    )
    pair = Pair(client, source).run()
    assert pair.client.outcomes[Outcome.DECLINED] == 1
    assert pair.client.cursor is None
    assert pair.client.synced == Synced(False, None)
    assert pair.server.cursor is not None


# --- live ------------------------------------------------------------------------------------------------------


def live_pair(world: World) -> Pair:
    return Pair(world.log(), world.log()).run()


def test_new_entries_are_pushed_and_not_sent_back(world: World) -> None:
    pair = live_pair(world)
    author = world.author("a")
    for _ in range(3):
        pair.client.log.ingest([author.append().record])
        pair.client.session.appended(pair.client.log.last_lsn())
        pair.run()
    assert pair.server.outcomes == {Outcome.INSERTED: 3}
    assert not pair.client.outcomes
    assert not pair.server.messages(wire.Records)
    assert pair.server.cursor == Cursor(INSTANCES[0], 4)
    assert pair.client.cursor == Cursor(INSTANCES[1], 4)


def test_pushes_cross_without_harm(world: World) -> None:
    pair = live_pair(world)
    for side, name in ((pair.client, "a"), (pair.server, "b")):
        side.log.ingest([entry.record for entry in world.author(name).chain(5)])
        side.session.appended(side.log.last_lsn())
    pair.run()
    assert pair.client.outcomes == pair.server.outcomes == {Outcome.INSERTED: 5}
    assert heads_digest(pair.client.log.heads()) == heads_digest(pair.server.log.heads())


def test_entries_that_arrive_during_the_first_sync_follow_it(world: World) -> None:
    source = world.log(*world.author("a").chain(10))
    pair = Pair(world.empty(), source)
    pair.run(stop=lambda: pair.rounds == 2)
    source.ingest([entry.record for entry in world.author("late").chain(3)])
    pair.server.session.appended(source.last_lsn())
    pair.run()
    assert pair.client.outcomes == {Outcome.INSERTED: 14}


def test_a_pushed_entry_that_does_not_join_on_is_asked_for_with_all_before_it(world: World) -> None:
    pair = live_pair(world)
    author = world.author("a")
    entries = author.chain(5)
    pair.client.log.ingest([entry.record for entry in entries[:4]])
    pair.client.session.appended(4 + 1)
    pair.run()
    for entry in entries[:4]:  # the server gives them up, as it may with a stranger's
        del pair.server.log.entries[entry.entry_id]
    pair.server.log._leaves.clear()
    pair.client.log.ingest([entries[4].record])
    pair.client.session.appended(pair.client.log.last_lsn())
    pair.run()
    assert pair.server.error is None
    assert pair.server.outcomes[Outcome.GAP] == 1
    assert all(pair.server.log.has(entry.entry_id) for entry in entries)


def test_a_push_in_the_middle_of_a_fork_brings_the_new_branch_only(world: World) -> None:
    author = world.author("equivocator")
    trunk = author.chain(20)
    pair = Pair(world.log(*trunk), world.log(*trunk)).run()
    pair.client.log.ingest([entry.record for entry in author.fork_chain(trunk[17], 2)])
    pair.client.session.appended(pair.client.log.last_lsn())
    pair.run()
    assert pair.server.outcomes[Outcome.INSERTED] == 2
    assert pair.server.outcomes[Outcome.DUPLICATE] <= 2


# --- what is missing in part -----------------------------------------------------------------------------------


def test_what_an_accept_cites_is_fetched_beyond_the_quota(world: World) -> None:
    stranger = world.author("stranger")
    proposals = stranger.chain(30)
    review = world.root.append(Review(ACCEPT, (EventRef(proposals[25].entry_id, 0),), (), "good"))
    source = world.log(*proposals, review)
    client = MemoryLog(
        world.dataset, frozenset([world.root.author]), vouched=frozenset([world.root.author]), stranger_bytes=500
    )
    pair = Pair(client, source).run()
    assert client.has(proposals[25].entry_id)
    assert not client.has(proposals[29].entry_id)
    assert not client.wanted()
    assert pair.client.error is None and pair.client.synced is not None


def test_after_a_refusal_the_rest_of_that_log_is_not_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES", 1000)
    monkeypatch.setattr(limits, "WINDOW_BYTES", 4000)
    source = world.log(*world.author("stranger").chain(200), *world.author("friend").chain(2))
    client = MemoryLog(
        world.dataset, vouched=frozenset([world.root.author, world.author("friend").author]), stranger_bytes=500
    )
    pair = Pair(client, source).run()
    assert pair.client.error is pair.server.error is None
    assert sum(map(len, sent_records(pair.server.messages(wire.Records)))) < 10_000
    assert client.has(source.leaves(world.author("friend").author, world.author("friend").log_id)[0].entry_id)


def test_withheld_bodies_are_asked_of_the_next_peer(world: World) -> None:
    entries = [world.author("a").append(Profile("one"), Profile("two"))]
    bare = world.log(without_bodies(entries[0], {1}))
    pair = Pair(bare, world.log(*entries)).run()
    assert pair.client.outcomes == {Outcome.COMPLETED: 1}
    assert pair.client.synced == pair.server.synced == Synced(True, True)
    assert not bare.incomplete()


def test_withheld_bodies_are_had_from_a_peer_that_lacks_only_what_was_erased(world: World) -> None:
    entry = world.author("a").append(Profile("one"), Profile("two"))
    whole, bare = world.log(entry), world.log(without_bodies(entry, {0, 1}))
    for log in (whole, bare):
        log.erase(entry.entry_id, {0})
    pair = Pair(bare, whole).run()
    assert pair.client.outcomes == {Outcome.COMPLETED: 1}
    assert pair.client.synced == pair.server.synced == Synced(True, True)
    assert not bare.incomplete()


def test_a_body_that_is_of_no_use_here_is_sent_once_a_session(world: World) -> None:
    """Two halves of an entry that is too large as a whole, say: else every push would send it again."""
    entry = world.author("a").append(Profile("one"), Profile("two"))
    bare, whole = world.log(without_bodies(entry, {1})), world.log(entry)
    take = bare.ingest
    bare.ingest = lambda records, cited=False: take(
        [record if record != entry.record else without_bodies(entry, {1}).record for record in records], cited
    )
    pair = Pair(bare, whole).run()
    for news in world.author("b").chain(3):
        whole.ingest([news.record])
        pair.server.session.appended(whole.last_lsn())
        pair.run()
    assert pair.client.error is pair.server.error is None
    assert sent_records(pair.server.messages(wire.Records)).count(entry.record) == 1


def test_bodies_that_neither_has_are_reported_and_no_states_compared(world: World) -> None:
    entry = without_bodies(world.author("a").append(Profile("one")), {0})
    pair = Pair(world.log(entry), world.log(entry)).run()
    assert pair.client.synced == pair.server.synced == Synced(True, None)
    assert pair.client.outputs(NotDelivered) == [NotDelivered([entry.entry_id])]


def test_equal_heads_with_unequal_states_are_reported_by_both(world: World) -> None:
    one, other = world.log(), world.log()
    other.state_digest = lambda: b"another state".ljust(32)
    pair = Pair(one, other).run()
    assert pair.client.synced == pair.server.synced == Synced(True, False)


def test_a_state_that_is_not_at_hand_is_not_compared(world: World) -> None:
    one, other = world.log(*world.author("a").chain(2)), world.log()
    other.state_digest = lambda: b""
    pair = Pair(one, other).run()
    assert pair.client.synced == pair.server.synced == Synced(True, None)


def test_what_was_given_up_while_it_waited_is_reported_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES", 1000)
    monkeypatch.setattr(limits, "WINDOW_BYTES", 1000)
    source = world.log(*world.author("a").chain(30))
    pair = Pair(world.empty(), source)
    pair.run(stop=lambda: pair.client.outcomes.total() >= 5)
    source.read_range = lambda *args, **options: []
    pair.run()
    assert pair.client.error is pair.server.error is None
    assert pair.client.outputs(NotDelivered)
    assert pair.client.cursor is None


# --- the end, and what goes beside -----------------------------------------------------------------------------


def test_closing_ends_both_sides_in_order(world: World) -> None:
    pair = live_pair(world)
    pair.client.session.close()
    pair.run()
    assert pair.client.outputs(Closed) and pair.server.outputs(Closed)
    assert pair.client.session.phase is pair.server.session.phase is Phase.CLOSED


def test_a_content_token_reaches_the_client(world: World) -> None:
    pair = live_pair(world)
    pair.server.session.offer_content(b"t" * 32, 600)
    pair.run()
    assert pair.client.outputs(ContentToken) == [ContentToken(b"t" * 32, 600)]


def test_a_whole_standing_is_taken_for_the_comparison_only(world: World) -> None:
    pair = Pair(world.empty(), world.log(*world.author("a").chain(3))).run()
    pair.server.log.ingest([world.author("b").append().record])
    pair.server.session.appended(pair.server.log.last_lsn())
    pair.run()
    assert [output.whole for output in pair.client.outputs(TakeStanding)] == [True, False]


def test_idle_sides_keep_one_another_awake(world: World) -> None:
    pair = live_pair(world)
    for now_ms in range(0, 10 * limits.SILENCE_MS, 1000):
        pair.client.session.tick(now_ms)
        pair.server.session.tick(now_ms)
        pair.run()
    assert pair.client.error is pair.server.error is None
    pings = pair.client.messages(wire.Ping)
    assert 0 < len(pings) <= 10 * limits.SILENCE_MS / limits.KEEPALIVE_MS


def test_arrival_numbers_delivered_only_grow(world: World) -> None:
    pair = live_pair(world)
    for number in range(5):
        pair.client.log.ingest([world.author(f"a{number}").append().record])
        pair.client.session.appended(pair.client.log.last_lsn())
        pair.run()
    lsns = [message.lsn for message in pair.client.messages(wire.Delivered)]
    assert lsns and all(one < other for one, other in pairwise(lsns))
