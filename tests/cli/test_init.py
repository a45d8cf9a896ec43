"""gonk init: everything is made, privately, once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gonk_node.store.keyring import is_locked
from kit.command_line import Gonk


@pytest.fixture
def empty(tmp_path: Path) -> Gonk:
    return Gonk(tmp_path)


def test_it_makes_a_private_folder_with_keys_content_and_explained_settings(empty: Gonk) -> None:
    found = empty.json("init", "--name", "Ada Lovelace")
    assert len(found["author"]) == len(found["node"]) == 64
    assert found["author"] != found["node"]
    for folder in ("", "keys", "datasets", "content"):
        assert stat.S_IMODE((empty.home / folder).stat().st_mode) == 0o700
    for file in ("keys/author.key", "keys/node.key", "keys/tls.pem", "instance", "config.toml"):
        assert stat.S_IMODE((empty.home / file).stat().st_mode) == 0o600
    settings = (empty.home / "config.toml").read_text()
    assert '\ndisplay_name = "Ada Lovelace"\n' in settings
    assert "\n# peer_port = 7475\n" in settings
    assert empty.json("whoami")["name"] == "Ada Lovelace"


def test_what_is_commented_out_are_the_defaults(empty: Gonk) -> None:
    empty.ok("init")
    settings = empty.home / "config.toml"
    lines = settings.read_text().splitlines()
    settings.write_text("\n".join(line.removeprefix("# ") if " = " in line else line for line in lines))
    settings.write_text(settings.read_text().replace('\npassphrase_file = ""', "").replace('\nadvertise = ""', ""))
    empty.ok("whoami")


def test_a_second_time_changes_nothing(empty: Gonk) -> None:
    empty.ok("init")
    key = (empty.home / "keys" / "author.key").read_bytes()
    result = empty.run("init", "--name", "Eve")
    assert result.code == 1
    assert "there is a node here already" in result.err
    assert (empty.home / "keys" / "author.key").read_bytes() == key
    assert "Eve" not in (empty.home / "config.toml").read_text()
    assert empty.run("init", "--json").error()["code"] == "exists"


def test_what_a_crash_interrupted_is_completed(empty: Gonk) -> None:
    empty.ok("init")
    (empty.home / "keys" / "author.key").unlink()  # the last file that is made
    node_key = (empty.home / "keys" / "node.key").read_bytes()
    empty.ok("init")
    assert (empty.home / "keys" / "node.key").read_bytes() == node_key


def test_a_passphrase_locks_the_persons_key_and_is_needed_to_sign_but_not_to_look(empty: Gonk) -> None:
    secret = empty.file("secret", "correct horse\n")
    secret.chmod(0o600)
    empty.ok("--passphrase-file", secret, "init", "--passphrase")
    assert is_locked(empty.home / "keys" / "author.key")
    assert not is_locked(empty.home / "keys" / "node.key")
    empty.ok("--passphrase-file", secret, "dataset", "create", "cells")
    empty.ok("status", "cells")
    file = empty.file("a.png", "x")
    result = empty.refused("add", "cells", file)
    assert "locked with a passphrase" in result.err
    secret.write_text("wrong\n")
    assert "passphrase is wrong" in empty.refused("--passphrase-file", secret, "add", "cells", file).err


def test_without_a_terminal_and_a_file_there_is_no_passphrase_to_ask_for(empty: Gonk) -> None:
    result = empty.run("init", "--passphrase")
    assert result.code == 2
    assert not (empty.home / "keys" / "author.key").exists()


def test_a_name_that_no_setting_can_hold_is_refused_before_anything_is_made(empty: Gonk) -> None:
    result = empty.run("init", "--name", "Ada\x1b[2J")
    assert result.code == 2
    assert "\x1b" not in result.err
    assert not empty.home.exists()


@pytest.mark.parametrize("words", [("status",), ("dataset", "list"), ("whoami",), ("add", "cells", "x"), ("fsck",)])
def test_without_a_node_every_command_says_how_to_make_one(empty: Gonk, words: tuple[str, ...]) -> None:
    result = empty.run(*words)
    assert result.code == 1
    assert "there is no node here" in result.err
    assert "next: gonk init" in result.err
