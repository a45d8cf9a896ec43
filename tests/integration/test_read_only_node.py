"""A node whose folder cannot be written to: read, verified and exported as any other; what would change it is refused."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gonk_node import open_dataset
from gonk_node.errors import ReadOnlyError
from gonk_node.replica.releases import snapshot
from gonk_node.store.state_db import StateDb
from kit import sample_dataset
from kit.command_line import Gonk, exchange
from kit.read_only import all_of, gonk_in_a_process, modes_forbid, read_only
from kit.sample_dataset import IMAGES, all_told, png

pytestmark = pytest.mark.processes

READ = (
    ("status",),
    ("status", "cells"),
    ("dataset", "list"),
    ("dataset", "show", "cells"),
    ("list", "cells", "objects"),
    ("list", "cells", "annotations", "--at", "v1.0"),
    ("show", "cells", "1.png"),
    ("log", "cells"),
    ("blame", "cells", "1.png"),
    ("conflicts", "cells"),
    ("schema", "list", "cells"),
    ("labels", "cells", "list"),
    ("review", "cells", "list"),
    ("release", "list", "cells"),
    ("release", "verify", "cells", "v1.0"),
    ("owner", "list", "cells"),
    ("peer", "list"),
    ("users", "list"),
    ("whoami",),
)


@pytest.fixture
def gonk(tmp_path: Path) -> Gonk:
    gonk = sample_dataset.make(tmp_path)
    gonk.add("waits.png", png(2, 2))
    return gonk


@pytest.fixture
def fixed(gonk: Gonk) -> Iterator[Gonk]:
    """The same node where it cannot be written to."""
    with read_only(gonk.home) as home:
        yield elsewhere(gonk, home)


def elsewhere(gonk: Gonk, home: Path) -> Gonk:
    other = Gonk(gonk.files, "other")
    other.home = home
    return other


def writing(gonk: Gonk) -> tuple[tuple[object, ...], ...]:
    link = f"gonk://localhost:1/{gonk.key()}/{'00' * 32}"
    return (
        ("add", "cells", gonk.file("new.png", png(4, 4))),
        ("update", "cells", "1.png", gonk.file("new.png", png(4, 4))),
        (
            "annotate",
            "cells",
            "4.png",
            "bounding-box",
            gonk.file("b.json", {"label": "a", "x": 1, "y": 1, "w": 1, "h": 1}),
        ),
        ("delete", "cells", "1.png"),
        ("review", "cells", "accept", "--all"),
        ("release", "create", "cells", "v2.0"),
        ("schema", "add", "cells", "caption"),
        ("dataset", "create", "other"),
        ("rebuild", "cells"),
        ("users", "add", "bob"),
        ("peer", "add", link),
        ("serve", "--no-http", "--peer-port", "0"),
    )


def test_everything_that_reads_reads_and_changes_nothing(gonk: Gonk) -> None:
    found = [gonk.ok(*words, "--json").out for words in READ]
    with read_only(gonk.home) as home:
        _read_everything(gonk, elsewhere(gonk, home), [each.replace(str(gonk.home), str(home)) for each in found])


def _read_everything(gonk: Gonk, fixed: Gonk, wanted: list[str]) -> None:
    before = all_of(gonk.home)
    assert [fixed.ok(*words, "--json").out for words in READ] == wanted
    fixed.ok("export", "cells", "coco", gonk.files / "out", "--release", "v1.0")
    fixed.ok("export", "cells", "jsonl", gonk.files / "out now")
    assert "no problems found" in fixed.ok("fsck").out
    assert all_of(gonk.home) == before


def test_everything_that_writes_is_refused_and_changes_nothing(gonk: Gonk, fixed: Gonk) -> None:
    before = all_of(gonk.home)
    for words in writing(gonk):
        result = fixed.run(*words, "--json")
        assert (result.code, result.error()["code"]) == (1, "read-only"), (words, result)
        assert result.error()["what"] == "this node's folder is read-only here"
    assert all_of(gonk.home) == before


def test_a_dataset_is_loaded_as_where_it_can_be_written_to(gonk: Gonk) -> None:
    with open_dataset("cells", gonk.home) as cells:
        now, release, digest = all_told(cells), all_told(cells.at("v1.0")), cells.state_digest
    with read_only(gonk.home) as home:
        before = all_of(gonk.home)
        with open_dataset("cells", home) as cells:
            assert (all_told(cells), all_told(cells.at("v1.0")), cells.state_digest) == (now, release, digest)
        assert all_of(gonk.home) == before


def test_modes_that_forbid_writing_are_as_good_as_a_mount(gonk: Gonk) -> None:
    wanted = gonk.json("status", "cells")
    program = (
        f"from gonk_node import open_dataset\nwith open_dataset('cells', {str(gonk.home)!r}) as cells:\n"
        "    print(cells, len(cells.at('v1.0')[0].bytes()))"
    )
    with modes_forbid(gonk.home) as before:
        was = all_of(gonk.home)
        assert gonk_in_a_process(gonk, "status", "cells", "--json", before=before).json() == wanted
        refused = gonk_in_a_process(gonk, "review", "cells", "accept", "--all", "--json", before=before)
        assert (refused.code, refused.error()["code"]) == (1, "read-only")
        words = [*before, sys.executable, "-c", program]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout.startswith("Dataset('cells', 5 samples, now) ")
        assert all_of(gonk.home) == was


def _missing(state: Path, _: Path) -> None:
    state.unlink()


def _older(state: Path, before: Path) -> None:
    """As it was before the last entries: what folds them was never run."""
    shutil.copy(before, state)


def _garbage(state: Path, _: Path) -> None:
    state.write_bytes(b"no database" * 1000)


def _damaged(state: Path, _: Path) -> None:
    """It opens, and a table is none."""
    data = bytearray(state.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    state.write_bytes(data)


def _of_another_version(state: Path, _: Path) -> None:
    db = sqlite3.connect(state)
    db.execute("UPDATE meta SET value = 0 WHERE key = 'state_version'")
    db.commit()
    db.close()


def _unfinished(state: Path, before: Path) -> None:
    """The last rows are in SQLite's log alone, and the file that makes it readable is gone."""
    reader = sqlite3.connect(before)
    reader.execute("SELECT * FROM meta").fetchone()  # keeps the next one from emptying the log when it closes
    writer = sqlite3.connect(before)
    with sqlite3.connect(state) as newer:
        newer.backup(writer)
    newer.close()
    writer.close()
    shutil.copy(before, state)
    shutil.copy(f"{before}-wal", f"{state}-wal")
    assert Path(f"{state}-wal").stat().st_size > 0
    reader.close()


