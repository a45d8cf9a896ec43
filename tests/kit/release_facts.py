"""Facts of a release that never was, for files that cite it."""

from __future__ import annotations

from typing import Any

from gonk_node.formats.export.citing.release_facts import Person, ReleaseFacts
from gonk_node.state.release_notes import ReleaseNotes
from kit.history import key_of

ADA = Person(key_of("ada"), "Ada Lovelace")
EVE = Person(key_of("eve"), "Eve")


def facts(**changes: Any) -> ReleaseFacts:
    """A whole one; `changes` are attributes that are others."""
    whole: dict[str, Any] = {
        "dataset": bytes(range(32)),
        "name": "Blood cells",
        "about": "Cells under the microscope.",
        "tag": "1.0.0",
        "notes": ReleaseNotes("First light.", "CC-BY-4.0", "https://example.org/cells", ("cells", "blood")),
        "time_ms": 1_767_225_599_999,  # the last moment of 2025 in UTC
        "publisher": ADA,
        "creators": (EVE, ADA),
        "unnamed": 0,
        "manifest_hash": b"m" * 32,
        "entry": b"e" * 32,
        "event": "01234567-89ab-8000-8000-000000000000",
        "objects": 2,
        "annotations": 3,
    }
    return ReleaseFacts(**{**whole, **changes})
