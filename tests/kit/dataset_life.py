"""What people do with a dataset, at random: each looks at the State of the node where he sits and signs accordingly.

Mostly what an honest program would let them sign, now and then what it would not (reviews by strangers, updates of what was
deleted). Entries are signed by `kit.authors`; what is done to the network is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random

from gonk_node.core import codec
from gonk_node.core.events import (
    ACCEPT,
    CONTRIBUTOR,
    OWNER,
    REJECT,
    REVIEWER,
    AcceptGrant,
    AnnotationUpdate,
    Delete,
    Event,
    Grant,
    ObjectUpdate,
    Pin,
    Profile,
    Redact,
    ReplaceRoot,
    Review,
    Revoke,
    SchemaUpdate,
    UnknownEvent,
)
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.state.authority import Authority
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA
from kit.history import annotation_create, object_create, own, schema_create
from kit.stateful_log import StatefulLog

_SCHEMAS = ("schema-box", "schema-class")
_UUIDS = 6  # few, so that several people make the same one


class DatasetLife:
    """One dataset.

    Args:
        random: decides everything.
        people: keys that may be given roles, the root's first.
    """

    def __init__(self, random: Random, people: Sequence[bytes]) -> None:
        self.random = random
        self.people = people

    def opening(self) -> list[Event]:
        """What the root writes first: a schema, objects, an annotation, all accepted; and roles for some of the others."""
        objects = [object_create(number, f"o{number}") for number in range(3)]
        events: list[Event] = [schema_create(), *objects, annotation_create(0, own(0), own(1))]
        events.append(Review(ACCEPT, tuple(own(index) for index in range(len(events))), (), ""))
        roles = (OWNER, REVIEWER, CONTRIBUTOR)
        granted = [key for key in self.people[1:] if self.random.random() < 0.7]
        return events + [Grant(key, self.random.choice(roles), "somebody") for key in granted]

    def entries(self, log: StatefulLog, author: bytes, count: int) -> list[list[Event]]:
        """The events of that many entries that the author signs next, all in view of one State."""
        person = _Person(self, log, author)
        return [person.entry(first=not index) for index in range(count)]


class _Person:
    """An author in view of a State."""

    def __init__(self, life: DatasetLife, log: StatefulLog, author: bytes) -> None:
        self.random = life.random
        self.people = life.people
        self.log = log
        self.author = author
        self.authority: Authority = log.projection.authority
        self.queries = Queries(log.projection.db)
        self.pages: dict[int, list[Revision]] = {}
        self.genesis = log.projection.index.genesis

    def entry(self, *, first: bool) -> list[Event]:
        """The events of one entry; a role is taken up with the first."""
        info = self.authority.roles.get(self.author)
        events: list[Event] = []
        if first and info is not None and info.grant is not None and not (info.accepted or info.revoked):
            events.append(AcceptGrant(info.grant))
        role = self.authority.role_now(self.author)
        choices = [*_ANYBODY, *(_REVIEWERS if role in (OWNER, REVIEWER) else ()), *(_OWNERS if role == OWNER else ())]
        if self.author in self.genesis.recovery_keys:
            choices.append((_Person.replace_root, 3))
        makers, weights = zip(*choices, strict=True)
        for make in self.random.choices(makers, weights, k=self.random.choice((1, 1, 2, 3))):
            made = make(self)
            if made is not None:
                events.append(made)
        if role in (OWNER, REVIEWER) and self.random.random() < 0.3:
            events.append(Review(ACCEPT, tuple(own(index) for index in range(len(events))) or (own(0),), (), "own"))
        return events or [Profile("nothing to do")]

    # --- what is here ----------------------------------------------------------------------------------------

    def pick(self, kind: int) -> Revision | None:
        """A revision, mostly one that counts now."""
        if kind not in self.pages:
            self.pages[kind] = self.queries.page(kind)
        found = self.pages[kind]
        current = [each for each in found if each.current]
        if current and self.random.random() < 0.7:
            return self.random.choice(current)
        return self.random.choice(found) if found else None

    def any_revision(self) -> Revision | None:
        return self.pick(self.random.choice((OBJECT, ANNOTATION, ANNOTATION, SCHEMA)))

    def body(self) -> bytes:
        return b'{"n":%d}' % self.random.randrange(1000)

    # --- anybody ---------------------------------------------------------------------------------------------

    def object_create(self) -> Event:
        return object_create(self.random.randrange(_UUIDS), f"o{self.random.randrange(30)}")

    def object_update(self) -> Event | None:
        base = self.pick(OBJECT)
        content = sha256(self.random.randbytes(8)).digest()
        return base and ObjectUpdate(base.uuid, base.ref, f"{base.name}+", "image/png", 100, content, content)

    def annotation_create(self) -> Event | None:
        schema, on = self.pick(SCHEMA), self.pick(OBJECT)
        if schema is None or on is None:
            return None
        return annotation_create(self.random.randrange(_UUIDS), schema.ref, on.ref, body=self.body())

    def annotation_update(self) -> Event | None:
        schema, base = self.pick(SCHEMA), self.pick(ANNOTATION)
        if schema is None or base is None:
            return None
        return AnnotationUpdate(base.uuid, base.ref, schema.ref, self.body())

    def schema_create(self) -> Event:
        return schema_create(self.random.choice(_SCHEMAS), self.body())

    def schema_update(self) -> Event | None:
        base = self.pick(SCHEMA)
        return base and SchemaUpdate(str(base.name), base.ref, self.body())

    def delete(self) -> Event | None:
        target = self.any_revision()
        return target and Delete(target.ref)

    def redact(self) -> Event | None:
        """His own, or what happens to be there (an owner may)."""
        target = self.any_revision()
        if target is not None and target.author != self.author and self.random.random() < 0.5:
            mine = self.queries.page(target.kind, author=self.author)
            target = self.random.choice(mine) if mine else target
        return target and Redact(target.ref, "")

    def profile(self) -> Event:
        return Profile(f"somebody {self.random.randrange(9)}")

    def unknown(self) -> Event:
        return UnknownEvent(99, codec.encode([99, self.random.randrange(9), b"x", ["text", None]]))

    # --- reviewers, and those who would like to be ---------------------------------------------------------------

    def review(self) -> Event | None:
        """Decide some of what waits."""
        pending = self.queries.pending(limit=30)
        if not pending:
            return None
        chosen = self.random.sample(pending, min(len(pending), self.random.choice((1, 3, 10))))
        decision = self.random.choice((ACCEPT, ACCEPT, ACCEPT, REJECT))
        return Review(decision, tuple(each.ref for each in chosen), (), "")

    def change_mind(self) -> Event | None:
        """Review once more what was reviewed, in place of the reviews that are here."""
        target = self.any_revision()
        if target is None:
            return None
        superseded = tuple(ref for ref, *_ in self.queries.reviews_of(target.number))
        return Review(self.random.choice((ACCEPT, REJECT)), (target.ref,), superseded, "on second thoughts")

    # --- owners --------------------------------------------------------------------------------------------------

    def grant(self) -> Event:
        role = self.random.choice((OWNER, REVIEWER, REVIEWER, CONTRIBUTOR))
        return Grant(self.random.choice(self.people), role, "somebody")

    def revoke(self) -> Event:
        whom = self.random.choice(self.people)
        return Revoke(whom, self.pins(whom), "")

    def replace_root(self) -> Event:
        """The recovery key's holder only."""
        root = self.authority.root
        return ReplaceRoot(root, self.random.choice(self.people), self.pins(root))

    def pins(self, whom: bytes) -> tuple[Pin, ...]:
        """Of each log of a key: a leaf that is held, or an entry some steps before it."""
        pins: dict[bytes, Pin] = {}
        for head in self.log.heads():
            if head.author == whom and (head.log_id not in pins or self.random.random() < 0.5):
                entry = self.log.entries[head.entry_id]
                for _ in range(self.random.choice((0, 0, 1, 3))):
                    entry = self.log.entries.get(entry.header.prev, entry)
                pins[head.log_id] = Pin(head.log_id, entry.header.seq, entry.entry_id)
        return tuple(pins[log_id] for log_id in sorted(pins))


_Maker = Callable[[_Person], Event | None]
_ANYBODY: tuple[tuple[_Maker, int], ...] = (
    (_Person.object_create, 8),
    (_Person.object_update, 8),
    (_Person.annotation_create, 10),
    (_Person.annotation_update, 14),
    (_Person.schema_create, 2),
    (_Person.schema_update, 4),
    (_Person.delete, 6),
    (_Person.redact, 3),
    (_Person.profile, 1),
    (_Person.unknown, 1),
    (_Person.review, 2),
    (_Person.grant, 1),
    (_Person.revoke, 1),
)
_REVIEWERS: tuple[tuple[_Maker, int], ...] = ((_Person.review, 30), (_Person.change_mind, 6))
_OWNERS: tuple[tuple[_Maker, int], ...] = ((_Person.grant, 5), (_Person.revoke, 4))
