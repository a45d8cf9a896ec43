"""People who share a node: API keys that are kept as hashes, keys that sign, and a table that processes share."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from blake3 import blake3
from nacl import pwhash

from gonk_node.config import Config
from gonk_node.core.events import CONTRIBUTOR, OWNER, SchemaCreate
from gonk_node.core.keys import Signer
from gonk_node.core.limits import USER_KEYS_MAX, USERS_JSON_BYTES_MAX
from gonk_node.errors import (
    DamagedStoreError,
    DiskFullError,
    ExistsError,
    KeyFileError,
    NotFoundError,
    RefusedError,
    StorageError,
    UsageError,
)
from gonk_node.home import Home
from gonk_node.node import users as users_module
from gonk_node.node.node import Node
from gonk_node.node.user_table import User, UserRow, UserTable, decode_users, encode_users
from gonk_node.node.users import Users
from gonk_node.replica.signing.governing import Governor
from gonk_node.state.authority import Authority, RoleInfo
from gonk_node.store import private_file
from gonk_node.store.keyring import Cost, create_key, load_key

CHEAP = Cost(pwhash.argon2id.OPSLIMIT_MIN, pwhash.argon2id.MEMLIMIT_MIN)
OWN = Signer.from_seed(sha256(b"the node's person").digest())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "node")
    home.create_dirs()
    create_key(home.author_key, passphrase=None)
    return home


@pytest.fixture
def users(home: Home) -> Users:
    return another(home)


def another(home: Home, passphrase: str | None = None) -> Users:
    """The users as another process sees them."""
    return Users(home, lambda: load_key(home.author_key), passphrase)


def known(users: Users, name: str) -> User:
    user = users.by_name(name)
    assert user is not None
    return user


# --- API keys ----------------------------------------------------------------------------------------------


def test_an_api_key_has_gonks_form_and_tells_whose_it_is(users: Users) -> None:
    keys = {name: users.add(name) for name in ("ada", "bob", "C.3-p_o")}
    assert len(set(keys.values())) == 3
    for name, api_key in keys.items():
        assert api_key.startswith("gk_")
        assert len(api_key) == 35
        assert api_key[3:].isalnum()
        assert api_key.isascii()
        assert users.authenticate(api_key) == users.by_name(name)
    assert [(user.number, user.name) for user in users.all()] == [(1, "ada"), (2, "bob"), (3, "C.3-p_o")]


def test_nothing_else_is_let_in(users: Users) -> None:
    api_key = users.add("ada")
    changed = api_key[:-1] + ("a" if api_key[-1] != "a" else "b")
    for wrong in (
        "",
        "gk_",
        changed,
        api_key.lower(),
        api_key + " ",
        api_key[:-1],
        "gk_" + "é" * 32,
        "gk_" + "\udcff" * 32,
    ):
        assert users.authenticate(wrong) is None, wrong


def test_without_users_nobody_is_let_in(users: Users) -> None:
    assert users.authenticate("gk_" + "a" * 32) is None
    assert users.all() == []


def test_api_keys_are_nowhere_on_the_disk_and_their_hashes_need_the_secret(home: Home, users: Users) -> None:
    api_key = users.add("ada").encode()
    files = [path.read_bytes() for path in home.root.rglob("*") if path.is_file()]
    assert len(files) == 4
    for plain in (api_key, api_key[3:], sha256(api_key).hexdigest().encode(), blake3(api_key).hexdigest().encode()):
        assert not any(plain in data for data in files)
    kept = json.loads(home.users_json.read_bytes())["users"][0]["api_key_hash"]
    assert kept == blake3(api_key, key=home.api_secret.read_bytes()).hexdigest()


def test_without_the_secret_nobody_is_let_in_until_he_gets_another_api_key(home: Home, users: Users) -> None:
    before = users.add("ada")
    home.api_secret.unlink()
    assert another(home).authenticate(before) is None
    after = another(home).rekey("ada")
    assert another(home).authenticate(after) == known(users, "ada")
    assert another(home).authenticate(before) is None


def test_a_damaged_secret_is_named(home: Home, users: Users) -> None:
    users.add("ada")
    home.api_secret.write_bytes(b"short")
    with pytest.raises(KeyFileError, match="secret") as caught:
        another(home).all()
    assert caught.value.where == str(home.api_secret)


def test_rekey_ends_the_api_key_before_and_keeps_the_key_that_signs(users: Users) -> None:
    before = users.add("ada")
    user = known(users, "ada")
    after = users.rekey("ada")
    assert users.authenticate(before) is None
    assert users.authenticate(after) == user
    with pytest.raises(NotFoundError, match="no user 'eve'"):
        users.rekey("eve")


def test_a_removed_user_is_out_until_he_is_rekeyed_and_his_name_stays_his(users: Users) -> None:
    before = users.add("ada")
    user = known(users, "ada")
    users.remove("ada")
    assert users.authenticate(before) is None
    assert known(users, "ada") == user._replace(removed=True)
    assert users.name_of(user.keys[0]) == "ada"
    with pytest.raises(ExistsError, match="removed") as caught:
        users.add("ada")
    assert caught.value.hint == "gonk users rekey ada lets them in again"
    with pytest.raises(NotFoundError):
        users.remove("ada")
    after = users.rekey("ada")
    assert users.authenticate(after) == user
    assert users.authenticate(before) is None


def test_removing_whom_nobody_added_is_not_found(users: Users) -> None:
    with pytest.raises(NotFoundError):
        users.remove("ada")


def test_a_name_is_given_once(users: Users) -> None:
    users.add("ada")
    with pytest.raises(ExistsError, match="already"):
        users.add("ada")
    assert len(users.all()) == 1


@pytest.mark.parametrize(
    "name", ["", "a b", "a/b", "é", "a\n", "x" * 65, ".", "..", "ab" * 32, "AB" * 32, "a:b", "a\x00", "%2e"]
)
def test_a_name_that_is_none_or_a_path_or_a_key_is_refused_and_nothing_is_made(home: Home, name: str) -> None:
    with pytest.raises(UsageError):
        another(home).add(name)
    assert not home.users_json.exists()


@pytest.mark.parametrize("name", ["a", "x" * 64, "...", "-", "_", "0", "ab" * 31])
def test_every_other_name_of_gonks_characters_is_taken(users: Users, name: str) -> None:
    assert users.authenticate(users.add(name)) == users.by_name(name)


# --- the table, shared by processes ------------------------------------------------------------------------


def test_what_another_process_changes_is_seen_at_the_next_request(home: Home, users: Users) -> None:
    other = another(home)
    api_key = other.add("ada")
    for _ in range(10):
        assert users.authenticate(api_key) is not None
        before, api_key = api_key, other.rekey("ada")
        assert users.authenticate(before) is None
    other.remove("ada")
    assert users.authenticate(api_key) is None


def test_a_change_within_one_tick_of_the_file_systems_clock_is_seen(
    home: Home, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users_module, "_mark", lambda status: (1, 2, 3))  # two files that stat does not tell apart
    monkeypatch.setattr(users_module, "_SETTLED_NS", 60 * 10**9)
    api_key = users.add("ada")
    assert users.authenticate(api_key) is not None
    another(home).remove("ada")
    assert users.authenticate(api_key) is None


def test_an_unchanged_table_is_not_read_again(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    api_key = users.add("ada")
    reads = []

    def read(*arguments: object, **named: object) -> object:
        reads.append(arguments)
        return private_file.read_with_status(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(users_module, "read_with_status", read)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:  # until the change is old enough to be told from a next one
        reads.clear()
        for _ in range(100):
            assert users.authenticate(api_key)
        if not reads:
            break
    assert not reads
    users.add("bob")
    users.authenticate(api_key)
    assert len(reads) >= 2  # once for the change, once for what it left


def test_only_the_person_may_read_what_is_kept_whatever_the_umask(home: Home, users: Users) -> None:
    before = os.umask(0)
    try:
        users.add("ada")
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.user_keys.stat().st_mode) == 0o700
    for path in (home.users_json, home.api_secret, home.user_key(known(users, "ada").keys[0])):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_table_that_others_may_read_is_refused(home: Home, users: Users) -> None:
    api_key = users.add("ada")
    home.users_json.chmod(0o640)
    with pytest.raises(KeyFileError, match="others"):
        another(home).authenticate(api_key)


ADD = """
import sys
from pathlib import Path
from gonk_node.home import Home
from gonk_node.node.users import Users
from gonk_node.store.keyring import load_key
home = Home(Path(sys.argv[1]))
users = Users(home, lambda: load_key(home.author_key))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    print(users.add(f"{sys.argv[2]}-{number}"), flush=True)
"""


def adding(home: Home, name: str, count: int) -> subprocess.Popen[str]:
    """A process that adds users once it is told to, and prints their API keys."""
    process = subprocess.Popen(
        [sys.executable, "-c", ADD, str(home.root), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_processes_that_add_users_at_one_time_lose_none(home: Home, users: Users) -> None:
    running = [adding(home, f"process{number}", 20) for number in range(3)]
    for process in running:
        begin(process)
    with ThreadPoolExecutor(2) as pool:  # and threads of this process
        here = list(pool.map(lambda number: users.add(f"thread-{number}"), range(20)))
    api_keys = here + [line.strip() for process in running for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in running] == [0, 0, 0]
    found = [users.authenticate(api_key) for api_key in api_keys]
    assert len({user.name for user in found if user}) == 80
    assert sorted(user.number for user in found if user) == list(range(1, 81))


def test_a_process_that_is_killed_leaves_a_whole_table_with_all_that_it_acknowledged(home: Home, users: Users) -> None:
    for kill in range(4):
        process = adding(home, f"round{kill}", 10_000)
        begin(process)
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(3 + 2 * kill)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.communicate(timeout=60)[0].split("\n")[:-1]
        assert all(users.authenticate(api_key) for api_key in acknowledged)
        for user in users.all():
            users.signer(user, user.keys[0])
    users.add("afterwards")


def test_a_full_disk_changes_nothing(home: Home, users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    api_key = users.add("ada")

    def full(*_: object) -> None:
        raise DiskFullError("no space left on the device")

    monkeypatch.setattr(users_module, "replace_private", full)
    for change in (lambda: users.add("bob"), lambda: users.rekey("ada"), lambda: users.remove("ada")):
        with pytest.raises(DiskFullError):
            change()
    assert users.authenticate(api_key) == known(users, "ada")
    assert len(users.all()) == 1


ROW = {"number": 1, "name": "ada", "keys": ["aa" * 32], "api_key_hash": "bb" * 32, "removed": False}


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": True},
        {"number": "1"},
        {"name": "../eve"},
        {"name": None},
        {"keys": []},
        {"keys": ["aa"]},
        {"keys": ["aa" * 32, "aa" * 32]},
        {"keys": "aa"},
        {"api_key_hash": "bb"},
        {"api_key_hash": None},
        {"removed": True},
        {"removed": 0},
    ],
)
def test_a_row_that_cannot_be_is_called_damage(home: Home, change: dict[str, object]) -> None:
    data = json.dumps({"version": 1, "users": [ROW | change]}).encode()
    with pytest.raises(DamagedStoreError) as caught:
        decode_users(data, home.users_json)
    assert caught.value.where == str(home.users_json)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"version": 1}',
        b'{"version": 0, "users": []}' * 2,
        json.dumps({"version": 1, "users": [ROW, ROW]}).encode(),
        json.dumps({"version": 1, "users": [ROW, ROW | {"number": 2, "name": "bob"}]}).encode(),
        json.dumps({"version": 1, "users": [ROW, ROW | {"number": 2, "keys": ["cc" * 32]}]}).encode(),
    ],
)
def test_what_is_no_table_is_called_damage_and_left_in_its_place(home: Home, data: bytes) -> None:
    private_file.write_new(home.users_json, data)
    users = another(home)
    for change in (users.all, lambda: users.add("bob"), lambda: users.authenticate("gk_" + "a" * 32)):
        with pytest.raises(DamagedStoreError):
            change()
    assert home.users_json.read_bytes() == data


def test_the_table_of_a_later_gonk_is_left_alone(home: Home) -> None:
    with pytest.raises(StorageError, match="version 2"):
        decode_users(b'{"version": 2, "people": []}', home.users_json)


def test_a_table_comes_back_as_it_was_and_has_an_end(home: Home) -> None:
    rows = [
        UserRow(User(number, f"u{number}", (sha256(b"%d" % number).digest(),), removed=False), bytes(32))
        for number in range(1, 10_000)
    ]
    some = UserTable([*rows[:5], UserRow(rows[6].user._replace(removed=True), None)])
    assert decode_users(encode_users(some), home.users_json).rows == some.rows
    with pytest.raises(RefusedError, match="as many users"):
        encode_users(UserTable(rows))
    assert len(encode_users(UserTable(rows[:4000]))) <= USERS_JSON_BYTES_MAX


# --- keys that sign ----------------------------------------------------------------------------------------


def test_each_user_has_a_key_of_his_own_that_signs(home: Home, users: Users) -> None:
    users.add("ada")
    users.add("bob")
    ada, bob = known(users, "ada"), known(users, "bob")
    assert ada.keys != bob.keys
    signer = users.signer(ada, ada.keys[0])
    assert signer is users.signer(ada, ada.keys[0])
    assert signer.author == ada.keys[0] == another(home).signer(ada, ada.keys[0]).author
    assert users.name_of(bob.keys[0]) == "bob"
    assert users.name_of(bytes(32)) is None
    with pytest.raises(NotFoundError):
        users.signer(ada, bob.keys[0])


def test_the_nodes_person_is_a_user_without_a_copy_of_the_key(home: Home, users: Users) -> None:
    users.add("ada", home.author_key)
    ada = known(users, "ada")
    assert users.signer(ada, ada.keys[0]).author == load_key(home.author_key).author
    assert list(home.user_keys.iterdir()) == []


def test_a_key_that_somebody_has_already_is_copied(home: Home, users: Users, tmp_path: Path) -> None:
    mine = create_key(tmp_path / "mine.key", passphrase=None)
    users.add("ada", tmp_path / "mine.key")
    (tmp_path / "mine.key").unlink()
    ada = known(users, "ada")
    assert ada.keys == (mine.author,)
    assert another(home).signer(ada, mine.author).sign(b"x") == mine.sign(b"x")


def test_a_key_is_one_users(home: Home, users: Users, tmp_path: Path) -> None:
    create_key(tmp_path / "mine.key", passphrase=None)
    users.add("ada", tmp_path / "mine.key")
    users.remove("ada")
    with pytest.raises(ExistsError, match="'ada'"):
        users.add("eve", tmp_path / "mine.key")


def test_a_locked_key_is_taken_only_where_this_node_can_open_it(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "mine.key"
    mine = create_key(path, passphrase="secret", cost=CHEAP)
    with pytest.raises(KeyFileError, match="locked") as caught:
        another(home).add("ada", path)
    assert "passphrase_file" in str(caught.value.hint)
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        another(home, "guess").add("ada", path)
    assert another(home).all() == []
    users = another(home, "secret")
    users.add("ada", path)
    assert home.user_key(mine.author).read_bytes() == path.read_bytes()
    assert users.signer(known(users, "ada"), mine.author).author == mine.author
    with pytest.raises(KeyFileError, match="locked"):
        another(home).signer(known(users, "ada"), mine.author)


@pytest.mark.parametrize("data", [None, b"", b"no key"])
def test_what_is_no_key_file_is_refused(users: Users, tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "mine.key"
    if data is not None:
        private_file.write_new(path, data)
    with pytest.raises(KeyFileError) as caught:
        users.add("ada", path)
    assert caught.value.where == str(path)
    assert users.all() == []


def test_a_key_file_that_was_exchanged_is_noticed(home: Home, users: Users) -> None:
    users.add("ada")
    ada = known(users, "ada")
    path = home.user_key(ada.keys[0])
    path.unlink()
    create_key(path, passphrase=None)
    with pytest.raises(KeyFileError, match="another key"):
        users.signer(ada, ada.keys[0])


def test_fresh_keys_are_appended_up_to_a_number(home: Home, users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    api_key = users.add("ada")
    first = known(users, "ada").keys[0]
    fresh = users.fresh_key(known(users, "ada"))
    ada = known(another(home), "ada")
    assert ada.keys == (first, fresh)
    assert users.authenticate(api_key) == ada
    assert users.name_of(fresh) == "ada"
    assert users.signer(ada, fresh).author == fresh
    monkeypatch.setattr(users_module, "USER_KEYS_MAX", 3)
    assert USER_KEYS_MAX > 3
    users.fresh_key(ada)
    with pytest.raises(RefusedError, match="at most 3 keys"):
        users.fresh_key(ada)
    with pytest.raises(NotFoundError):
        users.fresh_key(User(9, "eve", (first,), removed=False))


# --- at a dataset ------------------------------------------------------------------------------------------

OLD, MID, NEW = b"o" * 32, b"m" * 32, b"n" * 32


def authority(*, roles: tuple[bytes, ...] = (), revoked: tuple[bytes, ...] = ()) -> Authority:
    """A verdict in which some keys have a role, and some were revoked."""
    found = Authority(OWN.author, 1)
    for key in {*roles, *revoked}:
        found.roles[key] = RoleInfo(key, CONTRIBUTOR, 1, "", accepted=True, revoked=key in revoked, grant=None)
    found.cut_spans = {key: {} for key in revoked}
    return found


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (authority(), NEW),
        (authority(roles=(OLD,)), OLD),
        (authority(roles=(OLD, MID)), MID),
        (authority(roles=(OLD, MID, NEW)), NEW),
        (authority(revoked=(NEW,)), MID),
        (authority(revoked=(OLD, MID)), NEW),
        (authority(roles=(OLD,), revoked=(MID, NEW)), OLD),
        (authority(revoked=(OLD, MID, NEW)), NEW),
    ],
)
def test_a_user_signs_with_the_newest_key_that_may_do_most(users: Users, verdict: Authority, expected: bytes) -> None:
    assert users.key_for(User(1, "ada", (OLD, MID, NEW), removed=False), verdict) == expected


@pytest.fixture
def node(tmp_path: Path) -> Node:
    home = Home(tmp_path / "a node")
    Node.create(home, name="Person")
    return Node.open(home, Config(display_name="Person"))


def test_a_user_founds_a_dataset_as_its_root_under_his_own_key_and_name(node: Node) -> None:
    with node:
        node.users.add("bob")
        bob = known(node.users, "bob")
        info = node.create_dataset("cells", signer=node.users.signer(bob, bob.keys[0]), display_name=bob.name)
        replica = node.replica_of(info)
        assert replica.authority.root == bob.keys[0] != node.author_key
        author = node.author_of(replica, bob)
        assert author.role == OWNER
        assert author.queries.display_name(bob.keys[0]) == "bob"
        assert author.queries.display_name(node.author_key) is None
        entry = author.sign([SchemaCreate("schema-x", b"{}")])
        assert (entry.header.author, len({head.log_id for head in replica.log.heads()})) == (bob.keys[0], 1)


def test_an_owner_who_was_removed_comes_back_with_a_fresh_key(node: Node) -> None:
    with node:
        for name in ("ada", "bob"):
            node.users.add(name)
        ada, bob = known(node.users, "ada"), known(node.users, "bob")
        info = node.create_dataset("cells", signer=node.users.signer(ada, ada.keys[0]), display_name=ada.name)
        replica = node.replica_of(info)
        governor = Governor(node.author_of(replica, ada))
        governor.grant(bob.keys[0], OWNER, "bob")
        node.author_of(replica, bob).sign([SchemaCreate("schema-x", b"{}")])
        governor.revoke(bob.keys[0], OWNER, "")
        assert node.author_of(replica, bob).role is None
        fresh = node.users.fresh_key(bob)
        governor.grant(fresh, OWNER, "bob")
        again = node.author_of(replica, known(node.users, "bob"))
        assert (again.key, again.role) == (fresh, OWNER)
        again.sign([SchemaCreate("schema-y", b"{}")])
        assert replica.authority.roles[fresh].accepted


def test_a_users_locked_key_is_opened_with_the_passphrase_file_and_nobody_is_asked(tmp_path: Path) -> None:
    home = Home(tmp_path / "a node")
    Node.create(home)
    create_key(tmp_path / "mine.key", passphrase="secret", cost=CHEAP)
    private_file.write_new(tmp_path / "secret", b"secret\n")
    with Node.open(home, Config(passphrase_file=tmp_path / "secret")) as node:
        node.users.add("ada", tmp_path / "mine.key")

    def ask() -> str:
        raise AssertionError("a server has nobody to ask")

    with Node.open(home, Config(), ask=ask) as node, pytest.raises(KeyFileError, match="locked"):
        node.users.signer(known(node.users, "ada"), known(node.users, "ada").keys[0])
    with Node.open(home, Config(passphrase_file=tmp_path / "secret"), ask=ask) as node:
        node.users.signer(known(node.users, "ada"), known(node.users, "ada").keys[0])
