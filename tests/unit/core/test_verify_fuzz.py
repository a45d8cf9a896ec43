"""Mutants of valid records: an entry with the very bytes that came, or the number of a broken rule, and nothing else."""

from __future__ import annotations

import gc
import resource
import sys
import tracemalloc
from collections import Counter
from random import Random

import cbor2
import pytest

from gonk_node.core import events as ev
from gonk_node.core import limits
from gonk_node.core.event_codec import encode_event
from gonk_node.core.ids import EventRef
from gonk_node.core.verify import verify_entry
from gonk_node.errors import InvalidEntryError
from kit.authors import TestAuthor
from kit.mutants import mutate
from kit.raw_entries import DATASET, GENESIS, array, draft, head
from kit.reference_verifier import event_is_well_formed

MUTANTS = 50_000
MEMORY_BYTES_MAX = 64 * limits.MIB
HASH, UUID, REF, HERE = b"\xab" * 32, b"\xcd" * 16, EventRef(b"\xef" * 32, 7), EventRef(b"", 0)
FILE = ("cell.png", "image/png", 1000, HASH, HASH)
BODIES = [
    encode_event(event)
    for event in (
        ev.ReplaceRoot(HASH, b"\x01" * 32, (ev.Pin(bytes(8), 3, HASH), ev.Pin(b"\x01" * 8, 300, HASH))),
        ev.Grant(HASH, 1, "Ben"),
        ev.AcceptGrant(REF),
        ev.Revoke(HASH, (ev.Pin(bytes(8), 3, HASH),), "gone"),
        ev.ObjectCreate(UUID, *FILE),
        ev.ObjectUpdate(UUID, REF, *FILE),
        ev.AnnotationCreate(UUID, REF, (HERE, REF), b'{"label":"RBC"}'),
        ev.AnnotationUpdate(UUID, HERE, REF, b'{"label":"WBC"}'),
        ev.SchemaCreate("schema-é", b'{"type":"object"}'),
        ev.SchemaUpdate("schema-a", HERE, b"{}"),
        ev.Delete(REF),
        ev.Review(2, (REF, HERE), (REF,), "no: blurred"),
        ev.ReleaseCreate("v1", "first", (ev.ReleaseHead(HASH, bytes(8), 2**40, HASH),), HASH, (1, 24, 256)),
        ev.Profile("Ann"),
        ev.Redact(REF, "private"),
    )
] + [cbor2.dumps([99, -1, "x", [None, [b"y"]]])]


def peak_bytes() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def verdict(record: bytes) -> str:
    """The number of the broken rule, or "valid"; anything else than these two outcomes fails the test."""
    try:
        entry = verify_entry(record, DATASET)
    except InvalidEntryError as error:
        return error.rule
    assert entry.record == record
    return "valid"


@pytest.fixture
def random(pytestconfig: pytest.Config) -> Random:
    seed = pytestconfig.getoption("--first-seed")
    print(f"seed {seed}: replay with --first-seed {seed}")
    return Random(seed)


def test_mutants_of_records_are_refused(random: Random) -> None:
    ann = TestAuthor("Ann", DATASET)
    records = [GENESIS.record, draft(*BODIES).record(), draft(*BODIES).withhold(0, 3, 15).record()]
    records += [ann.sign(None, [ev.Profile("x" * n)]).record for n in (1, 20, 300)] + [
        draft(b).record() for b in BODIES
    ]
    verdicts: Counter[str] = Counter()
    gc.collect()
    before = peak_bytes()
    for _ in range(MUTANTS // 2):
        record = random.choice(records)
        mutant = mutate(record, random, random.choice(records))
        verdicts[verdict(mutant)] += mutant != record
    assert peak_bytes() - before < MEMORY_BYTES_MAX
    assert verdicts.pop("valid", 0) == 0
    assert verdicts.keys() == {"V2", "V3", "V4", "V5"}


def test_mutants_of_events_that_are_signed_anew_are_valid_or_badly_encoded(random: Random) -> None:
    verdicts: Counter[str] = Counter()
    gc.collect()
    before = peak_bytes()
    for _ in range(MUTANTS // 2):
        body = mutate(random.choice(BODIES), random, random.choice(BODIES))
        rule = verdict(draft(body).record())
        verdicts[rule] += 1
        assert (rule == "valid") == event_is_well_formed(body), f"another verdict by the text of the spec: {body.hex()}"
    assert peak_bytes() - before < MEMORY_BYTES_MAX
    assert verdicts.keys() == {"valid", "V2"}
    assert min(verdicts.values()) > MUTANTS // 100, "both outcomes must be exercised"


def test_a_valid_entry_of_hundreds_of_thousands_of_empty_lists_takes_little_memory() -> None:
    """Of unknown kinds only the bytes are kept: ten events of 65,000 lists would take 40 MiB decoded."""
    record = draft(*[array(head(0, 99), *[b"\x80"] * 65_000)] * 10).record()
    tracemalloc.start()
    try:
        assert verify_entry(record, DATASET).events()[9] is not None
        assert tracemalloc.get_traced_memory()[1] < 10 * limits.MIB
    finally:
        tracemalloc.stop()
