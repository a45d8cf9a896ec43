"""Second half of projecting: folds every touched entity anew, writes what changed, and keeps the State digest.

An entity's fold reads that entity's revisions, deletions and votes and nothing else, so a late arrival costs what it
touches. The rules themselves are in `state.reviews` and `state.revisions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from gonk_node.replica.folding.new_annotations import NewAnnotation
from gonk_node.replica.folding.rivals import say_the_same
from gonk_node.state import digest
from gonk_node.state.authority import Authority
from gonk_node.state.positions import Branch
from gonk_node.state.reviews import UNDECIDED, Decision, Vote, decide
from gonk_node.state.revisions import Deletion, Folded, FoldedEntity, Revision, fold_entity, fold_lone
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_rows import Row, insert_pending_annotations, load_rows, update_rows, write_rows
from gonk_node.store.state_schema import ANNOTATION

Deletions = dict[int, list[tuple[int, int, int]]]  # revision -> (number, branch, seq) of each deletion that names it
Decisions = dict[int, Decision]  # by event; those that are not in it have no votes

_NO_ROWS: Mapping[int, Row] = MappingProxyType({})
_ENTITIES_AT_ONCE = 4000  # bounds memory where one review touches a whole import


class Refolder:
    """Folds entities of one batch under one `Authority`."""

    def __init__(self, db: StateDb, authority: Authority, branches: dict[int, Branch], voted: set[int]) -> None:
        self._db = db
        self._authority = authority
        self._branches = branches
        self._voted = voted
        (any_of_them,) = db.rows(
            "SELECT EXISTS (SELECT 1 FROM votes), EXISTS (SELECT 1 FROM deletions), EXISTS (SELECT 1 FROM conflicts)"
        )
        self._any_votes, self._any_deletions, self._any_conflicts = map(bool, any_of_them)
        self._vouched: dict[tuple[int, int], bool] = {}
        self._counted: list[digest.Counted] = []  # items that come into the State digest, and that leave it
        self._uncounted: list[digest.Counted] = []
        self.digest_change = 0

    def refold(self, kind: int, uuids: set[bytes], new: dict[bytes, list[Row]]) -> None:
        """Fold the entities `uuids` of one type; `new` holds their rows that are not in the database, or changed there."""
        ordered = sorted(uuids)
        for start in range(0, len(ordered), _ENTITIES_AT_ONCE):
            self._refold_some(kind, ordered[start : start + _ENTITIES_AT_ONCE], new)

    def insert_alone(self, annotations: Sequence[NewAnnotation]) -> None:
        """Write new annotations that nothing else is about: each is an entity of one pending revision."""
        rows = []
        counted = []
        place, folded = None, None
        for number, uuid, its_place, schema_no, body in annotations:
            if its_place is not place or folded is None:  # the same for all of one entry
                place = its_place
                folded = fold_lone(number, self._vouched_at(place.branch, place.seq), UNDECIDED)
            rows.append((number, uuid, number, folded.status, folded.shared, schema_no, body))
            if folded.shared is not None:
                counted.append((uuid, place.entry_id, number & 0xFFF, folded.shared))
        insert_pending_annotations(self._db, rows)
        self.digest_change += digest.sum_of(ANNOTATION, counted)

    def _refold_some(self, kind: int, uuids: list[bytes], new: dict[bytes, list[Row]]) -> None:
        old: dict[bytes, dict[int, Row]] = {}
        for row in load_rows(self._db, kind, uuids):
            old.setdefault(row.uuid, {})[row.number] = row
        deletions = self._load_deletions(kind, uuids)
        decided = self._load_decisions(uuids, old, new, deletions)
        inserts: list[Row] = []
        replaces: list[Row] = []
        updates: list[Row] = []
        rivals: dict[bytes, tuple[int, ...]] = {}
        for uuid in uuids:
            stored, fresh = old.get(uuid, _NO_ROWS), new.get(uuid, ())
            if not stored and len(fresh) == 1 and _is_lone(fresh[0], deletions):  # a short cut for imports
                self._apply(fresh[0], self._fold_lone(fresh[0], decided))
                inserts.append(fresh[0])
                continue
            entity = {**stored, **{row.number: row for row in fresh}} if fresh else stored
            folded = self._fold(entity, deletions, decided)
            for result in folded.revisions:
                row = entity[result.number]
                if row.extra is None:
                    was = row.derived()
                    self._apply(row, result)
                    if row.derived() != was:
                        updates.append(row)
                    continue
                before = stored.get(row.number)
                row.shared = None if before is None else before.shared
                self._apply(row, result)
                (inserts if before is None else replaces).append(row)
            if folded.conflict:
                rivals[uuid] = folded.conflict
        inserts.sort(key=_number)  # appending to a table is faster than inserting into it
        write_rows(self._db, kind, inserts, new=True)
        write_rows(self._db, kind, replaces, new=False)
        update_rows(self._db, kind, updates)
        self._write_deletions(deletions, decided)
        self._write_conflicts(kind, uuids, rivals)
        self.digest_change += digest.sum_of(kind, self._counted) - digest.sum_of(kind, self._uncounted)
        self._counted, self._uncounted = [], []

    def _fold(self, entity: Mapping[int, Row], deletions: Deletions, decided: Decisions) -> FoldedEntity:
        if len(entity) == 1:
            (row,) = entity.values()
            if _is_lone(row, deletions):
                return FoldedEntity((self._fold_lone(row, decided),), ())
        return fold_entity([self._revision(row, deletions, decided) for row in entity.values()])

    def _fold_lone(self, row: Row, decided: Decisions) -> Folded:
        return fold_lone(row.number, self._vouched_at(row.branch, row.seq), decided.get(row.number, UNDECIDED))

    def _revision(self, row: Row, deletions: Deletions, decided: Decisions) -> Revision:
        named = deletions.get(row.number, ())
        return Revision(
            row.number,
            row.base,
            row.time_ms,
            row.entry_id,
            row.number & 0xFFF,
            row.live,
            self._vouched_at(row.branch, row.seq),
            decided.get(row.number, UNDECIDED),
            [Deletion(decided.get(number, UNDECIDED), self._vouched_at(branch, seq)) for number, branch, seq in named],
        )

    def _vouched_at(self, branch: int, seq: int) -> bool:
        known = self._vouched.get((branch, seq))
        if known is None:
            known = self._authority.vouched(self._branches[branch].author, branch, seq)
            self._vouched[branch, seq] = known
        return known

    def _apply(self, row: Row, result: Folded) -> None:
        """Give a row what the fold says, and note its items in the State digest: as it was, and as it is."""
        was, now = row.shared, result.shared
        if was != now:
            index = row.number & 0xFFF
            if was is not None:
                self._uncounted.append((row.uuid, row.entry_id, index, was))
            if now is not None:
                self._counted.append((row.uuid, row.entry_id, index, now))
        _, row.version, row.status, row.shared, row.current, row.named, row.root = result

    # --- loading ---------------------------------------------------------------------------------------

    def _load_deletions(self, kind: int, uuids: list[bytes]) -> Deletions:
        """Deletions by the revision that they name: (number, branch, seq) each."""
        found: Deletions = {}
        if self._any_deletions:
            for target, number, branch, seq in self._db.rows_in(
                "SELECT d.target_no, d.event_no, e.branch_no, e.seq FROM deletions d"
                " JOIN entries e ON e.lsn = d.event_no >> 12 WHERE d.entity_type = ? AND d.uuid IN (??)",
                uuids,
                (kind,),
            ):
                found.setdefault(target, []).append((number, branch, seq))
        return found

    def _load_decisions(
        self,
        uuids: list[bytes],
        old: dict[bytes, dict[int, Row]],
        new: dict[bytes, list[Row]],
        deletions: Deletions,
    ) -> Decisions:
        """Decide every event of those entities that has votes."""
        if not self._any_votes:
            return {}
        numbers = {number for stored in old.values() for number in stored}
        numbers.update(number for named in deletions.values() for number, _, _ in named)
        numbers.update(row.number for uuid in uuids for row in new.get(uuid, ()) if row.number in self._voted)
        votes: dict[int, list[Vote]] = {}
        loaded = self._db.rows_in(
            "SELECT v.target_no, v.review_no, r.decision, e.branch_no, e.seq FROM votes v"
            " JOIN reviews r ON r.event_no = v.review_no JOIN entries e ON e.lsn = v.review_no >> 12"
            " WHERE v.target_no IN (??)",
            numbers,
        )
        supersedes = self._load_supersedes({row[1] for row in loaded})
        ranks: dict[int, tuple[bytes, int | None]] = {}
        for target, review, decision, branch, seq in loaded:
            if review not in ranks:
                author = self._branches[branch].author
                ranks[review] = (author, self._authority.review_rank(author, branch, seq))
            author, rank = ranks[review]
            if rank is not None:
                vote = Vote(review, author, rank, decision == 1, supersedes.get(review, ()))
                votes.setdefault(target, []).append(vote)
        approvals = self._authority.approvals
        return {number: decide(found, approvals) for number, found in votes.items()}

    def _load_supersedes(self, reviews: Iterable[int]) -> dict[int, tuple[int, ...]]:
        found: dict[int, tuple[int, ...]] = {}
        for review, superseded in self._db.rows_in(
            "SELECT review_no, superseded_no FROM supersedes WHERE review_no IN (??)", reviews
        ):
            found[review] = (*found.get(review, ()), superseded)
        return found

    # --- writing what is not a row of a revision -------------------------------------------------------

    def _write_deletions(self, deletions: Deletions, decided: Decisions) -> None:
        self._db.many(
            "UPDATE deletions SET decided = ? WHERE event_no = ?",
            [
                (int(decided.get(number, UNDECIDED).decided), number)
                for named in deletions.values()
                for number, _, _ in named
            ],
        )

    def _write_conflicts(self, kind: int, uuids: list[bytes], rivals: dict[bytes, tuple[int, ...]]) -> None:
        if self._any_conflicts:
            self._db.many("DELETE FROM conflicts WHERE entity_type = ? AND uuid = ?", [(kind, uuid) for uuid in uuids])
        differing = [(uuid, numbers) for uuid, numbers in rivals.items() if not say_the_same(self._db, kind, numbers)]
        conflicts = [(kind, uuid, len(numbers)) for uuid, numbers in differing]
        self._db.many("INSERT INTO conflicts VALUES (?, ?, ?)", conflicts)
        self._any_conflicts = self._any_conflicts or bool(conflicts)


def _is_lone(row: Row, deletions: Deletions) -> bool:
    return row.base is None and row.live and row.number not in deletions


def _number(row: Row) -> int:
    return row.number
