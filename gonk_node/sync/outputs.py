"""What a session asks of whoever drives it, and what it reports: plain values, in the order in which they arose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from gonk_node.core.heads import Head
from gonk_node.errors import GonkError
from gonk_node.sync.messages import NeededBodies


class Cursor(NamedTuple):
    """How far a peer's log was taken: its store instance (16 bytes) and its arrival number."""

    instance: bytes
    lsn: int


class Totals(NamedTuple):
    """Numbers of entries and events, and bytes of records."""

    entries: int = 0
    events: int = 0
    bytes: int = 0


class Standing(NamedTuple):
    """What a replica makes of all that it holds.

    Attributes:
        lsn: the newest arrival number, read before anything else here.
        heads: all leaves; empty where only the last two were asked for, and then the digests are empty too.
        heads_digest: `core.heads.heads_digest(heads)`.
        state_digest: of the State folded from exactly those heads; empty where that is not at hand.
        wanted: ids that an honoured accept cites and that are not held.
        incomplete: held entries with bodies that were withheld, which no honoured redaction covers.
        doubtful: held entries with bodies that an honoured redaction covers, but whose kind was never seen here: had
            they turned out to be of a kind that cannot be redacted (A9), they would count. They are asked for, and
            missed by nobody where they do not come.
    """

    lsn: int
    heads: Sequence[Head]
    heads_digest: bytes
    state_digest: bytes
    wanted: Sequence[bytes]
    incomplete: Sequence[NeededBodies]
    doubtful: Sequence[NeededBodies] = ()

    @property
    def open_count(self) -> int:
        """How many entries are known to be missing, in whole or in part."""
        return len(self.wanted) + len(self.incomplete)


class Ingest(NamedTuple):
    """Give these records to the write path, in order, then call `Session.ingested` with the outcomes.

    `cited`: an honoured accept leads to them, so the quota for strangers does not apply.
    """

    records: list[bytes]
    cited: bool


class TakeStanding(NamedTuple):
    """Read the replica's `Standing`, then call `Session.standing`; `whole` asks for heads and digests too."""

    whole: bool


class SaveCursor(NamedTuple):
    """All that the peer held up to there is durable here: remember it for the next session with it."""

    cursor: Cursor


class Progress(NamedTuple):
    """How far both directions are: taken and to take, given and to give, in this session."""

    taken: Totals
    to_take: Totals
    given: Totals
    to_give: Totals


class NotDelivered(NamedTuple):
    """The peer told of these entries, or was asked for them, and does not have them (in whole)."""

    entry_ids: list[bytes]


class ContentToken(NamedTuple):
    """Content may be fetched from the server with this token for so many seconds."""

    token: bytes
    seconds: int


class Synced(NamedTuple):
    """Both sides have taken what the other held when they met; from here on the session is live.

    Attributes:
        equal_heads: both hold the same entries. False is no fault: quotas, or entries written meanwhile.
        equal_states: whether both make the same State of the same entries. False means that one of the two
            programs or stores is wrong, and must be told to the user. None where it cannot be told.
    """

    equal_heads: bool
    equal_states: bool | None


class Failed(NamedTuple):
    """The session is over because of this error. What was ingested stays."""

    error: GonkError


class Closed(NamedTuple):
    """The session is over, in order."""


Output: TypeAlias = (
    Ingest | TakeStanding | SaveCursor | Progress | NotDelivered | ContentToken | Synced | Failed | Closed
)
