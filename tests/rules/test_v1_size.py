"""V1: a record has at most 4 MiB, each event in it at most 1 MiB."""

from __future__ import annotations

from gonk_node.core import limits
from gonk_node.core.events import AnnotationUpdate
from gonk_node.core.ids import EventRef
from kit.raw_entries import Draft, array, byte_string, draft, head
from kit.verdicts import accepted, broken_rule

REF = EventRef(b"", 0)
FRAME = 30  # of an annotation.update with a large body: the event's bytes without the body


def annotation(event_bytes: int) -> AnnotationUpdate:
    """An event of exactly that many bytes, at least 64 KiB."""
    return AnnotationUpdate(bytes(16), REF, REF, bytes(event_bytes - FRAME))


def of_record_bytes(count: int) -> Draft:
    """Five events that make a record of exactly that many bytes."""
    part = count // 5 - 100
    rest = count - len(draft(*[annotation(part)] * 5).record())
    return draft(*[annotation(part)] * 4, annotation(part + rest))


def test_v1_a_record_of_4_mib_is_accepted_and_one_byte_more_is_not() -> None:
    largest = of_record_bytes(limits.ENTRY_BYTES_MAX).record()
    assert len(largest) == limits.ENTRY_BYTES_MAX
    assert accepted(largest)
    larger = of_record_bytes(limits.ENTRY_BYTES_MAX + 1).record()
    assert len(larger) == limits.ENTRY_BYTES_MAX + 1
    assert broken_rule(larger) == "V1"


def test_v1_an_event_of_1_mib_is_accepted_and_one_byte_more_is_not() -> None:
    largest = accepted(draft(annotation(limits.EVENT_BYTES_MAX)).record())
    assert len(largest.bodies[0] or b"") == limits.EVENT_BYTES_MAX
    for size, rule in ((limits.EVENT_BYTES_MAX, None), (limits.EVENT_BYTES_MAX + 1, "V1")):
        unknown = array(head(0, 99), byte_string(bytes(size - 8)))
        assert len(unknown) == size
        assert broken_rule(draft(unknown).record()) == rule


def test_v1_comes_before_everything_else() -> None:
    assert broken_rule(bytes(limits.ENTRY_BYTES_MAX + 1)) == "V1"
    assert broken_rule(bytes(limits.ENTRY_BYTES_MAX)) == "V2"


def test_v1_the_size_of_an_event_is_judged_before_it_is_decoded() -> None:
    assert broken_rule(draft(b"\xff" * (limits.EVENT_BYTES_MAX + 1)).record()) == "V1"
    assert broken_rule(draft(b"\xff" * limits.EVENT_BYTES_MAX).record()) == "V2"
