"""People who share one node over its HTTP API: each has a name, an API key, and key pairs that this node signs with.

Who may do what in a dataset is not decided here: a user is an author like any other. Of an API key only the keyed hash
is kept; it is shown once, to whoever made it.
"""

from __future__ import annotations

import os
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from gonk_node.core.keys import Signer, author_text
from gonk_node.core.limits import USER_KEYS_MAX, USERS_JSON_BYTES_MAX
from gonk_node.errors import ExistsError, KeyFileError, NotFoundError, RefusedError
from gonk_node.home import Home
from gonk_node.node.user_table import User, UserRow, UserTable, check_user_name, decode_users, encode_users
from gonk_node.state.authority import Authority
from gonk_node.store.keyring import Passphrase, copy_key, create_key, is_locked, load_key, public_key
from gonk_node.store.private_file import (
    locked_folder,
    make_private_folder,
    read_private,
    read_with_status,
    replace_private,
)

_PREFIX = "gk_"  # Gonk's form: the prefix, then 32 letters and digits (190 bits)
_CHARACTERS = string.ascii_letters + string.digits
_RANDOM_CHARACTERS = 32
_SECRET_BYTES = blake3.key_size
_SETTLED_NS = 100_000_000  # a younger file may change again without its times showing it; the kernel's tick is 10 ms


class _Seen(NamedTuple):
    """What was read last: the table, the secret of the hashes, and by what it is noticed that the file is another."""

    table: UserTable
    secret: bytes | None
    mark: tuple[int, int, int] | None


