"""When which message may come: the three state machines of a session as literal tables (drawn in spec section 9.5).

A pair that is not in its table is a breach of the protocol. What is done on a transition stands in `session`, `receiving`
and `sending`; nothing else changes a state.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from gonk_node.errors import ProtocolError


class Phase(Enum):
    """The session as a whole."""

    GREETING = "before the hello"
    SYNCING = "while entries are exchanged"
    DONE_SENT = "while we wait for the other to be done"
    DONE_CAME = "after the other was done"
    LIVE = "in a live session"
    CLOSED = "after the end"


class Receiving(Enum):
    """What this side takes from the peer."""

    LISTING = "while heads are told"
    TAKING = "while entries are taken"
    CURRENT = "after all was delivered"


class Sending(Enum):
    """What this side gives to the peer."""

    LISTING = "while we tell our heads"
    SERVING = "while we send entries"
    CURRENT = "after we delivered all"


class Trigger(Enum):
    """What moves a state machine: a message that came, or (in lower case) something of our own doing."""

    HELLO = "Hello"
    DONE = "Done"
    CLOSE = "Close"
    TOKEN = "Token"  # noqa: S105
    PING = "Ping"
    OUR_DONE = "we are done"
    OUR_CLOSE = "we close"

    HEADS = "Heads"
    HEADS_LAST = "Heads (last)"
    ANNOUNCE = "Announce"
    RECORDS = "Records"
    FOUND = "Found"
    MISSING = "Missing"
    DELIVERED = "Delivered"

    NEED = "Need"
    NEED_LAST = "Need (last)"
    WANT = "Want"
    NEED_BODIES = "NeedBodies"
    SKIP = "Skip"
    ACK = "Ack"
    MORE_HEADS = "we tell more heads"
    ALL_SERVED = "we have sent all"


_T = Trigger
_S = TypeVar("_S", Phase, Receiving, Sending)

PHASES: dict[tuple[Phase, Trigger], Phase] = {
    (Phase.GREETING, _T.HELLO): Phase.SYNCING,
    (Phase.GREETING, _T.PING): Phase.GREETING,
    (Phase.SYNCING, _T.OUR_DONE): Phase.DONE_SENT,
    (Phase.SYNCING, _T.DONE): Phase.DONE_CAME,
    (Phase.DONE_SENT, _T.DONE): Phase.LIVE,
    (Phase.DONE_CAME, _T.OUR_DONE): Phase.LIVE,
    **{
        (phase, trigger): phase
        for phase in (Phase.SYNCING, Phase.DONE_SENT, Phase.DONE_CAME, Phase.LIVE)
        for trigger in (_T.PING, _T.TOKEN)
    },
    **{
        (phase, trigger): Phase.CLOSED
        for phase in Phase
        if phase is not Phase.CLOSED
        for trigger in (_T.CLOSE, _T.OUR_CLOSE)
    },
}

RECEIVING: dict[tuple[Receiving, Trigger], Receiving] = {
    (Receiving.LISTING, _T.HEADS): Receiving.LISTING,
    (Receiving.LISTING, _T.HEADS_LAST): Receiving.TAKING,
    (Receiving.LISTING, _T.MISSING): Receiving.LISTING,
    (Receiving.TAKING, _T.HEADS): Receiving.LISTING,
    (Receiving.TAKING, _T.HEADS_LAST): Receiving.TAKING,
    (Receiving.TAKING, _T.ANNOUNCE): Receiving.TAKING,
    (Receiving.TAKING, _T.RECORDS): Receiving.TAKING,
    (Receiving.TAKING, _T.MISSING): Receiving.TAKING,
    (Receiving.TAKING, _T.DELIVERED): Receiving.CURRENT,
    (Receiving.CURRENT, _T.ANNOUNCE): Receiving.CURRENT,
    (Receiving.CURRENT, _T.RECORDS): Receiving.CURRENT,
    (Receiving.CURRENT, _T.FOUND): Receiving.CURRENT,
    (Receiving.CURRENT, _T.MISSING): Receiving.CURRENT,
    (Receiving.CURRENT, _T.DELIVERED): Receiving.CURRENT,
}

SENDING: dict[tuple[Sending, Trigger], Sending] = {
    (Sending.LISTING, _T.NEED): Sending.LISTING,
    (Sending.LISTING, _T.NEED_LAST): Sending.SERVING,
    (Sending.SERVING, _T.NEED): Sending.SERVING,
    (Sending.SERVING, _T.MORE_HEADS): Sending.LISTING,
    (Sending.SERVING, _T.ALL_SERVED): Sending.CURRENT,
    (Sending.CURRENT, _T.NEED): Sending.CURRENT,
    (Sending.CURRENT, _T.WANT): Sending.CURRENT,
    (Sending.CURRENT, _T.NEED_BODIES): Sending.CURRENT,
    **{(state, trigger): state for state in Sending for trigger in (_T.ACK, _T.SKIP)},
}


def step(table: dict[tuple[_S, Trigger], _S], state: _S, trigger: Trigger) -> _S:
    """The state after `trigger`; ProtocolError where the table has no such transition."""
    try:
        return table[state, trigger]
    except KeyError:
        raise ProtocolError(f"{trigger.value} came {state.value}") from None
