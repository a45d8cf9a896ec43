"""Damage on purpose: flipped bits in the values, keys and pages of an LMDB environment, and a dump of what it holds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import lmdb

Rows = dict[tuple[bytes, bytes], bytes]


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit the other way round."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def dump(path: Path, tables: tuple[str, ...]) -> Rows:
    """Every row of an environment: (table, key) -> value."""
    rows = {}
    with lmdb.open(str(path), max_dbs=len(tables), create=False) as env:
        handles = {name.encode(): env.open_db(name.encode(), create=False) for name in tables}
        with env.begin() as txn:
            for name, table in handles.items():
                with txn.cursor(table) as cursor:
                    rows |= {(name, key): value for key, value in cursor}
    return rows


def replace_row(path: Path, table: bytes, old_key: bytes, new_key: bytes, value: bytes) -> None:
    """Write to a table behind the store's back."""
    with lmdb.open(str(path), max_dbs=16, map_size=1 << 30) as env:
        handle = env.open_db(table, create=False)
        with env.begin(write=True) as txn:
            txn.delete(old_key, db=handle)
            txn.put(new_key, value, db=handle)


def lose_row(path: Path, table: bytes, key: bytes) -> None:
    """Delete from a table behind the store's back."""
    with lmdb.open(str(path), max_dbs=16, map_size=1 << 30) as env:
        handle = env.open_db(table, create=False)
        with env.begin(write=True) as txn:
            txn.delete(key, db=handle)


def flips(rows: Rows, rng: random.Random, count: int) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Random single-bit changes, each table as often as another: (table, old key, new key, new value)."""
    by_table: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for (table, key), value in rows.items():
        by_table.setdefault(table, []).append((key, value))
    for number in range(count):
        table = sorted(by_table)[number % len(by_table)]
        key, value = rng.choice(by_table[table])
        bit = rng.randrange(8 * (len(key) + len(value)))
        if bit < 8 * len(key):
            yield table, key, flipped(key, bit), value
        else:
            yield table, key, key, flipped(value, bit - 8 * len(key))


def flip_in_file(file: Path, bit: int) -> None:
    """Flip one bit of a file."""
    with file.open("r+b") as stream:
        stream.seek(bit // 8)
        (byte,) = stream.read(1)
        stream.seek(bit // 8)
        stream.write(bytes([byte ^ 1 << bit % 8]))
