"""Histories of a dataset: entries of many authors, written by hand (`World`) or at random (`random_history`).

The fold never looks at signatures, so these entries carry none: 64 zero bytes stand in their place. For entries that
pass the V-rules see `kit.authors`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from gonk_node.core import codec, ids
from gonk_node.core.entry import SIGNATURE_BYTES, Entry, Header
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import (
    ACCEPT,
    CONTRIBUTOR,
    OWNER,
    PUBLIC,
    REJECT,
    REVIEWER,
    AcceptGrant,
    AnnotationCreate,
    AnnotationUpdate,
    DatasetCreate,
    Delete,
    Event,
    Grant,
    ObjectCreate,
    ObjectUpdate,
    Pin,
    Profile,
    Redact,
    ReleaseCreate,
    ReleaseHead,
    ReplaceRoot,
    Review,
    Revoke,
    SchemaCreate,
    SchemaUpdate,
    UnknownEvent,
)
from gonk_node.core.ids import EventRef

FIRST_TIME_MS = 1_700_000_000_000
TIP = object()  # "after the last entry that was written to that log"


def key_of(name: str) -> bytes:
    """The key of an author of that name (it is no point of the curve: nobody checks)."""
    return sha256(f"key {name}".encode()).digest()


def some_uuid(number: int) -> bytes:
    return sha256(f"uuid {number}".encode()).digest()[:16]


def ref(entry: Entry, index: int = 0) -> EventRef:
    """Names an event of an entry."""
    return EventRef(entry.entry_id, index)


def own(index: int) -> EventRef:
    """Names an event of the same entry."""
    return EventRef(b"", index)


def object_create(number: int = 0, name: str = "cell.png") -> ObjectCreate:
    content = sha256(name.encode()).digest()
    return ObjectCreate(some_uuid(number), name, "image/png", 100, content, content)


def object_update(number: int, base: EventRef, name: str = "cell.png") -> ObjectUpdate:
    return ObjectUpdate(some_uuid(number), base, *object_create(number, name)[1:])


def schema_create(name: str = "schema-box", body: bytes = b"{}") -> SchemaCreate:
    return SchemaCreate(name, body)


def annotation_create(number: int, schema: EventRef, *objects: EventRef, body: bytes = b"{}") -> AnnotationCreate:
    return AnnotationCreate(some_uuid(1000 + number), schema, objects, body)


def annotation_update(number: int, base: EventRef, schema: EventRef, body: bytes = b"{}") -> AnnotationUpdate:
    return AnnotationUpdate(some_uuid(1000 + number), base, schema, body)


def accept(*events: EventRef, supersedes: Sequence[EventRef] = ()) -> Review:
    return Review(ACCEPT, events, tuple(supersedes), "")


def reject(*events: EventRef, supersedes: Sequence[EventRef] = ()) -> Review:
    return Review(REJECT, events, tuple(supersedes), "")


@dataclass
class World:
    """All entries of a dataset, in the order in which they were written; the first is the genesis, by "root"."""

    approvals: int = 1
    recovery: tuple[str, ...] = ()
    threshold: int = 0
    entries: list[Entry] = field(default_factory=list)
    tips: dict[tuple[str, int], Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = tuple(sorted(key_of(name) for name in self.recovery))
        self.dataset = b""
        create = DatasetCreate("cells", "", 1, self.approvals, PUBLIC, keys, self.threshold, bytes(16))
        self.genesis = self.write("root", create)
        self.dataset = self.genesis.entry_id

    def write(
        self, name: str, *events: Event, log: int = 0, after: Entry | object | None = TIP, time_ms: int | None = None
    ) -> Entry:
        """Write the next entry of a log of that author, or a fork of it after any entry (None: one more first one)."""
        prev = self.tips.get((name, log)) if after is TIP else after
        assert prev is None or isinstance(prev, Entry)
        if time_ms is None:
            time_ms = FIRST_TIME_MS if prev is None else prev.header.time_ms + 1
        entry = self._build(key_of(name), sha256(b"log %d" % log).digest()[:8], prev, time_ms, events)
        self.entries.append(entry)
        self.tips[name, log] = entry
        return entry

    def _build(self, author: bytes, log_id: bytes, prev: Entry | None, time_ms: int, events: Sequence[Event]) -> Entry:
        bodies: list[bytes | None] = [encode_event(event) for event in events]
        hashes = b"".join(ids.hash_event(body) for body in bodies if body is not None)
        seq, prev_id = (0, b"") if prev is None else (prev.header.seq + 1, prev.entry_id)
        events_hash = ids.hash_event_list(hashes)
        header = Header(1, self.dataset, author, log_id, seq, prev_id, time_ms, len(bodies), events_hash)
        header_bytes = codec.encode(list(header))
        signature = bytes(SIGNATURE_BYTES)
        return Entry(codec.encode([header_bytes, signature, bodies]), header, header_bytes, signature, bodies, {})

    # --- authority, in one call each ------------------------------------------------------------------------

    def grant(self, by: str, to: str, role: int = OWNER, *, log: int = 0, taken: bool = True) -> Entry:
        """One grants, the other accepts (unless `taken` is false); returns the entry of the grant."""
        granted = self.write(by, Grant(key_of(to), role, to), log=log)
        if taken and role != CONTRIBUTOR:
            self.write(to, AcceptGrant(ref(granted)))
        return granted

    def revoke(self, by: str, whom: str, *pinned: Entry) -> Entry:
        """Revoke a key up to those entries (default: the tips of all its logs as they are now)."""
        if not pinned:
            pinned = tuple(tip for (name, _), tip in self.tips.items() if name == whom)
        return self.write(by, Revoke(key_of(whom), pins_at(*pinned), ""))


def pins_at(*entries: Entry) -> tuple[Pin, ...]:
    """Pins at those entries, one for each log."""
    by_log = {entry.header.log_id: Pin(entry.header.log_id, entry.header.seq, entry.entry_id) for entry in entries}
    return tuple(by_log[log_id] for log_id in sorted(by_log))


# --- at random -------------------------------------------------------------------------------------------------

OWNERS = ("anna", "ben", "carla")
REVIEWERS = ("rita", "rolf")
CONTRIBUTORS = ("nora",)
STRANGERS = ("sam", "sue")
RECOVERY = ("safe1", "safe2")
PEOPLE = ("root", *OWNERS, *REVIEWERS, *CONTRIBUTORS, *STRANGERS)


class RandomAuthors:
    """Writes random entries into a world: mostly sensible ones, sometimes nonsense, forks, lies about time."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world = world
        self.rng = rng
        self.of_kind: dict[type, list[tuple[EventRef, Event, str]]] = {}  # what was written, to refer to
        self.of_log: dict[tuple[str, int], list[Entry]] = {}
        self._replacement: ReplaceRoot | None = None

    def write(self, name: str, *events: Event, log: int | None = None) -> Entry:
        """Write one entry of that author, at the end of a log or, now and then, beside it."""
        rng = self.rng
        log = rng.choice((0, 0, 0, 1)) if log is None else log
        written = self.of_log.get((name, log), [])
        after = rng.choice([None, *written]) if written and rng.random() < 0.1 else (written[-1] if written else None)
        first = FIRST_TIME_MS if after is None else after.header.time_ms + 1
        leap = rng.choice((0, 1, 5, 5, 10**6)) if rng.random() < 0.9 else 10**12
        entry = self.world.write(name, *events, log=log, after=after, time_ms=first + leap)
        self.of_log.setdefault((name, log), []).append(entry)
        for index, event in enumerate(events):
            self.of_kind.setdefault(type(event), []).append((ref(entry, index), event, name))
        return entry

    def one(self, name: str) -> Entry:
        """Write one entry of one to three events, of which later ones may refer to earlier ones."""
        rng = self.rng
        count = rng.choice((1, 1, 1, 2, 3))
        return self.write(name, *(self.event(name) for _ in range(count)))

    def event(self, name: str) -> Event:
        """Any event."""
        choices, weights = zip(*_WEIGHTS, strict=True)
        make: Callable[[RandomAuthors, str], Event] = self.rng.choices(choices, weights)[0]
        return make(self, name)

    def pick(self, *kinds: type) -> EventRef:
        """An event of those kinds; now and then one of this entry, of another kind, or of an entry that is nowhere."""
        rng = self.rng
        dice = rng.random()
        if dice < 0.01:
            return own(rng.randrange(3))
        if dice < 0.02:
            return EventRef(rng.randbytes(32), 0)
        found = [row for kind in kinds for row in self.of_kind.get(kind, ())]
        if not found or dice < 0.03:
            entry = rng.choice(self.world.entries)
            return ref(entry, rng.randrange(len(entry.bodies) + 1))
        return rng.choice(found if rng.random() < 0.6 else found[-4:])[0]  # recent ones more often: chains grow

    # --- one method for each kind ---------------------------------------------------------------------------

    def grant(self, _: str) -> Event:
        return Grant(
            key_of(self.rng.choice(PEOPLE)), self.rng.choice((OWNER, OWNER, REVIEWER, CONTRIBUTOR)), "somebody"
        )

    def accept_grant(self, name: str) -> Event:
        mine = [found for found, event, _ in self.of_kind.get(Grant, ()) if event[0] == key_of(name)]
        return AcceptGrant(self.rng.choice(mine) if mine and self.rng.random() < 0.9 else self.pick(Grant))

    def revoke(self, _: str) -> Event:
        whom = self.rng.choice(PEOPLE)
        return Revoke(key_of(whom), self.pins(whom), "")

    def pins(self, whom: str) -> tuple[Pin, ...]:
        rng = self.rng
        pinned = []
        for (name, _), written in self.of_log.items():
            if name == whom and rng.random() < 0.9:
                pinned.append(written[-1] if rng.random() < 0.6 else rng.choice(written))
        if rng.random() < 0.05:
            pinned.append(rng.choice(self.world.entries))  # another author's: pins nothing
        pins = list(pins_at(*pinned))
        if pins and rng.random() < 0.03:
            pins[0] = pins[0]._replace(entry_id=rng.randbytes(32))
        return tuple(pins)

    def replace_root(self, _: str) -> Event:
        if self._replacement is None or self.rng.random() < 0.2:
            old = self.rng.choice(("root", "root", "anna"))
            self._replacement = ReplaceRoot(key_of(old), key_of(self.rng.choice(OWNERS)), self.pins(old))
        return self._replacement

    def object_create(self, _: str) -> Event:
        return object_create(self.rng.randrange(3), f"o{self.rng.randrange(9)}")

    def object_update(self, _: str) -> Event:
        base = self.pick(ObjectCreate, ObjectUpdate)
        return object_update(self._number(base, 3), base, f"o{self.rng.randrange(9)}")

    def schema_create(self, _: str) -> Event:
        return schema_create(self.rng.choice(("schema-box", "schema-class")), b"%d" % self.rng.randrange(9))

    def schema_update(self, _: str) -> Event:
        name = self.rng.choice(("schema-box", "schema-class"))
        return SchemaUpdate(name, self.pick(SchemaCreate, SchemaUpdate), b"%d" % self.rng.randrange(9))

    def annotation_create(self, _: str) -> Event:
        objects = [self.pick(ObjectCreate, ObjectUpdate) for _ in range(self.rng.choice((1, 1, 2)))]
        schema = self.pick(SchemaCreate, SchemaUpdate)
        return annotation_create(self.rng.randrange(3), schema, *objects, body=b"%d" % self.rng.randrange(9))

    def annotation_update(self, _: str) -> Event:
        base = self.pick(AnnotationCreate, AnnotationUpdate)
        schema = self.pick(SchemaCreate, SchemaUpdate)
        return annotation_update(self._number(base, 3) % 1000, base, schema, b"%d" % self.rng.randrange(9))

    def _number(self, base: EventRef, count: int) -> int:
        """Of the entity that the base belongs to, so that most updates fit their base."""
        for rows in self.of_kind.values():
            for found, event, _ in rows:
                if found == base and hasattr(event, "uuid"):
                    return next(n for n in (*range(count), *range(1000, 1003)) if some_uuid(n) == event.uuid)
        return self.rng.randrange(count)

    def delete(self, _: str) -> Event:
        return Delete(self.pick(*_REVISIONS))

    def review(self, name: str) -> Event:
        rng = self.rng
        events = tuple(self.pick(*_REVISIONS, Delete, Delete) for _ in range(rng.choice((1, 4, 8, 16))))
        supersedes: tuple[EventRef, ...] = ()
        reviews = self.of_kind.get(Review, ())
        if reviews and rng.random() < 0.3:
            found, other, _ = rng.choice(reviews[-6:])
            assert isinstance(other, Review)
            supersedes = (found,)
            events = (*(event for event in other.events if event.entry_id), *events)
        return Review(rng.choice((ACCEPT, ACCEPT, ACCEPT, REJECT)), events, supersedes, "")

    def release(self, _: str) -> Event:
        return ReleaseCreate("v1", "", (ReleaseHead(key_of("root"), bytes(8), 0, bytes(32)),), bytes(32), (0, 0, 0))

    def profile(self, name: str) -> Event:
        return Profile(f"{name} {self.rng.randrange(9)}")

    def redact(self, name: str) -> Event:
        mine = [row[0] for kind in (*_REVISIONS, Delete) for row in self.of_kind.get(kind, ()) if row[2] == name]
        if mine and self.rng.random() < 0.5:
            return Redact(self.rng.choice(mine), "")
        return Redact(self.pick(*_REVISIONS, *_REVISIONS, Delete, Profile, Review, Grant), "")

    def unknown(self, _: str) -> Event:
        return UnknownEvent(99, codec.encode([99, 1, b"x", ["text", None]]))


