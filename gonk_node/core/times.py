"""Times as text (RFC 3339), from and to milliseconds since 1970 UTC. Reads no clock; authors may state any time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

from gonk_node.errors import UsageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = "9999-12-31T23:59:59.999999Z"  # what the calendar ends with

# The forms that are read (A13). Which others Python takes depends on its version, and of some it drops digits silently.
_DATE = r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|[0-9]{4}|-W[0-9]{2}(?:-[0-9])?|W[0-9]{2,3})"
_CLOCK = (
    r"(?:[01][0-9]|2[0-3])"
    r"(?::[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?|[0-5][0-9](?:[0-5][0-9](?:[.,][0-9]+)?)?)?"
)
_TIME = re.compile(rf"{_DATE}(?:[Tt ]{_CLOCK}(?:Z|[+-]{_CLOCK})?)?")


def time_json(time_ms: int, unit: Literal["milliseconds", "microseconds"] = "milliseconds") -> str | None:
    """A signed time with so many digits, in UTC; None for a time that no calendar has."""
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return None
    return moment.isoformat(timespec=unit).replace("+00:00", "Z")


def parse_time(text: str) -> int:
    """Read a date, or a date with a time (UTC, where it names no offset); UsageError otherwise."""
    try:
        if _TIME.fullmatch(text) is None:
            raise ValueError(text)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise UsageError(f"{text[:60]!r} is no time", hint="such as 2026-01-31 or 2026-01-31T12:00:00Z") from None


def is_time(text: str) -> bool:
    """Whether a text reads as a time."""
    try:
        parse_time(text)
    except UsageError:
        return False
    return True
