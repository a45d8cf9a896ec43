"""The requests that are measured: annotations to be created, and pages of those that are pending. Sends nothing itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from random import Random
from typing import Any

from .material import DATASET_NAME, box

DATASET = f"/datasets/{DATASET_NAME}"
SCHEMA = "schema-bounding-box"
_BODIES = 1000  # different ones, sent in turn


def creating(objects: Sequence[dict[str, Any]], random: Random) -> list[tuple[str, str]]:
    """Path and body of requests that each create an annotation of one of the objects (Gonk's identifiers)."""
    return [(f"{DATASET}/annotations", _body(random.choice(objects), random)) for _ in range(_BODIES)]


def listing(after: Sequence[str]) -> list[tuple[str, str]]:
    """Requests for the page of pending annotations behind each of those uuids, of 25 as nothing else is asked for."""
    return [(f"{DATASET}/annotations/pending?after={uuid}", "") for uuid in after]


def _body(target: dict[str, Any], random: Random) -> str:
    return json.dumps(
        {
            "annotation": encoded(json.dumps(box(random)).encode()),
            "schema": {"name": SCHEMA, "version": 0},
            "object_identifiers": [target],
        }
    )


def encoded(data: bytes) -> str:
    """Base64, as Gonk's bodies have it."""
    return base64.b64encode(data).decode()
