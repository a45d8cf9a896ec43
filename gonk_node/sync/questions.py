"""What a receiving half asks beyond what heads lead to: where cited entries are, and bodies that it lacks.

It keeps account of what was asked and not answered yet, and sees to it that nothing is asked again and again in vain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gonk_node.core import limits
from gonk_node.sync.messages import Message, NeedBodies, NeededBodies, Want
from gonk_node.sync.outputs import Standing


class Questions:
    """One per session."""

    def __init__(self) -> None:
        self._to_send: deque[Message] = deque()
        self._open: set[bytes] = set()  # ids in questions without an answer yet
        self._in_round: set[bytes] = set()
        self._in_session: set[bytes] = set()  # ids that this peer is not asked for again

    def __bool__(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._open)

    def is_open(self, entry_id: bytes) -> bool:
        """Whether an answer about that entry is awaited."""
        return entry_id in self._open

    def answered(self, entry_id: bytes, *, in_vain: bool = False) -> None:
        """An answer came, or none is awaited any more; `in_vain`: what came is of no use here."""
        if in_vain and entry_id in self._open:
            self._in_session.add(entry_id)
        self._open.discard(entry_id)

    def new_round(self) -> None:
        """The peer may hold more now: what it did not have may be asked for again."""
        self._in_round.clear()

    def ask(self, standing: Standing) -> bool:
        """Put the questions that a standing leads to, a message of each kind; False where there is nothing new to ask."""
        wanted = [entry_id for entry_id in standing.wanted if entry_id not in self._in_round]
        wanted = wanted[: limits.IDS_PER_MESSAGE_MAX]  # the next ones once these are answered
        bodies = self._bodies(standing)
        if wanted:
            self._put(Want(wanted), wanted)
        if bodies:
            self._put(NeedBodies(bodies), [each.entry_id for each in bodies])
        return bool(self._to_send)

    def next_message(self) -> Message | None:
        """The oldest question that was not sent yet."""
        return self._to_send.popleft() if self._to_send else None

    def _bodies(self, standing: Standing) -> list[NeededBodies]:
        """What one message may ask for: bodies that are withheld in every round, doubtful ones once a session."""
        lacking: dict[bytes, set[int]] = {}
        for entry_id, indexes in (*standing.incomplete, *standing.doubtful):
            if entry_id not in self._in_round and entry_id not in self._in_session:
                lacking.setdefault(entry_id, set()).update(indexes)
        incomplete = {entry_id for entry_id, _ in standing.incomplete}
        page: list[NeededBodies] = []
        room = limits.BODIES_PER_MESSAGE_MAX
        for entry_id, lacked in lacking.items():
            room -= len(lacked)
            if room < 0 or len(page) == limits.IDS_PER_MESSAGE_MAX:
                break
            page.append(NeededBodies(entry_id, sorted(lacked)))
            if entry_id not in incomplete:
                self._in_session.add(entry_id)
        return page

    def _put(self, question: Message, entry_ids: Sequence[bytes]) -> None:
        self._to_send.append(question)
        self._open.update(entry_ids)
        self._in_round.update(entry_ids)