class Users:
    """The users of a node; thread-safe, and several processes may change them at one time.

    Every method may raise DamagedStoreError (`users.json` is no such thing), KeyFileError (it is open to others) and
    StorageError.

    Args:
        home: the node's folder; it exists.
        own: gives the unlocked key of the node's own person, who may be a user too.
        passphrase: opens locked key files of users.
    """

    def __init__(self, home: Home, own: Callable[[], Signer], passphrase: Passphrase = None) -> None:
        self._home = home
        self._own = own
        self._passphrase = passphrase
        self._table_path = str(home.users_json)  # looked at with every request
        self._own_key = public_key(home.author_key)
        self._seen = _Seen(UserTable(), None, None)
        self._signers: dict[bytes, Signer] = {}
        self._unlocking = threading.Lock()

    # --- looking up -------------------------------------------------------------------------------------

    def all(self) -> list[User]:
        """Everybody, those who were removed included, by number."""
        return [row.user for row in self._now().table.rows]

    def by_name(self, name: str) -> User | None:
        """The user of that name, who may have been removed."""
        row = self._now().table.named(name)
        return None if row is None else row.user

    def name_of(self, key: bytes) -> str | None:
        """The name of the user, also of a removed one, whose public key (32 bytes) that is."""
        return self._now().table.name_of(key)

    def authenticate(self, api_key: str) -> User | None:
        """Whose API key that is; None where it is nobody's. Quick: it reads the disk only after a change of the users."""
        if len(api_key) != len(_PREFIX) + _RANDOM_CHARACTERS:
            return None
        seen = self._now()
        return None if seen.secret is None else seen.table.with_hash(_hash(api_key, seen.secret))

    # --- keys -------------------------------------------------------------------------------------------

    def key_for(self, user: User, authority: Authority) -> bytes:
        """The key that a user signs with at a dataset.

        The newest that holds a role there; else the newest that was never revoked there; else the newest.
        """
        newest_first = user.keys[::-1]
        with_role = (key for key in newest_first if authority.role_now(key) is not None)
        never_revoked = (key for key in newest_first if key not in authority.cut_spans)
        return next(with_role, None) or next(never_revoked, newest_first[0])

    def signer(self, user: User, key: bytes) -> Signer:
        """A key of a user, unlocked once; to open a locked one takes a second, so not in an event loop.

        Raises:
            NotFoundError: the user has no such key. KeyFileError: its file is missing, damaged or cannot be opened.
        """
        if key not in user.keys:
            raise NotFoundError("the user has no such key", where=f"{user.name}, {author_text(key)}")
        if key not in self._signers:
            with self._unlocking:
                if key not in self._signers:
                    self._signers[key] = self._load(key)
        return self._signers[key]

    def fresh_key(self, user: User) -> bytes:
        """Make a further key pair for a user; returns its public key (32 bytes).

        For an owner who was removed and is added again: a removed key never returns.

        Raises:
            NotFoundError: there is no such user. RefusedError: too many keys.
        """
        with self._changing() as table:
            now = self._row(table, user.name)
            if len(now.user.keys) >= USER_KEYS_MAX:
                raise RefusedError(
                    f"a user has at most {USER_KEYS_MAX} keys", where=user.name, hint="gonk users add NAME"
                )
            signer = create_key(self._home.user_key, passphrase=None)
            self._save(table.put(now._replace(user=now.user._replace(keys=(*now.user.keys, signer.author)))))
        return signer.author

    # --- changing ---------------------------------------------------------------------------------------

    def add(self, name: str, key_file: Path | None = None) -> str:
        """Add a user; returns the API key, which nothing tells again.

        Args:
            name: unique on this node.
            key_file: a key that the user has already. It is copied, but for that of the node's own person. None: a new
                one is made.

        Raises:
            UsageError: nobody can be called so. ExistsError: the name was given, or the key is another user's.
            KeyFileError: the file is no key, open to others, or locked and not to be opened. RefusedError: no room.
        """
        check_user_name(name)
        with self._changing() as table:
            self._check_free(table, name)
            key = self._new_key() if key_file is None else self._given_key(table, key_file)
            user = User(table.next_number(), name, (key,), removed=False)
            return self._give_api_key(table, user)

    def rekey(self, name: str) -> str:
        """Give a user another API key, which is returned, in place of the present one; lets a removed user in again.

        Raises:
            NotFoundError: there is no user of that name.
        """
        with self._changing() as table:
            user = self._row(table, name).user
            return self._give_api_key(table, user._replace(removed=False))

    def remove(self, name: str) -> None:
        """Take a user's API key away; the name stays with what the user signed, and is given to nobody else.

        Raises:
            NotFoundError: there is no user of that name, or it was removed before.
        """
        with self._changing() as table:
            user = self._row(table, name).user
            if user.removed:
                raise NotFoundError(f"the user {name!r} was removed before", hint="gonk users list")
            self._save(table.put(UserRow(user._replace(removed=True), None)))

    def _row(self, table: UserTable, name: str) -> UserRow:
        row = table.named(name)
        if row is None:
            raise NotFoundError(f"this node has no user {name!r}", hint="gonk users list")
        return row

    def _check_free(self, table: UserTable, name: str) -> None:
        row = table.named(name)
        if row is None:
            return
        if row.user.removed:
            hint = f"gonk users rekey {name} lets them in again"
            raise ExistsError(f"{name!r} is the name of a user who was removed", hint=hint)
        raise ExistsError(f"there is a user {name!r} already", hint=f"gonk users rekey {name} gives another API key")

    def _new_key(self) -> bytes:
        return create_key(self._home.user_key, passphrase=None).author

    def _given_key(self, table: UserTable, path: Path) -> bytes:
        key = public_key(path)
        holder = table.name_of(key)
        if holder is not None:
            raise ExistsError(f"this key is that of the user {holder!r}", where=str(path))
        if key == self._own_key:
            return key
        if self._passphrase is None and is_locked(path):
            raise KeyFileError(
                "the key is locked with a passphrase, and this node must be able to sign with it",
                where=str(path),
                hint="set passphrase_file, or give a copy that is not locked",
            )
        return copy_key(path, self._home.user_key, self._passphrase).author

    def _give_api_key(self, table: UserTable, user: User) -> str:
        api_key = _PREFIX + "".join(secrets.choice(_CHARACTERS) for _ in range(_RANDOM_CHARACTERS))
        self._save(table.put(UserRow(user, _hash(api_key, self._made_secret()))))
        return api_key

    # --- files ------------------------------------------------------------------------------------------

    def _load(self, key: bytes) -> Signer:
        path = self._home.user_key(key)
        signer = self._own() if key == self._own_key else load_key(path, self._passphrase)
        if signer.author != key:
            raise KeyFileError("the file holds another key than its name says", where=str(path))
        return signer

    @contextmanager
    def _changing(self) -> Iterator[UserTable]:
        """Hold the users for one change, which begins with the table as it stands on the disk."""
        make_private_folder(self._home.user_keys)
        with locked_folder(self._home.user_keys):
            yield self._read().table

    def _save(self, table: UserTable) -> None:
        replace_private(self._home.users_json, encode_users(table))

    def _now(self) -> _Seen:
        """The users as they stand on the disk, read anew where the file is not the one that was read last."""
        try:
            mark = _mark(os.stat(self._table_path))  # noqa: PTH116 - to make a path takes longer than to ask
        except OSError:
            mark = None  # there is none, or reading it tells what is wrong
        if mark is None or mark != self._seen.mark:
            self._seen = self._read()
        return self._seen

    def _read(self) -> _Seen:
        found = read_with_status(self._home.users_json, bytes_max=USERS_JSON_BYTES_MAX)
        if found is None:
            return _Seen(UserTable(), None, None)
        data, status = found
        settled = time.time_ns() - status.st_ctime_ns > _SETTLED_NS
        return _Seen(decode_users(data, self._home.users_json), self._secret(), _mark(status) if settled else None)

    def _secret(self) -> bytes | None:
        secret = read_private(self._home.api_secret, bytes_max=_SECRET_BYTES)
        if secret is not None and len(secret) != _SECRET_BYTES:
            raise KeyFileError(
                "the secret of the API keys is damaged",
                where=str(self._home.api_secret),
                hint="restore it from a backup; or delete it, and give each user another key: gonk users rekey",
            )
        return secret

    def _made_secret(self) -> bytes:
        """The secret, made where there is none; it stands before the first hash does."""
        secret = self._secret()
        if secret is None:
            secret = os.urandom(_SECRET_BYTES)
            replace_private(self._home.api_secret, secret)
        return secret


def _hash(api_key: str, secret: bytes) -> bytes:
    # A fast hash is enough: nobody guesses 190 random bits. surrogatepass: a header may hold bytes that are no text.
    return blake3(api_key.encode("utf-8", "surrogatepass"), key=secret).digest()


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    """What changes with each replacement of a file."""
    return status.st_ino, status.st_size, status.st_ctime_ns
