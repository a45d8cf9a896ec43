"""The content store: files in and out, downloads that resume, removal, and damage that is found."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from gonk_node.core.chunks import chunk_id, content_id_of, encode_chunk_list
from gonk_node.core.limits import CHUNK_BYTES, MAPPED_BYTES_MAX, MIB
from gonk_node.errors import (
    ContentMismatchError,
    DamagedStoreError,
    DiskFullError,
    GonkError,
    InputFileError,
    NotFoundError,
)
from gonk_node.store.content import ContentStore
from gonk_node.store.content_rows import ContentTables
from kit.damage import dump, flip_in_file, flips, lose_row, replace_row
from kit.lmdb_pages import file_problems

SIZES = [0, 1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "content"


@pytest.fixture
def store(path: Path) -> Iterator[ContentStore]:
    store = ContentStore.create(path, map_bytes=8 * MIB)
    yield store
    problems = list(store.check())
    store.close()
    assert problems == []


def some_bytes(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def chunks_of(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)] or [b""]


def whole(store: ContentStore, content_id: bytes) -> bytes:
    return b"".join(store.read(content_id))


class Trickle(io.RawIOBase):
    """A stream that gives a little at a time, as sockets and pipes do."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 70_000))


# --- files of this node ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_as_it_was(store: ContentStore, size: int) -> None:
    data = some_bytes(size)
    info = store.put_file(io.BytesIO(data))
    ids = [chunk_id(chunk) for chunk in chunks_of(data)]
    assert info == (size, content_id_of(size, ids), hashlib.sha256(data).digest())
    assert store.has(info.content_id)
    assert store.size(info.content_id) == size
    assert whole(store, info.content_id) == data
    assert store.sha256(info.content_id) == info.sha256
    assert store.missing_chunks(info.content_id, size) == []
    assert store.chunk_list(info.content_id) == (encode_chunk_list(size, ids) if len(ids) > 1 else None)
    assert [store.chunk(each) for each in ids] == chunks_of(data)


def test_short_reads_make_the_same_chunks(store: ContentStore) -> None:
    data = some_bytes(2 * CHUNK_BYTES + 7)
    info = store.put_file(Trickle(data))  # type: ignore[arg-type]
    assert info == store.put_file(io.BytesIO(data))


def test_many_files_are_kept_together_and_survive_reopening(path: Path) -> None:
    store = ContentStore.create(path, map_bytes=1 * MIB)
    files = [some_bytes(30_000 + number, number) for number in range(300)] + [some_bytes(5 * CHUNK_BYTES, 7)]
    infos = store.put_files(io.BytesIO(data) for data in files)
    store.close()
    store = ContentStore.open(path)
    assert [whole(store, info.content_id) for info in infos] == files
    assert list(store.check()) == []
    store.close()


def test_any_part_of_a_file_can_be_read(store: ContentStore) -> None:
    data = some_bytes(2 * CHUNK_BYTES + 100)
    content_id = store.put_file(io.BytesIO(data)).content_id
    rng = random.Random(1)
    spots = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES, len(data) - 1, len(data), len(data) + 5]
    for start in spots:
        for length in (0, 1, CHUNK_BYTES, rng.randrange(len(data)), None):
            expected = data[start:] if length is None else data[start : start + length]
            assert b"".join(store.read(content_id, start, length)) == expected


def test_a_file_is_a_seekable_stream(store: ContentStore) -> None:
    data = some_bytes(2 * CHUNK_BYTES + 100)
    with store.reader(store.put_file(io.BytesIO(data)).content_id) as stream:
        assert stream.seek(-150, io.SEEK_END) == len(data) - 150
        assert stream.read(60) == data[-150:-90]
        assert stream.seek(CHUNK_BYTES - 10) == CHUNK_BYTES - 10
        assert stream.read(20) == data[CHUNK_BYTES - 10 : CHUNK_BYTES + 10]
        stream.seek(0)
        assert stream.read() == data
        assert stream.read() == b""


def test_a_file_that_cannot_be_read_is_named(store: ContentStore) -> None:
    class Broken(io.BytesIO):
        name = "photo.jpg"

        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    good = some_bytes(10)
    with pytest.raises(InputFileError, match=r"photo\.jpg"):
        store.put_files([io.BytesIO(good), Broken()])
    assert store.has(chunk_id(good))


