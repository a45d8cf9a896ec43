"""The heads that a receiver lacks: which are asked for already, and what it says about the logs that they end.

Bounded, whatever the peer tells. It does not know when to ask; that is for `receiving`.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from gonk_node.core import limits
from gonk_node.core.heads import Head
from gonk_node.errors import ProtocolError
from gonk_node.sync.log_view import LogView
from gonk_node.sync.messages import Need, NeededRange


class WantedHead(NamedTuple):
    """A head to be had. `told`: the peer said that it has it, so it must come before `Delivered`."""

    head: Head
    told: bool


class Needs:
    """What one session has still to get from its peer."""

    def __init__(self, log: LogView) -> None:
        self._log = log
        self._open: dict[bytes, WantedHead] = {}
        self._unasked: deque[bytes] = deque()  # of _open: those that no Need has named yet

    def __bool__(self) -> bool:
        """Whether anything is still to come."""
        return bool(self._open)

    def get(self, head_id: bytes) -> WantedHead | None:
        """What is known of a head that is still to come."""
        return self._open.get(head_id)

    def add(self, head: Head, *, told: bool) -> None:
        """Ask for that head; ProtocolError where the peer made us remember too many."""
        if len(self._open) >= limits.NEEDS_OPEN_MAX:
            raise ProtocolError(f"more than {limits.NEEDS_OPEN_MAX} heads told of and not delivered")
        if head.entry_id not in self._open:
            self._unasked.append(head.entry_id)
        self._open[head.entry_id] = WantedHead(head, told)

    def drop(self, head_id: bytes) -> WantedHead | None:
        """That head came, or will not: forget it. Returns what was known of it."""
        return self._open.pop(head_id, None)

    def drop_held(self) -> None:
        """Forget what has come by other ways, and refuse a peer that told of a head and did not send it."""
        for head_id, wanted in list(self._open.items()):
            if self._log.has(head_id):
                del self._open[head_id]
            elif wanted.told:
                raise ProtocolError(
                    "the peer told of a head and did not send what leads to it", where=f"entry {head_id.hex()[:12]}"
                )

    def next_page(self, *, listing: bool, answer_due: bool) -> Need | None:
        """The next message that asks for heads, if there is one to send.

        Args:
            listing: more heads are being told; only full pages go out meanwhile.
            answer_due: a portion of heads waits for its answer, which the last page (it may be empty) completes.
        """
        if listing and len(self._unasked) < limits.NEEDS_PER_MESSAGE_MAX:
            return None
        ranges: list[NeededRange] = []
        known_count = 0
        while self._unasked and len(ranges) < limits.NEEDS_PER_MESSAGE_MAX:
            wanted = self._open.get(self._unasked[0])
            known = [] if wanted is None else self._known(wanted.head)
            if ranges and known_count + len(known) > limits.KNOWN_PER_MESSAGE_MAX:
                break
            head_id = self._unasked.popleft()
            if wanted is not None:
                ranges.append(NeededRange(head_id, known))
                known_count += len(known)
        last = answer_due and not listing and not self._unasked
        return Need(ranges, int(last)) if ranges or last else None

    def _known(self, head: Head) -> list[bytes]:
        """Ids of this log that are held, dense near its leaves and sparse far back."""
        ids: dict[bytes, None] = {}
        for leaf in self._log.leaves(head.author, head.log_id):
            ids.update(dict.fromkeys(self._log.locator(leaf)))
        return list(ids)[: limits.KNOWN_PER_NEED_MAX]
