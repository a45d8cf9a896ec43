"""Settings: which source wins, what a bad value is told; and where a node's folder and its files are."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path
from typing import Any

import pytest

from gonk_node import home as home_module
from gonk_node.config import SETTINGS, Config, find_home, load_config
from gonk_node.errors import InputFileError, UsageError
from gonk_node.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def write(home: Home, text: str) -> None:
    home.config_toml.write_text(text, encoding="utf-8")


def test_without_any_source_each_setting_has_its_default(home: Home) -> None:
    assert load_config(home, environ={}) == Config()
    assert (Config().peer_host, Config().peer_port, Config().http_port) == ("127.0.0.1", 7475, 5000)
    assert Config().content_policy == "accepted"
    assert (Config().stranger_bytes_per_key, Config().stranger_bytes_total) == (1 << 20, 64 << 20)


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(home: Home) -> None:
    environ = {"GONK_PEER_PORT": "2"}
    assert load_config(home, {"peer_port": None}, {}).peer_port == 7475
    write(home, "peer_port = 3")
    assert load_config(home, {"peer_port": None}, {}).peer_port == 3
    assert load_config(home, {"peer_port": None}, environ).peer_port == 2
    assert load_config(home, {"peer_port": 1}, environ).peer_port == 1


def test_every_setting_can_be_given_in_each_way(home: Home) -> None:
    examples: dict[str, Any] = {
        "peer_host": "::1",
        "peer_port": 0,
        "http_host": "localhost",
        "http_port": 65535,
        "http_names": "gonk.example, hub.example",
        "http_certificate": "/etc/ssl/gonk.pem",
        "http_requests_per_second": 50,
        "advertise": "[2001:db8::1]:443",
        "content_policy": "none",
        "stranger_bytes_per_key": 17,
        "stranger_bytes_total": 18,
        "passphrase_file": "/run/credentials/gonk",
        "display_name": "Ada Lovelace",
        "log_level": "debug",
    }
    paths = {name: Path(examples[name]) for name in ("passphrase_file", "http_certificate")}
    expected = Config(**{**examples, **paths})
    assert set(examples) == {row.name for row in dataclasses.fields(Config)}
    environ = {row.env: str(examples[row.name]) for row in SETTINGS if row.name in examples}
    assert load_config(home, examples, {}) == expected
    assert load_config(home, environ=environ) == expected
    write(home, "\n".join(f"{name} = {value!r}" for name, value in examples.items()))
    assert load_config(home, environ={}) == expected


def test_each_row_of_the_table_says_what_it_is_for() -> None:
    assert [row.name for row in SETTINGS] == ["home", *(row.name for row in dataclasses.fields(Config))]
    for row in SETTINGS[1:]:
        assert row.help
        assert row.default == getattr(Config(), row.name)


def test_an_empty_variable_counts_as_not_set(home: Home) -> None:
    assert load_config(home, environ={"GONK_PEER_PORT": ""}).peer_port == 7475


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peer_port", "65536"),
        ("peer_port", "-1"),
        ("peer_port", "http"),
        ("peer_port", "७"),
        ("peer_host", "a b"),
        ("peer_host", "http://here"),
        ("advertise", "example.org"),
        ("advertise", "example.org:"),
        ("advertise", "::1:7475"),
        ("advertise", ":7475"),
        ("content_policy", "some"),
        ("stranger_bytes_total", "1 MB and more"),
        ("stranger_bytes_total", "-5"),
        ("stranger_bytes_total", "5 parsecs"),
        ("log_level", "loud"),
    ],
)
def test_a_bad_value_is_named_with_its_origin(home: Home, name: str, value: str) -> None:
    row = next(row for row in SETTINGS if row.name == name)
    write(home, f"{name} = {value!r}")
    with pytest.raises(UsageError, match=name) as caught:
        load_config(home, environ={})
    assert caught.value.where == str(home.config_toml)
    with pytest.raises(UsageError) as caught:
        load_config(home, environ={row.env: value})
    assert caught.value.where == row.env
    with pytest.raises(UsageError) as caught:
        load_config(home, {name: value}, {})
    assert caught.value.where == row.flag
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("line", ["peer_port = true", "peer_port = 1.5", "peer_port = [1]", "log_level = {}"])
def test_a_value_of_another_type_is_refused(home: Home, line: str) -> None:
    write(home, line)
    with pytest.raises(UsageError, match="text or a whole number"):
        load_config(home, environ={})


def test_a_misspelt_setting_is_refused_with_the_names_that_exist(home: Home) -> None:
    write(home, "peer_prot = 1")
    with pytest.raises(UsageError, match="peer_prot") as caught:
        load_config(home, environ={})
    assert "peer_port" in (caught.value.hint or "")


@pytest.mark.parametrize("data", [b"peer_port = ", b"\xff"])
def test_a_file_that_is_no_toml_is_named(home: Home, data: bytes) -> None:
    home.config_toml.write_bytes(data)
    with pytest.raises(InputFileError) as caught:
        load_config(home, environ={})
    assert caught.value.where == str(home.config_toml)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("1048576", 1 << 20), ("5 B", 5), ("64KiB", 64 << 10), ("1 MiB", 1 << 20), ("2 gib", 2 << 30)],
)
def test_a_number_of_bytes_may_have_a_unit(home: Home, text: str, expected: int) -> None:
    assert load_config(home, {"stranger_bytes_total": text}, {}).stranger_bytes_total == expected


def test_a_path_in_the_file_is_seen_from_the_file(home: Home) -> None:
    write(home, 'passphrase_file = "secret"')
    assert load_config(home, environ={}).passphrase_file == home.root / "secret"
    assert load_config(home, environ={"GONK_PASSPHRASE_FILE": "secret"}).passphrase_file == Path("secret")


def test_the_folder_is_the_flag_else_the_variable_else_the_platforms(tmp_path: Path) -> None:
    environ = {"GONK_HOME": str(tmp_path / "variable")}
    assert find_home(tmp_path / "flag", environ).root == tmp_path / "flag"
    assert find_home(None, environ).root == tmp_path / "variable"
    assert find_home(None, {}).root.name == "gonk-node"


def test_the_folder_is_absolute_however_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert find_home("here", {}).root == tmp_path / "here"
    assert find_home("~/here", {}).root == tmp_path / "me" / "here"


def test_folders_are_made_for_their_owner_alone_and_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "node")
    home.create_dirs()
    home.create_dirs()
    made = [home.root, *home.root.iterdir()]
    assert {path.name for path in made} == {"node", "keys", "datasets"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}


def test_a_node_exists_once_both_its_keys_do(home: Home) -> None:
    assert not home.exists()
    home.create_dirs()
    home.node_key.touch()
    assert not home.exists()
    home.author_key.touch()
    assert home.exists()


def test_everything_lies_inside_the_folder(home: Home) -> None:
    names = [name for name, value in vars(Home).items() if isinstance(value, property)]
    paths = [getattr(home, name) for name in names]
    assert len(names) == len(set(paths)) == 11
    assert all(path.is_relative_to(home.root) for path in paths)
    assert home.user_key(b"k" * 32).parent == home.user_keys


def test_datasets_are_found_by_their_folders_and_other_folders_are_passed_over(home: Home) -> None:
    assert home.dataset_ids() == []
    ids = [bytes([n]) * 32 for n in (3, 1, 2)]
    for dataset in ids:
        folder = home.dataset(dataset)
        folder.root.mkdir(parents=True)
        assert folder.log.parent == folder.state_db.parent == folder.dataset_json.parent == folder.root
    for name in ("lost+found", "zz" * 32, "AB" * 32, "ab" * 31):
        (home.datasets / name).mkdir()
    assert home.dataset_ids() == sorted(ids)


@pytest.mark.parametrize(
    ("kind", "expected"), [("ext4", None), ("nfs4", "nfs4"), ("fuse.sshfs", "fuse.sshfs"), ("overlay", None)]
)
def test_a_network_file_system_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, expected: str | None
) -> None:
    share = tmp_path / "a share"
    table = tmp_path / "mountinfo"
    escaped = str(share).replace(" ", "\\040")
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"36 22 0:33 / {escaped} rw,relatime shared:2 - {kind} server:/x rw\n"
        "37 22 0:34 / /elsewhere rw - nfs server:/y rw\n"
    )
    monkeypatch.setattr(home_module, "_MOUNTS", table)
    assert Home(share / "node").network_file_system() == expected
    assert Home(tmp_path / "node").network_file_system() is None
    monkeypatch.setattr(home_module, "_MOUNTS", tmp_path / "none")
    assert Home(share / "node").network_file_system() is None
