"""Objects in which gonk keeps something of its own beside a dataset's files: told apart by their media types.

They are proposed, reviewed, released and synced as any object, but they are no samples: loaders and exporters leave them out.
"""

from __future__ import annotations

PREFIX = "application/vnd.gonk."
"""Of their media types (in the vendor tree of RFC 6838); so what comes with a later version is left out by this one too."""

LABEL_SET = f"{PREFIX}labels+json"
"""A label set: see `label_set`."""
LOG_OF_GONK = f"{PREFIX}log+jsonl"
"""The log of a dataset that was imported from Gonk: an event a line, as Gonk wrote it."""


def is_own(media_type: str) -> bool:
    """Whether objects of that media type are gonk's own, and so no samples."""
    return media_type.startswith(PREFIX)
