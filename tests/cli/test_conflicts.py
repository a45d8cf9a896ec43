"""gonk conflicts: what has several accepted versions, and how to settle it."""

from __future__ import annotations

import pytest

from kit.command_line import Gonk, exchange


@pytest.fixture
def conflict(gonk: Gonk, stranger: Gonk) -> Gonk:
    """Two owners changed one object apart from each other, and both changes were accepted."""
    gonk.add("a.png", b"one")
    gonk.accept_all()
    gonk.ok("owner", "add", "cells", stranger.key())
    exchange(gonk, stranger)
    for who, data in ((gonk, b"two"), (stranger, b"three")):
        who.ok("update", "cells", "a.png", who.file("new", data))
        who.accept_all()
    exchange(gonk, stranger)
    return gonk


def test_rivals_are_listed_the_current_one_first_with_exit_code_5(conflict: Gonk, stranger: Gonk) -> None:
    result = conflict.run("conflicts", "cells", "--json")
    assert result.code == 5
    (rivals,) = result.json()
    assert [each["current"] for each in rivals] == [True, False]
    assert stranger.run("conflicts", "cells", "--json").json() == [[each | {"vouched": True} for each in rivals]]
    text = conflict.run("conflicts", "cells")
    assert text.code == 5
    assert "1 conflict" in text.err
    assert conflict.json("status", "cells")["conflicts"] == 1


def test_the_command_that_is_offered_settles_it(conflict: Gonk) -> None:
    offered = conflict.run("conflicts", "cells").err.split("next: gonk ")[1].split("    ")[0].split()
    conflict.ok(*offered)
    assert conflict.json("conflicts", "cells") == []
    assert "no conflicts" in conflict.ok("conflicts", "cells").err


def test_deleting_the_other_settles_it_too(conflict: Gonk) -> None:
    other = conflict.run("conflicts", "cells", "--json").json()[0][1]
    event = other["event"]
    uuid = conflict.json("show", "cells", event)["uuid"]
    assert uuid == other["uuid"]
    conflict.ok("delete", "cells", event)
    conflict.accept_all()
    assert conflict.json("conflicts", "cells") == []