def test_what_is_not_held_says_so(store: ContentStore) -> None:
    unknown = bytes(32)
    assert not store.has(unknown)
    assert store.size(unknown) is None
    assert store.chunk(unknown) is None
    with pytest.raises(NotFoundError):
        whole(store, unknown)
    with pytest.raises(NotFoundError):
        store.missing_chunks(unknown, 3 * CHUNK_BYTES)
    assert store.missing_chunks(unknown, 3) == [(0, unknown)]


# --- from peers --------------------------------------------------------------------------------------------------------


def test_a_download_resumes_where_it_was(path: Path) -> None:
    data = some_bytes(6 * CHUNK_BYTES + 9)
    chunks = [(chunk_id(chunk), chunk) for chunk in chunks_of(data)]
    ids = [each for each, _ in chunks]
    content_id = content_id_of(len(data), ids)
    store = ContentStore.create(path)
    store.put_list(content_id, len(data), encode_chunk_list(len(data), ids))
    for number in (4, 0, 6):
        assert not store.has(content_id)
        store.put_chunks([chunks[number]])
    with pytest.raises(NotFoundError):
        whole(store, content_id)
    store.close()
    store = ContentStore.open(path)
    missing = store.missing_chunks(content_id, len(data))
    assert missing == [(number, ids[number]) for number in (1, 2, 3, 5)]
    assert store.size(content_id) is None
    store.put_chunks([chunks[number] for number, _ in missing])
    assert store.has(content_id)
    assert whole(store, content_id) == data
    assert store.sha256(content_id) == store.sha256(content_id) == hashlib.sha256(data).digest()
    assert list(store.check()) == []
    store.close()


def test_a_chunk_that_is_here_already_is_not_asked_for(store: ContentStore) -> None:
    common, other = some_bytes(CHUNK_BYTES, 1), some_bytes(CHUNK_BYTES, 2)
    store.put_file(io.BytesIO(common))
    ids = [chunk_id(other), chunk_id(common), chunk_id(common)]
    content_id = content_id_of(3 * CHUNK_BYTES, ids)
    store.put_list(content_id, 3 * CHUNK_BYTES, encode_chunk_list(3 * CHUNK_BYTES, ids))
    assert store.missing_chunks(content_id, 3 * CHUNK_BYTES) == [(0, ids[0])]
    store.put_chunks([(ids[0], other)])
    assert whole(store, content_id) == other + common + common


def test_a_wrong_list_or_chunk_is_refused_and_nothing_of_its_group_stored(store: ContentStore) -> None:
    data = some_bytes(2 * CHUNK_BYTES)
    ids = [chunk_id(chunk) for chunk in chunks_of(data)]
    listed = encode_chunk_list(len(data), ids)
    content_id = content_id_of(len(data), ids)
    for size, wrong in (
        (len(data), listed[:-1] + b"x"),
        (len(data), listed + bytes(32)),
        (len(data) + 1, listed),
        (1 << 50, listed),
        (10, listed),
    ):
        with pytest.raises(ContentMismatchError):
            store.put_list(content_id, size, wrong)
    assert store.chunk_list(content_id) is None
    store.put_list(content_id, len(data), listed)
    with pytest.raises(ContentMismatchError):
        store.missing_chunks(content_id, len(data) - 1)
    good, bad = chunks_of(data)
    with pytest.raises(ContentMismatchError):
        store.put_chunks([(ids[0], good), (ids[1], bad[:-1] + b"x")])
    with pytest.raises(ContentMismatchError):
        store.put_chunks([(chunk_id(data), data)])  # matches its id, but is no chunk
    assert len(store.missing_chunks(content_id, len(data))) == 2


# --- removal -------------------------------------------------------------------------------------------------------------


def test_removing_a_file_spares_chunks_that_others_name(store: ContentStore) -> None:
    shared, mine, other = (some_bytes(CHUNK_BYTES, seed) for seed in range(3))
    first = store.put_file(io.BytesIO(shared + mine)).content_id
    second = store.put_file(io.BytesIO(other + shared)).content_id
    store.remove(first)
    assert not store.has(first)
    assert store.chunk(chunk_id(mine)) is None
    assert whole(store, second) == other + shared
    store.remove(chunk_id(other))  # as a file of its own it is gone, as part of another it stays
    assert store.has(second)
    store.remove(second, keep={chunk_id(shared)})
    assert store.chunk(chunk_id(other)) is None
    assert store.chunk(chunk_id(shared)) == shared


