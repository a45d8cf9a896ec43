"""gonk users, gonk init --username and gonk run: Gonk's spellings, and what they print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gonk_node.cli.run_cmd import run as run_command
from gonk_node.cli.serve_cmd import serve as serve_command
from gonk_node.store.keyring import create_key, public_key
from kit.command_line import Gonk

KEY_LINE = re.compile(r"^KEY: (gk_[A-Za-z0-9]{32})$", re.MULTILINE)


def api_key(text: str) -> str:
    """The only API key in what was printed."""
    found: list[str] = KEY_LINE.findall(text)
    assert len(found) == 1, text
    return found[0]


def who(gonk: Gonk, key: str) -> str | None:
    """Whose API key that is."""
    with gonk.node() as node:
        user = node.users.authenticate(key)
    return None if user is None else user.name


def test_users_are_added_with_a_key_line_and_listed_as_number_and_name(gonk: Gonk) -> None:
    added = gonk.ok("users", "add", "bob")
    assert who(gonk, api_key(added.out)) == "bob"
    assert "not shown again" in added.err
    gonk.ok("users", "add", "c.d-e_f")
    assert gonk.ok("users", "list").out == "1\tbob\n2\tc.d-e_f\n"


def test_rekey_replaces_the_key_and_remove_ends_it(gonk: Gonk) -> None:
    first = api_key(gonk.ok("users", "add", "bob").out)
    second = api_key(gonk.ok("users", "rekey", "bob").out)
    assert (who(gonk, first), who(gonk, second)) == (None, "bob")
    assert gonk.ok("users", "remove", "bob").out == ""
    assert who(gonk, second) is None
    assert gonk.ok("users", "list").out == ""
    third = api_key(gonk.ok("users", "rekey", "bob").out)
    assert (who(gonk, second), who(gonk, third)) == (None, "bob")


def test_with_json_everything_that_is_known_is_told(gonk: Gonk) -> None:
    added: dict[str, Any] = gonk.json("users", "add", "bob")
    assert who(gonk, added.pop("api_key")) == "bob"
    assert (added["number"], added["name"], added["removed"], len(added["keys"])) == (1, "bob", False, 1)
    assert gonk.json("users", "list") == [added]
    assert gonk.json("users", "remove", "bob") == {"name": "bob"}
    assert gonk.json("users", "list") == [added | {"removed": True}]
    assert who(gonk, gonk.json("users", "rekey", "bob")["api_key"]) == "bob"


def test_a_name_that_is_taken_was_removed_is_unknown_or_none_is_told_with_what_to_do(gonk: Gonk) -> None:
    gonk.ok("users", "add", "bob")
    assert "gonk users rekey bob" in gonk.refused("users", "add", "bob").err
    gonk.ok("users", "remove", "bob")
    assert "lets them in again" in gonk.refused("users", "add", "bob").err
    for verb in ("rekey", "remove"):
        assert "gonk users list" in gonk.refused("users", verb, "eve").err
    gonk.refused("users", "add", "a/b", code=2)


def test_without_users_the_list_says_how_to_add_one(gonk: Gonk) -> None:
    result = gonk.ok("users", "list")
    assert result.out == ""
    assert "next: gonk users add NAME" in result.err
    assert gonk.json("users", "list") == []


def test_a_user_may_bring_a_key(gonk: Gonk, tmp_path: Path) -> None:
    mine = create_key(tmp_path / "mine.key", passphrase=None)
    assert gonk.json("users", "add", "bob", "--key", tmp_path / "mine.key")["keys"] == [mine.author.hex()]
    assert "'bob'" in gonk.refused("users", "add", "eve", "--key", tmp_path / "mine.key").err
    assert gonk.run("users", "add", "eve", "--key", tmp_path / "none").code == 1
    author = gonk.home / "keys" / "author.key"
    assert gonk.json("users", "add", "ada", "--key", author)["keys"] == [gonk.key()]


def test_a_locked_key_needs_the_passphrase_file(gonk: Gonk, tmp_path: Path) -> None:
    create_key(tmp_path / "mine.key", passphrase="secret")
    assert "passphrase_file" in gonk.refused("users", "add", "bob", "--key", tmp_path / "mine.key").err
    secret = gonk.file("secret", "secret\n")
    secret.chmod(0o600)
    gonk.ok("--passphrase-file", secret, "users", "add", "bob", "--key", tmp_path / "mine.key")


def test_init_with_a_username_makes_the_nodes_person_a_user(tmp_path: Path) -> None:
    gonk = Gonk(tmp_path)
    made = gonk.ok("init", "--username", "ada")
    assert who(gonk, api_key(made.out)) == "ada"
    assert gonk.json("users", "list")[0]["keys"] == [public_key(gonk.home / "keys" / "author.key").hex()]
    assert gonk.json("whoami")["name"] == "ada"
    again = gonk.run("init", "--username", "eve")
    assert again.code == 1
    assert "there is a node here already" in again.err
    assert gonk.ok("users", "list").out == "1\tada\n"


def test_init_takes_another_name_beside_the_username(tmp_path: Path) -> None:
    gonk = Gonk(tmp_path)
    made = gonk.json("init", "--username", "ada", "--name", "Ada Lovelace")
    assert (made["name"], made["username"], who(gonk, made["api_key"])) == ("Ada Lovelace", "ada", "ada")
    assert gonk.json("whoami")["name"] == "Ada Lovelace"


@pytest.mark.parametrize("names", [("..",), ("a b",), ("", "--name", "Ada")])
def test_a_username_that_cannot_be_is_refused_before_anything_is_made(tmp_path: Path, names: tuple[str, ...]) -> None:
    gonk = Gonk(tmp_path)
    assert gonk.run("init", "--username", *names).code == 2
    assert not gonk.home.exists()


@pytest.mark.processes
def test_processes_that_add_and_rekey_at_one_time_all_succeed(gonk: Gonk) -> None:
    gonk.ok("users", "add", "ada")
    words = [("add", "bob"), ("rekey", "ada"), ("add", "cy"), ("rekey", "ada"), ("add", "dan")]
    command = [sys.executable, "-m", "gonk_node", "--home", str(gonk.home), "users"]
    running = [subprocess.Popen([*command, *each], stdout=subprocess.PIPE, text=True) for each in words]
    keys = [api_key(each.communicate(timeout=90)[0]) for each in running]
    assert [each.returncode for each in running] == [0] * len(words)
    assert [who(gonk, keys[at]) for at in (0, 2, 4)] == ["bob", "cy", "dan"]
    assert sorted([who(gonk, keys[1]), who(gonk, keys[3])], key=str) == [None, "ada"]  # the later one stands
    assert sorted(user["number"] for user in gonk.json("users", "list")) == [1, 2, 3, 4]


def test_run_is_serve_with_all_its_options() -> None:
    assert run_command.name == "run"
    assert serve_command.name == "serve"
    assert run_command.params == serve_command.params
    assert run_command.callback is serve_command.callback
    assert "gonk serve" in (run_command.help or "")


def test_run_serves(gonk: Gonk) -> None:
    served = gonk.run("serve", "--peer-host", "203.0.113.7", "--json")  # an address that is not ours: fails at once
    ran = gonk.run("run", "--peer-host", "203.0.113.7", "--json")
    assert ran.code == served.code == 2
    assert ran.error() == served.error()
