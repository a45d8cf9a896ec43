"""gonk status: where a dataset stands."""

from __future__ import annotations

from gonk_node.core.entry import build_entry
from gonk_node.core.events import Profile
from kit.command_line import Gonk, exchange


def test_counts_digest_and_content_are_told(gonk: Gonk) -> None:
    gonk.add("a.png", b"pixels")
    gonk.annotate("a.png")
    gonk.ok("review", "cells", "accept", gonk.json("list", "cells", "objects")["objects"][0]["event"])
    found = gonk.json("status", "cells")
    assert (found["role"], found["pending"], found["conflicts"], found["forks"]) == ("owner", 2, 0, [])
    assert found["counts"]["objects"]["current"] == 1
    assert found["content"] == {"held": 1, "held_bytes": 6, "missing": 0, "missing_bytes": 0}
    assert (found["state_digest"], found["entries"]) == gonk.state()
    text = gonk.ok("status", "cells")
    assert found["state_digest"] in text.out
    assert "next: gonk review cells list" in text.err


def test_two_nodes_of_the_same_entries_show_the_same_digests(gonk: Gonk, stranger: Gonk) -> None:
    gonk.add()
    gonk.accept_all()
    exchange(gonk, stranger)
    one, other = gonk.json("status", "cells"), stranger.json("status", "cells")
    for digest in ("state_digest", "heads_digest"):
        assert one[digest] == other[digest]
    assert other["role"] is None
    assert other["content"]["missing"] == 1
    assert "1 not on this node" in stranger.ok("status", "cells").out


def test_without_a_name_all_datasets_are_told(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("dataset", "create", "blood")
    assert [each["name"] for each in gonk.json("status")] == ["blood", "cells"]
    assert gonk.ok("status").out.splitlines()[1].startswith("blood")
    assert "there is no dataset on this node yet" in stranger.ok("status").err


def test_a_fork_is_shown_with_its_proof(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    with stranger.node() as node:
        replica, signer = node.replica("cells"), node.signer()
        entries = [
            build_entry(
                signer,
                dataset=replica.dataset,
                log_id=b"l" * 8,
                prev=None,
                prev_id=b"",
                time_ms=1,
                events=[Profile(name)],
            )
            for name in ("one", "other")
        ]
        replica.ingest([entry.record for entry in entries])
    exchange(gonk, stranger)
    fork = gonk.json("status", "cells")["forks"][0]
    assert fork["author"]["key"] == stranger.key()
    assert sorted(fork["entries"]) == sorted(entry.entry_id.hex() for entry in entries)
    assert entries[0].entry_id.hex() in gonk.ok("status", "cells").err
