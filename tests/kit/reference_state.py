"""A second implementation of rules A1 to A12, slow and plain, written from the rules and not from the code.

A position is an entry, "at or before" is membership in a set of ancestors, and everything is computed at once from all
entries. `reference_snapshot` gives the tables of `kit.snapshot` that the rules decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from gonk_node.core import events as ev
from gonk_node.core.entry import Entry
from gonk_node.core.event_codec import encode_event
from gonk_node.core.ids import EventRef, schema_uuid
from gonk_node.state import digest
from gonk_node.state.authority import RoleInfo

Ids = frozenset[bytes]
Rank = tuple[tuple[Any, ...], ...]
OBJECT, ANNOTATION, SCHEMA = 0, 1, 2
CREATE_PENDING, CREATE_REJECTED, DELETE_PENDING, DELETE_ACCEPTED = 1, 2, 4, 8
_KIND_OF = {
    ev.ObjectCreate: OBJECT,
    ev.ObjectUpdate: OBJECT,
    ev.AnnotationCreate: ANNOTATION,
    ev.AnnotationUpdate: ANNOTATION,
    ev.SchemaCreate: SCHEMA,
    ev.SchemaUpdate: SCHEMA,
}
_REDACTABLE = (*_KIND_OF, ev.Delete, ev.Profile)


def _by_rank(rank: Rank) -> tuple[int, Rank]:
    return (len(rank), rank)


class ReferenceAuthority:
    """Rules A1 to A7 and A9, over a set of entries whose first is the genesis."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = {entry.entry_id: entry for entry in entries}
        self.genesis = entries[0]
        first = self.genesis.stored_events()[0]
        assert isinstance(first, ev.DatasetCreate)
        self.create = first
        self.cuts: dict[bytes, list[tuple[ev.Pin, ...]]] = {}
        self.ranks: dict[bytes, Rank] = {}
        self.owned: dict[bytes, Ids] = {}
        self.reviewed: dict[bytes, Ids] = {}
        self.grants: dict[bytes, list[tuple[Rank, EventRef, ev.Grant]]] = {}
        self.revokes: dict[bytes, list[tuple[ev.Pin, ...]]] = {}
        self.accepted: set[tuple[bytes, int]] = set()
        self._ancestors: dict[bytes, Ids] = {}
        self._events = self._by_author()
        self._replace_roots()
        self._settle_owners()
        self._settle_others()
        self.roles = self._roles()

    # --- entries ---------------------------------------------------------------------------------------

    def _by_author(self) -> dict[bytes, list[tuple[EventRef, ev.Event]]]:
        found: dict[bytes, list[tuple[EventRef, ev.Event]]] = {}
        for entry in self.entries.values():
            for index, event in enumerate(entry.stored_events()):
                if event is not None:
                    found.setdefault(entry.header.author, []).append((EventRef(entry.entry_id, index), event))
        return found

    def ancestors(self, entry_id: bytes) -> Ids:
        """That entry and all before it in its log."""
        if entry_id not in self._ancestors:
            prev = self.entries[entry_id].header.prev
            before = self.ancestors(prev) if prev else frozenset()
            self._ancestors[entry_id] = before | {entry_id}
        return self._ancestors[entry_id]

    def written(self, key: bytes) -> Ids:
        """All entries of a key."""
        return frozenset(i for i, entry in self.entries.items() if entry.header.author == key)

    def acts(self, key: bytes, kind: type, within: Ids) -> list[tuple[EventRef, Any]]:
        """The events of a kind that a key wrote in those entries."""
        return [row for row in self._events.get(key, ()) if isinstance(row[1], kind) and row[0].entry_id in within]

    def before_pins(self, key: bytes, pins: Iterable[ev.Pin]) -> Ids:
        """The entries of a key at or before pins; a pin that is not held, or no entry of that log, pins nothing."""
        found: set[bytes] = set()
        for pin in pins:
            entry = self.entries.get(pin.entry_id)
            if entry is not None and (entry.header.author, entry.header.log_id) == (key, pin.log_id):
                found |= self.ancestors(pin.entry_id)
        return frozenset(found)

    def uncut(self, key: bytes) -> Ids:
        """The entries of a key that no revoke which binds it cuts off."""
        left = self.written(key)
        for pins in self.cuts.get(key, ()):
            left &= self.before_pins(key, pins)
        return left

    # --- A5: the line of roots ---------------------------------------------------------------------------

    def _replace_roots(self) -> None:
        self.roots = [self.genesis.header.author]
        self.replaced: dict[bytes, tuple[ev.Pin, ...]] = {}
        everything = frozenset(self.entries)
        signers: dict[ev.ReplaceRoot, set[bytes]] = {}
        for key in self.create.recovery_keys:
            for _, event in self.acts(key, ev.ReplaceRoot, everything):
                signers.setdefault(event, set()).add(key)
        while self.create.recovery_threshold:
            agreed = [
                event
                for event, keys in signers.items()
                if len(keys) >= self.create.recovery_threshold
                and event.old_root == self.roots[-1]
                and event.new_root not in self.roots
            ]
            if not agreed:
                break
            event = min(agreed, key=encode_event)
            self.replaced[event.old_root] = event.pins
            self.roots.append(event.new_root)

    # --- A1 to A4: owners --------------------------------------------------------------------------------

    def _settle_owners(self) -> None:
        line = list(reversed(self.roots))
        queue: list[tuple[Rank, bytes]] = [(((-1, b"", b"", 0),) * back, key) for back, key in enumerate(line)]
        owner_grants: dict[bytes, set[EventRef]] = {}
        while queue:
            queue.sort(key=lambda row: _by_rank(row[0]))
            rank, key = queue.pop(0)
            if key in self.ranks:
                continue
            self.ranks[key] = rank
            if key in self.replaced:
                self.cuts.setdefault(key, []).append(self.replaced[key])
            elif key != self.roots[-1]:
                self._apply_own_revokes(key)
            if key in self.roots:
                self.owned[key] = self.uncut(key)
            else:
                self.owned[key] = self._from_accepts(key, ev.OWNER, owner_grants[key])
            for _, revoke in self.acts(key, ev.Revoke, self.owned[key]):
                self.revokes.setdefault(revoke.key, []).append(revoke.pins)
                if revoke.key not in self.ranks:
                    self.cuts.setdefault(revoke.key, []).append(revoke.pins)
            for ref, grant in self.acts(key, ev.Grant, self.owned[key]):
                header = self.entries[ref.entry_id].header
                step = (*rank, (header.seq, header.log_id, ref.entry_id, ref.index))
                self.grants.setdefault(grant.key, []).append((step, ref, grant))
                if grant.role == ev.OWNER and grant.key not in self.ranks:
                    owner_grants.setdefault(grant.key, set()).add(ref)
                    queue.append((step, grant.key))

    def _from_accepts(self, key: bytes, role: int, grants: set[EventRef]) -> Ids:
        accepts = set()
        for ref, event in self.acts(key, ev.AcceptGrant, self.written(key)):
            cited = event.grant if event.grant.entry_id else EventRef(ref.entry_id, event.grant.index)
            if cited in grants:
                accepts.add(ref.entry_id)
        found = frozenset(i for i in self.uncut(key) if self.ancestors(i) & accepts)
        if found:
            self.accepted.add((key, role))
        return found

    def _apply_own_revokes(self, key: bytes) -> None:
        for ref, event in self.acts(key, ev.Revoke, self.uncut(key)):
            if event.key == key:
                log_id = self.entries[ref.entry_id].header.log_id
                pins = [pin for pin in event.pins if pin.log_id != log_id]
                self.cuts.setdefault(key, []).append((*pins, ev.Pin(log_id, 0, ref.entry_id)))

    # --- A6, A7 --------------------------------------------------------------------------------------------

    def _settle_others(self) -> None:
        for key in {*self.grants, *self.revokes} - self.ranks.keys():
            self.cuts[key] = list(self.revokes.get(key, ()))
            self._apply_own_revokes(key)
        for key, grants in self.grants.items():
            starts = {ref for _, ref, grant in grants if grant.role == ev.REVIEWER}
            self.reviewed[key] = self._from_accepts(key, ev.REVIEWER, starts)

    def _roles(self) -> list[RoleInfo]:
        rows: list[tuple[Any, ...]] = []
        for key in {*self.ranks, *self.grants}:
            owner = key in self.ranks
            role = ev.OWNER if owner else min(grant.role for _, _, grant in self.grants[key])
            best = min(
                (g for g in self.grants.get(key, ()) if g[2].role == role), key=lambda g: _by_rank(g[0]), default=None
            )
            rank = self.ranks[key] if owner or best is None else best[0]
            accepted = key in self.roots or role == ev.CONTRIBUTOR or (key, role) in self.accepted
            rows.append((not owner, *_by_rank(rank), key, role, best, accepted))
        rows.sort(key=lambda row: row[:4])
        return [
            RoleInfo(
                key=row[3],
                role=row[4],
                rank=number,
                display_name=row[5][2].display_name if row[5] else "",
                accepted=row[6],
                revoked=bool(self.cuts.get(row[3])),
                grant=row[5][1] if row[5] else None,
            )
            for number, row in enumerate(rows)
        ]

    # --- verdicts ------------------------------------------------------------------------------------------

    @cache  # noqa: B019 - lives as long as one comparison
    def at(self, entry_id: bytes) -> tuple[bool, int | None, bool, bool]:
        """Of an entry: whether it is an owner's, the rank of its reviews, whether it is vouched for, and not cut off."""
        key = self.entries[entry_id].header.author
        owns = entry_id in self.owned.get(key, ())
        reviews = owns or entry_id in self.reviewed.get(key, ())
        rank = next(info.rank for info in self.roles if info.key == key) if reviews else None
        uncut = entry_id in self.uncut(key)
        return owns, rank, uncut and (key in self.ranks or key in self.grants), uncut


