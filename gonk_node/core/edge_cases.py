"""Edge cases of Ed25519, the verdict that every node must reach on each, and a test of this machine.

Sources: the 12 vectors of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, SSR 2020), published in
novifinancial/ed25519-speccheck (Apache-2.0); the 14 encodings of the points of small order, each with a
signature that verifiers without a check of the key accept; one honest key with its malleable twin (RFC 8032
section 5.1.7) and its twin off the main subgroup, which libsodium took for valid before the fix of
CVE-2025-69277. Nobody's entries are judged here.
"""

from __future__ import annotations

from typing import NamedTuple

from nacl.exceptions import UnavailableError

from gonk_node.core import keys
from gonk_node.errors import UnsafeLibraryError


class EdgeCase(NamedTuple):
    """One input on which Ed25519 libraries differ, with both verdicts that a node must reach.

    Attributes:
        what: what is odd about it, in a few words.
        author: the key, 32 bytes.
        message: the bytes that are signed.
        signature: 64 bytes.
        verified: libsodium's verdict on the signature (rule V4).
        valid_author: whether the key may be an author at all (rule V3); an entry needs both.
    """

    what: str
    author: bytes
    message: bytes
    signature: bytes
    verified: bool
    valid_author: bool


def _case(what: str, author: str, message: str, signature: str, *, verified: bool, valid_author: bool) -> EdgeCase:
    author_, message_, signature_ = (bytes.fromhex(text) for text in (author, message, signature))
    return EdgeCase(what, author_, message_, signature_, verified, valid_author)


def _forgery(encoding: str, counter: int) -> EdgeCase:
    """A signature made without any secret: R is the neutral point, S is 0, the message's hash is 0 mod 8."""
    return EdgeCase(
        what=f"small-order key {encoding[:4]}…{encoding[-2:]}",
        author=bytes.fromhex(encoding),
        message=b"gonk-node forgery %d" % counter,
        signature=b"\1" + bytes(63),
        verified=False,
        valid_author=False,
    )


SPECCHECK = (
    _case(  # 0
        "S = 0, small-order key and R",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
        "0000000000000000000000000000000000000000000000000000000000000000",
        verified=False,
        valid_author=False,
    ),
    _case(  # 1
        "small-order key, R of mixed order",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        verified=False,
        valid_author=False,
    ),
    _case(  # 2
        "key of mixed order, small-order R",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
        "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        verified=False,
        valid_author=False,
    ),
    _case(  # 3
        "key and R of mixed order, both equations hold",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
        "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        verified=True,
        valid_author=False,
    ),
    _case(  # 4
        "key and R of mixed order, cofactored equation only",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        verified=False,
        valid_author=False,
    ),
    _case(  # 5
        "key and R of mixed order, cofactored equation only, h not reduced first",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
        "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        verified=False,
        valid_author=False,
    ),
    _case(  # 6
        "S above the group order",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
        "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        verified=False,
        valid_author=True,
    ),
    _case(  # 7
        "S far above the group order",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
        "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        verified=False,
        valid_author=True,
    ),
    _case(  # 8
        "non-canonical small-order R, reduced before hashing",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        verified=False,
        valid_author=False,
    ),
    _case(  # 9
        "non-canonical small-order R, hashed as received",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        verified=False,
        valid_author=False,
    ),
    _case(  # 10
        "non-canonical small-order key, reduced before hashing",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        verified=False,
        valid_author=False,
    ),
    _case(  # 11
        "non-canonical small-order key, hashed as received",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        verified=False,
        valid_author=False,
    ),
)

SMALL_ORDER = tuple(
    _forgery(encoding, counter)
    for encoding, counter in (
        # canonical: orders 1, 2, 4, 4, 8, 8, 8, 8
        ("0100000000000000000000000000000000000000000000000000000000000000", 7),
        ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 2),
        ("0000000000000000000000000000000000000000000000000000000000000000", 1),
        ("0000000000000000000000000000000000000000000000000000000000000080", 0),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", 3),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", 1),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", 13),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", 8),
        # not canonical: "minus zero" signs, and y = p or p + 1
        ("0100000000000000000000000000000000000000000000000000000000000080", 2),
        ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 5),
        ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 0),
        ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 2),
        ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 26),
        ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 2),
    )
)

_HONEST_SEED = bytes(range(32))
_HONEST_MESSAGE = b"gonk-node"
_HONEST = _case(
    "honest",
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    _HONEST_MESSAGE.hex(),
    "7c9f76b1a8d01e08d1a4e9ef90e4f580e5ef7c6d2af8c7fec5389a8ae0f238d4"
    "169e3af00541d457abc97a688dc3269ef3ed30c660ed4a8675163971a716ab08",
    verified=True,
    valid_author=True,
)
_GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493  # L of RFC 8032 section 5.1
_MALLEABLE_S = (int.from_bytes(_HONEST.signature[32:], "little") + _GROUP_ORDER).to_bytes(32, "little")

HONEST_AND_TWINS = (
    _HONEST,
    _HONEST._replace(what="honest, S + L", signature=_HONEST.signature[:32] + _MALLEABLE_S, verified=False),
    _HONEST._replace(what="honest, other message", message=b"gonk_node", verified=False),
    _HONEST._replace(
        what="honest key plus the point of order 2",
        author=bytes.fromhex("ea5ef8400c31ef41e28f22e718b43f66981b29cf645af2a0e223799bedaace47"),
        verified=False,
        valid_author=False,
    ),
)

EDGE_CASES = SPECCHECK + SMALL_ORDER + HONEST_AND_TWINS


def self_test() -> None:
    """Reach a verdict on every edge case and sign once, with this machine's libsodium; about a millisecond.

    Raises:
        UnsafeLibraryError: a verdict or a signature comes out otherwise than on other nodes. The node must
            not start: it would admit entries that the others refuse, or refuse what they admit.
    """
    try:
        wrong = [case.what for case in EDGE_CASES if not _as_expected(case)]
    except UnavailableError:
        wrong = ["the check of keys is missing: a minimal build of libsodium"]
    if keys.Signer.from_seed(_HONEST_SEED).sign(_HONEST_MESSAGE) != _HONEST.signature:
        wrong.append("signing")
    if wrong:
        raise UnsafeLibraryError(
            f"the installed libsodium judges signatures otherwise than other nodes: {'; '.join(wrong)}",
            where="Ed25519 self-test",
            hint="install PyNaCl 1.6.2 or newer from PyPI, which brings its own libsodium",
        )


def _as_expected(case: EdgeCase) -> bool:
    verified = keys.verify_signature(case.author, case.message, case.signature)
    return (verified, keys.is_valid_author(case.author)) == (case.verified, case.valid_author)
