"""The authority fold, rules A1 to A7 (spec section 6): which key may do what, at which positions of its logs.

Only positions in logs decide; never clocks, never the order of arrival. Input is the set of authority events held and the
shape of the logs; output is an `Authority`. Nothing is read or stored here, and what reviews decide is for `reviews`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gonk_node.core.events import (
    CONTRIBUTOR,
    OWNER,
    REVIEWER,
    AcceptGrant,
    Grant,
    Pin,
    ReplaceRoot,
    Revoke,
)
from gonk_node.core.ids import EventRef
from gonk_node.state.positions import Act, Logs, Spans
from gonk_node.state.root import OLD_ROOT_STEP, RootLine

Rank = tuple[tuple[int, bytes, bytes, int], ...]  # the path of grants from root: (seq, log id, entry id, index) each


@dataclass(frozen=True, slots=True)
class RoleInfo:
    """What one key holds, for people: its best role, the grant's display name, and whether it is taken or ended."""

    key: bytes
    role: int
    rank: int
    display_name: str
    accepted: bool
    revoked: bool
    grant: EventRef | None


@dataclass(slots=True)
class Authority:
    """The verdict: answers what a key may do at a position. Ranks are dense numbers, 0 highest."""

    root: bytes
    approvals: int
    roles: dict[bytes, RoleInfo] = field(default_factory=dict)
    owner_spans: dict[bytes, Spans] = field(default_factory=dict)
    reviewer_spans: dict[bytes, Spans] = field(default_factory=dict)
    vouched_spans: dict[bytes, Spans] = field(default_factory=dict)
    cut_spans: dict[bytes, Spans] = field(default_factory=dict)
    pinned: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    relevant: set[bytes] = field(default_factory=set)
    awaited: set[bytes] = field(default_factory=set)
    recovery_keys: frozenset[bytes] = frozenset()
    offered: dict[bytes, dict[EventRef, int]] = field(default_factory=dict)  # roles that count once they are accepted
    cut_by_others: dict[bytes, Spans] = field(default_factory=dict)  # up to where a cut key may still revoke itself

    def owns(self, key: bytes, branch: int, seq: int) -> bool:
        """Whether what `key` wrote at that position counts as an owner's act."""
        spans = self.owner_spans.get(key)
        return spans is not None and _within(spans, branch, seq)

    def review_rank(self, key: bytes, branch: int, seq: int) -> int | None:
        """The rank with which a review by `key` at that position counts, None where it does not (A6)."""
        if self.owns(key, branch, seq):
            return self.roles[key].rank
        spans = self.reviewer_spans.get(key)
        if spans is not None and _within(spans, branch, seq):
            return self.roles[key].rank
        return None

    def vouched(self, key: bytes, branch: int, seq: int) -> bool:
        """Whether a proposal of `key` at that position is outside the strangers' quota (A7)."""
        spans = self.vouched_spans.get(key)
        return spans is not None and _within(spans, branch, seq)

    def uncut(self, key: bytes, branch: int, seq: int) -> bool:
        """Whether no honoured revoke cuts `key` off before that position (A9: who may redact what he wrote)."""
        spans = self.cut_spans.get(key)
        return spans is None or _within(spans, branch, seq)

    def within_pins(self, key: bytes, log_id: bytes, seq: int) -> bool:
        """Whether every honoured revoke of `key` pins that log there or later: else no entry there can count."""
        pinned = self.pinned.get(key)
        return pinned is None or seq <= pinned.get(log_id, -1)

    def role_now(self, key: bytes) -> int | None:
        """The role that `key` holds for what it writes next, None for a stranger or a revoked key."""
        info = self.roles.get(key)
        return None if info is None or info.revoked else info.role

    def is_changed_by(self, key: bytes, act: Act) -> bool:
        """Whether this verdict may come out differently with one more authority event, of `key`; never wrongly false.

        Most events cannot: a stranger's, a grant or revoke by one who owns nothing there, an accept of nothing that was
        offered, or whatever a revoked key writes. So nobody without authority makes others fold it again and again.
        """
        event = act.event
        if key not in self.relevant:
            return False
        if isinstance(event, AcceptGrant):
            role = self.offered.get(key, {}).get(act.resolved(event.grant))
            spans = self.owner_spans if role == OWNER else self.reviewer_spans
            accepted = _within(spans.get(key, {}), act.branch, act.seq)
            return role is not None and not accepted and self.uncut(key, act.branch, act.seq)
        if isinstance(event, ReplaceRoot):
            return key in self.recovery_keys
        if self.owns(key, act.branch, act.seq):
            return True
        if isinstance(event, Revoke) and event.key == key:
            return key not in self.cut_by_others or _within(self.cut_by_others[key], act.branch, act.seq)
        return False

    def is_changed_by_branch(self, key: bytes) -> bool:
        """The same for a new log, or a fork, of `key`: of a cut key, only branches with a pinned entry count."""
        return key in self.relevant and key not in self.cut_spans

    def ranked(self) -> list[RoleInfo]:
        """All keys with a role, highest first."""
        return sorted(self.roles.values(), key=lambda info: (info.rank, info.key))


