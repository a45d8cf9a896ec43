"""Bytes changed at random: what a bad disk, a bad link or a fuzzer makes of valid ones."""

from __future__ import annotations

from random import Random

# What a reader of CBOR may trip over: ends of ranges, tags, indefinite lengths, breaks, reserved values.
INTERESTING = bytes.fromhex(
    "00 17 18 19 1a 1b 1c 20 3b 40 58 5b 5f 60 78 7f 80 81 98 9b 9f a0 bf c0 c2 d8 d9 f4 f6 f7 f9 ff"
)


def mutate(data: bytes, random: Random, other: bytes = b"") -> bytes:
    """Change `data` in one to three places; pieces of `other` may be put in."""
    mutant = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        place = random.randrange(len(mutant) + 1)
        choice = random.randrange(7)
        if choice == 0 and place < len(mutant):
            mutant[place] ^= 1 << random.randrange(8)
        elif choice == 1 and place < len(mutant):
            mutant[place] = random.choice(INTERESTING)
        elif choice == 2:
            mutant[place:place] = random.randbytes(random.randrange(1, 5))
        elif choice == 3:
            del mutant[place : place + random.randrange(1, 9)]
        elif choice == 4:
            del mutant[place:]
        elif choice == 5:
            start = random.randrange(len(other) + 1)
            piece = other[start : start + random.randrange(1, 40)]
            mutant[place : place + len(piece)] = piece
        else:
            start = random.randrange(len(mutant) + 1)
            mutant[place:place] = mutant[start : start + random.randrange(1, 40)]
    return bytes(mutant)
