"""Rule A13 (spec section 7): which of the releases that were signed count, and which of them a tag means.

Pure: who owned what where is told by `authority`. Whether a release is true is for `manifest` and whoever folds the State at
its heads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from gonk_node.core.ids import EventRef, is_uuid
from gonk_node.core.limits import RELEASE_TAG_CHARS_MAX
from gonk_node.core.times import is_time
from gonk_node.errors import UsageError

_TAG = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._+-]{{0,{RELEASE_TAG_CHARS_MAX - 1}}}")


class Signed(NamedTuple):
    """A release.create where it stands, in an entry that counts as an owner's.

    Attributes:
        tag: what it calls the release.
        rank: of the owner, 0 highest.
        seq: of its entry.
        log_id: of its log, 8 bytes.
        ref: the event.
    """

    tag: str
    rank: int
    seq: int
    log_id: bytes
    ref: EventRef


def named_by_tags(honoured: Iterable[Signed]) -> dict[str, EventRef]:
    """What each tag means: the release of the owner who ranks highest; of several by one owner, the earliest place.

    What reads as a UUID or as a time means no release.
    """
    best: dict[str, Signed] = {}
    for each in honoured:
        other = best.get(each.tag)
        if other is None or each[1:] < other[1:]:
            best[each.tag] = each
    return {tag: each.ref for tag, each in best.items() if not (is_uuid(tag) or is_time(tag))}


def check_tag(tag: str) -> None:
    """UsageError unless the tag is one that this node signs: usable as the name of a file, easy to type, nothing else."""
    if not _TAG.fullmatch(tag):
        raise UsageError(
            f"{tag[:RELEASE_TAG_CHARS_MAX]!a} is no tag",
            hint=f"such as v1.0: letters, digits, and . _ + - behind the first; {RELEASE_TAG_CHARS_MAX} at most",
        )
    if is_uuid(tag) or is_time(tag):
        what = "a UUID" if is_uuid(tag) else "a time"
        raise UsageError(
            f"{tag!r} reads as {what}, so it can be no tag", hint=f"put something before it, such as v{tag}"
        )


def tag_text(tag: str) -> str:
    """A tag for people; in quotation marks, with escapes, where blanks or other characters in it may mislead."""
    return tag if _TAG.fullmatch(tag) else json.dumps(tag)
