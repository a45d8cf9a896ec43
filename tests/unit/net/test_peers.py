"""The peer book keeps what the user named, survives damage and crashes, and may be shared by processes."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gonk_node.core.limits import PEERS_MAX
from gonk_node.errors import DamagedStoreError, DiskFullError, NotFoundError, StorageError, UsageError
from gonk_node.net import peers
from gonk_node.net.peers import Peer, PeerBook

KEY = bytes(range(32))
DATASET = b"d" * 32


def peer(number: int = 0, **fields: object) -> Peer:
    return Peer(**({"node_key": number.to_bytes(32, "big"), "host": "node.example", "port": 7475} | fields))


def test_a_book_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert PeerBook(tmp_path).peers() == []
    assert PeerBook(tmp_path).get(KEY) is None


def test_a_peer_is_there_after_a_restart_with_every_field(tmp_path: Path) -> None:
    added = PeerBook(tmp_path).add(peer(1, host="::1", datasets=(b"e" * 32, DATASET)))
    PeerBook(tmp_path).record_seen(added.node_key, 1_700_000_000_123)
    PeerBook(tmp_path).record_error(added.node_key, "no  answer\nat all")
    assert PeerBook(tmp_path).peers() == [
        Peer(
            node_key=(1).to_bytes(32, "big"),
            host="::1",
            port=7475,
            datasets=(DATASET, b"e" * 32),
            last_seen_ms=1_700_000_000_123,
            last_error="no answer at all",
        )
    ]


def test_adding_a_known_peer_moves_it_and_keeps_what_is_known(tmp_path: Path) -> None:
    book = PeerBook(tmp_path)
    book.add(peer(1, datasets=(DATASET,)))
    book.record_seen(peer(1).node_key, 5)
    assert book.add(peer(1, host="other.example", datasets=(b"e" * 32,))) == peer(
        1, host="other.example", datasets=(DATASET, b"e" * 32), last_seen_ms=5
    )
    assert len(book.peers()) == 1


def test_success_clears_the_last_error(tmp_path: Path) -> None:
    book = PeerBook(tmp_path)
    book.add(peer(1))
    book.record_error(peer(1).node_key, "away")
    book.record_seen(peer(1).node_key, 5)
    assert book.peers() == [peer(1, last_seen_ms=5)]


def test_a_removed_peer_is_gone_and_does_not_come_back_by_a_late_note(tmp_path: Path) -> None:
    book = PeerBook(tmp_path)
    book.add(peer(1))
    assert book.remove(peer(1).node_key) == peer(1)
    book.record_seen(peer(1).node_key, 5)
    book.record_error(peer(1).node_key, "away")
    assert book.peers() == []
    with pytest.raises(NotFoundError):
        book.remove(peer(1).node_key)


@pytest.mark.parametrize(
    "fields",
    [
        {"node_key": b"short"},
        {"host": ""},
        {"host": "a" * 256},
        {"host": "a b"},
        {"host": "user@host"},
        {"host": "host/path"},
        {"host": "host\n"},
        {"port": 0},
        {"port": 65_536},
        {"datasets": (b"short",)},
    ],
)
def test_what_is_no_address_is_refused_and_nothing_written(tmp_path: Path, fields: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        PeerBook(tmp_path).add(peer(1, **fields))
    assert not (tmp_path / "peers.json").exists()


def test_a_full_book_takes_no_more_but_changes_what_it_has(tmp_path: Path) -> None:
    book = PeerBook(tmp_path)
    book._write({peer(n).node_key: peer(n) for n in range(PEERS_MAX)})
    with pytest.raises(UsageError, match="full"):
        book.add(peer(PEERS_MAX))
    assert book.add(peer(3, port=1)).port == 1


def test_only_the_user_may_read_the_book(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        PeerBook(tmp_path).add(peer(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "peers.json").stat().st_mode) == 0o600


def damaged_books() -> list[bytes]:
    good = json.loads(peers._encode([peer(1, last_seen_ms=1, last_error="x", datasets=(DATASET,))]))
    row = good["peers"][0]
    changes: list[dict[str, object]] = [
        {"port": "7475"},
        {"port": True},
        {"host": 5},
        {"host": "a b"},
        {"node_key": "zz"},
        {"node_key": "aa"},
        {"datasets": ["aa"]},
        {"datasets": None},
        {"last_seen_ms": 1.5},
        {"last_seen_ms": 2**60},
        {"last_error": 3},
    ]
    documents = [{"version": 1, "peers": [row | change]} for change in changes]
    documents += [{"version": 1}, {"peers": []}, {"version": 0, "peers": []}, {"version": "1", "peers": []}]
    documents += [{"version": 1, "peers": [{}]}]
    return [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, *(json.dumps(d).encode() for d in documents)
    ]  # fmt: skip


@pytest.mark.parametrize("data", damaged_books())
def test_a_damaged_book_is_named_kept_aside_and_replaced_by_an_empty_one(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "peers.json"
    for number in (1, 2):  # the second does not overwrite the first
        path.write_bytes(data)
        with pytest.raises(DamagedStoreError) as caught:
            PeerBook(tmp_path).peers()
        assert caught.value.where == str(path)
        assert f"peers.json.damaged-{number}" in str(caught.value)
        assert (tmp_path / f"peers.json.damaged-{number}").read_bytes() == data
        assert PeerBook(tmp_path).peers() == []


def test_the_book_of_a_later_gonk_is_left_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    path.write_text('{"version": 2, "peers": {}}')
    with pytest.raises(StorageError, match="version 2"):
        PeerBook(tmp_path).peers()
    assert path.exists()


def test_a_full_disk_leaves_the_old_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = PeerBook(tmp_path)
    book.add(peer(1))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError):
        book.add(peer(2))
    monkeypatch.undo()
    assert book.peers() == [peer(1)]


def test_writers_at_one_time_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: PeerBook(tmp_path).add(peer(number)), range(40)))
    assert [known.node_key for known in PeerBook(tmp_path).peers()] == [peer(n).node_key for n in range(40)]
