"""The tables are complete: every state is reached and left, every message has its place, everything else is refused."""

from __future__ import annotations

from enum import Enum

import pytest

from gonk_node.errors import ProtocolError
from gonk_node.sync import messages as wire
from gonk_node.sync.transitions import PHASES, RECEIVING, SENDING, Phase, Receiving, Sending, Trigger, step

TABLES = [(PHASES, Phase), (RECEIVING, Receiving), (SENDING, Sending)]
HANDSHAKE = {"ClientHello", "ServerHello", "ClientProof"}
each_table = pytest.mark.parametrize(("table", "states"), TABLES, ids=lambda value: getattr(value, "__name__", ""))


@each_table
def test_every_state_can_be_reached_from_the_first(table: dict, states: type[Enum]) -> None:
    reached = {next(iter(states))}
    while new := {after for (before, _), after in table.items() if before in reached} - reached:
        reached |= new
    assert reached == set(states)


@each_table
def test_what_is_not_in_the_table_is_refused(table: dict, states: type[Enum]) -> None:
    for state in states:
        for trigger in Trigger:
            if (state, trigger) in table:
                assert step(table, state, trigger) is table[state, trigger]
            else:
                with pytest.raises(ProtocolError):
                    step(table, state, trigger)


def test_every_message_of_a_session_is_a_trigger() -> None:
    names = {kind.__name__ for kind in wire.Message.__args__} - HANDSHAKE
    assert names <= {trigger.value for trigger in Trigger}


def test_each_trigger_belongs_to_exactly_one_table() -> None:
    for trigger in Trigger:
        assert sum(any(key[1] is trigger for key in table) for table, _ in TABLES) == 1, trigger


def test_a_closed_session_stays_closed() -> None:
    assert not any(before is Phase.CLOSED for before, _ in PHASES)
