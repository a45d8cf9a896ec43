"""docs/spec/09-sync.md says what the code does: its tables and its example are compared with it."""

from __future__ import annotations

import re

import pytest

from gonk_node.core import limits
from gonk_node.core.heads import heads_digest
from gonk_node.core.keys import Signer
from gonk_node.sync import messages as wire
from gonk_node.sync.channel import Channel
from gonk_node.sync.handshake import ClientHandshake, ServerHandshake
from gonk_node.sync.transitions import PHASES, RECEIVING, SENDING
from kit.source_tree import ROOT, text

SPEC = text(ROOT / "docs" / "spec" / "09-sync.md")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table after `heading`."""
    lines = SPEC.split(heading, 1)[1].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def fields(cell: str) -> list[str]:
    """The names of the fields at the outermost level."""
    names, depth, name = [], 0, ""
    for character in cell:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            names.append(name)
            name = ""
        else:
            name += character
    return [each.split(":")[0].strip() for each in [*names, name] if each.strip()]


def test_each_kind_has_the_number_and_fields_that_the_spec_gives() -> None:
    spec = {int(number): (name, fields(cell)) for number, name, cell in rows("9.2.4")}
    code = {kind: (make.__name__, list(make._fields)) for kind, (make, _) in wire._KINDS.items()}
    assert spec == code


@pytest.mark.parametrize(
    ("heading", "table"),
    [("Session:\n", PHASES), ("Receiving half:\n", RECEIVING), ("Sending half:\n", SENDING)],
    ids=["session", "receiving", "sending"],
)
def test_each_transition_is_in_the_spec_and_no_other(heading: str, table: dict) -> None:
    spec = {
        (state, trigger): state if after == "same" else after
        for states, triggers, after in rows(heading)
        for state in states.split(", ")
        for trigger in triggers.split(", ")
    }
    assert spec == {(state.name, trigger.value): after.name for (state, trigger), after in table.items()}


def test_the_bounds_are_those_of_the_code() -> None:
    assert [int(most) for _, most in rows("## 9.7")] == [
        limits.HANDSHAKE_BYTES_MAX,
        limits.FRAME_BYTES_MAX,
        limits.FRAME_PART_BYTES_MAX,
        limits.VERSIONS_OFFERED_MAX,
        limits.REASON_CHARS_MAX,
        limits.HEADS_PER_MESSAGE_MAX,
        limits.HEADS_PER_PORTION_MAX,
        limits.HEADS_PER_SESSION_MAX,
        limits.NEEDS_PER_MESSAGE_MAX,
        limits.KNOWN_PER_NEED_MAX,
        limits.KNOWN_PER_MESSAGE_MAX,
        limits.NEEDS_OPEN_MAX,
        limits.IDS_PER_MESSAGE_MAX,
        limits.BODIES_PER_MESSAGE_MAX,
        limits.BATCH_RECORDS_MAX,
        limits.BATCH_BYTES,
        limits.WINDOW_BYTES,
    ]


def test_the_example_comes_out_byte_by_byte() -> None:
    channel = Channel()
    client = ClientHandshake(
        channel,
        signer=Signer.from_seed(bytes(32)),
        server_key=Signer.from_seed(b"\x01" * 32).author,
        dataset=b"\xdd" * 32,
        nonce=b"\x0a" * 32,
        certificate_hash=b"\xce" * 32,
    )
    server = ServerHandshake(
        Channel(), signer=Signer.from_seed(b"\x01" * 32), nonce=b"\x0b" * 32, certificate_hash=b"\xce" * 32
    )
    first = client.start()
    second = server.hello(first)
    third, _ = client.receive(second)
    server.finish(third)
    hello = channel.encode(wire.Hello(b"\xdd" * 32, b"\x11" * 16, 0, heads_digest([]), b"", 0, b"", 0))
    shown = re.findall(r"^    (\w+Hello|ClientProof|Hello) +([0-9a-f]+(?:\n {6,}[0-9a-f]+)*)$", SPEC, re.MULTILINE)
    frames = {name: "".join(digits.split()) for name, digits in shown}
    assert frames == {
        "ClientHello": first.hex(),
        "ServerHello": second.hex(),
        "ClientProof": third.hex(),
        "Hello": hello.hex(),
    }
