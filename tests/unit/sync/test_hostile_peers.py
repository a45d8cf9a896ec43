"""Whatever a peer says, a session ends with a typed error, holds bounded memory, and keeps the valid prefix."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gonk_node.core import limits
from gonk_node.core.entry import Entry
from gonk_node.core.events import ACCEPT, Review
from gonk_node.core.heads import Head
from gonk_node.core.ids import EventRef
from gonk_node.core.outcome import Outcome
from gonk_node.errors import (
    GonkError,
    InvalidEntryError,
    NotFoundError,
    PeerUnavailableError,
    ProtocolError,
    StorageError,
    WrongPeerError,
)
from gonk_node.sync import messages as wire
from gonk_node.sync.closing import close_for, error_of
from gonk_node.sync.outputs import Closed, NotDelivered, SaveCursor
from gonk_node.sync.transitions import Phase
from kit.authors import TestAuthor
from kit.memory_log import MemoryLog
from kit.session_pair import HostilePeer, Pair

H = b"h" * 32
ROOT = TestAuthor("root")
GENESIS = ROOT.genesis()
AUTHOR = TestAuthor("a", GENESIS.entry_id)
CHAIN = AUTHOR.chain(6)
SECOND = 1000


def position(entry: Entry) -> Head:
    return Head(entry.header.author, entry.header.log_id, entry.header.seq, entry.entry_id)


def fake_head(number: int = 0) -> Head:
    return Head(number.to_bytes(32, "big"), b"logidlog", number, number.to_bytes(32, "little"))


def group(*entries: Entry, to: Entry | None = None) -> wire.Group:
    return wire.Group(position(to or entries[-1]), [entry.record for entry in entries])


def victim(**options: object) -> MemoryLog:
    log = MemoryLog(GENESIS.entry_id, frozenset([ROOT.author]), **options)
    log.ingest([GENESIS.record])
    return log


@pytest.fixture
def peer() -> HostilePeer:
    return HostilePeer(victim())


def error(peer: HostilePeer) -> Exception | None:
    return peer.victim.error


# --- what may come when ----------------------------------------------------------------------------------------

BEFORE_HELLO = [wire.Heads([], 1), wire.Ack(1), wire.Delivered(1), wire.Done(H, b"", 0), wire.Token(H, 1)]
NEVER_IN_A_SESSION = [
    wire.ClientHello(H, [1], H, H),
    wire.ServerHello(H, 1, H + H),
    wire.ClientProof(H, H + H, b"", b""),
]
WHILE_LISTING = [
    *(wire.Announce(1, 1, 1), wire.Records([group(CHAIN[0])]), wire.Found([fake_head()]), wire.Delivered(1)),
    *(wire.Want([H]), wire.NeedBodies([wire.NeededBodies(H, [0])]), wire.Done(H, b"", 0)),
]


@pytest.mark.parametrize("message", [*BEFORE_HELLO, *NEVER_IN_A_SESSION], ids=lambda m: type(m).__name__)
def test_nothing_but_a_hello_opens_a_session(peer: HostilePeer, message: wire.Message) -> None:
    assert isinstance(error(peer.say(message)), ProtocolError)


@pytest.mark.parametrize("message", NEVER_IN_A_SESSION, ids=lambda m: type(m).__name__)
def test_a_second_handshake_is_refused(peer: HostilePeer, message: wire.Message) -> None:
    assert isinstance(error(peer.hello().say(message)), ProtocolError)


@pytest.mark.parametrize("message", WHILE_LISTING, ids=lambda m: type(m).__name__)
def test_nothing_comes_before_the_heads_are_told(peer: HostilePeer, message: wire.Message) -> None:
    assert isinstance(error(peer.hello().say(message)), ProtocolError)


@pytest.mark.parametrize("indexes", [[], [1], [4095]])
def test_bodies_that_are_not_there_are_missing(peer: HostilePeer, indexes: list[int]) -> None:
    entry_id = GENESIS.entry_id  # of one event
    peer.equal_hello().say(wire.NeedBodies([wire.NeededBodies(entry_id, indexes), wire.NeededBodies(H, [0])]))
    assert error(peer) is None
    assert peer.victim.messages(wire.Missing)[0].entry_ids == [entry_id, H]


def test_one_hello_is_enough(peer: HostilePeer) -> None:
    assert isinstance(error(peer.hello().hello()), ProtocolError)


def test_done_comes_once(peer: HostilePeer) -> None:
    peer.equal_hello()
    assert isinstance(error(peer.say(wire.Done(H, b"", 0))), ProtocolError)


def test_a_hello_for_another_dataset_is_refused(peer: HostilePeer) -> None:
    assert isinstance(error(peer.hello(dataset=H)), ProtocolError)


def test_a_client_cannot_hand_out_content_tokens() -> None:
    pair = Pair(victim(), victim()).run()
    pair.client.session.offer_content(H, 60)
    pair.run()
    assert isinstance(pair.server.error, ProtocolError)


@pytest.mark.parametrize("damage", ["repeat", "skip", "swap", "cut", "flip"])
def test_a_damaged_stream_of_frames_ends_the_session(damage: str) -> None:
    source = victim()
    source.ingest([entry.record for entry in CHAIN])
    pair = Pair(victim(), source)
    frames = pair.server.pump()
    for frame in pair.client.pump():
        pair.server.session.receive(frame)
    frames += pair.server.pump()
    assert len(frames) >= 2
    changed = {
        "repeat": [frames[0], *frames],
        "skip": frames[1:],
        "swap": frames[::-1],
        "cut": [frames[0][:-1]],
        "flip": [bytes([frames[0][0] ^ 1]) + frames[0][1:]],
    }[damage]
    for frame in changed:
        pair.client.session.receive(frame)
        pair.client.pump()
    assert isinstance(pair.client.error, ProtocolError)


# --- heads and needs -------------------------------------------------------------------------------------------


def test_a_head_that_never_comes_is_a_protocol_error(peer: HostilePeer) -> None:
    peer.hello().say(wire.Heads([fake_head()], 1), wire.Delivered(5))
    assert isinstance(error(peer), ProtocolError)
    assert "did not send" in str(error(peer))
    assert not peer.victim.outputs(SaveCursor)


def test_a_head_that_the_peer_takes_back_is_reported_and_the_session_goes_on(peer: HostilePeer) -> None:
    peer.hello().say(wire.Heads([fake_head()], 1), wire.Missing([fake_head().entry_id]), wire.Delivered(5))
    assert error(peer) is None
    assert peer.victim.outputs(NotDelivered) == [NotDelivered([fake_head().entry_id])]
    assert not peer.victim.outputs(SaveCursor)


def test_a_million_fake_heads_cost_bounded_memory(peer: HostilePeer) -> None:
    peer.hello()
    pages = 0
    while error(peer) is None:
        page = [fake_head(pages * 1024 + number) for number in range(1024)]
        peer.say(wire.Heads(page, 0))
        pages += 1
    assert isinstance(error(peer), ProtocolError)
    assert pages * 1024 <= limits.HEADS_PER_PORTION_MAX + 1024


def test_portions_wait_for_their_answer(peer: HostilePeer) -> None:
    peer.hello()
    for _ in range(2):  # in one go, without letting the victim speak
        peer.victim.session.receive(peer._channel.encode(wire.Heads([fake_head()], 1)))
    peer.victim.pump()
    assert isinstance(error(peer), ProtocolError)


def test_an_empty_page_of_heads_or_needs_is_refused() -> None:
    for message in (wire.Heads([], 0), wire.Need([], 0)):
        assert isinstance(error(HostilePeer(victim()).hello().say(message)), ProtocolError)


def test_what_this_node_does_not_hold_is_answered_as_missing(peer: HostilePeer) -> None:
    peer.hello().say(wire.Need([wire.NeededRange(H, [])], 1))
    assert error(peer) is None
    assert wire.Missing([H]) in peer.victim.sent


def test_an_answer_before_the_heads_were_told_is_refused() -> None:
    peer = HostilePeer(victim())
    for message in (wire.Hello(GENESIS.entry_id, H[:16], 1, H, b"", 0, b"", 0), wire.Need([], 1)):
        peer.victim.session.receive(peer._channel.encode(message))
    peer.victim.pump()
    assert isinstance(error(peer), ProtocolError)


def test_a_position_that_was_not_asked_for_is_refused(peer: HostilePeer) -> None:
    assert isinstance(error(peer.equal_hello().say(wire.Found([fake_head()]))), ProtocolError)


def test_a_head_that_moves_is_refused(peer: HostilePeer) -> None:
    moved = position(CHAIN[0])._replace(seq=5)
    peer.hello().say(wire.Heads([position(CHAIN[0])], 1))
    assert isinstance(error(peer.say(wire.Records([wire.Group(moved, [CHAIN[0].record])]))), ProtocolError)


# --- records ---------------------------------------------------------------------------------------------------


def test_an_invalid_record_ends_the_session_and_the_valid_ones_before_it_stay(peer: HostilePeer) -> None:
    forged = CHAIN[2].record[:-1] + bytes([CHAIN[2].record[-1] ^ 1])
    records = [CHAIN[0].record, CHAIN[1].record, forged]
    peer.hello().say(wire.Heads([position(CHAIN[2])], 1), wire.Records([wire.Group(position(CHAIN[2]), records)]))
    assert isinstance(error(peer), InvalidEntryError)
    assert peer.victim.log.has(CHAIN[1].entry_id)
    assert isinstance(peer.victim.sent[-1], wire.Close)


def test_an_entry_of_another_dataset_ends_the_session(peer: HostilePeer) -> None:
    foreign = TestAuthor("b", b"f" * 32).append()
    peer.hello().say(wire.Heads([position(foreign)], 1), wire.Records([group(foreign)]))
    assert isinstance(error(peer), InvalidEntryError) and error(peer).rule == "V6"


def test_garbage_for_a_record_ends_the_session(peer: HostilePeer) -> None:
    peer.equal_hello().say(wire.Records([wire.Group(fake_head(), [b"garbage"])]))
    assert isinstance(error(peer), InvalidEntryError)


def test_more_than_the_window_is_a_flood() -> None:
    peer = HostilePeer(victim()).equal_hello()
    large = wire.Records([wire.Group(fake_head(), [bytes(3 * limits.MIB)])])
    for message in (large, large):  # the victim has taken none of it yet
        peer.victim.session.receive(peer._channel.encode(message))
    peer.victim.session.outputs()
    assert peer.victim.session.phase is Phase.CLOSED


def test_idle_talk_without_end_is_a_flood_and_in_measure_is_not(peer: HostilePeer) -> None:
    peer.equal_hello()
    for now in range(5):
        peer.say(*[wire.Ping()] * limits.IDLE_MESSAGES_MAX).ticks(now * SECOND)
    assert error(peer) is None
    peer.say(*[wire.Ping()] * (limits.IDLE_MESSAGES_MAX + 1))
    assert isinstance(error(peer), ProtocolError)


def test_entries_that_never_join_on_are_borne_for_a_while_only(peer: HostilePeer) -> None:
    peer.equal_hello()
    for _ in range(limits.GAPS_MAX):
        peer.say(wire.Records([group(CHAIN[3])]))
        assert error(peer) is None
    assert sum(isinstance(message, wire.Need) for message in peer.victim.sent) == 1
    assert isinstance(error(peer.say(wire.Records([group(CHAIN[3])]))), ProtocolError)


def test_a_peer_cannot_pass_off_spam_as_cited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CITED_BYTES_MAX", 600)
    log = victim(vouched=frozenset([ROOT.author]), stranger_bytes=0)
    root = TestAuthor("root")
    root.genesis()
    log.ingest([root.append(Review(ACCEPT, (EventRef(H, 0),), (), "")).record])
    peer = HostilePeer(log).equal_hello()
    assert wire.Want([H]) in peer.victim.sent
    head = Head(AUTHOR.author, AUTHOR.log_id, 9, H)
    peer.say(wire.Found([head]))
    for entry in CHAIN:
        peer.say(wire.Records([wire.Group(head, [entry.record])]))
    assert 0 < peer.victim.outcomes[Outcome.INSERTED] < len(CHAIN)
    assert peer.victim.outcomes[Outcome.DECLINED] == 1


def test_more_acknowledged_than_sent_is_refused(peer: HostilePeer) -> None:
    assert isinstance(error(peer.hello().say(wire.Ack(1))), ProtocolError)


def test_an_acknowledgement_that_does_not_grow_is_refused() -> None:
    log = victim()
    peer = HostilePeer(log).hello().say(wire.Need([wire.NeededRange(GENESIS.entry_id, [])], 1))
    size = len(GENESIS.record)
    assert error(peer.say(wire.Ack(size))) is None
    assert isinstance(error(peer.say(wire.Ack(size))), ProtocolError)


def test_deliveries_do_not_go_back(peer: HostilePeer) -> None:
    peer.hello(last_lsn=9).say(wire.Heads([], 1), wire.Delivered(9))
    assert error(peer) is None
    assert isinstance(error(peer.say(wire.Delivered(8))), ProtocolError)


def test_questions_without_reading_the_answers_are_a_flood() -> None:
    peer = HostilePeer(victim()).equal_hello()
    frames = [peer._channel.encode(wire.Want([bytes([number]) * 32])) for number in range(limits.REPLIES_OPEN_MAX + 2)]
    for frame in frames:
        peer.victim.session.receive(frame)
    peer.victim.pump()
    assert isinstance(error(peer), ProtocolError)


def test_ranges_asked_for_without_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NEEDS_OPEN_MAX", 3)
    log = victim()
    log.ingest([entry.record for entry in CHAIN])
    needs = [wire.NeededRange(entry.entry_id, []) for entry in CHAIN]
    peer = HostilePeer(log).hello()
    peer.victim.session.receive(peer._channel.encode(wire.Need(needs, 0)))
    peer.victim.pump()
    assert isinstance(error(peer), ProtocolError)


# --- silence ---------------------------------------------------------------------------------------------------


def every_second(peer: HostilePeer, until_ms: int, each: Callable[[], object] = lambda: None) -> None:
    for now in range(0, until_ms, SECOND):
        each()
        peer.ticks(now)


def test_a_silent_peer_is_given_up(peer: HostilePeer) -> None:
    every_second(peer, limits.SILENCE_MS + 2 * SECOND)
    assert isinstance(error(peer), PeerUnavailableError)


@pytest.mark.parametrize("stage", ["hello", "heads", "records", "need", "ack"])
def test_a_peer_that_only_says_that_it_is_there_is_given_up(stage: str) -> None:
    log = victim()
    peer = HostilePeer(log)
    if stage != "hello":
        peer.hello()
    if stage == "records":
        peer.say(wire.Heads([position(CHAIN[0])], 1), wire.Need([], 1))
    if stage == "need":
        peer.say(wire.Heads([], 1), wire.Delivered(1))
    if stage == "ack":
        peer.say(wire.Heads([], 1), wire.Delivered(1), wire.Need([wire.NeededRange(GENESIS.entry_id, [])], 1))
    every_second(peer, limits.STALL_MS - SECOND, lambda: peer.say(wire.Ping()))
    assert error(peer) is None
    every_second(peer, limits.STALL_MS + 3 * SECOND, lambda: peer.say(wire.Ping()))
    assert isinstance(error(peer), PeerUnavailableError)


def test_a_peer_whose_state_takes_long_has_more_time_but_not_for_ever(peer: HostilePeer) -> None:
    peer.hello().say(wire.Heads([], 1), wire.Need([], 1), wire.Delivered(1))
    assert peer.victim.session.phase is Phase.DONE_SENT
    every_second(peer, limits.COMPARE_MS - SECOND, lambda: peer.say(wire.Ping()))
    assert error(peer) is None
    every_second(peer, limits.COMPARE_MS + 3 * SECOND, lambda: peer.say(wire.Ping()))
    assert isinstance(error(peer), PeerUnavailableError)


def test_a_live_session_may_idle_for_ever(peer: HostilePeer) -> None:
    peer.equal_hello()
    every_second(peer, 3 * limits.COMPARE_MS, lambda: peer.say(wire.Ping()))
    assert error(peer) is None


# --- how it ends -----------------------------------------------------------------------------------------------


def test_after_the_end_nothing_is_taken_or_said(peer: HostilePeer) -> None:
    peer.hello().say(wire.Delivered(1))
    count = len(peer.victim.sent)
    peer.say(wire.Heads([], 1), wire.Delivered(5)).ticks(10**9)
    assert len(peer.victim.sent) == count
    assert len([output for output in peer.victim.seen if type(output).__name__ == "Failed"]) == 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ProtocolError("odd"), ProtocolError),
        (InvalidEntryError("V4", "forged"), ProtocolError),
        (WrongPeerError("another"), WrongPeerError),
        (NotFoundError("no such dataset"), NotFoundError),
        (PeerUnavailableError("silent"), PeerUnavailableError),
        (StorageError("/home/user/secret is full"), PeerUnavailableError),
    ],
    ids=lambda value: getattr(value, "code", "") if isinstance(value, GonkError) else "",
)
def test_why_a_session_ends_reaches_the_other_side_as_an_error_of_its_own(
    ours: GonkError, theirs: type[GonkError]
) -> None:
    close = close_for(ours)
    assert type(error_of(close)) is theirs
    assert "secret" not in close.reason
    pair = Pair(victim(), victim()).run()
    pair.client.session.fail(ours)
    pair.run()
    assert pair.client.error is ours
    assert type(pair.server.error) is theirs


def test_an_unknown_reason_to_close_is_that_the_peer_went_away() -> None:
    assert isinstance(error_of(wire.Close(200, "new")), PeerUnavailableError)


def test_a_disk_that_fails_ends_the_session_with_that_error() -> None:
    log = victim()

    def broken(*args: object, **options: object) -> list[bytes]:
        raise StorageError("read failed")

    log.ingest([entry.record for entry in CHAIN])
    log.read_range = broken
    pair = Pair(victim(), log).run()
    assert isinstance(pair.server.error, StorageError)
    assert isinstance(pair.client.error, PeerUnavailableError)


def test_a_close_while_waiting_is_the_end(peer: HostilePeer) -> None:
    peer.hello().say(wire.Close(wire.CLOSE_DONE, ""))
    assert peer.victim.outputs(Closed)
