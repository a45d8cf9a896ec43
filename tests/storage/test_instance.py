"""The instance file: stable while it stays where it was made, another one for every copy."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from gonk_node.core.ids import log_id_for
from gonk_node.errors import KeyFileError
from gonk_node.store import instance, private_file
from gonk_node.store.instance import open_instance, store_instance
from gonk_node.store.private_file import Contents


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "instance"


def test_an_installation_keeps_its_instance(path: Path) -> None:
    first = open_instance(path)
    assert len(first) == 32
    assert [open_instance(path) for _ in range(3)] == [first] * 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_moved_folder_keeps_its_instance(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    first = open_instance(tmp_path / "old" / "instance")
    (tmp_path / "old").rename(tmp_path / "new")
    assert open_instance(tmp_path / "new" / "instance") == first


def test_a_copied_folder_gets_an_instance_and_so_logs_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    first = open_instance(tmp_path / "old" / "instance")
    shutil.copytree(tmp_path / "old", tmp_path / "copy")  # keeps times and modes, as `cp -a` does
    copied = open_instance(tmp_path / "copy" / "instance")
    assert copied != first
    assert open_instance(tmp_path / "copy" / "instance") == copied
    assert open_instance(tmp_path / "old" / "instance") == first
    dataset, author = bytes(32), b"\1" * 32
    assert log_id_for(first, dataset, author) != log_id_for(copied, dataset, author)


def test_a_restored_file_is_not_taken_for_the_one_that_was_saved(path: Path) -> None:
    first = open_instance(path)
    saved = path.read_bytes()
    keep_the_inode_busy = path.with_name("busy")
    path.rename(keep_the_inode_busy)
    path.write_bytes(saved)
    path.chmod(0o600)
    assert open_instance(path) != first


def test_a_restore_over_the_file_itself_is_noticed_by_its_change_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_instance(path)
    # As after `cp -a backup/instance instance` an hour later: same inode, bytes and mtime, another ctime.
    touched = list(path.stat())
    born = int(path.stat().st_ctime)
    later = os.stat_result([*touched[:9], born + 3600])
    assert instance._instance_in(path.read_bytes(), path.stat()) == first
    assert instance._instance_in(path.read_bytes(), later) is None


def test_a_disk_in_another_machine_gets_another_instance(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "_machine_id", lambda: b"one machine")
    first = open_instance(path)
    monkeypatch.setattr(instance, "_machine_id", lambda: b"another machine")
    assert open_instance(path) != first


def test_a_machine_without_an_id_still_keeps_its_instance(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "_MACHINE_ID_FILES", (path.with_name("none"),))
    assert open_instance(path) == open_instance(path)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x85", bytes(range(90))], ids=["empty", "zero", "cut short", "other"])
def test_a_damaged_file_is_replaced_by_a_new_instance(path: Path, data: bytes) -> None:
    first = open_instance(path)
    path.write_bytes(data)
    second = open_instance(path)
    assert second != first
    assert open_instance(path) == second


def test_a_file_that_others_may_read_is_refused(path: Path) -> None:
    open_instance(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError):
        open_instance(path)


def test_two_processes_that_start_at_once_agree(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process writes its file between our look and our own write."""
    real = private_file.write_new
    theirs: list[bytes] = []

    def slower(target: Path, contents: Contents) -> None:
        monkeypatch.setattr(instance, "write_new", real)
        theirs.append(open_instance(target))
        real(target, contents)

    monkeypatch.setattr(instance, "write_new", slower)
    assert open_instance(path) == theirs[0]


def test_the_public_name_of_a_store_tells_nothing_of_its_instance(path: Path) -> None:
    secret = open_instance(path)
    name = store_instance(secret)
    assert len(name) == 16
    assert name == store_instance(secret)
    assert name not in secret
    assert name != store_instance(bytes(32))
