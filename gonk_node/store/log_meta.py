"""The `meta` table of a log: what the log keeps about itself, and small values for other layers. Each row is sealed."""

from __future__ import annotations

from gonk_node.core.limits import META_VALUE_BYTES_MAX
from gonk_node.errors import UsageError
from gonk_node.store.env import Table
from gonk_node.store.log_rows import damaged
from gonk_node.store.rows import number, sealed, u64, unsealed
from gonk_node.store.writer import Txn

FORMAT = 1
DATASET_KEY = b"log/dataset"
FORMAT_KEY = b"log/format"
INSTANCE_KEY = b"log/instance"
LAST_LSN_KEY = b"log/last lsn"
OWN_PREFIX = b"log/"
_KEY_BYTES_MAX = 500  # LMDB takes 511


def get(txn: Txn, meta: Table, key: bytes) -> bytes | None:
    """The value of a row; None where there is none. DamagedStoreError when it has changed."""
    stored = txn.get(key, db=meta)
    return None if stored is None else unsealed(key, stored, f"meta, {key!r}")


def put(txn: Txn, meta: Table, key: bytes, value: bytes | None) -> None:
    """Write a row; None removes it."""
    if value is None:
        txn.delete(key, db=meta)
    else:
        txn.put(key, sealed(key, value), db=meta)


def need(txn: Txn, meta: Table, key: bytes) -> bytes:
    """The value of a row that every log has."""
    value = get(txn, meta, key)
    if value is None:
        raise damaged(f"meta, {key!r}", "a row is missing")
    return value


def last_lsn(txn: Txn, meta: Table) -> int:
    """The arrival number of the newest entry."""
    return number(need(txn, meta, LAST_LSN_KEY))


def set_last_lsn(txn: Txn, meta: Table, lsn: int) -> None:
    """Note the arrival number of the newest entry."""
    put(txn, meta, LAST_LSN_KEY, u64(lsn))


def check_key(key: bytes, value: bytes | None) -> None:
    """Refuse keys that are not another layer's to write, and values that are too large: `UsageError`."""
    if not 0 < len(key) <= _KEY_BYTES_MAX or key.startswith(OWN_PREFIX):
        raise UsageError(f"{key!r} cannot be a key of a log's meta table")
    if value is not None and len(value) > META_VALUE_BYTES_MAX:
        raise UsageError(f"a meta value may have {META_VALUE_BYTES_MAX} bytes, not {len(value)}")
