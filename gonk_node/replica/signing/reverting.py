"""Undoing what somebody proposed, and others accepted: as ordinary proposals, planned first, signed then.

Nothing is taken out of the log: what stands is proposed to be deleted, what was deleted is proposed once more. What others
built on is left, and told. Reviews, roles and releases are not undone here. Planning only reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gonk_node.core.events import Event, ObjectUpdate, SchemaUpdate
from gonk_node.core.ids import EventRef, parse_hash
from gonk_node.errors import AmbiguousError, NotFoundError, RefusedError, UsageError, WrongStateError
from gonk_node.replica.history.entity_log import annotations_on
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.state.reviews import Decided
from gonk_node.state.revisions import CREATE_PENDING, CREATE_REJECTED, DELETE_ACCEPTED
from gonk_node.state.undoing import Node, Undoing, undo
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import ANNOTATION, OBJECT, SCHEMA, TABLES, split_number

_FALLEN = CREATE_PENDING | CREATE_REJECTED | DELETE_ACCEPTED
_CHOSEN = (
    " FROM entries e JOIN branches b USING (branch_no)"
    " JOIN {} t ON t.event_no BETWEEN e.lsn << 12 AND (e.lsn << 12) + 4095 WHERE {}"
)
_OTHERS = ("reviews", "acts", "releases")


class Chosen(NamedTuple):
    """What is to be undone: what all of these hold of; None: whatever.

    Attributes:
        author: proposed by that key.
        entry_id: signed in that entry.
        since_ms: whose author states that time or a later one, milliseconds since 1970 UTC.
    """

    author: bytes | None = None
    entry_id: bytes | None = None
    since_ms: int | None = None

    def clause(self) -> tuple[str, list[Any]]:
        """The condition in SQL, with its parameters."""
        wanted = [("b.author = ?", self.author), ("e.entry_id = ?", self.entry_id), ("e.time_ms >= ?", self.since_ms)]
        given = [(text, value) for text, value in wanted if value is not None]
        if not given:
            raise UsageError("say what is to be undone", hint="--author KEY, --entry ENTRY or --since TIME")
        return " AND ".join(text for text, _ in given), [value for _, value in given]


class Step(NamedTuple):
    """One undoing: to delete a revision that stands, or to bring back one that was deleted.

    Attributes:
        revision: what to delete, or to bring back.
        is_restore: to bring it back.
        waiting: how many proposals of others on top of it, or which hang on it, nobody has decided yet.
        deletions: the accepted deletions of a revision to bring back; who rejects these with --supersede has it as it was.
        proposed: the events that propose this undoing, once there are any.
    """

    revision: Revision
    is_restore: bool
    waiting: int = 0
    deletions: tuple[EventRef, ...] = ()
    proposed: tuple[EventRef, ...] = ()


class Kept(NamedTuple):
    """A revision that stays as it is, and why."""

    revision: Revision
    why: str


@dataclass(slots=True)
class Plan:
    """What reverting would do.

    Attributes:
        steps: to be proposed; annotations first.
        kept: chosen, but others built on it.
        asked: proposed already, by this person or somebody with a role: each with these events.
        undecided: how many chosen proposals nobody has decided; to be rejected, not reverted. Without those of `asked`, and
            without what waits for what is not here, which has no effect.
        others: how many chosen events are of a sort that is not undone here, by table: reviews, acts, releases.
    """

    steps: list[Step] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    asked: list[Step] = field(default_factory=list)
    undecided: int = 0
    others: dict[str, int] = field(default_factory=dict)


def find_entry(db: StateDb, text: str) -> bytes:
    """The entry whose id begins so (16 hex digits or more, as `gonk log` shows them); NotFoundError, AmbiguousError."""
    low = text.lower()
    if not 16 <= len(low) <= 64 or low.strip("0123456789abcdef"):
        raise UsageError(f"{text!r} is no id of an entry", hint="gonk log DATASET shows them: 16 hex digits or more")
    bounds = parse_hash(low.ljust(64, "0")), parse_hash(low.ljust(64, "f"))
    rows = db.rows("SELECT entry_id FROM entries WHERE entry_id BETWEEN ? AND ? LIMIT 2", bounds)
    if not rows:
        raise NotFoundError(f"there is no entry {text}", hint="gonk log DATASET shows what there is")
    if len(rows) > 1:
        raise AmbiguousError(f"several entries begin with {text}", hint="give all 64 digits")
    return bytes(rows[0][0])


class _Deletions(NamedTuple):
    """The deletions of the revisions of one entity, by revision, with their local numbers: accepted, and asked for by us."""

    accepted: dict[int, list[tuple[int, EventRef]]]
    asked: dict[int, list[tuple[int, EventRef]]]


class Reverting:
    """Plans, and signs for one author what was planned.

    Args:
        queries: of the dataset's State.
        db: the same State.
        is_ours: whether a key's proposals need not be repeated: this person's, and those of keys with a role.
    """

    def __init__(self, queries: Queries, db: StateDb, is_ours: Callable[[bytes], bool]) -> None:
        self._queries = queries
        self._db = db
        self._is_ours = is_ours
        self._going: set[int] = set()  # revisions that the plan deletes
        self._asked: set[int] = set()  # events by which its undoings are proposed already

    # --- planning ---------------------------------------------------------------------------------------

    def plan(self, chosen: Chosen) -> Plan:
        """What undoing that takes; nothing is signed. UsageError where nothing is chosen."""
        where, parameters = chosen.clause()
        plan = Plan()
        self._going, self._asked = set(), set()
        deletions = self._rows("deletions", "t.event_no, t.entity_type, t.uuid, t.decided", where, parameters)
        undecided = {number for number, *_, decided in deletions if decided == 0}
        undone = {number for number, _, _, decided in deletions if decided == 1}
        for kind in (ANNOTATION, OBJECT, SCHEMA):  # what hangs on others goes first
            rows = self._rows(TABLES[kind], "t.event_no, t.uuid, t.status, t.version IS NULL", where, parameters)
            undecided |= {number for number, _, status, waits in rows if status & CREATE_PENDING and not waits}
            made = {number for number, *_ in rows}
            uuids = [uuid for _, uuid, status, waits in rows if not waits and not status & _FALLEN]
            uuids += [uuid for number, of, uuid, _ in deletions if of == kind and number in undone]
            for uuid in dict.fromkeys(uuids):
                self._plan_entity(plan, kind, uuid, made, undone)
        plan.undecided = len(undecided - self._asked)
        plan.others = {
            table: count for table in _OTHERS if (count := len(self._rows(table, "t.event_no", where, parameters)))
        }
        return plan

    def _rows(self, table: str, columns: str, where: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        return self._db.rows(f"SELECT {columns}{_CHOSEN.format(table, where)} ORDER BY t.event_no", parameters)

    def _plan_entity(self, plan: Plan, kind: int, uuid: bytes, made: set[int], undone: set[int]) -> None:
        revisions = {each.number: each for each in self._queries.revisions(kind, uuid) if each.version is not None}
        deletions = self._deletions(uuid)
        found = undo(
            [
                Node(
                    number,
                    each.base,
                    not each.status & (CREATE_PENDING | CREATE_REJECTED),
                    number in made,
                    tuple(deletion in undone for deletion, _ in deletions.accepted.get(number, ())),
                )
                for number, each in revisions.items()
            ]
        )
        self._take(plan, revisions, found, deletions)

    def _deletions(self, uuid: bytes) -> _Deletions:
        found = _Deletions({}, {})
        for number, target, decided, entry_id, author in self._db.rows(
            "SELECT d.event_no, d.target_no, d.decided, e.entry_id, b.author FROM deletions d"
            " JOIN entries e ON e.lsn = d.event_no >> 12 JOIN branches b USING (branch_no)"
            " WHERE d.uuid = ? ORDER BY d.event_no",
            (uuid,),
        ):
            ref = EventRef(entry_id, split_number(number)[1])
            if decided == Decided.ACCEPTED:
                found.accepted.setdefault(target, []).append((number, ref))
            elif decided == Decided.PENDING and self._is_ours(author):
                found.asked.setdefault(target, []).append((number, ref))
        return found

    def _take(self, plan: Plan, revisions: dict[int, Revision], found: Undoing, deletions: _Deletions) -> None:
        back = self._is_back(revisions, found)
        pending_on = Counter(each.base for each in revisions.values() if each.status & CREATE_PENDING)
        for number in found.delete:
            if number == back:
                continue
            revision = revisions[number]
            standing, waiting = self._hanging_on(revision)
            if standing:
                what = "hang on it" if revision.kind == OBJECT else "follow it"
                plan.kept.append(Kept(revision, f"annotations that stay {what}: {standing:,}"))
                continue
            self._going.add(number)
            waiting += pending_on[number]
            asked = deletions.asked.get(number, [])
            self._asked.update(event for event, _ in asked)
            step = Step(revision, is_restore=False, waiting=waiting, proposed=tuple([ref for _, ref in asked]))
            (plan.asked if asked else plan.steps).append(step)
        for number, other in found.built_on.items():
            plan.kept.append(Kept(revisions[number], f"version {revisions[other].version} was built on it"))
        for number, other in found.outdone.items():
            why = f"it was deleted, but version {revisions[other].version} counts now"
            plan.kept.append(Kept(revisions[number], why))
        if found.restore is not None and back is None:
            accepted = deletions.accepted.get(found.restore, ())
            self._take_restore(plan, revisions, revisions[found.restore], tuple([ref for _, ref in accepted]))

    def _is_back(self, revisions: dict[int, Revision], found: Undoing) -> int | None:
        """Of what is to be deleted the revision that says again what is to be restored, and was built on that.

        That is a restoring that was accepted: who reverts since a time would else undo it the next time, and do it anew.
        """
        if found.restore is None:
            return None
        lost = revisions[found.restore]
        for number in found.delete:
            if _content(revisions[number]) != _content(lost):
                continue
            base = revisions[number].base
            while base is not None and base in revisions and base != lost.number:
                base = revisions[base].base
            if base == lost.number:
                return number
        return None

    def _take_restore(
        self, plan: Plan, revisions: dict[int, Revision], lost: Revision, deletions: tuple[EventRef, ...]
    ) -> None:
        on_it = [each for each in revisions.values() if each.base == lost.number and each.status & CREATE_PENDING]
        same = [each for each in on_it if _content(each) == _content(lost) and self._is_ours(each.author)]
        step = Step(lost, is_restore=True, waiting=len(on_it) - bool(same), deletions=deletions)
        if same:
            first = min(same, key=lambda each: each.number)  # accepted, two would be a conflict
            self._asked.add(first.number)
            plan.asked.append(step._replace(proposed=(first.ref,)))
            return
        rivals = [] if lost.content_id is None else self._queries.objects_by_content(lost.content_id)
        if any(each.uuid != lost.uuid and not each.status & _FALLEN for each in rivals):
            plan.kept.append(Kept(lost, "it was deleted, but another object has its content now"))
            return
        plan.steps.append(step)

    def _hanging_on(self, revision: Revision) -> tuple[int, int]:
        """How many annotations of others that stand, and that wait, need an object or schema revision."""
        if revision.kind == ANNOTATION:
            return 0, 0
        if revision.kind == OBJECT:
            numbers = annotations_on(self._db, {revision.number})
            rows = self._db.rows_in("SELECT event_no, status FROM annotations WHERE event_no IN (??)", numbers)
        else:
            rows = self._db.rows("SELECT event_no, status FROM annotations WHERE schema_no = ?", (revision.number,))
        left = [status for number, status in rows if number not in self._going]
        return sum(not status & _FALLEN for status in left), sum(bool(status & CREATE_PENDING) for status in left)

    # --- signing ----------------------------------------------------------------------------------------

    def sign(self, plan: Plan, author: Author) -> tuple[list[Step], list[tuple[Step, RefusedError]]]:
        """Propose what was planned; the steps proposed, with their events, and those that the rules refuse, with the reason.

        Nothing is signed where the plan has no steps.
        """
        proposer = Proposer(author)
        proposed: list[Step] = []
        refused: list[tuple[Step, RefusedError]] = []
        after_ms = max((step.revision.time_ms for step in plan.steps), default=0)

        def events() -> Iterator[Event]:
            for step in plan.steps:
                try:
                    event = _restored(proposer, step.revision) if step.is_restore else proposer.deletion(step.revision)
                except RefusedError as error:
                    refused.append((step, error))
                    continue
                proposed.append(step)
                yield event

        refs = [ref for group in author.sign_many(events(), after_ms=after_ms) for ref in group]
        return [step._replace(proposed=(ref,)) for step, ref in zip(proposed, refs, strict=True)], refused


def _content(revision: Revision) -> tuple[Any, ...]:
    return (revision.name, revision.media_type, revision.content_id, revision.schema_no, revision.body)


def _restored(proposer: Proposer, lost: Revision) -> Event:
    """A new revision with the content of a deleted one, built on that."""
    if lost.kind == ANNOTATION:
        return proposer.annotation_update(lost, None, lost.body or b"", as_gonk=True)
    if lost.kind == SCHEMA:
        return SchemaUpdate(lost.name or "", lost.ref, lost.body or b"")
    if lost.content_id is None or lost.sha256 is None:
        raise WrongStateError("this object has no content to restore", where=lost.event)
    return ObjectUpdate(
        lost.uuid, lost.ref, lost.name or "", lost.media_type or "", lost.size or 0, lost.content_id, lost.sha256
    )
