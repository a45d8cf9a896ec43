"""The table of a node's users, and `users.json`, its form on the disk. It neither reads files nor knows secrets.

    {"version": 1, "users": [{"number": 1, "name": "ada", "keys": [HEX, …], "api_key_hash": HEX, "removed": false}, …]}

    keys          public keys, oldest first
    api_key_hash  BLAKE3 of the user's API key, keyed with `keys/api.secret`; null for a user who was removed

A table never changes: what changes it makes another one.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gonk_node.core.ids import HASH_BYTES, KEY_BYTES
from gonk_node.core.limits import USERS_JSON_BYTES_MAX
from gonk_node.errors import DamagedStoreError, RefusedError, StorageError, UsageError

_VERSION = 1
# Neither a step in a path, for names are part of addresses, nor what could be taken for somebody's public key.
_NAME = re.compile(r"(?!\.{1,2}\Z)(?![0-9A-Fa-f]{64}\Z)[A-Za-z0-9._-]{1,64}")
_T = TypeVar("_T")
_SELECTOR_BYTES = 8  # of a hash: what users are found by; the rest is compared in constant time


class User(NamedTuple):
    """Somebody who shares this node.

    Attributes:
        number: from 1, in the order of adding; never given twice.
        name: unique on this node, also among those who were removed.
        keys: public keys (32 bytes each) that the user signs with, oldest first; at least one.
        removed: whether the API key was taken away.
    """

    number: int
    name: str
    keys: tuple[bytes, ...]
    removed: bool


class UserRow(NamedTuple):
    """A user with the hash of the API key (32 bytes), None where there is none."""

    user: User
    api_key_hash: bytes | None


def check_user_name(name: str) -> str:
    """The name, if a user may have it; UsageError otherwise."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a user's name",
            hint="use up to 64 letters (A-Z, a-z), digits, dots, underscores and hyphens; not a key, '.' or '..'",
        )
    return name


class UserTable:
    """All users, those who were removed included, by number."""

    def __init__(self, rows: Iterable[UserRow] = ()) -> None:
        self.rows = tuple(rows)
        self._by_name = {row.user.name: row for row in self.rows}
        self._name_of = {key: row.user.name for row in self.rows for key in row.user.keys}
        self._by_selector = {row.api_key_hash[:_SELECTOR_BYTES]: row for row in self.rows if row.api_key_hash}

    def named(self, name: str) -> UserRow | None:
        """The user of that name."""
        return self._by_name.get(name)

    def name_of(self, key: bytes) -> str | None:
        """The name of the user whose public key (32 bytes) that is."""
        return self._name_of.get(key)

    def with_hash(self, api_key_hash: bytes) -> User | None:
        """The user whose API key has that hash (32 bytes)."""
        row = self._by_selector.get(api_key_hash[:_SELECTOR_BYTES])
        if row is None or row.api_key_hash is None or not hmac.compare_digest(row.api_key_hash, api_key_hash):
            return None
        return row.user

    def next_number(self) -> int:
        """The number of the user who is added next."""
        return self.rows[-1].user.number + 1 if self.rows else 1

    def put(self, row: UserRow) -> UserTable:
        """The table with that row in place of the one of its number, or at the end."""
        others = [each for each in self.rows if each.user.number != row.user.number]
        return UserTable(sorted([*others, row], key=lambda each: each.user.number))


def encode_users(table: UserTable) -> bytes:
    """The bytes of users.json; RefusedError where it would get too large."""
    users = [
        {
            "number": row.user.number,
            "name": row.user.name,
            "keys": [key.hex() for key in row.user.keys],
            "api_key_hash": None if row.api_key_hash is None else row.api_key_hash.hex(),
            "removed": row.user.removed,
        }
        for row in table.rows
    ]
    data = json.dumps({"version": _VERSION, "users": users}, indent=1).encode() + b"\n"
    if len(data) > USERS_JSON_BYTES_MAX:
        raise RefusedError("this node has as many users as it can have", hint="let some use a node of their own")
    return data


def decode_users(data: bytes, path: Path) -> UserTable:
    """Read the bytes of users.json.

    Args:
        data: the bytes.
        path: where they are from, for messages.

    Raises:
        DamagedStoreError: they are not what `encode_users` writes. StorageError: a later gonk wrote them.
    """
    try:
        document = json.loads(data)
        version = _typed(document["version"], int)
        if version > _VERSION:
            raise StorageError(
                f"the table of users has version {version}; this gonk reads version {_VERSION}",
                where=str(path),
                hint="install the gonk that wrote it",
            )
        return _checked([_row(found) for found in _typed(document["users"], list)])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedStoreError(
            f"this is no table of users: {error!r}",
            where=str(path),
            hint="restore it from a backup; or move it away, and add each user again: gonk users add NAME --key FILE",
        ) from None


def _row(found: dict[str, Any]) -> UserRow:
    keys = tuple(_bytes(key, KEY_BYTES) for key in _typed(found["keys"], list))
    api_key_hash = found["api_key_hash"]
    return UserRow(
        User(_typed(found["number"], int), _typed(found["name"], str), keys, _typed(found["removed"], bool)),
        None if api_key_hash is None else _bytes(api_key_hash, HASH_BYTES),
    )


def _checked(rows: list[UserRow]) -> UserTable:
    """The table, if all that must be unique is, and each user is one; ValueError otherwise."""
    numbers = [row.user.number for row in rows]
    keys = [key for row in rows for key in row.user.keys]
    if numbers != sorted(set(numbers)) or (numbers and numbers[0] < 1):
        raise ValueError("numbers that do not rise")
    if len({row.user.name for row in rows}) != len(rows) or len(set(keys)) != len(keys):
        raise ValueError("a name or a key that two users have")
    for user, api_key_hash in rows:
        if not _NAME.fullmatch(user.name) or not user.keys or user.removed != (api_key_hash is None):
            raise ValueError(f"user {user.number} has a value that cannot be")
    return UserTable(rows)


def _bytes(value: object, length: int) -> bytes:
    found = bytes.fromhex(_typed(value, str))
    if len(found) != length:
        raise ValueError(f"{len(found)} bytes in the place of {length}")
    return found


def _typed(value: object, kind: type[_T]) -> _T:
    if type(value) is not kind:  # a bool is no int here
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