class ReferenceState:
    """Rules A8 to A12 for all entities."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.authority = ReferenceAuthority(entries)
        self.entries = self.authority.entries
        self.dataset = entries[0].dataset
        self.events: dict[EventRef, ev.Event] = {}
        self.missing: set[EventRef] = set()
        for entry in entries:
            for index, event in enumerate(entry.stored_events()):
                ref = EventRef(entry.entry_id, index)
                if event is None:
                    self.missing.add(ref)
                else:
                    self.events[ref] = event
        self.redactions = self._redact()
        self.votes = self._votes()
        self.revisions = {ref: event for ref, event in self.events.items() if type(event) in _KIND_OF}
        self.deletions = self._deletions()

    def absolute(self, at: EventRef, ref: EventRef) -> EventRef:
        """A reference made by the event `at`."""
        return ref if ref.entry_id else EventRef(at.entry_id, ref.index)

    def author(self, ref: EventRef) -> bytes:
        return self.entries[ref.entry_id].header.author

    # --- A9 ------------------------------------------------------------------------------------------------

    def _redact(self) -> list[tuple[EventRef, bytes, int, int]]:
        rows = []
        for at, event in list(self.events.items()):
            if isinstance(event, ev.Redact):
                target = self.absolute(at, event.target)
                honoured = target in self.missing or isinstance(self.events.get(target), _REDACTABLE)
                if honoured:
                    owns, _, _, uncut = self.authority.at(at.entry_id)
                    honoured = owns or (uncut and self.author(at) == self.author(target))
                rows.append((at, *target, int(honoured)))
        for _, entry_id, index, honoured in rows:
            if honoured:
                self.events.pop(EventRef(entry_id, index), None)
                self.missing.add(EventRef(entry_id, index))
        return rows

    # --- A8 ------------------------------------------------------------------------------------------------

    def _votes(self) -> dict[EventRef, list[EventRef]]:
        votes: dict[EventRef, list[EventRef]] = {}
        for at, event in self.events.items():
            if isinstance(event, ev.Review) and self.authority.at(at.entry_id)[1] is not None:
                for target in {self.absolute(at, each) for each in event.events}:
                    votes.setdefault(target, []).append(at)
        return votes

    @cache  # noqa: B019
    def decide(self, ref: EventRef) -> tuple[str, int, bool]:
        """(pending, accepted or rejected; rank of the highest who accepted; whether any accept names it)."""
        reviews = {at: self.events[at] for at in self.votes.get(ref, ())}
        rank = {at: self.authority.at(at.entry_id)[1] or 0 for at in reviews}
        accepts = {at for at, review in reviews.items() if review[0] == ev.ACCEPT}
        dropped = {
            old
            for at, review in reviews.items()
            for old in (self.absolute(at, each) for each in review[2])
            if old in reviews and (self.author(old) == self.author(at) or rank[at] < rank[old])
        }
        by_key: dict[bytes, set[bool]] = {}
        for at in reviews.keys() - dropped:
            by_key.setdefault(self.author(at), set()).add(at in accepts)
        clear = {key: votes.pop() for key, votes in by_key.items() if len(votes) == 1}
        ranks = {self.author(at): rank[at] for at in reviews}
        if not clear:
            return "pending", 2**31, bool(accepts)
        if not clear[min(clear, key=lambda key: ranks[key])]:
            return "rejected", 2**31, bool(accepts)
        accepting = [ranks[key] for key, accept in clear.items() if accept]
        if len(accepting) < self.authority.create.approvals:
            return "pending", 2**31, bool(accepts)
        return "accepted", min(accepting), bool(accepts)

    # --- A10 to A12 ------------------------------------------------------------------------------------------

    def kind(self, ref: EventRef) -> int | None:
        return _KIND_OF.get(type(self.events.get(ref)))

    def uuid(self, ref: EventRef) -> bytes:
        event: Any = self.events[ref]
        return schema_uuid(self.dataset, event.name) if self.kind(ref) == SCHEMA else event.uuid

    def base(self, ref: EventRef) -> EventRef | int | None:
        """The revision that it was made from: None for a first one, -1 where that is not held."""
        event: Any = self.events[ref]
        if not hasattr(event, "base"):
            return None
        base = self.absolute(ref, event.base)
        fits = self.kind(base) == self.kind(ref) and self.uuid(base) == self.uuid(ref)
        return base if fits else -1

    def live(self, ref: EventRef) -> bool:
        """Whether the schema and the objects that it names are held."""
        event: Any = self.events[ref]
        if self.kind(ref) != ANNOTATION:
            return True
        objects = [self.absolute(ref, each) for each in getattr(event, "objects", ())]
        return self.kind(self.absolute(ref, event.schema)) == SCHEMA and all(self.kind(o) == OBJECT for o in objects)

    def line(self, ref: EventRef) -> list[EventRef] | None:
        """The revision and what it is built on, down to the first; None where something of that is not held."""
        line = [ref]
        while True:
            if not self.live(line[-1]):
                return None
            base = self.base(line[-1])
            if base is None:
                return line
            if not isinstance(base, EventRef) or base in line:
                return None
            line.append(base)

    def _deletions(self) -> list[tuple[EventRef, EventRef | None]]:
        rows: list[tuple[EventRef, EventRef | None]] = []
        for at, event in self.events.items():
            if isinstance(event, ev.Delete):
                target = self.absolute(at, event.target)
                rows.append((at, target if target in self.revisions else None))
        return rows

    def statuses(self, ref: EventRef) -> tuple[int, int | None]:
        """The status set, and what of it every node holds."""
        decided, _, cited = self.decide(ref)
        status = shared = {"pending": CREATE_PENDING, "accepted": 0, "rejected": CREATE_REJECTED}[decided]
        for at, target in self.deletions:
            if target == ref:
                decided, _, named = self.decide(at)
                bit = {"pending": DELETE_PENDING, "accepted": DELETE_ACCEPTED, "rejected": 0}[decided]
                status |= bit
                shared |= bit if named or self.vouched(at) else 0
        return status, shared if cited or self.vouched(ref) else None

    def vouched(self, ref: EventRef) -> bool:
        return self.authority.at(ref.entry_id)[2]

    def time(self, ref: EventRef) -> int:
        return self.entries[ref.entry_id].header.time_ms

    def snapshot(self) -> dict[str, Any]:
        tables: tuple[list[Any], ...] = ([], [], [])
        links, conflicts, total = set(), [], 0
        entities: dict[tuple[int, bytes], list[EventRef]] = {}
        for ref in self.revisions:
            kind = _KIND_OF[type(self.events[ref])]
            entities.setdefault((kind, self.uuid(ref)), []).append(ref)
        for (kind, uuid), refs in entities.items():
            lines = {ref: self.line(ref) for ref in refs}
            status = {ref: self.statuses(ref) for ref in refs}
            good = {ref for ref, line in lines.items() if line is not None and not status[ref][0] & 11}
            leaves = {ref for ref in good if not any(ref in (lines[other] or [])[1:] for other in good)}
            if len({self._says(kind, ref, lines[ref]) for ref in leaves}) > 1:
                conflicts.append((kind, uuid, len(leaves)))
            depth = {ref: None if line is None else len(line) - 1 for ref, line in lines.items()}
            current = min(leaves, key=lambda r: (self.decide(r)[1], -(depth[r] or 0), -self.time(r), r), default=None)
            named = {}
            for ref in refs:
                bits = status[ref][0]
                order = (2 if bits & 3 else 1 if bits & DELETE_ACCEPTED else 0, self.time(ref), ref)
                named[depth[ref]] = min(named.get(depth[ref], order), order)
            for ref in refs:
                line, bits = lines[ref], status[ref]
                shared = None if line is None else bits[1]
                if shared is not None:
                    total = digest.add(total, digest.item(kind, uuid, *ref, shared))
                names = line is not None and named[depth[ref]][2] == ref
                root = None if line is None else line[-1]
                derived = (int(self.live(ref)), depth[ref], bits[0], shared, int(ref == current), int(names))
                own = self._own(kind, ref)
                tables[kind].append((ref, self.base(ref), root, uuid, *derived, *own))
                if self.live(ref):
                    objects = getattr(self.events[ref], "objects", ())
                    links |= {(self.absolute(ref, each), ref) for each in objects}
        return self._as_tables(tables, links, conflicts, total)

    def _own(self, kind: int, ref: EventRef) -> tuple[Any, ...]:
        event: Any = self.events[ref]
        if kind == OBJECT:
            return (event.name, event.media_type, event.size, event.content_id, event.sha256)
        if kind == SCHEMA:
            return (event.name, event.body)
        schema = self.absolute(ref, event.schema)
        return (schema if self.kind(schema) == SCHEMA else None, event.body)

    def _says(self, kind: int, ref: EventRef, line: Any) -> Any:
        """What a revision says, for finding out whether two say the same."""
        own = self._own(kind, ref)
        if kind != ANNOTATION:
            return own
        schema, body = own
        root = line[-1]
        named = [self.absolute(root, each) for each in getattr(self.events[root], "objects", ())]
        hangs_on = frozenset((self.uuid(each), self.events[each].content_id) for each in named)
        return (hangs_on, body, self.uuid(schema), self.events[schema].body)

    def _as_tables(self, tables: Any, links: Any, conflicts: Any, total: int) -> dict[str, Any]:
        decided = {"pending": 0, "accepted": 1, "rejected": 2}
        deletions = [
            (at, None, None, None, 0)
            if target is None
            else (at, target, self.kind(target), self.uuid(target), decided[self.decide(at)[0]])
            for at, target in self.deletions
        ]
        profiles = [(at, self.author(at), e.display_name) for at, e in self.events.items() if isinstance(e, ev.Profile)]
        rows = {
            "objects": tables[OBJECT],
            "annotations": tables[ANNOTATION],
            "schemas": tables[SCHEMA],
            "annotation_objects": links,
            "deletions": deletions,
            "conflicts": conflicts,
            "redactions": self.redactions,
            "withheld": [(ref,) for ref in self.missing],
            "profiles": profiles,
        }
        return {
            **{table: set(found) for table, found in rows.items()},
            "digest": digest.digest_of(total),
            "root": self.authority.roots[-1],
            "roles": self.authority.roles,
            "positions": {entry_id: self.authority.at(entry_id) for entry_id in self.entries},
        }


def reference_snapshot(entries: Sequence[Entry]) -> dict[str, Any]:
    """The tables that the rules decide, from all entries held (the genesis first, with the bodies that are held)."""
    return ReferenceState(entries).snapshot()
