"""Very many names in little memory: what an importer remembers of each file, so that a dataset of any size can be read.

A `dict` of names takes some 200 bytes for each and more for what it leads to; these take 30, and a text its bytes and 8 more.
"""

from __future__ import annotations

import os
from array import array
from hashlib import blake2b

_DIGEST = 16  # bytes: two names of one digest are not to be found, by chance or by intent, as the key is a secret
_FIRST_SLOTS = 1 << 10  # a power of two, as every later number


class NameTable:
    """Numbers names from 0, in the order in which they were added. Which names they were is not kept."""

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._digests = bytearray()  # by number
        self._slots = array(
            "I", bytes(4 * _FIRST_SLOTS)
        )  # number + 1, at the first free slot from that of the digest on

    def __len__(self) -> int:
        """How many there are."""
        return len(self._digests) // _DIGEST

    def __contains__(self, name: str) -> bool:
        """Whether it was added."""
        return self.get(name) is not None

    def add(self, name: str) -> int:
        """The number of a name; a new one, if it was not added before."""
        digest = self._digest(name)
        slot, number = self._find(digest)
        if number is not None:
            return number
        number = len(self)
        self._digests += digest
        self._slots[slot] = number + 1
        if 3 * len(self) > 2 * len(self._slots):
            self._grow()
        return number

    def get(self, name: str) -> int | None:
        """The number of a name; None if it was not added."""
        return self._find(self._digest(name))[1]

    def _digest(self, name: str) -> bytes:
        return blake2b(name.encode(errors="surrogatepass"), digest_size=_DIGEST, key=self._key).digest()

    def _find(self, digest: bytes) -> tuple[int, int | None]:
        """The slot in which a digest is, and its number; or the one in which it would be, and None."""
        mask = len(self._slots) - 1
        slot = int.from_bytes(digest[:8]) & mask
        while held := self._slots[slot]:
            if self._digests[(held - 1) * _DIGEST : held * _DIGEST] == digest:
                return slot, held - 1
            slot = (slot + 1) & mask
        return slot, None

    def _grow(self) -> None:
        self._slots = array("I", (0,)) * (2 * len(self._slots))
        for number in range(len(self)):
            slot, _ = self._find(bytes(self._digests[number * _DIGEST : (number + 1) * _DIGEST]))
            self._slots[slot] = number + 1


class NamedTexts:
    """A text for each name, such as the place where it came first."""

    def __init__(self) -> None:
        self._names = NameTable()
        self._bytes = bytearray()
        self._ends = array("Q")  # of the texts, by the numbers of their names

    def __contains__(self, name: str) -> bool:
        """Whether it has a text."""
        return name in self._names

    def add(self, name: str, text: str) -> str:
        """Give a name its text; one that has a text keeps that. Returns the one that it has then."""
        if self._names.add(name) == len(self._ends):
            self._bytes += text.encode(errors="surrogatepass")
            self._ends.append(len(self._bytes))
            return text
        return self.get(name) or ""

    def get(self, name: str) -> str | None:
        """The text of a name; None if it has none."""
        number = self._names.get(name)
        if number is None:
            return None
        begin = self._ends[number - 1] if number else 0
        return self._bytes[begin : self._ends[number]].decode(errors="surrogatepass")
