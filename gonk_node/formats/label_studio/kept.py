"""What is kept of Label Studio's tasks, annotations and results beside what gonk has words for, and found again on export.

It lies in `attributes.label-studio` of each body: `task`, `annotation` and `result`, an object each with fields as the file
has them, and `index`, its position among its kind. E-mail addresses are not kept: a dataset is for everybody and for ever.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from gonk_node.core.limits import LABEL_STUDIO_KEPT_BYTES_MAX
from gonk_node.formats.loss import NotCarried
from gonk_node.state.strict_json import Json, canonical, depth

FORMAT = "label-studio"
INDEX = "index"

_EMAIL = re.compile(r"[^\s@]@[^\s@]")
_DEPTH_MAX = 16  # of a kept value: bodies as a whole have a bound, and one value is not to cost the annotation
_PERSON = ("username", "first_name", "last_name")


@dataclass(slots=True)
class Kept:
    """What the body of an annotation keeps; empty parts where it came from elsewhere."""

    task: dict[str, Json] = field(default_factory=dict)
    annotation: dict[str, Json] = field(default_factory=dict)
    result: dict[str, Json] = field(default_factory=dict)

    @classmethod
    def of(cls, body: dict[str, Json]) -> Kept:
        """From a body of whoever wrote it: what is no object is none."""
        attributes = body.get("attributes")
        found = attributes.get(FORMAT) if isinstance(attributes, dict) else None
        parts = (found.get(name) if isinstance(found, dict) else None for name in ("task", "annotation", "result"))
        return cls(*(part if isinstance(part, dict) else {} for part in parts))

    def attributes(self) -> dict[str, Json]:
        """As `attributes` of a body."""
        parts = {"task": self.task, "annotation": self.annotation, "result": self.result}
        return {FORMAT: {name: part for name, part in parts.items() if part}}


def keep(
    fields: dict[str, Any],
    own: Collection[str],
    place: str,
    what: str,
    *,
    whole: Collection[str] = (),
    people: bool = True,
) -> tuple[dict[str, Json], list[NotCarried]]:
    """The fields of a task, an annotation or a result that are kept, and what is not.

    Args:
        fields: as in the file.
        own: names of those that are said elsewhere.
        place: where it stands, for messages.
        what: "tasks", "annotations", …, for messages.
        whole: names of those that are kept even if they are lists or objects; of others, of users their id or name.
        people: whether texts may be about people, so that e-mail addresses are not kept.
    """
    kept: dict[str, Json] = {}
    lost: list[NotCarried] = []
    room = LABEL_STUDIO_KEPT_BYTES_MAX
    for name in sorted(fields.keys() - set(own)):
        value = fields[name]
        if name == "image_rotation" and not value:
            continue  # said of every image
        if name not in whole:
            value = _plain(value)
        if value is None or value in ([], {}):
            if fields[name] not in (None, [], {}):
                lost.append(NotCarried(place, f"{name[:40]!r} of {what}"))
        elif people and isinstance(value, str) and _EMAIL.search(value):
            lost.append(NotCarried(place, "e-mail addresses, which are not taken into datasets"))
        elif (size := _size({name: value})) is None or size > room:
            lost.append(NotCarried(place, f"fields of {what} beyond {LABEL_STUDIO_KEPT_BYTES_MAX:,} bytes"))
        else:
            kept[name] = value
            room -= size
    return kept, lost


def _plain(value: Json) -> Json:
    """A text, number or truth value as it is; of a user the id, or the name without one; None for anything else."""
    if isinstance(value, dict):
        user = value.get("id")
        if isinstance(user, int) and not isinstance(user, bool):
            return user
        name = " ".join(value[part] for part in _PERSON if isinstance(value.get(part), str)).strip()
        return None if _EMAIL.search(name) else name or None
    return None if isinstance(value, list) else value


def _size(value: Json) -> int | None:
    """In bytes of JSON; None for what is nested too deep or JSON cannot say."""
    try:
        text = canonical(value)
    except (ValueError, RecursionError):
        return None
    return len(text) if depth(text) <= _DEPTH_MAX else None
