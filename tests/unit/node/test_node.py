"""The node as a composition root: opened once, on demand, closed whole; crashes leave nothing half made."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gonk_node.config import Config
from gonk_node.core import edge_cases
from gonk_node.core.events import SchemaCreate
from gonk_node.errors import (
    AmbiguousError,
    ExistsError,
    InvalidEntryError,
    KeyFileError,
    NotFoundError,
    UnsafeLibraryError,
    UsageError,
)
from gonk_node.home import Home
from gonk_node.node.node import Node
from gonk_node.replica.replica import Replica


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "node")
    Node.create(home)
    return home


@pytest.fixture
def node(home: Home) -> Node:
    return Node.open(home, Config())


def test_it_refuses_to_start_with_a_library_that_judges_otherwise(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise UnsafeLibraryError("no")

    monkeypatch.setattr(edge_cases, "self_test", fail)
    with pytest.raises(UnsafeLibraryError):
        Node.open(home, Config())


def test_a_replica_is_opened_once_and_everything_is_closed(node: Node) -> None:
    info = node.create_dataset("cells")
    with node:
        assert node.replica("cells") is node.replica_of(info) is node.replica(info.dataset.hex())
        assert node.content is node.content
    with Node.open(node.home, node.config) as again:  # would fail if the stores were still open in this process
        again.replica("cells")
        assert again.content.has(b"x" * 32) is False
    node.close()


def test_keys_are_unlocked_when_they_are_needed_and_asked_for_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "locked")
    Node.create(home, passphrase="secret")
    asked = []

    def ask() -> str:
        asked.append(1)
        return "secret"

    with Node.open(home, Config(), ask=ask) as node:
        assert len(node.author_key) == len(node.node_key) == 32
        assert node.node_signer().author == node.node_key
        assert asked == []
        assert node.signer() is node.signer()
        assert asked == [1]
    with Node.open(home, Config()) as node, pytest.raises(KeyFileError, match="locked"):
        node.signer()


def test_names_are_unique_on_a_node_and_ids_may_be_shortened(node: Node) -> None:
    with node:
        info = node.create_dataset("cells")
        with pytest.raises(ExistsError):
            node.create_dataset("cells")
        assert node.known.find(info.dataset.hex()[:6]) == info == node.known.by_id(info.dataset)
        with pytest.raises(NotFoundError):
            node.known.find(info.dataset.hex()[:5])
        with pytest.raises(NotFoundError):
            node.known.by_id(b"x" * 32)
        for approvals in (0, 65):
            with pytest.raises(UsageError):
                node.create_dataset("many", approvals=approvals)


def test_a_name_that_looks_like_an_id_wins_over_ids(node: Node) -> None:
    with node:
        other = node.create_dataset("cells")
        named = node.create_dataset(other.dataset.hex()[:8])
        assert node.known.find(other.dataset.hex()[:8]) == named
        assert node.known.find(other.dataset.hex()[:9]) == other


def test_an_id_that_fits_several_is_ambiguous(node: Node) -> None:
    with node:
        first = node.create_dataset("one")
        twin = node.home.datasets / (first.dataset.hex()[:10] + "0" * 54)
        twin.mkdir()
        with pytest.raises(AmbiguousError):
            node.known.find(first.dataset.hex()[:8])


def test_a_dataset_from_a_peer_must_be_the_one_that_was_asked_for(node: Node, tmp_path: Path) -> None:
    genesis = _genesis(tmp_path, "theirs")
    with node:
        with pytest.raises(InvalidEntryError):
            node.known.make("copy", genesis, b"x" * 32)
        with pytest.raises(InvalidEntryError):
            node.known.make("copy", b"no record")
        assert node.datasets() == []
        assert [path.name for path in node.home.datasets.iterdir()] == []
        info = node.known.make("copy", genesis, content_policy="all")
        assert (info.name, node.content_policy(info)) == ("copy", "all")
        with pytest.raises(ExistsError, match="already, as 'copy'"):
            node.known.make("again", genesis)


def _genesis(tmp_path: Path, name: str) -> bytes:
    home = Home(tmp_path / "other")
    Node.create(home)
    with Node.open(home, Config()) as other:
        other.create_dataset(name)
        record = other.replica(name).log.record(1)
    assert record is not None
    return record


def test_only_a_genesis_makes_a_dataset(node: Node) -> None:
    with node:
        node.create_dataset("cells")
        replica = node.replica("cells")
        entry = node.author(replica).sign([SchemaCreate("schema-x", b"{}")])
        with pytest.raises(InvalidEntryError):
            node.known.make("other", entry.record, replica.dataset)


def test_a_crash_while_a_dataset_is_made_leaves_nothing_that_is_seen(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with node:
        monkeypatch.setattr(Replica, "make", crash)
        with pytest.raises(KeyboardInterrupt):
            node.create_dataset("cells")
        monkeypatch.undo()
        leftover = node.home.datasets / ".new-0123456789abcdef"  # as a power cut leaves it
        (leftover / "log").mkdir(parents=True)
        assert node.datasets() == []
        node.create_dataset("cells")
        assert not leftover.exists()


def test_of_several_who_make_one_name_at_a_time_one_succeeds(home: Home) -> None:
    outcomes: list[str] = []

    def make() -> None:
        with Node.open(home, Config()) as node:
            try:
                node.create_dataset("cells")
                outcomes.append("made")
            except ExistsError:
                outcomes.append("refused")

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused", "refused", "refused"]
    with Node.open(home, Config()) as node:
        assert [info.name for info in node.datasets()] == ["cells"]


def test_a_content_folder_that_was_deleted_is_an_empty_store(node: Node) -> None:
    (node.home.content / "data.mdb").unlink()
    (node.home.content / "lock.mdb").unlink(missing_ok=True)
    node.home.content.rmdir()
    with node:
        assert node.content.has(b"x" * 32) is False
