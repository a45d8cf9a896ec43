"""The heads that a release made now stands on: of each log, as far as it counts.

That is what is vouched for, and of strangers' logs what lies at or before an entry that an honoured accept cites, or that
decides something (a redaction, a recovery key's). The rest some nodes refuse for their quotas; they could not verify it.
"""

from __future__ import annotations

from gonk_node.core.events import ReleaseHead
from gonk_node.core.limits import HEADS_PER_EVENT_MAX
from gonk_node.errors import WrongStateError
from gonk_node.replica.replica import Replica

_CITED = (
    "SELECT e.seq, b.author, re.branch_no, re.seq FROM entries e"
    " JOIN votes v ON v.target_no BETWEEN e.lsn << 12 AND (e.lsn << 12) + 4095"
    " JOIN reviews r ON r.event_no = v.review_no AND r.decision = 1"
    " JOIN entries re ON re.lsn = v.review_no >> 12 JOIN branches b ON b.branch_no = re.branch_no"
    " WHERE e.branch_no = ? AND e.seq <= ? ORDER BY e.seq DESC"
)

_REDACTING = (
    "SELECT max(e.seq) FROM redactions r JOIN entries e ON e.lsn = r.event_no >> 12"
    " WHERE r.honoured AND e.branch_no = ? AND e.seq <= ?"
)
_ACTING = (
    "SELECT max(e.seq) FROM acts a JOIN entries e ON e.lsn = a.event_no >> 12 WHERE e.branch_no = ? AND e.seq <= ?"
)


def release_heads(replica: Replica) -> tuple[ReleaseHead, ...]:
    """The heads, ascending, as a release.create holds them: of what the State has folded, whatever the log has besides.

    Raises:
        WrongStateError: there are more logs than a release can name.
    """
    tips = replica.projection.index.tips()
    found = {head for tip in tips if (head := _head_below(replica, tip.entry_id)) is not None}
    if len(found) > HEADS_PER_EVENT_MAX:
        raise WrongStateError(
            f"a release names at most {HEADS_PER_EVENT_MAX:,} logs, and this dataset has {len(found):,} that count"
        )
    return tuple(sorted(found))


def _head_below(replica: Replica, leaf: bytes) -> ReleaseHead | None:
    """The last entry at or before a leaf that counts, if any."""
    index = replica.projection.index
    position = index.locate(leaf)
    number, seq = (None, -1) if position is None else position
    while number is not None:
        branch = index.branches[number]
        last = _vouched_up_to(replica, branch.author, number, seq)
        if last < seq:
            last = max(last, _cited_up_to(replica, number, seq), _deciding_up_to(replica, number, seq))
        if last >= 0:
            row = replica.db.one("SELECT entry_id FROM entries WHERE branch_no = ? AND seq = ?", (number, last))
            return None if row is None else ReleaseHead(branch.author, branch.log_id, last, row[0])
        number, seq = branch.parent, branch.parent_seq
    return None


def _vouched_up_to(replica: Replica, author: bytes, branch: int, seq: int) -> int:
    """The last place at or before `seq` of a branch that is vouched for (A7); -1: none is."""
    first, last = replica.authority.vouched_spans.get(author, {}).get(branch, (0, -1))
    begin = replica.projection.index.branches[branch].parent_seq + 1  # a branch has no entries before it
    last = min(last, seq)
    return last if last >= max(first, begin) else -1


def _cited_up_to(replica: Replica, branch: int, seq: int) -> int:
    """The last place at or before `seq` of a branch that an honoured accept cites; -1: none is."""
    for cited, *reviewed in replica.db.rows(_CITED, (branch, seq)):
        if replica.authority.review_rank(*reviewed) is not None:
            return int(cited)
    return -1


def _deciding_up_to(replica: Replica, branch: int, seq: int) -> int:
    """The last place at or before `seq` of a branch with an honoured redaction, or an act of a recovery key; -1: none."""
    asked = [_REDACTING]
    if replica.projection.index.branches[branch].author in replica.authority.recovery_keys:
        asked.append(_ACTING)
    found = [row[0] for sql in asked for row in replica.db.rows(sql, (branch, seq)) if row[0] is not None]
    return max(found, default=-1)
