"""fsck of a log finds each flipped bit: in every table, and in the pages of the file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gonk_node.core.entry import without_bodies
from gonk_node.core.events import Profile
from gonk_node.core.limits import MIB
from gonk_node.errors import GonkError
from gonk_node.store.log import LogStore
from gonk_node.store.log_rows import LogTables
from kit.authors import TestAuthor
from kit.damage import dump, flip_in_file, flips, lose_row, replace_row
from kit.lmdb_pages import file_problems

VALUE_FLIPS = 400
PAGE_FLIPS = 300


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with everything in it: forks, withheld and erased bodies, large entries, values of other layers."""
    owner = TestAuthor("owner")
    log = LogStore.create(tmp_path / "log", owner.genesis(), map_bytes=16 * MIB)
    ann = TestAuthor("ann", log.dataset)
    main = ann.chain(12)
    log.append(main + ann.fork_chain(main[4], 3) + ann.fork_chain(main[4], 2))
    large = owner.append(*(Profile(f"{number}" * 300) for number in range(9)))
    log.append([without_bodies(large, {3, 5})])
    log.erase(large.entry_id, {1})
    log.append(owner.chain(3))
    log.append([large])
    for number in range(8):
        log.append(TestAuthor(f"stranger {number}", log.dataset).chain(3))
    log.meta_put(b"cursor", b"where a peer stood")
    assert list(log.check()) == []
    log.close()
    return tmp_path / "log"


def problems_of(path: Path) -> list[str]:
    """What opening and checking say, as `gonk fsck` does it: the file first, then what is in it."""
    found = file_problems(path)
    if found:
        return found
    try:
        log = LogStore.open(path)
    except GonkError as error:
        return [str(error)]
    try:
        return [str(problem) for problem in log.check()]
    finally:
        log.close()


def test_each_flipped_bit_of_a_key_or_value_is_found(path: Path) -> None:
    seed = random.randrange(1 << 32)
    rows = dump(path, LogTables._fields)
    assert {table for table, _ in rows} == {name.encode() for name in LogTables._fields}
    for table, key, new_key, value in flips(rows, random.Random(seed), VALUE_FLIPS):
        replace_row(path, table, key, new_key, value)
        assert problems_of(path), (seed, table, key.hex(), new_key.hex(), value.hex())
        replace_row(path, table, new_key, key, rows[table, key])
    assert problems_of(path) == []


@pytest.mark.parametrize("table", LogTables._fields)
def test_each_row_that_is_lost_or_stands_for_another_is_found(path: Path, table: str) -> None:
    name = table.encode()
    rows = {key: value for (of, key), value in dump(path, LogTables._fields).items() if of == name}
    keys = sorted(rows)
    extra = bytes(len(keys[0]))
    replace_row(path, name, extra, extra, rows[keys[-1]])
    assert problems_of(path), "one too many"
    lose_row(path, name, extra)
    assert problems_of(path) == []
    if table in ("erased", "meta"):
        return  # lost, one lets a body come back, and another layer's value starts afresh: no damage
    if rows[keys[0]] != rows[keys[-1]]:
        replace_row(path, name, keys[0], keys[0], rows[keys[-1]])
        assert problems_of(path), "another row's value"
        replace_row(path, name, keys[0], keys[0], rows[keys[0]])
    replace_row(path, name, keys[0], b"x" * 60, b"")
    assert problems_of(path), "a row lost, another that means nothing"
    lose_row(path, name, b"x" * 60)
    assert problems_of(path), "one too few"


@pytest.mark.parametrize("table", LogTables._fields)
def test_each_row_of_another_length_is_found(path: Path, table: str) -> None:
    """A flipped bit in a page can also change how long a key or value is."""
    name = table.encode()
    key, value = next((key, value) for (of, key), value in dump(path, LogTables._fields).items() if of == name)
    for new_key, new_value in (
        (key + bytes(64), value),
        (key[:-1], value),
        (key, value + bytes(64)),
        (key, value[:-1] or b"x"),
    ):
        replace_row(path, name, key, new_key, new_value)
        assert problems_of(path), (len(new_key), len(new_value))
        replace_row(path, name, new_key, key, value)
    assert problems_of(path) == []


def test_each_flipped_bit_of_the_file_is_found_or_changes_nothing(path: Path) -> None:
    """One in some ten thousand makes LMDB's newest meta page look older than the other: then the last write is gone."""
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    file = path / "data.mdb"
    rows = dump(path, LogTables._fields)
    before = {at: value for at, value in rows.items() if at != (b"meta", b"cursor")}  # the fixture's last write
    size = file.stat().st_size
    found = 0
    for _ in range(PAGE_FLIPS):
        bit = rng.randrange(8 * size)
        flip_in_file(file, bit)
        if problems_of(path):
            found += 1
        else:
            assert dump(path, LogTables._fields) in (rows, before), (seed, bit)
        flip_in_file(file, bit)
    assert found
    assert problems_of(path) == []


def test_a_flip_within_each_stored_record_is_found(path: Path) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    file = path / "data.mdb"
    contents = file.read_bytes()
    for (table, _), record in dump(path, LogTables._fields).items():
        if table != b"entries":
            continue
        copies = [number for number in range(len(contents)) if contents.startswith(record, number)]
        bit = rng.randrange(8 * len(record))
        for place in copies:  # old copies of a page lie in the file too; one of these is read
            flip_in_file(file, 8 * place + bit)
        assert problems_of(path), (seed, bit)
        for place in copies:
            flip_in_file(file, 8 * place + bit)
    assert problems_of(path) == []
