"""What a server tells people about its sessions: who, which dataset, what came and went. One line for each thing."""

from __future__ import annotations

import logging

from gonk_node.errors import GonkError
from gonk_node.sync.outputs import NotDelivered, Progress, Synced, Totals

_log = logging.getLogger("gonk_node.node.serving")


class SessionNotes:
    """Turns the events of one session into log messages; quiet while the first exchange runs."""

    def __init__(self, dataset_name: str, node_key: bytes) -> None:
        self._who = f"{dataset_name}, node {node_key.hex()[:8]}"
        self._live = False
        self._taken = self._given = Totals()  # as of the last message

    def note(self, event: object) -> None:
        """One event of the session."""
        match event:
            case Progress(taken, _, given, _):
                if self._live:
                    self._moved(taken, given)
            case Synced(equal_heads, equal_states):
                self._live = True
                _log.info(
                    "%s: %s",
                    self._who,
                    "in sync" if equal_heads else "synced; the two do not hold the same entries yet",
                )
                if equal_states is False:
                    _log.error(
                        "%s: the same entries give another State there: one of the two programs or stores is wrong;"
                        " run `gonk rebuild` and `gonk fsck` on both",
                        self._who,
                    )
            case NotDelivered(entry_ids):
                _log.info("%s: it lacks %d entries that were wanted", self._who, len(entry_ids))
            case _:
                pass

    def ended(self, error: GonkError | None) -> None:
        """The session is over."""
        _log.info("%s: %s", self._who, "left" if error is None else f"ended: {error}")

    def _moved(self, taken: Totals, given: Totals) -> None:
        came, went = taken.entries - self._taken.entries, given.entries - self._given.entries
        self._taken, self._given = taken, given
        if came or went:
            _log.info("%s: %d entries came, %d went", self._who, came, went)
