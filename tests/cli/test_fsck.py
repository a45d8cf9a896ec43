"""gonk fsck and gonk rebuild: damage is found and told, and the State can be made anew."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

from gonk_node.core.chunks import chunk_id
from gonk_node.core.events import ObjectCreate
from gonk_node.core.limits import MIB
from gonk_node.store.content import ContentStore
from kit.command_line import Gonk, exchange


def dataset_folder(gonk: Gonk) -> Path:
    return Path(gonk.json("dataset", "show", "cells")["folder"])


def flip(path: Path, needle: bytes) -> None:
    """Flip one bit inside of those bytes, wherever they stand in a file."""
    data = bytearray(path.read_bytes())
    at = data.index(needle)
    data[at + len(needle) // 2] ^= 1
    path.write_bytes(data)


def test_a_sound_node_has_no_problems(gonk: Gonk) -> None:
    gonk.add()
    gonk.annotate()
    gonk.accept_all()
    before = gonk.state()
    assert gonk.ok("fsck").out == "no problems found\n"
    assert gonk.json("fsck") == {"problems": []}
    assert gonk.state() == before
    assert not list(dataset_folder(gonk).glob("*.fsck*"))


def test_a_flipped_bit_in_a_record_is_found(gonk: Gonk) -> None:
    gonk.add("a-telling-name.png", b"x")
    folder = dataset_folder(gonk)
    flip(folder / "log" / "data.mdb", b"a-telling-name.png")
    result = gonk.run("fsck", "--json")
    assert result.code == 4
    assert any("cells: entries" in problem["where"] for problem in result.json()["problems"])
    assert gonk.run("fsck").code == 4


def test_a_flipped_bit_in_content_is_found(gonk: Gonk) -> None:
    gonk.add("a.png", b"telling pixels" * 10)
    flip(gonk.home / "content" / "data.mdb", b"telling pixels" * 10)
    result = gonk.run("fsck")
    assert result.code == 4
    assert "the bytes have changed" in result.err
    assert "fault: this machine's disk" in result.err


def test_a_state_that_says_something_else_is_found_and_rebuilt(gonk: Gonk) -> None:
    gonk.add("a.png", b"x")
    digest = gonk.state()[0]
    with sqlite3.connect(dataset_folder(gonk) / "state.db") as db:
        db.execute("UPDATE objects SET name = 'b.png'")
    result = gonk.run("fsck")
    assert result.code == 4
    assert "differs from what the log says: objects" in result.err
    assert "next: gonk rebuild cells" in result.err
    assert gonk.json("rebuild", "cells")["state_digest"] == digest
    gonk.ok("fsck")


def test_a_state_that_cannot_be_read_is_rebuilt(gonk: Gonk) -> None:
    gonk.add("a.png", b"x")
    before = gonk.state()
    (dataset_folder(gonk) / "state.db").write_bytes(b"not a database" * 1000)
    gonk.ok("rebuild", "cells")
    assert gonk.state() == before


def test_a_damaged_or_open_key_file_is_found(gonk: Gonk) -> None:
    (gonk.home / "keys" / "author.key").chmod(0o644)
    assert "others may use this file" in gonk.run("fsck").err
    (gonk.home / "keys" / "author.key").chmod(0o600)
    (gonk.home / "keys" / "node.key").write_bytes(b"x" * 50)
    result = gonk.run("fsck")
    assert result.code == 4
    assert "the key file is damaged" in result.err


def test_an_object_whose_author_lied_about_its_content_is_found(gonk: Gonk) -> None:
    with gonk.node() as node:
        author = node.author(node.replica("cells"))
        path = gonk.file("a.png", b"x")
        with path.open("rb") as file:
            info = node.content.put_file(file)
        author.sign([ObjectCreate(b"u" * 16, "a.png", "image/png", info.size, info.content_id, b"s" * 32)])
    result = gonk.run("fsck")
    assert result.code == 4
    assert "states another size or SHA-256" in result.err


def test_a_log_that_is_gone_hides_no_other_dataset(gonk: Gonk) -> None:
    gonk.ok("dataset", "create", "blood")
    (dataset_folder(gonk) / "log" / "data.mdb").unlink()
    result = gonk.run("fsck", "--json")
    assert result.code == 4
    assert [problem["what"] for problem in result.json()["problems"]] == ["the log of this dataset is missing"]


def test_content_that_only_rejected_proposals_name_is_dropped_when_asked(gonk: Gonk, stranger: Gonk) -> None:
    part, junk = bytes(MIB), b"junk" * 500_000
    exchange(gonk, stranger)
    files = {"spam.bin": junk, "alike.bin": part + junk, "both.png": b"wanted elsewhere", "other.png": b"open"}
    for name, data in files.items():
        stranger.add(name, data)
    exchange(stranger, gonk)
    gonk.add("part.bin", part)  # a chunk of another file is a file of its own
    mine = gonk.add("mine.png", b"my own work")
    gonk.ok("dataset", "create", "blood")
    gonk.add("both.png", files["both.png"], dataset="blood")
    with gonk.node() as node:
        node.content.put_files(io.BytesIO(data) for data in files.values())  # as a sync would bring them
    rejected = [stranger.json("show", "cells", name)["versions"][0]["event"] for name in files if name != "other.png"]
    gonk.ok("review", "cells", "reject", *rejected, mine["event"])

    assert gonk.json("fsck") == {"problems": []}
    assert gonk.json("show", "cells", "spam.bin")["content_here"]  # not unless asked
    before = gonk.state()
    told = gonk.json("fsck", "--drop-rejected")
    assert told == {"problems": [], "dropped": {"files": 2, "bytes": 2 * len(junk) + len(part)}}
    here = {name for name in (*files, "part.bin", "mine.png") if gonk.json("show", "cells", name)["content_here"]}
    assert here == {"both.png", "other.png", "part.bin", "mine.png"}
    assert "0 files" in gonk.ok("fsck", "--drop-rejected").out
    assert gonk.state() == before


def test_what_a_release_lists_is_not_dropped_though_it_was_overruled_since(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    for name in ("released.bin", "not released.bin"):
        stranger.add(name, name.encode())
    exchange(stranger, gonk)
    with gonk.node() as node:
        node.content.put_files(io.BytesIO(name.encode()) for name in ("released.bin", "not released.bin"))
    events = [gonk.json("show", "cells", name)["versions"][0]["event"] for name in ("released.bin", "not released.bin")]
    gonk.ok("review", "cells", "accept", events[0])
    gonk.ok("release", "create", "cells", "v1")
    gonk.ok("review", "cells", "reject", events[0], "--supersede")
    gonk.ok("review", "cells", "reject", events[1])
    assert gonk.json("fsck", "--drop-rejected")["dropped"]["files"] == 1
    gonk.ok("export", "cells", "jsonl", gonk.files / "out", "--release", "v1")
    assert (gonk.files / "out/files/released.bin").read_bytes() == b"released.bin"


def test_nothing_is_dropped_where_something_is_wrong(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    event = stranger.add("spam.bin", b"telling junk" * 10)["event"]
    exchange(stranger, gonk)
    with gonk.node() as node:
        node.content.put_file(io.BytesIO(b"telling junk" * 10))
    gonk.ok("review", "cells", "reject", event)
    flip(dataset_folder(gonk) / "log" / "data.mdb", b"spam.bin")
    result = gonk.run("fsck", "--drop-rejected", "--json")
    assert result.code == 4
    assert "dropped" not in result.json()
    content = ContentStore.open(gonk.home / "content")
    assert content.has(chunk_id(b"telling junk" * 10))
    content.close()
