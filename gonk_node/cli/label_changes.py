"""What a version of a label set changes, for reviewers, as lines and JSON. What differs is found by `formats.label_diff`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gonk_node.cli.place import Place
from gonk_node.cli.text import plural, safe
from gonk_node.errors import NonconformingError, NotFoundError
from gonk_node.formats.label_diff import Changed, LabelSetDiff, label_set_diff
from gonk_node.formats.label_set import MEDIA_TYPE, Label, LabelSet
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.labels import read_any, uuid_of
from gonk_node.state.strict_json import canonical
from gonk_node.store.state_schema import OBJECT

_LINES_MAX = 40  # of each sort
_VALUE_CHARS_MAX = 80


def is_label_set(revision: Revision) -> bool:
    """Whether a revision says that it is a label set."""
    return revision.kind == OBJECT and revision.media_type == MEDIA_TYPE


def label_lines(place: Place, revision: Revision) -> list[str]:
    """What a version of a label set changes against the one that it was made from; a line also where that cannot be told."""
    try:
        base, new, diff = _compared(place, revision)
    except (NotFoundError, NonconformingError) as error:
        return [f"what it changes of the labels cannot be told: {error.where}: {error.what}"]
    against = "" if base is None else f" against version {base.version}"
    lines = []
    if revision.uuid != uuid_of(place.replica.dataset, new.schema):
        lines.append(f"it is not the label set of {safe(new.schema)}, which is another object: nothing reads this one")
    if not diff:
        return [*lines, f"no label differs{against}"]
    sorts = (("added", diff.added), ("removed", diff.removed), ("renamed", diff.renamed))
    counts = [(name, len(found)) for name, found in (*sorts, ("renumbered", diff.renumbered)) if found]
    if diff.changed:
        counts.append(("otherwise changed", len({each.id for each in diff.changed})))
    told = ", ".join(f"{plural(count, 'label')} {name}" for name, count in counts)
    return [*lines, f"{told}{against}", *_lines(diff)]


def label_json(place: Place, revision: Revision) -> dict[str, Any]:
    """The same as data; `read`: whether it is the one that its schema has; `unknown` says why there is nothing else."""
    try:
        base, new, diff = _compared(place, revision)
    except (NotFoundError, NonconformingError) as error:
        return {"unknown": f"{error.where}: {error.what}"}
    return {
        "read": revision.uuid == uuid_of(place.replica.dataset, new.schema),
        "base": None if base is None else base.version,
        "schema": None if diff.schema is None else {"old": diff.schema[0], "new": diff.schema[1]},
        "added": [_label_json(each) for each in diff.added],
        "removed": [_label_json(each) for each in diff.removed],
        "renamed": [each._asdict() for each in diff.renamed],
        "renumbered": [each._asdict() for each in diff.renumbered],
        "changed": [each._asdict() for each in diff.changed],
    }


def _compared(place: Place, revision: Revision) -> tuple[Revision | None, LabelSet, LabelSetDiff]:
    """The version that it was made from (where that is a label set), its labels, and what differs: of a first one, all.

    Raises:
        NotFoundError: a content is not on this node. NonconformingError: one is no label set.
    """
    new = _read(place, revision)
    base = None if revision.base is None else place.queries.by_number(OBJECT, revision.base)
    if base is None or not is_label_set(base):
        return None, new, label_set_diff(LabelSet(new.schema), new)
    return base, new, label_set_diff(_read(place, base), new)


def _read(place: Place, revision: Revision) -> LabelSet:
    return read_any(place.node.content, revision, f"version {revision.version}")


def _lines(diff: LabelSetDiff) -> Iterator[str]:
    if diff.schema is not None:
        yield f"  for another schema: {_value(diff.schema[0])} → {_value(diff.schema[1])}"
    yield from _cut([f"  added {_label(each)}" for each in diff.added], "added")
    yield from _cut([f"  removed {_label(each)}" for each in diff.removed], "removed")
    yield from _cut([f"  renamed {_change(each)}" for each in diff.renamed], "renamed")
    yield from _cut([f"  renumbered in exports {_change(each)}" for each in diff.renumbered], "renumbered")
    yield from _cut([f"  {each.field} of {_change(each)}" for each in diff.changed], "changed")


def _cut(lines: list[str], what: str) -> Iterator[str]:
    yield from lines[:_LINES_MAX]
    if len(lines) > _LINES_MAX:
        yield f"  and {len(lines) - _LINES_MAX:,} more {what}; --json lists all"


def _label(label: Label) -> str:
    name = "" if label.name == label.id else f", called {_value(label.name)}"
    return f"{_value(label.id)}{name}" + ("" if label.index is None else f", index {label.index}")


def _label_json(label: Label) -> dict[str, Any]:
    return {"id": label.id, "name": label.name, "index": label.index}


def _change(change: Changed) -> str:
    return f"{_value(change.id)}: {_value(change.old)} → {_value(change.new)}"


def _value(value: Any) -> str:
    if value is None or value == ():
        return "none"
    plain = [list(each) if isinstance(each, tuple) else each for each in value] if isinstance(value, tuple) else value
    return safe(canonical(plain).decode(), _VALUE_CHARS_MAX)
