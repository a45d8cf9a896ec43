"""How a session ends badly: which error becomes which close message, and which error the other side makes of it.

Only errors that concern the peer are told to it in words; what goes wrong on this node stays here.
"""

from __future__ import annotations

from gonk_node.core.limits import REASON_CHARS_MAX
from gonk_node.errors import (
    GonkError,
    InvalidEntryError,
    NotFoundError,
    PeerError,
    PeerUnavailableError,
    ProtocolError,
    WrongPeerError,
)
from gonk_node.sync.messages import (
    CLOSE_BROKEN,
    CLOSE_BUSY,
    CLOSE_DONE,
    CLOSE_INVALID,
    CLOSE_NO_DATASET,
    CLOSE_WRONG_KEY,
    Close,
)

_CODES: tuple[tuple[type[GonkError], int], ...] = (
    (WrongPeerError, CLOSE_WRONG_KEY),
    (InvalidEntryError, CLOSE_INVALID),
    (NotFoundError, CLOSE_NO_DATASET),
    (PeerUnavailableError, CLOSE_BUSY),
    (PeerError, CLOSE_BROKEN),
)


def close_for(error: GonkError) -> Close:
    """The message that tells the peer why this side ends the session."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return Close(code, error.what[:REASON_CHARS_MAX])
    return Close(CLOSE_BUSY, "this node cannot go on now")


def error_of(close: Close) -> GonkError | None:
    """What a close message of the peer means here; None for a session that is simply over."""
    if close.code == CLOSE_DONE:
        return None
    if close.code == CLOSE_NO_DATASET:
        return NotFoundError(
            "the peer has no such dataset, or does not show it to you",
            hint="a private dataset is shown to those with a role only: ask an owner to add your key",
        )
    if close.code == CLOSE_WRONG_KEY:
        return WrongPeerError(f"the peer turned us away: {close.reason}", hint="check the key in its address")
    if close.code == CLOSE_BROKEN:
        return ProtocolError(f"the peer says that we broke the protocol: {close.reason}")
    if close.code == CLOSE_INVALID:
        return ProtocolError(f"the peer refused an entry that we sent: {close.reason}", hint="run `gonk fsck`")
    return PeerUnavailableError(f"the peer closed: {close.reason}", hint="try again later")
