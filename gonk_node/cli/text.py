"""Texts, times, sizes and keys in the form that people read. What strangers wrote is made harmless first."""

from __future__ import annotations

from datetime import UTC, datetime

from gonk_node.core.safe_text import safe as safe  # for commands, with the rest

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def short(key: bytes) -> str:
    """The fingerprint of a key, or the beginning of an id: 8 hex digits, for people only."""
    return key.hex()[:8]


def time_text(time_ms: int) -> str:
    """A signed time (milliseconds since 1970 UTC) to the second, in UTC; authors may state any time."""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"


def size_text(size: int) -> str:
    """A number of bytes with a unit: 1536 is "1.5 KiB"."""
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{size} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return str(size)


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 object", "1,000 objects"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
