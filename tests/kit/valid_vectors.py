"""The golden entries that every node must accept: one function of no arguments each, the file's name is its name.

`scripts/add_vectors.py` writes them to tests/vectors/entries/valid. A case may be added; one that was committed never
changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gonk_node.core import events as ev
from gonk_node.core import limits
from gonk_node.core.codec import encode
from gonk_node.core.entry import Header, without_bodies
from gonk_node.core.ids import EventRef
from kit.authors import FIRST_TIME_MS, TestAuthor
from kit.raw_entries import DATASET, GENESIS, OWNER, Draft, array, byte_string, draft, following, genesis_draft, head


class Vector(NamedTuple):
    """One golden entry.

    Attributes:
        what: what it shows, for people.
        record: its bytes.
        dataset: the dataset that it is offered to, None where any is taken.
        prev: the header of the entry before it; None for the first of a log, or where that plays no part.
        rule: the rule that it breaks, None for a valid one.
    """

    what: str
    record: bytes
    dataset: bytes | None = DATASET
    prev: Header | None = None
    rule: str | None = None


def _filled(number: int, length: int = 32) -> bytes:
    return bytes([number]) * length


KEY, OTHER_KEY = TestAuthor("Ben").author, TestAuthor("Cy").author
UUID = bytes(range(16))
HASH, SHA256 = _filled(0xAA), _filled(0xBB)
REF, OTHER_REF = EventRef(DATASET, 0), EventRef(_filled(0xCC), 4095)
PINS = (ev.Pin(_filled(1, 8), 0, _filled(2)), ev.Pin(_filled(3, 8), 2**53 - 1, _filled(4)))
HEADS = (ev.ReleaseHead(_filled(1), _filled(5, 8), 7, _filled(6)), ev.ReleaseHead(_filled(1), _filled(6, 8), 0, HASH))
FILE = ("cells/BloodImage_00000.jpg", "image/jpeg", 48_123, HASH, SHA256)
BODY = b'{"boxes": [[1, 2, 30, 40]], "label": "caf\xc3\xa9"}'
SCHEMA = b'{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}\n'

KINDS: dict[str, tuple[str, ev.Event]] = {
    "replace-root": ("a recovery key asks for a new root", ev.ReplaceRoot(OWNER.author, KEY, PINS)),
    "grant": ("an owner makes a reviewer", ev.Grant(KEY, ev.REVIEWER, "Ben")),
    "grant-unnamed": ("a grant without a display name", ev.Grant(KEY, ev.CONTRIBUTOR, "")),
    "accept-grant": ("a grant is taken", ev.AcceptGrant(OTHER_REF)),
    "revoke": ("a key is revoked, two of its logs stand up to a pin", ev.Revoke(KEY, PINS, "left the\nproject")),
    "revoke-all": ("a key is revoked, nothing of it stands", ev.Revoke(KEY, (), "")),
    "object-create": ("a file enters", ev.ObjectCreate(UUID, *FILE)),
    "object-create-empty": ("a file of no bytes", ev.ObjectCreate(UUID, "empty", "text/plain", 0, HASH, SHA256)),
    "object-update": ("a file gets another content", ev.ObjectUpdate(UUID, REF, *FILE)),
    "annotation-create": ("an annotation of two revisions", ev.AnnotationCreate(UUID, REF, (REF, OTHER_REF), BODY)),
    "annotation-update": ("a new body, not even JSON", ev.AnnotationUpdate(UUID, OTHER_REF, REF, b"\x00\xff")),
    "schema-create": ("a schema, byte for byte as given", ev.SchemaCreate("schema-boxes", SCHEMA)),
    "schema-update": ("a schema's next revision", ev.SchemaUpdate("schema-boxes", REF, SCHEMA)),
    "delete": ("a revision is proposed for deletion", ev.Delete(OTHER_REF)),
    "review-accept": ("two events are accepted", ev.Review(ev.ACCEPT, (REF, OTHER_REF), (), "")),
    "review-reject": ("one is rejected, replacing a review", ev.Review(ev.REJECT, (REF,), (OTHER_REF,), "blurred ☹")),
    "release-create": ("a release over two logs", ev.ReleaseCreate("v1.0", "# First\n", HEADS, HASH, (364, 364, 2))),
    "profile": ("a name beyond ASCII", ev.Profile("Zoë 細胞 🔬")),
    "redact": ("a body is to be dropped", ev.Redact(OTHER_REF, "shows a patient's name")),
}


def _genesis() -> Vector:
    return Vector("the smallest genesis; its id is the dataset's", GENESIS.record, prev=None)


def _genesis_full() -> Vector:
    keys = tuple(sorted((KEY, OTHER_KEY, _filled(9))))
    create = ev.DatasetCreate("Blood cells", "364 images\n", 1, 3, ev.PRIVATE, keys, 2, _filled(7, 16))
    events = (create, ev.SchemaCreate("schema-boxes", SCHEMA), ev.Grant(KEY, ev.OWNER, "Ben"))
    return Vector(
        "a genesis with recovery keys and two events more; the last is withheld",
        genesis_draft(*events).withhold(2).record(),
        dataset=None,
    )


def _same_entry() -> Vector:
    here = [EventRef(b"", index) for index in range(3)]
    events = (
        ev.SchemaCreate("schema-boxes", SCHEMA),
        ev.ObjectCreate(UUID, *FILE),
        ev.AnnotationCreate(_filled(8, 16), here[0], (here[1],), BODY),
        ev.Review(ev.ACCEPT, tuple(here), (), "imported"),
    )
    return Vector(
        "four events; references with an empty entry id name events of this same entry",
        draft(*events).record(),
        prev=GENESIS.header,
    )


def _withheld(*indexes: int) -> Vector:
    events = [ev.Profile(name) for name in "abc"]
    whole = OWNER.sign(GENESIS, events)
    return Vector(
        f"three events, of which {len(indexes)} stand as hashes; the id is that of entry-of-three",
        without_bodies(whole, set(indexes)).record,
        prev=GENESIS.header,
    )


def _third() -> Vector:
    second = OWNER.sign(GENESIS, [ev.Profile("second")])
    third = OWNER.sign(second, [ev.Profile("third")], time_ms=second.header.time_ms + 1)
    return Vector("the third entry of a log, a millisecond after the second", third.record, prev=second.header)


def _first_of_another() -> Vector:
    return Vector("the first entry of another author's log", draft(author=TestAuthor("Ben"), seq=0).record())


def _unknown() -> Vector:
    body = encode([16, -(2**53 - 1), 2**53 - 1, b"\x00", "text", None, [[[[[]]]]]])
    return Vector("the first unknown kind, with all types and the greatest depth", draft(body).record())


def _unknown_highest() -> Vector:
    return Vector("the highest kind, without fields", draft(encode([2**53 - 1])).record())


def _highest() -> Vector:
    entry = draft(seq=5).change(seq=2**53 - 1, time_ms=2**53 - 1)
    return Vector("the highest sequence number and time", entry.record(), prev=None)


def _oldest() -> Vector:
    return Vector("time 0 at the first entry of a log", draft(seq=0).change(time_ms=0).record())


def _time_leap() -> Vector:
    entry = following(GENESIS.header, DATASET, author=OWNER).change(time_ms=FIRST_TIME_MS + 10**12)
    return Vector("a time decades later: odd, and valid", entry.record(), prev=GENESIS.header)


def _longest_name() -> Vector:
    return Vector("a name of 1024 bytes of UTF-8", draft(ev.Profile("é" * 512)).record())


def _longest_comment() -> Vector:
    return Vector("a comment of 4096 bytes", draft(ev.Redact(REF, "x" * limits.COMMENT_BYTES_MAX)).record())


def _largest_schema() -> Vector:
    return Vector("a schema of 64 KiB", draft(ev.SchemaCreate("schema-x", b" " * limits.SCHEMA_BYTES_MAX)).record())


def _largest_event() -> Vector:
    body = array(head(0, 7), byte_string(UUID), b"\x82\x40\x00", b"\x81\x82\x40\x00")
    rest = limits.EVENT_BYTES_MAX - len(body) - 5
    return Vector("an event of 1 MiB", draft(b"\x85" + body[1:] + byte_string(bytes(rest))).record())


def _largest_record() -> Vector:
    def entry(bodies: int) -> Draft:
        return draft(*[ev.AnnotationUpdate(UUID, REF, REF, bytes(bodies))] * 5)

    part = limits.ENTRY_BYTES_MAX // 5 - 200
    rest = limits.ENTRY_BYTES_MAX - len(entry(part).record())
    events = [ev.AnnotationUpdate(UUID, REF, REF, bytes(size)) for size in (*[part] * 4, part + rest)]
    return Vector("a record of 4 MiB", draft(*events).record())


def _most_events() -> Vector:
    return Vector("4096 events", draft(*[ev.Profile("x")] * limits.EVENTS_PER_ENTRY_MAX).record())


def _most_references() -> Vector:
    refs = (REF,) * limits.REFS_PER_REVIEW_MAX
    return Vector("a review of 4096 events that supersedes 4096", draft(ev.Review(1, refs, refs, "")).record())


def _most_objects() -> Vector:
    refs = (REF,) * limits.REFS_PER_ANNOTATION_MAX
    return Vector("an annotation of 1024 objects", draft(ev.AnnotationCreate(UUID, REF, refs, b"{}")).record())


def _most_items() -> Vector:
    return Vector("an event of 65,536 data items", draft(array(head(0, 99), *[b"\x80"] * 65_534)).record())


def _large_object() -> Vector:
    event = ev.ObjectCreate(UUID, "video", "video/mp4", limits.OBJECT_BYTES_MAX, HASH, SHA256)
    return Vector("an object of 256 GiB, the largest", draft(event).record())


def _create_elsewhere() -> Vector:
    create = ev.DatasetCreate("x", "", 1, 1, ev.PUBLIC, (), 0, bytes(16))
    return Vector("a dataset.create that is no genesis: well formed, and inert", draft(create).record())


def _of_kind(kind: str) -> Callable[[], Vector]:
    what, event = KINDS[kind]
    return lambda: Vector(what, draft(event).record(), prev=GENESIS.header)


VALID: dict[str, Callable[[], Vector]] = {
    "genesis": _genesis,
    "genesis-full": _genesis_full,
    **{f"kind-{kind}": _of_kind(kind) for kind in KINDS},
    "kind-unknown": _unknown,
    "kind-unknown-highest": _unknown_highest,
    "dataset-create-elsewhere": _create_elsewhere,
    "entry-of-three": _withheld,
    "entry-of-three-one-withheld": lambda: _withheld(1),
    "entry-of-three-all-withheld": lambda: _withheld(0, 1, 2),
    "references-to-same-entry": _same_entry,
    "third-of-a-log": _third,
    "first-of-another-author": _first_of_another,
    "highest-seq-and-time": _highest,
    "time-zero": _oldest,
    "time-leap": _time_leap,
    "longest-name": _longest_name,
    "longest-comment": _longest_comment,
    "largest-schema": _largest_schema,
    "largest-object": _large_object,
    "largest-event": _largest_event,
    "largest-record": _largest_record,
    "most-events": _most_events,
    "most-references": _most_references,
    "most-objects": _most_objects,
    "most-items": _most_items,
}