def _within(spans: Spans, branch: int, seq: int) -> bool:
    span = spans.get(branch)
    return span is not None and span[0] <= seq <= span[1]


def _pinned_by_all(cuts: Sequence[tuple[Pin, ...]]) -> dict[bytes, int]:
    """For each log that all of some revokes pin, the sequence number up to which all of them let it count."""
    highest: list[dict[bytes, int]] = []
    for pins in cuts:
        highest.append({})
        for pin in pins:
            highest[-1][pin.log_id] = max(pin.seq, highest[-1].get(pin.log_id, -1))
    first, *rest = highest
    return {
        log_id: min(seq, *(each[log_id] for each in rest)) if rest else seq
        for log_id, seq in first.items()
        if all(log_id in each for each in rest)
    }


def fold_authority(
    approvals: int,
    root_line: RootLine,
    logs: Logs,
    acts: Mapping[bytes, Iterable[Act]],
) -> Authority:
    """Fold all authority events held into what each key may do.

    Args:
        approvals: how many distinct keys must accept, from the genesis.
        root_line: root and those who replaced it, from `root.fold_root`.
        logs: branches, and where entries are.
        acts: the authority events of each key, in any order.

    Returns:
        The same `Authority` for the same set, in whatever order it came.
    """
    return _Fold(approvals, root_line, logs, acts).run()


