"""gonk whoami: keys, role, and the name that one gives oneself."""

from __future__ import annotations

from kit.command_line import Gonk, exchange


def test_the_keys_are_shown(gonk: Gonk) -> None:
    found = gonk.json("whoami")
    assert (found["name"], found["locked"], found["home"]) == ("Ada", False, str(gonk.home))
    assert found["author"] in gonk.ok("whoami").out


def test_in_a_dataset_it_says_the_role(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    assert gonk.json("whoami", "cells")["role"] == "owner"
    assert stranger.json("whoami", "cells")["role"] is None
    assert "wait for an owner" in stranger.ok("whoami", "cells").out


def test_a_new_name_is_signed_and_seen_by_others(gonk: Gonk, stranger: Gonk) -> None:
    assert gonk.json("whoami", "cells", "--name", "Ada Lovelace")["name"] == "Ada Lovelace"
    exchange(gonk, stranger)
    assert "Ada Lovelace" in stranger.ok("owner", "list", "cells").out


def test_the_name_from_the_settings_is_signed_once_with_the_first_entry(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    stranger.add("a", b"a")
    stranger.add("b", b"b")
    assert len(stranger.json("log", "cells", "--kind", "profile", "--author", stranger.key())) == 1


def test_a_name_needs_a_dataset_and_no_control_characters(gonk: Gonk) -> None:
    gonk.refused("whoami", "--name", "Eve", code=2)
    gonk.refused("whoami", "cells", "--name", "E\x00ve", code=2)
    gonk.refused("whoami", "cells", "--name", "", code=2)
