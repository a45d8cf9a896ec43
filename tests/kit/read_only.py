"""Folders that cannot be written to, as a container has them that mounts data read-only, or as another user's are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kit.command_line import Gonk, Result


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Where to find the folder so that it cannot be written to there.

    For root that is a mount elsewhere, and the folder itself can still be written to; for others, who may mount nothing, the
    folder itself. Skips where root may not mount either.
    """
    if os.geteuid():
        with modes_forbid(folder):
            yield folder
        return
    view = folder.with_name(f"{folder.name} (read-only)")
    view.mkdir()
    try:
        if shutil.which("mount") is None or _run("mount", "--bind", folder, view):
            pytest.skip("root may mount nothing here")
        try:
            if _run("mount", "-o", "remount,bind,ro", view):
                pytest.skip("root may mount nothing read-only here")
            yield view
        finally:
            assert not _run("umount", "--lazy", view)
    finally:
        view.rmdir()


@contextmanager
def modes_forbid(folder: Path) -> Iterator[list[str]]:
    """Nothing in the folder may be written to by its mode; gives the words before a command that heeds that.

    Root does so only without the capability to override modes.
    """
    words: list[str] = []
    if os.geteuid() == 0:
        words = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        if shutil.which("setpriv") is None or _run(*words, "true"):
            pytest.skip("root heeds modes only after giving up a capability, which cannot be done here")
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(modes[path] & ~0o222)
    try:
        yield words
    finally:
        for path in paths:
            path.chmod(modes[path])


def gonk_in_a_process(gonk: Gonk, *arguments: object, before: list[str]) -> Result:
    """Run `gonk --home … ARGUMENTS` as a process of its own, behind some other words."""
    words = [*before, sys.executable, "-m", "gonk_node", "--home", str(gonk.home), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def all_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder: mode and time of change of each path, and the bytes of files."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def _run(*words: object) -> int:
    return subprocess.run([str(word) for word in words], capture_output=True, timeout=60, check=False).returncode
