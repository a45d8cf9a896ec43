"""Bodies of annotations in a few words: short for lists, and what a new version changes. It reads no schema."""

from __future__ import annotations

import json
from typing import Any

from gonk_node.cli.describe import json_body
from gonk_node.cli.text import safe

_VALUE_CHARS_MAX = 60
_CHANGES_MAX = 12
_ABSENT = object()


def brief(body: bytes, chars_max: int) -> str:
    """A body on one line of at most so many characters: what is plain first, lists and objects last."""
    value = json_body(body)
    if isinstance(value, dict):
        value = dict(sorted(value.items(), key=lambda member: isinstance(member[1], dict | list)))
        return safe(_compact(value), chars_max)
    return safe(body.decode(errors="replace"), chars_max)


def changes(before: bytes, after: bytes) -> list[str]:
    """Which members of a body changed, as "x: 260 → 264"; empty where there is no telling, or nothing changed."""
    old, new = json_body(before), json_body(after)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    names = [name for name in {**old, **new} if _compact(old.get(name, _ABSENT)) != _compact(new.get(name, _ABSENT))]
    told = [f"{safe(name, _VALUE_CHARS_MAX)}: {_told(old, name)} → {_told(new, name)}" for name in names[:_CHANGES_MAX]]
    return told if len(names) <= _CHANGES_MAX else [*told, f"and {len(names) - _CHANGES_MAX} more"]


def _told(body: dict[str, Any], name: str) -> str:
    return safe(_compact(body[name]), _VALUE_CHARS_MAX) if name in body else "none"


def _compact(value: object) -> str:
    return "" if value is _ABSENT else json.dumps(value, separators=(",", ":"), sort_keys=False)