def test_removing_what_is_wanted_or_unknown_does_nothing(store: ContentStore) -> None:
    content_id = store.put_file(io.BytesIO(b"small")).content_id
    store.remove(content_id, keep={content_id})
    assert store.has(content_id)
    store.remove(bytes(32))
    store.remove(content_id)
    assert not store.has(content_id)


# --- sizes -------------------------------------------------------------------------------------------------------------


def without_sizes(path: Path) -> None:
    """Make the store one of before there was the table `sizes`."""
    with lmdb.open(str(path), max_dbs=4, map_size=1 << 30) as env:
        table = env.open_db(b"sizes", create=False)
        with env.begin(write=True) as txn:
            txn.drop(table)


def test_a_store_of_the_older_layout_opens_even_where_its_map_is_full(full: Path) -> None:
    before = dump(full, ContentTables._fields)
    without_sizes(full)
    assert b"sizes" not in {table for table, _ in dump(full, ("chunks", "lists", "files"))}
    store = ContentStore.open(full, map_bytes=(full / "data.mdb").stat().st_size)
    assert list(store.check()) == []
    store.close()
    assert dump(full, ContentTables._fields) == before


def test_a_chunk_without_its_size_and_a_size_without_its_chunk_are_damage_that_adding_mends(full: Path) -> None:
    data = some_bytes(3000, 3000)
    for table in (b"chunks", b"sizes"):
        lose_row(full, table, chunk_id(data))
        assert [problem for problem in problems_of(full) if chunk_id(data).hex()[:12] in problem], table
        store = ContentStore.open(full)
        store.put_file(io.BytesIO(data))
        assert list(store.check()) == []
        store.close()


MEMORY = """
import hashlib, sys
from pathlib import Path
from gonk_node.store.content import ContentStore
def mapped():
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    return sum(int(next(line for line in lines if line.startswith("Rss:")).split()[1])
               for line in lines if line.endswith("data.mdb"))
store = ContentStore.open(Path(sys.argv[1]))
content_id = bytes.fromhex(sys.argv[2])
assert store.has(content_id) and store.missing_chunks(content_id, int(sys.argv[3])) == []
looked = mapped()
most = 0
for piece in store.read(content_id):
    most = max(most, mapped())
assert list(store.check()) == []
print(looked, most)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells")
def test_neither_looking_nor_reading_maps_a_whole_file_into_memory(path: Path) -> None:
    size = 3 * MAPPED_BYTES_MAX
    store = ContentStore.create(path)
    content_id = store.put_file(io.BytesIO(some_bytes(size))).content_id
    store.close()
    command = [sys.executable, "-c", MEMORY, str(path), content_id.hex(), str(size)]
    looked, most = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert looked * 1024 < 4 * MIB
    assert most * 1024 < 2 * MAPPED_BYTES_MAX  # the map is replaced by another thread


# --- crashes and damage ----------------------------------------------------------------------------------------------------

ADD = """
import io, random, resource, sys
from pathlib import Path
from gonk_node.errors import DiskFullError
from gonk_node.store.content import ContentStore
store = ContentStore.open(Path(sys.argv[1]), map_bytes=4 << 20)
limit = int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    for number in range(int(sys.argv[2]), 1_000_000):
        rng = random.Random(number)
        info = store.put_file(io.BytesIO(rng.randbytes(rng.choice((100, 70_000, 2_500_000)))))
        print(number, info.content_id.hex(), info.sha256.hex(), flush=True)
except DiskFullError:
    sys.exit(28)
