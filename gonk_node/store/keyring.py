"""Key files: the one place where the seed of a key is made, kept and read.

A file is a strict CBOR array, with a checksum so that damage is told from a wrong passphrase:

    ["gonk-key", 1, kdf, ops, memory, salt, author, sealed, checksum]

    kdf       "none": `sealed` is the seed (32 bytes); "argon2id": it is libsodium's secretbox of the seed
    ops       argon2id passes (0 for "none")
    memory    argon2id memory, bytes (0 for "none")
    salt      16 random bytes (empty for "none")
    author    the public key in clear, so that it is known without unlocking
    checksum  BLAKE3 of the array without it

The seed leaves this module only inside a `Signer`. Which keys a node has, and who asks for a passphrase, is
not decided here.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3
from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from gonk_node.core.codec import CodecError, check_bytes, check_int, decode, encode
from gonk_node.core.ids import KEY_BYTES
from gonk_node.core.keys import SEED_BYTES, Signer
from gonk_node.core.limits import (
    KDF_MEMORY_BYTES_MAX,
    KDF_OPS_MAX,
    KEY_FILE_BYTES_MAX,
    PASSPHRASE_BYTES_MAX,
)
from gonk_node.errors import KeyFileError, UsageError
from gonk_node.store.private_file import read_private, replace_private, write_new

Passphrase = Callable[[], str] | str | None
"""A passphrase, a function that asks for it (called only where the key is locked), or None."""

NamedByKey = Callable[[bytes], Path]
"""The path of a key file that is named after its public key (32 bytes)."""

_KIND = "gonk-key"
_VERSION = 1
_FIELDS = 9
_PLAIN = "none"
_LOCKED = "argon2id"
_SALT_BYTES: int = pwhash.argon2id.SALTBYTES
_SEALED_BYTES = SecretBox.NONCE_SIZE + SecretBox.MACBYTES + SEED_BYTES
_CHECKSUM_CONTEXT = "gonk-node 2026 v1 key file checksum"


class Cost(NamedTuple):
    """What one guess at a passphrase costs: argon2id passes, and memory in bytes."""

    ops: int
    memory_bytes: int


MODERATE = Cost(pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE)  # 256 MiB, about 0.7 s


class _KeyFile(NamedTuple):
    kdf: str
    cost: Cost
    salt: bytes
    author: bytes
    sealed: bytes


def create_key(path: Path | NamedByKey, *, passphrase: str | None, cost: Cost = MODERATE) -> Signer:
    """Make a new key from the system's randomness and keep it in a new file.

    Args:
        path: where, or what tells where from the public key; the folder exists.
        passphrase: locks the file; None keeps the seed as it is, protected by the mode 0600 alone.
        cost: of one guess at the passphrase; it is kept in the file.

    Raises:
        ExistsError: there is a file already; it is left as it is.
        UsageError: the passphrase is empty or too long.
        DiskFullError, StorageError: the file was not written.
    """
    seed = os.urandom(SEED_BYTES)
    signer = Signer.from_seed(seed)
    path = path if isinstance(path, Path) else path(signer.author)
    write_new(path, _seal(seed, signer.author, passphrase, cost))
    return signer


def copy_key(source: Path, target: NamedByKey, passphrase: Passphrase = None) -> Signer:
    """Copy a key file as it is, locked or not, once it has been opened; a copy that is there is replaced.

    Args:
        source: the file.
        target: tells from the public key where the copy goes; the folder exists.
        passphrase: opens the file, now and later.

    Raises:
        KeyFileError: as for `load_key`. DiskFullError, StorageError: the copy was not written.
    """
    data = _read_bytes(source)
    signer = Signer.from_seed(_unlock(_decode(data, source), passphrase, source))
    replace_private(target(signer.author), data)
    return signer


def load_key(path: Path, passphrase: Passphrase = None) -> Signer:
    """Read and, where it is locked, unlock a key.

    Raises:
        KeyFileError: missing, open to others, damaged, or the passphrase is wrong or not given.
    """
    return Signer.from_seed(_unlock(_read(path), passphrase, path))


def public_key(path: Path) -> bytes:
    """The public key of a file (32 bytes), without unlocking it; KeyFileError as for `load_key`."""
    return _read(path).author


def is_locked(path: Path) -> bool:
    """Whether a passphrase is needed; KeyFileError as for `load_key`."""
    return _read(path).kdf == _LOCKED


def change_passphrase(path: Path, old: Passphrase, new: str | None, *, cost: Cost = MODERATE) -> None:
    """Lock a key with another passphrase, or with none (`new` None). The key stays the same.

    Copies made before (backups, snapshots, blocks that the disk has not reused) still open with the old one.

    Raises:
        KeyFileError: as for `load_key`; the file is left as it is.
        UsageError: the new passphrase is empty or too long.
    """
    file = _read(path)
    replace_private(path, _seal(_unlock(file, old, path), file.author, new, cost))


def read_passphrase_file(path: Path) -> str:
    """The passphrase in a file of mode 0600 or 0400 (a systemd credential, say), without its last line break.

    Raises:
        KeyFileError: missing, open to others, too large or not UTF-8.
    """
    data = read_private(path, bytes_max=PASSPHRASE_BYTES_MAX)
    if data is None:
        raise KeyFileError("there is no passphrase file", where=str(path), hint="see the setting passphrase_file")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise KeyFileError("the passphrase file is not UTF-8 text", where=str(path)) from None


def _seal(seed: bytes, author: bytes, passphrase: str | None, cost: Cost) -> bytes:
    """The bytes of a key file."""
    if passphrase is None:
        fields: list[object] = [_KIND, _VERSION, _PLAIN, 0, 0, b"", author, seed]
    else:
        salt = os.urandom(_SALT_BYTES)
        sealed = bytes(_box(passphrase, salt, cost).encrypt(seed))
        fields = [_KIND, _VERSION, _LOCKED, cost.ops, cost.memory_bytes, salt, author, sealed]
    return encode([*fields, _checksum(fields)])


def _checksum(fields: list[object]) -> bytes:
    return blake3(encode(fields), derive_key_context=_CHECKSUM_CONTEXT).digest()


def _box(passphrase: str, salt: bytes, cost: Cost) -> SecretBox:
    # NFC: keyboards of different systems send one accented letter as one or as two code points.
    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")
    if not 0 < len(secret) <= PASSPHRASE_BYTES_MAX:
        raise UsageError(f"a passphrase must have 1 to {PASSPHRASE_BYTES_MAX} bytes")
    return SecretBox(pwhash.argon2id.kdf(SecretBox.KEY_SIZE, secret, salt, cost.ops, cost.memory_bytes))


def _read(path: Path) -> _KeyFile:
    return _decode(_read_bytes(path), path)


def _read_bytes(path: Path) -> bytes:
    data = read_private(path, bytes_max=KEY_FILE_BYTES_MAX)
    if data is None:
        raise KeyFileError("there is no key file", where=str(path), hint="make one with `gonk init`")
    return data


def _decode(data: bytes, path: Path) -> _KeyFile:
    try:
        fields = decode(data)
        if type(fields) is not list or len(fields) != _FIELDS or fields[-1] != _checksum(fields[:-1]):
            raise CodecError("its checksum does not fit")
        return _parse(fields)
    except CodecError as error:
        raise _damaged(path, str(error)) from None


def _parse(fields: list[object]) -> _KeyFile:
    """Check each field of a file whose checksum fits, for anybody can make one; CodecError."""
    kind, version, kdf, ops, memory_bytes, salt, author, sealed, _ = fields
    if kind != _KIND or version != _VERSION or kdf not in (_PLAIN, _LOCKED):
        raise CodecError("no key file of a version that this gonk knows")
    locked = kdf == _LOCKED
    return _KeyFile(
        _LOCKED if locked else _PLAIN,
        Cost(
            check_int(ops, "argon2id passes", low=int(locked), high=KDF_OPS_MAX if locked else 0),
            check_int(memory_bytes, "argon2id memory", high=KDF_MEMORY_BYTES_MAX if locked else 0),
        ),
        check_bytes(salt, "the salt", _SALT_BYTES if locked else 0),
        check_bytes(author, "the public key", KEY_BYTES),
        check_bytes(sealed, "the sealed seed", _SEALED_BYTES if locked else SEED_BYTES),
    )


def _unlock(file: _KeyFile, passphrase: Passphrase, path: Path) -> bytes:
    """The seed, once it has been shown to give the public key that stands in the file."""
    seed = file.sealed if file.kdf == _PLAIN else _open_box(file, passphrase, path)
    if Signer.from_seed(seed).author != file.author:
        raise _damaged(path, "the seed belongs to another public key")
    return seed


def _open_box(file: _KeyFile, passphrase: Passphrase, path: Path) -> bytes:
    if callable(passphrase):
        passphrase = passphrase()
    if passphrase is None:
        raise KeyFileError("the key is locked with a passphrase", where=str(path), hint="set passphrase_file")
    box = _box(passphrase, file.salt, file.cost)
    try:
        return box.decrypt(file.sealed)
    except CryptoError:
        raise KeyFileError("the passphrase is wrong", where=str(path)) from None


def _damaged(path: Path, why: str) -> KeyFileError:
    return KeyFileError(f"the key file is damaged: {why}", where=str(path), hint="restore it from a backup of the key")
