"""Rule A5: how recovery keys replace a lost or stolen root.

The genesis names recovery keys and a threshold. A replacement of the present root counts once that many of them have
signed the same one. The result is a line of roots; the last one rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import DatasetCreate, Pin, ReplaceRoot
from gonk_node.state.positions import Act

# A replaced root ranks as if the new one had made it an owner before anybody else.
OLD_ROOT_STEP = (-1, b"", b"", 0)


@dataclass(frozen=True, slots=True)
class RootLine:
    """The roots from the first to the present one, and for each replaced one the pins up to which it counts."""

    keys: tuple[bytes, ...]
    pins: dict[bytes, tuple[Pin, ...]]
    recovery_keys: frozenset[bytes]
    disputed: bool  # two replacements of one root both reached the threshold


def fold_root(first: bytes, genesis: DatasetCreate, acts: Mapping[bytes, Iterable[Act]]) -> RootLine:
    """Follow the replacements that reached the threshold.

    Where two replacements of one root did (recovery keys contradict themselves), the one with the lowest bytes counts, so
    that every node agrees, and `disputed` is set for people to see.
    """
    recovery = frozenset(genesis.recovery_keys)
    signers: dict[ReplaceRoot, set[bytes]] = {}
    for key in recovery:
        for act in acts.get(key, ()):
            if isinstance(act.event, ReplaceRoot):
                signers.setdefault(act.event, set()).add(key)
    keys, pins, disputed = [first], {}, False
    while genesis.recovery_threshold > 0:
        found = [
            event
            for event, who in signers.items()
            if event.old_root == keys[-1] and event.new_root not in keys and len(who) >= genesis.recovery_threshold
        ]
        if not found:
            break
        disputed = disputed or len(found) > 1
        chosen = min(found, key=encode_event)
        pins[keys[-1]] = chosen.pins
        keys.append(chosen.new_root)
    return RootLine(tuple(keys), pins, recovery, disputed)
