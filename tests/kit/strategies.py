"""Hypothesis strategies for what the format holds: plain CBOR values, references, and events of every kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gonk_node.core import events as ev
from gonk_node.core import limits
from gonk_node.core.codec import encode
from gonk_node.core.event_codec import KINDS
from gonk_node.core.ids import EventRef

SOME = 4  # length of generated lists: what happens at their bounds is for tests of the bounds


def hashes(length: int = 32) -> st.SearchStrategy[bytes]:
    """Byte strings of one length."""
    return st.binary(min_size=length, max_size=length)


def integers(low: int = 0, high: int = limits.INT_MAX) -> st.SearchStrategy[int]:
    return st.integers(low, high)


texts = st.text(max_size=30)  # no surrogates: st.text leaves them out
names = st.text(st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=30)
names_not_empty = names.filter(bool)
schema_names = names_not_empty.filter(lambda name: "/" not in name).map(ev.SCHEMA_PREFIX.__add__)
refs = st.builds(EventRef, st.just(b"") | hashes(), integers(0, limits.EVENTS_PER_ENTRY_MAX - 1))
bodies = st.binary(max_size=200)
plain_values = integers(-limits.INT_MAX) | st.binary(max_size=40) | texts | st.none()
for _ in range(limits.CBOR_DEPTH_MAX - 1):  # the event itself is the outermost list
    plain_values |= st.lists(plain_values, max_size=SOME)


def tuples_of(items: st.SearchStrategy[Any], low: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=low, max_size=SOME).map(tuple)


def ascending(items: st.SearchStrategy[Any], low: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.sets(items, min_size=low, max_size=SOME).map(lambda found: tuple(sorted(found)))


pins = st.lists(
    st.builds(ev.Pin, hashes(8), integers(), hashes()), max_size=SOME, unique_by=lambda pin: pin.log_id
).map(lambda found: tuple(sorted(found)))
heads = ascending(st.builds(ev.ReleaseHead, hashes(), hashes(8), integers(), hashes()), low=1)
_file = (names_not_empty, names_not_empty, integers(high=limits.OBJECT_BYTES_MAX), hashes(), hashes())

_FIELDS: dict[type, tuple[st.SearchStrategy[Any], ...]] = {
    ev.DatasetCreate: (
        names_not_empty,
        texts,
        integers(1),
        integers(1, limits.APPROVALS_MAX),
        integers(0, 1),
        ascending(hashes()),
        integers(0, limits.RECOVERY_KEYS_MAX),
        hashes(16),
    ),
    ev.ReplaceRoot: (hashes(), hashes(), pins),
    ev.Grant: (hashes(), integers(0, 2), names),
    ev.AcceptGrant: (refs,),
    ev.Revoke: (hashes(), pins, texts),
    ev.ObjectCreate: (hashes(16), *_file),
    ev.ObjectUpdate: (hashes(16), refs, *_file),
    ev.AnnotationCreate: (hashes(16), refs, tuples_of(refs, 1), bodies),
    ev.AnnotationUpdate: (hashes(16), refs, refs, bodies),
    ev.SchemaCreate: (schema_names, bodies),
    ev.SchemaUpdate: (schema_names, refs, bodies),
    ev.Delete: (refs,),
    ev.Review: (integers(1, 2), tuples_of(refs, 1), tuples_of(refs), texts),
    ev.ReleaseCreate: (names_not_empty, texts, heads, hashes(), st.tuples(integers(), integers(), integers())),
    ev.Profile: (names_not_empty,),
    ev.Redact: (refs, texts),
}


def events_of(kind: type) -> st.SearchStrategy[ev.Event]:
    """Events of one class, each field anything that the format allows."""
    return st.builds(kind, *_FIELDS[kind])


unknown_events = st.builds(
    lambda kind, fields: ev.UnknownEvent(kind, encode([kind, *fields])),
    integers(len(KINDS)),
    st.lists(plain_values, max_size=SOME),
)
known_events = st.one_of([events_of(kind) for kind in _FIELDS])
events = known_events | unknown_events
