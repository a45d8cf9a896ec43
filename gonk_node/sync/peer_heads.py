"""What a peer holds of each log, as far as this side knows: so that nothing is sent twice or back to where it came from.

Only an economy: where it is wrong, entries come twice, or the peer notices a gap and asks.
"""

from __future__ import annotations

from collections.abc import Iterable

from gonk_node.core.heads import Head
from gonk_node.core.limits import BRANCHES_PER_LOG_MAX
from gonk_node.sync.log_view import LogView

_PER_LOG_MAX = 2 * BRANCHES_PER_LOG_MAX  # the newest ones; older ones are ancestors of these, as a rule


class PeerHeads:
    """The newest heads of each log that the peer is known to hold.

    Args:
        log: what is held here.
        heads: those known at first.
    """

    def __init__(self, log: LogView, heads: Iterable[Head]) -> None:
        self._log = log
        self._heads: dict[tuple[bytes, bytes], list[Head]] = {}
        for head in heads:
            self.add(head)

    def add(self, head: Head) -> None:
        """The peer holds that one."""
        heads = self._heads.setdefault((head.author, head.log_id), [])
        if head not in heads:
            heads.append(head)
            del heads[:-_PER_LOG_MAX]

    def holds(self, head: Head) -> bool:
        """Whether the peer is known to hold exactly that one."""
        return head in self._heads.get((head.author, head.log_id), ())

    def known(self, head: Head) -> list[bytes]:
        """Ids for `LogView.plan`: what the peer holds of the log of `head`; with ancestors, where the log may fork."""
        heads = self._heads.get((head.author, head.log_id), [])
        ids = [each.entry_id for each in heads]
        if heads and len(self._log.leaves(head.author, head.log_id)) > 1:
            for each in heads:
                if self._log.has(each.entry_id):  # it may have been given up here since
                    ids += self._log.locator(each)
        return ids