"""


def adding(path: Path, first: int, limit: int = 0) -> subprocess.Popen[str]:
    arguments = [str(path), str(first), str(limit)]
    return subprocess.Popen([sys.executable, "-c", ADD, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_files_that_were_acknowledged_survive_sigkill(path: Path) -> None:
    ContentStore.create(path, map_bytes=4 * MIB).close()
    rng = random.Random()
    acknowledged: dict[int, tuple[bytes, bytes]] = {}
    for _ in range(12):
        process = adding(path, len(acknowledged))
        assert process.stdout is not None
        for _ in range(rng.randrange(1, 9)):
            number, content_id, sha256 = process.stdout.readline().split()
            acknowledged[int(number)] = bytes.fromhex(content_id), bytes.fromhex(sha256)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert file_problems(path) == []
    store = ContentStore.open(path)
    for content_id, sha256 in acknowledged.values():
        assert hashlib.sha256(whole(store, content_id)).digest() == sha256
    assert list(store.check()) == []
    store.close()


def test_a_full_disk_loses_no_file_that_was_kept(path: Path) -> None:
    ContentStore.create(path).close()
    process = adding(path, 0, limit=9_000_000)
    assert process.stdout is not None
    kept = [line.split()[1] for line in process.stdout.read().splitlines()]
    assert process.wait() == 28
    store = ContentStore.open(path)
    assert kept
    assert all(store.has(bytes.fromhex(content_id)) for content_id in kept)
    store.put_file(io.BytesIO(b"there is space again"))
    assert list(store.check()) == []
    store.close()


def test_a_full_map_is_told_and_what_was_there_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ContentStore.create(path, map_bytes=4 * MIB)
    monkeypatch.setattr(store._env._writer, "_map_bytes_max", 4 * MIB)
    first = store.put_file(io.BytesIO(b"first"))
    with pytest.raises(DiskFullError):
        store.put_file(io.BytesIO(some_bytes(20 * CHUNK_BYTES)))
    assert whole(store, first.content_id) == b"first"
    assert list(store.check()) == []
    store.close()


@pytest.fixture
def full(path: Path) -> Path:
    """A store with whole files, one begun, and one whose SHA-256 is not known yet."""
    store = ContentStore.create(path, map_bytes=32 * MIB)
    store.put_files(io.BytesIO(some_bytes(size, size)) for size in (0, 5, 3000, 90_000, CHUNK_BYTES + 50))
    for size, held in ((2 * CHUNK_BYTES + 3, 2), (CHUNK_BYTES + 9, 2)):
        chunks = [(chunk_id(chunk), chunk) for chunk in chunks_of(some_bytes(size, size))]
        ids = [each for each, _ in chunks]
        store.put_list(content_id_of(size, ids), size, encode_chunk_list(size, ids))
        store.put_chunks(chunks[:held])
    assert list(store.check()) == []
    store.close()
    return path


def problems_of(path: Path) -> list[str]:
    if found := file_problems(path):
        return found
    try:
        store = ContentStore.open(path)
    except GonkError as error:
        return [str(error)]
    try:
        return [str(problem) for problem in store.check()]
    finally:
        store.close()


def test_each_flipped_bit_of_a_chunk_list_or_row_is_found(full: Path) -> None:
    seed = random.randrange(1 << 32)
    rows = dump(full, ContentTables._fields)
    assert {table for table, _ in rows} == {b"chunks", b"sizes", b"lists", b"files"}
    for table, key, new_key, value in flips(rows, random.Random(seed), 60):
        replace_row(full, table, key, new_key, value)
        assert problems_of(full), (seed, table, key.hex(), new_key.hex())
        replace_row(full, table, new_key, key, rows[table, key])
    assert problems_of(full) == []


def test_each_flipped_bit_of_the_file_is_found_or_changes_nothing(full: Path) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    file = full / "data.mdb"
    rows = dump(full, ContentTables._fields)
    found = 0
    for _ in range(60):
        bit = rng.randrange(8 * file.stat().st_size)
        flip_in_file(file, bit)
        if problems_of(full):
            found += 1
        else:
            assert dump(full, ContentTables._fields) == rows, (seed, bit)
        flip_in_file(file, bit)
    assert found
    assert problems_of(full) == []


def test_a_chunk_that_changed_is_never_given_to_a_reader(path: Path) -> None:
    store = ContentStore.create(path)
    data = some_bytes(CHUNK_BYTES + 5)
    content_id = store.put_file(io.BytesIO(data)).content_id
    store.close()
    last = chunks_of(data)[1]
    replace_row(path, b"chunks", chunk_id(last), chunk_id(last), last[:-1] + b"!")
    store = ContentStore.open(path)
    pieces = store.read(content_id)
    assert next(pieces) == data[:CHUNK_BYTES]
    with pytest.raises(DamagedStoreError):
        next(pieces)
    store.close()
