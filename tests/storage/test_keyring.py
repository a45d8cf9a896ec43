"""Key files: what is kept comes back, to its owner only, and damage never turns into another key."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from nacl import pwhash

from gonk_node.core.codec import decode, encode
from gonk_node.core.keys import is_valid_author, verify_signature
from gonk_node.errors import DiskFullError, ExistsError, KeyFileError, UsageError
from gonk_node.store import keyring
from gonk_node.store.keyring import (
    Cost,
    change_passphrase,
    copy_key,
    create_key,
    is_locked,
    load_key,
    public_key,
    read_passphrase_file,
)

CHEAP = Cost(pwhash.argon2id.OPSLIMIT_MIN, pwhash.argon2id.MEMLIMIT_MIN)
WORD = "öffne dich"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "author.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("passphrase", [None, WORD])
def test_a_key_comes_back_as_it_was_made(path: Path, passphrase: str | None) -> None:
    made = create_key(path, passphrase=passphrase, cost=CHEAP)
    loaded = load_key(path, passphrase)
    assert loaded.author == made.author == public_key(path)
    assert is_valid_author(loaded.author)
    assert verify_signature(made.author, b"message", loaded.sign(b"message"))
    assert is_locked(path) is (passphrase is not None)


def test_every_key_is_another_one(tmp_path: Path) -> None:
    assert len({create_key(tmp_path / str(n), passphrase=None).author for n in range(20)}) == 20


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_only_the_owner_may_use_a_new_file_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        create_key(path, passphrase=None)
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_existing_file_is_never_replaced_by_a_new_key(path: Path) -> None:
    create_key(path, passphrase=None)
    before = path.read_bytes()
    with pytest.raises(ExistsError):
        create_key(path, passphrase=None)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_link_that_leads_nowhere_is_not_written_through(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExistsError):
        create_key(path, passphrase=None)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("others", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o644])
def test_a_file_that_others_may_use_is_refused_with_the_command_that_mends_it(path: Path, others: int) -> None:
    create_key(path, passphrase=None)
    path.chmod(others)
    for use in (load_key, public_key):
        with pytest.raises(KeyFileError) as caught:
            use(path)
        assert caught.value.hint == f"chmod 600 {path}"


def test_a_read_only_key_file_is_fine(path: Path) -> None:
    made = create_key(path, passphrase=None)
    path.chmod(0o400)
    assert load_key(path).author == made.author


def test_a_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    create_key(tmp_path / "real", passphrase=None)
    path.symlink_to(tmp_path / "real")
    with pytest.raises(KeyFileError, match="symbolic link"):
        load_key(path)


def test_what_is_no_plain_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("pipe", "folder"):
        with pytest.raises(KeyFileError, match="plain file"):
            load_key(tmp_path / name)


def test_a_missing_file_says_how_to_make_one(path: Path) -> None:
    with pytest.raises(KeyFileError) as caught:
        load_key(path)
    assert "gonk init" in (caught.value.hint or "")


@pytest.mark.parametrize("passphrase", [None, WORD])
def test_every_flipped_bit_is_called_damage_and_gives_no_key(path: Path, passphrase: str | None) -> None:
    create_key(path, passphrase=passphrase, cost=CHEAP)
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(KeyFileError, match="damaged"):
            load_key(path, passphrase)
        with pytest.raises(KeyFileError, match="damaged"):
            public_key(path)


@pytest.mark.parametrize("passphrase", [None, WORD])
def test_every_shorter_or_longer_file_is_called_damage(path: Path, passphrase: str | None) -> None:
    create_key(path, passphrase=passphrase, cost=CHEAP)
    whole = path.read_bytes()
    for data in (*(whole[:length] for length in range(len(whole))), whole + b"\0", whole * 2):
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match="damaged"):
            load_key(path, passphrase)


def test_an_absurdly_large_file_is_not_read(path: Path) -> None:
    create_key(path, passphrase=None)
    os.truncate(path, 1 << 40)
    with pytest.raises(KeyFileError, match="larger"):
        load_key(path)


def rewrite(path: Path, index: int, value: object) -> None:
    """Change one field and make the checksum fit: what somebody does, not what a disk does."""
    fields = decode(path.read_bytes())[:-1]
    fields[index] = value
    path.write_bytes(encode([*fields, keyring._checksum(fields)]))


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, "other"),
        (1, 2),
        (2, "scrypt"),
        (3, 1 << 20),
        (3, 0),
        (4, 1 << 40),
        (5, b"short"),
        (6, bytes(31)),
        (7, bytes(32)),
        (7, None),
    ],
)
def test_a_concocted_file_is_refused_before_it_costs_time_or_memory(path: Path, index: int, value: object) -> None:
    create_key(path, passphrase=WORD, cost=CHEAP)
    rewrite(path, index, value)
    with pytest.raises(KeyFileError, match="damaged"):
        load_key(path, lambda: pytest.fail("asked for a passphrase"))


@pytest.mark.parametrize("passphrase", [None, WORD])
def test_a_file_that_shows_another_public_key_gives_no_key(path: Path, passphrase: str | None) -> None:
    create_key(path, passphrase=passphrase, cost=CHEAP)
    other = create_key(path.with_name("other"), passphrase=None)
    rewrite(path, 6, other.author)
    with pytest.raises(KeyFileError, match="another public key"):
        load_key(path, passphrase)


@pytest.mark.parametrize("guess", ["Öffne dich", "öffne dich ", "x"])
def test_a_wrong_passphrase_is_told_from_damage(path: Path, guess: str) -> None:
    create_key(path, passphrase=WORD, cost=CHEAP)
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        load_key(path, guess)


def test_one_passphrase_typed_on_two_keyboards_is_the_same(path: Path) -> None:
    create_key(path, passphrase="\u00f6ffne", cost=CHEAP)
    assert load_key(path, "o\u0308ffne").author == public_key(path)


def test_a_locked_key_without_passphrase_says_that_it_is_locked(path: Path) -> None:
    create_key(path, passphrase=WORD, cost=CHEAP)
    with pytest.raises(KeyFileError, match="locked"):
        load_key(path)


def test_a_passphrase_is_asked_for_only_where_the_key_is_locked(path: Path) -> None:
    create_key(path, passphrase=None)
    load_key(path, lambda: pytest.fail("asked for a passphrase"))
    locked = path.with_name("locked")
    create_key(locked, passphrase=WORD, cost=CHEAP)
    assert load_key(locked, lambda: WORD).author == public_key(locked)


@pytest.mark.parametrize("passphrase", ["", "x" * 5000])
def test_an_empty_or_endless_passphrase_is_refused_and_nothing_written(path: Path, passphrase: str) -> None:
    with pytest.raises(UsageError):
        create_key(path, passphrase=passphrase, cost=CHEAP)
    assert list(path.parent.iterdir()) == []


def test_the_seed_is_not_in_a_locked_file(path: Path) -> None:
    create_key(path, passphrase=None)
    seed = decode(path.read_bytes())[7]
    assert len(seed) == 32
    change_passphrase(path, None, WORD, cost=CHEAP)
    assert seed not in path.read_bytes()


@pytest.mark.parametrize(("old", "new"), [(None, WORD), (WORD, None), (WORD, "other")])
def test_a_changed_passphrase_keeps_the_key_and_the_mode(path: Path, old: str | None, new: str | None) -> None:
    made = create_key(path, passphrase=old, cost=CHEAP)
    change_passphrase(path, old, new, cost=CHEAP)
    assert load_key(path, new).author == made.author
    assert mode(path) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_wrong_old_passphrase_changes_nothing(path: Path) -> None:
    create_key(path, passphrase=WORD, cost=CHEAP)
    before = path.read_bytes()
    with pytest.raises(KeyFileError):
        change_passphrase(path, "wrong", "new", cost=CHEAP)
    assert path.read_bytes() == before


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_during_a_change_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    create_key(path, passphrase=None)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os if step == "fsync" else Path, step, full)
    with pytest.raises(DiskFullError):
        change_passphrase(path, None, WORD, cost=CHEAP)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_file_and_folder_are_flushed_before_a_key_is_given_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bool] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        flushed.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    create_key(path, passphrase=None)
    assert flushed == [False, True]


@pytest.mark.parametrize("passphrase", [None, WORD])
def test_a_copy_has_the_same_bytes_under_the_name_of_its_public_key(
    path: Path, tmp_path: Path, passphrase: str | None
) -> None:
    made = create_key(path, passphrase=passphrase, cost=CHEAP)
    for _ in range(2):  # what a crash left is replaced
        copied = copy_key(path, lambda key: tmp_path / key.hex(), passphrase)
        copy = tmp_path / made.author.hex()
        assert copied.author == made.author
        assert (copy.read_bytes(), mode(copy)) == (path.read_bytes(), 0o600)
        copy.write_bytes(b"half of it")


def test_what_cannot_be_opened_is_not_copied(path: Path, tmp_path: Path) -> None:
    create_key(path, passphrase=WORD, cost=CHEAP)
    for passphrase in (None, "a guess"):
        with pytest.raises(KeyFileError):
            copy_key(path, lambda key: tmp_path / key.hex(), passphrase)
    assert list(tmp_path.iterdir()) == [path]


def test_a_passphrase_file_is_read_without_its_line_break(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    for data in (WORD, WORD + "\n", WORD + "\r\n"):
        path.write_bytes(data.encode())
        path.chmod(0o600)
        assert read_passphrase_file(path) == WORD


def test_a_passphrase_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text(WORD)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="others"):
        read_passphrase_file(path)


@pytest.mark.parametrize("data", [None, b"\xff\xfe", b"x" * 5000])
def test_a_missing_or_unusable_passphrase_file_is_named(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "passphrase"
    if data is not None:
        path.write_bytes(data)
        path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        read_passphrase_file(path)
    assert caught.value.where == str(path)
