"""Recovery keys (rule A5): naming them when a dataset is founded, and signing that another key follow the root owner.

Checked here, before anything is signed; which replacement counts is for the fold to say.

Several of these keys must sign the very same replacement, pins included: whoever signs after the first repeats it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from gonk_node.core import limits
from gonk_node.core.entry import Entry, read_stored
from gonk_node.core.event_codec import encode_event
from gonk_node.core.events import ReplaceRoot
from gonk_node.errors import ExistsError, NotAllowedError, UsageError, WrongStateError
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.governing import Governor
from gonk_node.store.state_schema import split_number


class Recovery(NamedTuple):
    """The keys that can replace the root owner of a dataset, and how many of them it takes; none: nobody can."""

    keys: tuple[bytes, ...] = ()
    threshold: int = 0


class Recovered(NamedTuple):
    """How far a replacement is.

    Attributes:
        entry: what was signed just now.
        signed: how many recovery keys have signed this replacement.
        needed: how many must.
    """

    entry: Entry
    signed: int
    needed: int


def checked_recovery(recovery: Recovery) -> Recovery:
    """The same, its keys in order, as a genesis wants it; UsageError where it cannot be."""
    keys, threshold = recovery
    if len(keys) > limits.RECOVERY_KEYS_MAX:
        raise UsageError(f"a dataset has at most {limits.RECOVERY_KEYS_MAX} recovery keys", where=str(len(keys)))
    if len(set(keys)) != len(keys):
        raise UsageError("a recovery key is named twice")
    if not bool(keys) <= threshold <= len(keys):
        raise UsageError(
            f"{threshold} of {len(keys)} recovery keys cannot be needed",
            hint="name at least as many keys with --recovery-key as --recovery-threshold says",
        )
    return Recovery(tuple(sorted(keys)), threshold)


def replace_root(author: Author, new_root: bytes) -> Recovered:
    """Sign, with a recovery key, that `new_root` follow the present root, whose logs count as far as they are held here.

    Where other recovery keys have signed for the same two keys, what most of them signed is signed again, pins and all.

    Raises:
        WrongStateError: the dataset has no recovery keys, or the key was root already or was removed.
        NotAllowedError: `author` is no recovery key. ExistsError: it has signed this, or the key is root.
    """
    genesis = author.replica.genesis
    if not genesis.recovery_threshold:
        raise WrongStateError(
            "this dataset was founded without recovery keys, so its root cannot be replaced",
            hint="gonk owner list DATASET",
        )
    if author.key not in genesis.recovery_keys:
        raise NotAllowedError(
            "this is none of the recovery keys of the dataset",
            where=f"key {author.key.hex()[:8]}",
            hint="gonk dataset show DATASET --json lists them; --key FILE signs with another key",
        )
    _check_successor(author, new_root)
    signed = _signed(author, new_root)
    if any(author.key in keys for keys in signed.values()):
        raise ExistsError("this key has signed that replacement already", where=new_root.hex())
    old_root = author.replica.authority.root
    event = max(signed, key=lambda each: (len(signed[each]), encode_event(each)), default=None)
    event = event or ReplaceRoot(old_root, new_root, Governor(author).pins_of(old_root))
    entry = author.sign([event])
    return Recovered(entry, len(signed.get(event, ())) + 1, genesis.recovery_threshold)


def _check_successor(author: Author, new_root: bytes) -> None:
    authority = author.replica.authority
    if new_root == authority.root:
        raise ExistsError("it is the root owner already", where=new_root.hex())
    if new_root in author.replica.projection.index.root_line.keys:
        raise WrongStateError("it was root before, and a replaced root never returns", where=new_root.hex())
    held = authority.roles.get(new_root)
    if new_root in authority.cut_spans or (held is not None and held.revoked):
        raise WrongStateError("this key was removed, and a removed key never returns", where=new_root.hex())


def _signed(author: Author, new_root: bytes) -> dict[ReplaceRoot, set[bytes]]:
    """The replacements of the present root by that key that recovery keys have signed, and which keys have."""
    replica = author.replica
    rows = replica.db.rows_in(
        "SELECT a.event_no, b.author FROM acts a JOIN entries e ON e.lsn = a.event_no >> 12"
        " JOIN branches b USING (branch_no) WHERE b.author IN (??)",
        replica.genesis.recovery_keys,
    )
    found: dict[ReplaceRoot, set[bytes]] = defaultdict(set)
    for number, key in rows:
        lsn, index = split_number(number)
        record = replica.log.record(lsn)
        event = None if record is None else read_stored(record).stored_events()[index]
        if isinstance(event, ReplaceRoot) and (event.old_root, event.new_root) == (replica.authority.root, new_root):
            found[event].add(key)
    return found
