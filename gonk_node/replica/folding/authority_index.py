"""Keeps the inputs of the authority fold in memory, and tells when it must run anew.

The fold itself is `state.authority`; this is its incremental shell over `state.db`.
"""

from __future__ import annotations

from collections.abc import Callable

from gonk_node.core.entry import Entry
from gonk_node.core.events import DatasetCreate
from gonk_node.core.heads import Head
from gonk_node.errors import DamagedStoreError
from gonk_node.state.authority import Authority, fold_authority
from gonk_node.state.positions import Act, Branch, Logs, Position
from gonk_node.state.root import RootLine, fold_root
from gonk_node.store.state_db import StateDb
from gonk_node.store.state_schema import split_number

ReadEntry = Callable[[int], Entry]  # lsn -> the stored entry


class AuthorityIndex:
    """Branches, their tips, the authority events held, and the present `Authority`."""

    def __init__(self, db: StateDb, genesis: Entry) -> None:
        first = genesis.stored_events()[0]
        if not isinstance(first, DatasetCreate):
            raise DamagedStoreError("the first entry of the log is no genesis", hint="gonk fsck tells more")
        self._db = db
        self.genesis = first
        self._first_root = genesis.header.author
        self.branches: dict[int, Branch] = {}
        self._tips: dict[tuple[bytes, bytes], dict[bytes, tuple[int, int]]] = {}
        self._acts: dict[bytes, list[Act]] = {}
        self._new_branch_of: set[bytes] = set()
        self.root_line: RootLine
        self.authority: Authority
        self._fold()

    def load(self, read_entry: ReadEntry) -> None:
        """Read everything from `state.db` and the log."""
        self.branches = {
            number: Branch(author, log_id, parent, parent_seq)
            for number, author, log_id, parent, parent_seq in self._db.rows("SELECT * FROM branches")
        }
        self._tips = {}
        for branch, seq, entry_id in self._db.rows(
            "SELECT e.branch_no, e.seq, e.entry_id FROM entries e JOIN"
            " (SELECT branch_no, max(seq) AS seq FROM entries GROUP BY branch_no) t"
            " ON t.branch_no = e.branch_no AND t.seq = e.seq"
        ):
            owner = self.branches[branch]
            self._tips.setdefault((owner.author, owner.log_id), {})[entry_id] = (branch, seq)
        self._acts = {}
        for (number,) in self._db.rows("SELECT event_no FROM acts"):
            lsn, index = split_number(number)
            entry = read_entry(lsn)
            event = entry.stored_events()[index]
            position = self.locate(entry.entry_id)
            if event is None or position is None:
                raise DamagedStoreError("an authority event is missing from the log", hint="gonk fsck tells more")
            header = entry.header
            act = Act(position.branch, position.seq, header.log_id, entry.entry_id, index, event)
            self._acts.setdefault(header.author, []).append(act)
        self._fold()

    def locate(self, entry_id: bytes) -> Position | None:
        """Where an entry is, None where it is not held."""
        row = self._db.one("SELECT branch_no, seq FROM entries WHERE entry_id = ?", (entry_id,))
        return None if row is None else Position(*row)

    def place(self, entry: Entry, flush: Callable[[], None]) -> int:
        """The branch of a new entry: its parent's, or a new one where the log begins or forks there.

        `flush` is called before the parent of a fork is looked up, so that entries of this batch are in the database.
        """
        header = entry.header
        tips = self._tips.setdefault((header.author, header.log_id), {})
        tip = tips.pop(header.prev, None) if header.prev else None
        if tip is None:
            flush()
            parent = self._parent_of(header.prev)
            number = len(self.branches) + 1
            branch = Branch(
                header.author,
                header.log_id,
                None if parent is None else parent.branch,
                -1 if parent is None else parent.seq,
            )
            self.branches[number] = branch
            self._new_branch_of.add(header.author)
            self._db.execute("INSERT INTO branches VALUES (?, ?, ?, ?, ?)", (number, *branch))
            tip = (number, -1)
        tips[entry.entry_id] = (tip[0], header.seq)
        return tip[0]

    def _parent_of(self, prev: bytes) -> Position | None:
        if not prev:
            return None
        parent = self.locate(prev)
        if parent is None:
            raise DamagedStoreError(
                "an entry's predecessor is missing from the State", hint="gonk rebuild DATASET mends it"
            )
        return parent

    def update(self, acts: list[tuple[bytes, Act]], entry_ids: set[bytes]) -> tuple[Authority, Authority] | None:
        """Take in new authority events and entries; returns (before, after) where the fold had to run anew."""
        for author, act in acts:
            self._acts.setdefault(author, []).append(act)
        new_branches, self._new_branch_of = self._new_branch_of, set()
        before = self.authority
        if not (
            any(before.is_changed_by(author, act) for author, act in acts)
            or any(before.is_changed_by_branch(author) for author in new_branches)
            or entry_ids & before.awaited
        ):
            return None
        self._fold()
        return before, self.authority

    def _fold(self) -> None:
        self.root_line = fold_root(self._first_root, self.genesis, self._acts)
        self.authority = fold_authority(
            self.genesis.approvals,
            self.root_line,
            Logs(self.branches, self.locate),
            self._acts,
        )

    def tips(self) -> list[Head]:
        """The last entry of every branch that no other continues: the heads, as the State knows them."""
        return [
            Head(author, log_id, seq, entry_id)
            for (author, log_id), tips in self._tips.items()
            for entry_id, (_, seq) in tips.items()
        ]
