"""Texts, times, sizes and keys in the form that people read. What strangers wrote is made harmless first."""

from __future__ import annotations

from datetime import UTC, datetime

from gonk_node.core.plural import plural as plural  # for commands, with the rest
from gonk_node.core.safe_text import safe as safe

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
            return f"{value:.1f} {unit}" if unit != "bytes" else "1 byte" if size == 1 else f"{size} bytes"
        value /= 1024
    return str(size)
