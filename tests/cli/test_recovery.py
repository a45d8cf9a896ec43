"""gonk dataset create --recovery-key, gonk dataset replace-root: a lost root is replaced by enough recovery keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.core.entry import read_stored
from gonk_node.core.events import Pin, ReplaceRoot
from gonk_node.home import Home
from kit.command_line import Gonk, Result, exchange


class Family:
    """A dataset with three recovery keys, of which two are needed; each is the key of a node of its own."""

    def __init__(self, folder: Path) -> None:
        self.holders = [Gonk(folder, f"holder {number}") for number in range(3)]
        for holder in self.holders:
            holder.ok("init")
        self.root, self.successor = Gonk(folder, "root"), Gonk(folder, "successor")
        self.successor.ok("init", "--name", "Bea")
        self.root.ok("init", "--name", "Ada")
        keys = [word for holder in self.holders for word in ("--recovery-key", holder.key())]
        self.root.ok("dataset", "create", "cells", *keys)
        self.root.add()
        self.root.accept_all()
        for gonk in (*self.holders, self.successor):
            exchange(self.root, gonk)

    def replace(self, holder: Gonk, by: Gonk | None = None) -> Result:
        return holder.ok("dataset", "replace-root", "cells", (by or self.successor).key())


@pytest.fixture
def family(tmp_path: Path) -> Family:
    return Family(tmp_path)


def test_the_threshold_of_recovery_keys_replaces_a_lost_root_and_the_new_one_decides(family: Family) -> None:
    one, other, _ = family.holders
    new = family.successor
    shown = one.json("dataset", "show", "cells")
    assert (len(shown["recovery_keys"]), shown["recovery_threshold"]) == (3, 2)
    assert "2 of 3 keys can replace the root" in one.ok("dataset", "show", "cells").out

    assert "signed: 1 of 2" in family.replace(one).err
    exchange(one, new)
    new.refused("contributor", "add", "cells", one.key())
    exchange(one, other)
    assert "is the root owner of cells now" in family.replace(other).err
    exchange(other, new)
    assert new.json("dataset", "show", "cells")["root"]["key"] == new.key()

    new.ok("contributor", "add", "cells", one.key())
    new.add("b.png", b"b")
    new.accept_all()
    exchange(new, family.root)
    assert [each["key"] for each in family.root.json("contributor", "list", "cells")] == [one.key()]
    assert family.root.json("show", "cells", "a.png")["versions"][0]["status"] == ["accepted"]
    found = family.root.json("status", "cells")
    assert (found["replaced_roots"], found["root_disputed"]) == ([family.root.key()], False)
    assert "recovery keys replaced the root owner 1 time\n" in family.root.ok("status", "cells").err


def test_whoever_signs_after_the_first_signs_the_same_pins(family: Family) -> None:
    """The root's node wrote on meanwhile, and the second holder has it: what he signs must be what the first signed."""
    one, other, _ = family.holders
    family.replace(one)
    family.root.add("late.png", b"late")
    exchange(family.root, other)
    exchange(one, other)
    done = other.json("dataset", "replace-root", "cells", family.successor.key())
    assert (done["signed"], done["needed"], done["root"]) == (2, 2, family.successor.key())


def test_a_key_file_signs_where_the_dataset_is(family: Family) -> None:
    files = [Home(holder.home).author_key for holder in family.holders[:2]]
    for file, root in zip(files, [family.root, family.successor], strict=True):
        done = family.successor.json("dataset", "replace-root", "cells", family.successor.key(), "--key", file)
        assert done["root"] == root.key()
    family.successor.ok("owner", "add", "cells", family.holders[2].key())


def test_two_replacements_of_one_root_are_told_as_a_dispute(family: Family) -> None:
    one, other, third = family.holders
    for holder, by in ((one, family.successor), (third, one)):
        family.replace(holder, by)
    with other.node() as node:  # signs both; the command would refuse the second once the first has replaced the root
        replica = node.replica("cells")
        old = replica.authority.root
        pins = _pins(one)
        replica.sign(node.signer(), [ReplaceRoot(old, bytes.fromhex(by.key()), pins) for by in (family.successor, one)])
    for holder in (one, third):
        exchange(holder, other)
    found = other.json("status", "cells")
    assert found["root_disputed"] is True
    assert "recovery keys signed two replacements of one root" in other.ok("status", "cells").err


def _pins(gonk: Gonk) -> tuple[Pin, ...]:
    """The pins that a holder signed."""
    with gonk.node() as node:
        replica = node.replica("cells")
        head = next(head for head in replica.log.heads() if head.author == bytes.fromhex(gonk.key()))
        record = replica.log.record_of(head.entry_id)
        assert record is not None
        return next(each for each in read_stored(record).stored_events() if isinstance(each, ReplaceRoot)).pins


def test_only_recovery_keys_sign_and_only_once(family: Family) -> None:
    new = family.successor.key()
    assert "none of the recovery keys" in family.root.refused("dataset", "replace-root", "cells", new).err
    one = family.holders[0]
    assert "the root owner already" in one.refused("dataset", "replace-root", "cells", family.root.key()).err
    family.replace(one)
    assert "signed that replacement already" in one.refused("dataset", "replace-root", "cells", new).err


def test_a_dataset_without_recovery_keys_says_so(gonk: Gonk, stranger: Gonk) -> None:
    result = gonk.refused("dataset", "replace-root", "cells", stranger.key())
    assert "founded without recovery keys" in result.err
    assert "0 of 0 keys" not in gonk.ok("dataset", "show", "cells").out


@pytest.mark.parametrize(
    ("keys", "threshold", "message"),
    [(1, "2", "2 of 1 recovery keys cannot be needed"), (0, "1", "1 of 0 recovery"), (-1, None, "named twice")],
)
def test_what_cannot_work_is_refused_before_it_is_fixed_for_ever(
    gonk: Gonk, stranger: Gonk, keys: int, threshold: str | None, message: str
) -> None:
    words = ["--recovery-key", stranger.key()] * (2 if keys < 0 else keys)
    words += ["--recovery-threshold", threshold] if threshold else []
    result = gonk.run("dataset", "create", "blood", *words)
    assert result.code == 2
    assert message in result.err
    assert [each["name"] for each in gonk.json("dataset", "list")] == ["cells"]
