"""SHA256SUMS: lines that coreutils takes for any path, in order, however many files there are."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from gonk_node.formats import checksums
from gonk_node.formats.checksums import Checksums, line
from gonk_node.formats.folder import FolderWriter
from kit import formats

ODD = [
    "a b",
    "back\\slash",
    "line\nbreak",
    "re\rturn",
    "\\",
    " lead",
    "-dash",
    "*star",
    "ümlaut",
    "both\\and\n",
    "%00",
    "#",
]


def sha256sum(folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("there is no sha256sum")
    words = [program, "-c", "--strict", checksums.NAME]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_coreutils_checks_files_of_any_name(tmp_path: Path) -> None:
    for name in ODD:
        (tmp_path / name).write_bytes(name.encode())
    lines = [line(name, hashlib.sha256(name.encode()).digest()) for name in ODD]
    (tmp_path / checksums.NAME).write_bytes(b"".join(lines))
    done = sha256sum(tmp_path)
    assert done.returncode == 0, done
    assert done.stdout.count(": OK") == len(ODD)
    (tmp_path / ODD[0]).write_bytes(b"changed")
    assert sha256sum(tmp_path).returncode == 1


def test_a_line_is_that_of_coreutils() -> None:
    digest = bytes(range(32))
    assert line("a/b.png", digest) == digest.hex().encode() + b"  a/b.png\n"
    assert line("a\\b\n", digest) == b"\\" + digest.hex().encode() + b"  a\\\\b\\n\n"


@pytest.mark.parametrize("held", [1, 3, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_lines_come_in_order_of_the_paths_whatever_fits_memory(
    monkeypatch: pytest.MonkeyPatch, held: int, seed: int
) -> None:
    monkeypatch.setattr(checksums, "CHECKSUMS_HELD_MAX", held)
    monkeypatch.setattr(checksums, "_PIECE_BYTES", 37)
    rng = random.Random(seed)
    found = {
        "/".join(rng.choice(["a", "a!", "b", "ü", "z" * 50, "a\n"]) for _ in range(rng.randint(1, 4))): rng.randbytes(
            32
        )
        for _ in range(40)
    }
    found["first"] = bytes(32)  # all of it is NUL, as what parts path and hash
    sums = Checksums(tempfile.TemporaryFile)
    for path in rng.sample(sorted(found), len(found)):
        sums.add(path, found[path])
    wanted = [line(path, found[path]) for path in sorted(found, key=str.encode)]
    assert list(sums.lines()) == wanted
    sums.close()


def test_a_folder_ends_with_the_hashes_of_all_its_files(tmp_path: Path) -> None:
    with FolderWriter(tmp_path / "out") as folder:
        folder.write("b/2.txt", b"two")
        with folder.create("a.txt") as file:
            file.write(b"o")
            file.write(b"ne")
        with (tmp_path / "source").open("w+b") as source:
            source.write(b"three")
            source.seek(0)
            assert folder.copy("../b.txt", source) == hashlib.sha256(b"three").digest()
        folder.write_checksums()
        lines = sum(64 + 2 + len(name) + 1 for name in ("a.txt", "b.txt", "b/2.txt"))
        assert (folder.files, folder.bytes) == (4, len("onetwothree") + lines)
    written = formats.files(tmp_path / "out")
    sums = written.pop(checksums.NAME).decode().splitlines()
    assert sums == [f"{hashlib.sha256(written[name]).hexdigest()}  {name}" for name in ("a.txt", "b.txt", "b/2.txt")]
    assert sha256sum(tmp_path / "out").returncode == 0


def test_a_file_that_is_still_open_is_no_end(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="1 files"), FolderWriter(tmp_path / "out") as folder:
        folder.create("a.txt")
        folder.write_checksums()
    assert not (tmp_path / "out").exists()
