"""gonk owner, reviewer, contributor: who may give and take roles, and from whom."""

from __future__ import annotations

import pytest

from kit.command_line import Gonk, exchange


def test_an_owner_is_added_takes_it_up_and_may_review(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("owner", "add", "cells", stranger.key(), "--name", "Eve from the lab")
    exchange(gonk, stranger)
    before = gonk.json("owner", "list", "cells")
    assert [(each["key"], each["rank"], each["accepted"]) for each in before] == [
        (gonk.key(), 0, True),
        (stranger.key(), 1, False),
    ]
    gonk.add("a.png", b"a")
    exchange(gonk, stranger)
    stranger.accept_all()
    exchange(gonk, stranger)
    assert gonk.json("owner", "list", "cells")[1]["accepted"] is True
    assert gonk.json("show", "cells", "a.png")["versions"][0]["status"] == ["accepted"]


def test_a_reviewer_who_becomes_an_owner_takes_that_up_too(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("reviewer", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    stranger.add("x.png", b"x")  # the first entry takes up the role of a reviewer
    exchange(gonk, stranger)
    gonk.ok("owner", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    third = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    stranger.ok("contributor", "add", "cells", third)
    exchange(gonk, stranger)
    assert [each["key"] for each in gonk.json("contributor", "list", "cells")] == [third]


def test_the_next_step_after_signing_is_one_that_can_be_taken(gonk: Gonk, stranger: Gonk) -> None:
    told = gonk.ok("reviewer", "add", "cells", stranger.key()).err
    assert "next: gonk serve " in told
    assert "gonk sync" not in told
    gonk.ok("peer", "add", f"gonk://127.0.0.1:1/{stranger.json('whoami')['node']}")
    assert "next: gonk sync cells " in gonk.ok("owner", "add", "cells", stranger.key()).err


def test_adding_an_owner_twice_is_refused(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("owner", "add", "cells", stranger.key())
    for role in ("owner", "reviewer", "contributor"):
        assert "it is an owner already" in gonk.refused(role, "add", "cells", stranger.key()).err
    assert "it is an owner already" in gonk.refused("owner", "add", "cells", gonk.key()).err


@pytest.mark.parametrize("role", ["owner", "reviewer", "contributor"])
def test_only_owners_give_and_take_roles(gonk: Gonk, stranger: Gonk, role: str) -> None:
    gonk.ok("reviewer", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    third = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert "only owners may add" in stranger.refused(role, "add", "cells", third).err
    assert stranger.refused("owner", "remove", "cells", gonk.key()).code == 1


def test_the_root_cannot_be_removed_by_anybody(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("owner", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    for who in (gonk, stranger):
        assert "the root owner cannot be removed" in who.refused("owner", "remove", "cells", gonk.key()).err


def test_a_removed_key_loses_its_role_and_never_returns(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("reviewer", "add", "cells", stranger.key())
    gonk.add("a.png", b"a")
    exchange(gonk, stranger)
    stranger.accept_all()
    exchange(gonk, stranger)
    removed = gonk.json("reviewer", "remove", "cells", stranger.key()[:10], "--reason", "left the lab")
    assert removed["reviews_that_stand"] == 1
    assert gonk.json("show", "cells", "a.png")["versions"][0]["status"] == ["accepted"]
    assert gonk.json("reviewer", "list", "cells")[0]["removed"] is True
    assert "removed" in gonk.ok("reviewer", "list", "cells").out
    assert "a removed key never returns" in gonk.refused("owner", "add", "cells", stranger.key()).err
    assert "is no reviewer here" in gonk.refused("reviewer", "remove", "cells", stranger.key()).err
    exchange(gonk, stranger)
    stranger.add("b.png", b"b")
    stranger.refused("review", "cells", "accept", "--all")


def test_a_role_is_taken_from_those_who_have_it(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("contributor", "add", "cells", stranger.key())
    assert "is no reviewer here" in gonk.refused("reviewer", "remove", "cells", stranger.key()).err


def test_one_may_leave_by_oneself(gonk: Gonk, stranger: Gonk) -> None:
    gonk.ok("reviewer", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    stranger.ok("reviewer", "remove", "cells", stranger.key())
    exchange(gonk, stranger)
    assert gonk.json("reviewer", "list", "cells")[0]["removed"] is True


@pytest.mark.parametrize("key", ["", "abc", "z" * 64, "00" * 32, "01" + "00" * 31])
def test_what_is_no_key_is_refused(gonk: Gonk, key: str) -> None:
    gonk.refused("owner", "add", "cells", key, code=2)


def test_an_empty_list_says_so(gonk: Gonk) -> None:
    assert "cells has no reviewers" in gonk.ok("reviewer", "list", "cells").err
    assert gonk.json("reviewer", "list", "cells") == []
    assert "root" in gonk.ok("owner", "list", "cells").out
