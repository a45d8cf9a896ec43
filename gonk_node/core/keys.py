"""Author keys: signing, the one signature check of the network (V4), the key check (V3), and keys as text.

Pure: the seed of a key is passed in; it is made and kept by `store.keyring`. Nothing but libsodium (through
PyNaCl) may judge a signature: other libraries accept published edge cases that libsodium refuses, and a node
that used them would split the network. `core.edge_cases` checks those verdicts when a node starts.
"""

from __future__ import annotations

from functools import lru_cache

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError

from gonk_node.core.ids import KEY_BYTES
from gonk_node.core.limits import AUTHORS_CACHED_MAX
from gonk_node.errors import UsageError

SEED_BYTES = 32  # RFC 8032 section 5.1.5: the private key, of which all else is derived
SIGNATURE_BYTES = 64  # RFC 8032 section 5.1.6: R, then S, 32 bytes each
_FINGERPRINT_DIGITS = 8


class Signer:
    """An Ed25519 key pair (RFC 8032) that signs; the secret half cannot be read back from it.

    Attributes:
        author: the public key, 32 bytes.
    """

    __slots__ = ("_secret", "author")

    def __init__(self, author: bytes, secret: bytes) -> None:
        self.author = author
        self._secret = secret

    @classmethod
    def from_seed(cls, seed: bytes) -> Signer:
        """Make the key pair of a seed of 32 random bytes; ValueError for any other length."""
        if len(seed) != SEED_BYTES:
            raise ValueError(f"an Ed25519 seed has {SEED_BYTES} bytes, not {len(seed)}")
        return cls(*crypto_sign_seed_keypair(seed))

    def sign(self, message: bytes) -> bytes:
        """Sign a message of any length; returns 64 bytes, always the same for the same message."""
        return crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"Signer({self.author.hex()})"  # never the secret: reprs end up in logs


def verify_signature(author: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` is `author`'s over `message`, by libsodium's verdict (rule V4).

    Args:
        author: public key, 32 bytes. That it is an acceptable key is `is_valid_author`'s matter (rule V3).
        message: the signed bytes, exactly as received.
        signature: 64 bytes.

    Returns:
        False also where a length is wrong: libsodium reads 32 and 64 bytes whatever it is given.
    """
    if len(author) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, author)
    except BadSignatureError:
        return False
    return True


@lru_cache(maxsize=AUTHORS_CACHED_MAX)  # an author's key comes with each of his entries
def is_valid_author(key: bytes) -> bool:
    """Say whether `key` may be an author at all (rule V3).

    True for 32 bytes that encode, canonically, a point of the main subgroup of edwards25519. Keys of small
    order are thereby refused: under them signatures can be made without any secret.
    """
    return len(key) == KEY_BYTES and crypto_core_ed25519_is_valid_point(key)


def parse_author(text: str) -> bytes:
    """Read a public key from its 64 hex digits (either case); UsageError where it is none."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(text) != 2 * KEY_BYTES or len(key) != KEY_BYTES:  # fromhex alone would pass over blanks
        raise UsageError(f"{text!r} is not a key", hint="a key has 64 hex digits; its owner sees it in `gonk whoami`")
    if not is_valid_author(key):
        raise UsageError(f"{text} is not an Ed25519 public key", hint="compare it with its owner's `gonk whoami`")
    return key


def author_text(key: bytes) -> str:
    """The text form of a public key: 64 lower-case hex digits."""
    return key.hex()


def fingerprint(key: bytes) -> str:
    """The short form of a public key for people: its first 8 hex digits. Not enough to identify a key."""
    return key.hex()[:_FINGERPRINT_DIGITS]