class _Fold:
    """One run: the queue of owners by rank (A1 to A5), then everyone else (A6, A7)."""

    def __init__(self, approvals: int, root_line: RootLine, logs: Logs, acts: Mapping[bytes, Iterable[Act]]) -> None:
        self.logs = logs
        self.acts = {key: sorted(found, key=Act.order) for key, found in acts.items()}
        self.line = root_line
        self.out = Authority(root_line.keys[-1], approvals, recovery_keys=root_line.recovery_keys)
        self.ranks: dict[bytes, Rank] = {}  # owners that are done
        self.starts: dict[bytes, set[EventRef]] = {}  # honoured owner grants of each key by higher-ranked owners
        self.cuts: dict[bytes, list[tuple[Pin, ...]]] = {}  # what ends each key: revokes that bind it, then its own
        self.grants: dict[bytes, list[tuple[Rank, EventRef, Grant]]] = {}  # every honoured grant, by key
        self.taken: set[tuple[bytes, int]] = set()  # keys with an accept of a grant of that role that counts

    def run(self) -> Authority:
        self._owners()
        self._others()
        self._number_ranks()
        for key, grants in self.grants.items():
            self.out.offered[key] = {ref: grant.role for _, ref, grant in grants if grant.role != CONTRIBUTOR}
        self.out.relevant |= set(self.ranks) | set(self.grants) | set(self.cuts) | self.line.recovery_keys
        return self.out

    # --- A1 to A5: owners, highest rank first ---------------------------------------------------------

    def _owners(self) -> None:
        queue: list[tuple[int, Rank, bytes]] = []
        for back, key in enumerate(reversed(self.line.keys)):
            rank = (OLD_ROOT_STEP,) * back
            heapq.heappush(queue, (len(rank), rank, key))
        while queue:
            _, rank, key = heapq.heappop(queue)  # A2: shorter first, then lexicographic
            if key in self.ranks:
                continue
            self.ranks[key] = rank
            self._end_owner(key)
            spans = self.out.owner_spans[key] = self._owner_spans(key)
            for act in self.acts.get(key, ()):
                if not _within(spans, act.branch, act.seq):
                    continue
                if isinstance(act.event, Revoke):
                    if act.event.key not in self.ranks:  # A4: whoever is done ranks higher; root was done first
                        self.cuts.setdefault(act.event.key, []).append(act.event.pins)
                elif isinstance(act.event, Grant):
                    step = (*rank, (act.seq, act.log_id, act.entry_id, act.index))
                    self.grants.setdefault(act.event.key, []).append((step, act.ref, act.event))
                    if act.event.role == OWNER and act.event.key not in self.ranks:
                        self.starts.setdefault(act.event.key, set()).add(act.ref)
                        heapq.heappush(queue, (len(step), step, act.event.key))

    def _end_owner(self, key: bytes) -> None:
        if key in self.line.pins:  # A5: a replaced root counts up to the pins of its replacement
            self.cuts.setdefault(key, []).append(self.line.pins[key])
            self.out.cut_by_others[key] = {}  # its own revokes do not count
        elif key != self.out.root:
            self._add_own(key)

    def _owner_spans(self, key: bytes) -> Spans:
        if key in self.line.keys:  # A1: all that root writes counts
            return self._cut(self.logs.all_of(key), key)
        return self._accepted_spans(key, OWNER, self.starts[key])

    def _accepted_spans(self, key: bytes, role: int, starts: set[EventRef]) -> Spans:
        """A3: from an accept of an honoured grant on, each in its own log, up to the pins of every revoke."""
        accepts = [
            act
            for act in self.acts.get(key, ())
            if isinstance(act.event, AcceptGrant) and act.resolved(act.event.grant) in starts
        ]
        spans = self._cut(self.logs.from_acts(key, accepts), key)
        if spans:
            self.taken.add((key, role))
        return spans

    def _add_own(self, key: bytes) -> None:
        """A4: a key's revokes of itself count where no other's cuts them off; its own log ends with the revoke."""
        uncut = self._cut(self.logs.all_of(key), key)
        if self.cuts.get(key):
            self.out.cut_by_others[key] = uncut
        for act in self.acts.get(key, ()):
            if isinstance(act.event, Revoke) and act.event.key == key and _within(uncut, act.branch, act.seq):
                pins = [pin for pin in act.event.pins if pin.log_id != act.log_id]
                self.cuts.setdefault(key, []).append((*pins, Pin(act.log_id, act.seq, act.entry_id)))

    def _cut(self, spans: Spans, key: bytes) -> Spans:
        for pins in self.cuts.get(key, ()):
            limit = self.logs.up_to_pins(key, pins, self.out.awaited)
            spans = {
                branch: (low, min(high, limit[branch]))
                for branch, (low, high) in spans.items()
                if branch in limit and low <= limit[branch]
            }
        return spans

    # --- A6, A7: reviewers, and who is vouched for ----------------------------------------------------------

    def _others(self) -> None:
        for key in {*self.grants, *self.cuts} - self.ranks.keys():
            self._add_own(key)
        for key, grants in self.grants.items():
            starts = {ref for _, ref, grant in grants if grant.role == REVIEWER}
            if starts:
                self.out.reviewer_spans[key] = self._accepted_spans(key, REVIEWER, starts)
        for key in {*self.ranks, *self.grants, *self.cuts}:
            spans = self._cut(self.logs.all_of(key), key)
            if key in self.ranks or key in self.grants:
                self.out.vouched_spans[key] = spans
            if self.cuts.get(key):
                self.out.cut_spans[key] = spans
                self.out.pinned[key] = _pinned_by_all(self.cuts[key])

    # --- for people, and dense ranks --------------------------------------------------------------------

    def _number_ranks(self) -> None:
        """Owners by rank, then the rest by their best grant: dense numbers."""
        order: list[tuple[int, int, Rank, bytes, RoleInfo]] = []
        for key in {*self.ranks, *self.grants}:
            grants = sorted(self.grants.get(key, []), key=lambda found: (len(found[0]), found[0]))
            best_role = OWNER if key in self.ranks else min(grant.role for _, _, grant in grants)
            named = [found for found in grants if found[2].role == best_role]
            rank = self.ranks[key] if key in self.ranks else named[0][0]
            info = RoleInfo(
                key,
                best_role,
                0,
                named[0][2].display_name if named else "",
                self._accepted(key, best_role),
                key in self.out.cut_spans,
                named[0][1] if named else None,
            )
            order.append((min(best_role, REVIEWER), len(rank), rank, key, info))
        order.sort(key=lambda row: row[:4])
        for number, (_, _, _, key, info) in enumerate(order):
            self.out.roles[key] = RoleInfo(
                key, info.role, number, info.display_name, info.accepted, info.revoked, info.grant
            )

    def _accepted(self, key: bytes, role: int) -> bool:
        return key in self.line.keys or role == CONTRIBUTOR or (key, role) in self.taken