_REVISIONS = (ObjectCreate, ObjectUpdate, AnnotationCreate, AnnotationUpdate, SchemaCreate, SchemaUpdate)
_WEIGHTS: tuple[tuple[Callable[[RandomAuthors, str], Event], int], ...] = (
    (RandomAuthors.grant, 5),
    (RandomAuthors.accept_grant, 8),
    (RandomAuthors.revoke, 5),
    (RandomAuthors.object_create, 8),
    (RandomAuthors.object_update, 10),
    (RandomAuthors.schema_create, 4),
    (RandomAuthors.schema_update, 4),
    (RandomAuthors.annotation_create, 10),
    (RandomAuthors.annotation_update, 8),
    (RandomAuthors.delete, 7),
    (RandomAuthors.review, 30),
    (RandomAuthors.release, 1),
    (RandomAuthors.profile, 2),
    (RandomAuthors.redact, 4),
    (RandomAuthors.unknown, 1),
)


def random_history(seed: int, count: int = 38) -> tuple[World, RandomAuthors]:
    """A world of some `count` random entries, and the authors, to write more."""
    rng = random.Random(f"history {seed}")
    recovery = RECOVERY if rng.random() < 0.3 else ()
    world = World(approvals=rng.choice((1, 1, 2)), recovery=recovery, threshold=rng.choice((1, 2)) if recovery else 0)
    authors = RandomAuthors(world, rng)
    authors.of_log["root", 0] = [world.genesis]
    _found_roles(authors)
    people = rng.choices(PEOPLE, weights=(8, 6, 5, 3, 5, 4, 2, 2, 2), k=count)
    for name in people:
        authors.one(name)
        if recovery and rng.random() < 0.08:
            authors.write(rng.choice(recovery), authors.replace_root(name))
    return world, authors


def _found_roles(authors: RandomAuthors) -> None:
    """Most datasets begin so: root grants some roles, and their holders accept."""
    rng = authors.rng
    for role, names in ((OWNER, OWNERS), (REVIEWER, REVIEWERS), (CONTRIBUTOR, CONTRIBUTORS)):
        for name in names:
            if rng.random() < 0.8:
                by = "root" if rng.random() < 0.7 else rng.choice(OWNERS)
                granted = authors.write(by, Grant(key_of(name), role, name), log=0)
                if rng.random() < 0.9:
                    authors.write(name, AcceptGrant(ref(granted)))