@pytest.mark.parametrize("spoil", [_missing, _older, _garbage, _damaged, _of_another_version, _unfinished])
def test_a_state_that_is_behind_or_no_good_is_derived_elsewhere(gonk: Gonk, spoil: Any) -> None:
    (state,) = gonk.home.glob("datasets/*/state.db")
    before = gonk.files / "before.db"
    shutil.copy(state, before)
    gonk.annotate("4.png")
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        wanted = all_told(cells)
    wanted_status = gonk.json("status", "cells")
    spoil(state, before)
    with read_only(gonk.home) as home:
        was = all_of(gonk.home)
        fixed = elsewhere(gonk, home)
        with open_dataset("cells", home) as cells:
            assert len(cells) == IMAGES + 1
            assert all_told(cells) == wanted
            assert sum(map(len, (sample.annotations for sample in cells))) == IMAGES
        assert fixed.json("status", "cells") == wanted_status
        fixed.ok("export", "cells", "jsonl", gonk.files / "out")
        assert fixed.run("rebuild", "cells", "--json").error()["code"] == "read-only"
        assert all_of(gonk.home) == was


def test_past_states_are_used_where_they_are_kept_and_derived_elsewhere_where_they_are_not(
    gonk: Gonk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SNAPSHOT_MEMORY_EVENTS_MAX", 0)
    derived: list[str] = []
    create = StateDb._create
    monkeypatch.setattr(StateDb, "_create", lambda self, db: derived.append("") or create(self, db))  # type: ignore[func-returns-value]
    with open_dataset("cells", gonk.home) as cells:
        wanted = all_told(cells.at("v1.0"))
    (kept,) = gonk.home.glob("datasets/*/at/*.db")
    for spoil, is_derived in (
        (lambda: None, False),
        (lambda: kept.write_bytes(b"none" * 4096), True),
        (kept.unlink, True),
    ):
        spoil()
        with read_only(gonk.home) as home:
            was = all_of(gonk.home)
            derived.clear()
            with open_dataset("cells", home) as cells:
                assert all_told(cells.at("v1.0")) == wanted
            assert bool(derived) is is_derived
            assert all_of(gonk.home) == was


def test_what_is_not_here_is_told_to_be_fetched_elsewhere(gonk: Gonk, tmp_path: Path) -> None:
    other = Gonk(tmp_path, "bob")
    other.ok("init", "--name", "Bob")
    exchange(gonk, other)  # entries alone
    other.ok("status", "cells")  # makes the store of content
    with read_only(other.home) as home:
        with open_dataset("cells", home) as cells:
            assert [len(sample.annotations) for sample in cells].count(1) == IMAGES - 1
            with pytest.raises(ReadOnlyError, match="not on this node, whose folder is read-only here"):
                cells[0].bytes()
        result = elsewhere(other, home).run("export", "cells", "coco", tmp_path / "out", "--json")
        assert result.error()["code"] == "read-only"


@pytest.mark.parametrize("hidden", ["datasets", "datasets/*/log", "datasets/*/log/data.mdb", "content"])
def test_what_this_user_may_not_read_is_told_as_that(gonk: Gonk, hidden: str) -> None:
    (path,) = gonk.home.glob(hidden)
    with modes_forbid(gonk.home) as before:
        mode = path.stat().st_mode
        path.chmod(0)
        result = gonk_in_a_process(gonk, "status", "cells", "--json", before=before)
        path.chmod(mode)
    assert (result.code, result.error()["what"]) == (1, "you may not read what is here")


def test_a_copy_of_a_folder_and_files_that_others_may_read_are_read_too(gonk: Gonk, tmp_path: Path) -> None:
    """As in a container image; keys that others may read are still refused where they are needed."""
    copy = tmp_path / "copy"
    shutil.copytree(gonk.home, copy)
    for path in copy.rglob("*"):
        path.chmod(path.stat().st_mode | 0o055)
    with read_only(copy) as home, open_dataset("cells", home) as cells:
        assert len(all_told(cells)) == IMAGES


def test_what_somebody_writes_meanwhile_does_no_harm_and_is_seen_when_opened_anew(gonk: Gonk) -> None:
    with read_only(gonk.home) as home, open_dataset("cells", home) as cells:
        if home == gonk.home:
            pytest.skip("only root can have a folder read-only at one path and not at another")
        release = cells.at("v1.0")
        wanted = all_told(release)
        unchanged = [sample.name for sample in cells]
        for number in range(3):
            file = gonk.file(f"more{number}.png", png(30 + number, 9))
            body = gonk.file("body.json", {"label": "WBC", "x": number, "y": 2, "w": 3, "h": 4})
            accept = ("review", "cells", "accept", "--all")
            for words in (
                ("add", "cells", file),
                accept,
                ("annotate", "cells", file.name, "bounding-box", body),
                accept,
            ):
                assert gonk_in_a_process(gonk, *words, before=[]).code == 0
            assert [sample.name for sample in cells] == unchanged
            assert sum(len(sample.annotations) for sample in cells) == IMAGES - 1
            assert all_told(release) == wanted
    digest = gonk.json("status", "cells")["state_digest"]
    with read_only(gonk.home) as home, open_dataset("cells", home) as cells:
        assert len(cells) == IMAGES + 4
        assert cells.state_digest.hex() == digest
