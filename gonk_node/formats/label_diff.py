"""What a new label set changes: which labels are added, removed, renamed, numbered otherwise in exports, or differ else.

Pure. Which versions are compared is for the caller; whether annotations use a label is not looked at.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple

from gonk_node.formats.label_set import Label, LabelSet

_OWN_PLACE = ("id", "name", "index")  # fields that are told elsewhere
_FIELDS = tuple(each.name for each in fields(Label) if each.name not in _OWN_PLACE)


class Changed(NamedTuple):
    """One label of both sets that differs: in what (a field of `Label`), what it was and what it is."""

    id: str
    field: str
    old: Any
    new: Any


class LabelSetDiff(NamedTuple):
    """What differs; each list in the order of the new set, `removed` in that of the old one.

    Attributes:
        schema: of the old and the new set, where they are of different ones; else None.
        added: labels that are new.
        removed: labels that are gone; annotations that carry them keep their ids, which stand for themselves then.
        renamed: labels that are called otherwise (`field` "name").
        renumbered: labels that loaders and exports number otherwise (`field` "index"), by `label_set.class_numbers`.
        changed: what else differs; `field` "index" where an index comes or goes and the number stays.
    """

    schema: tuple[str, str] | None
    added: list[Label]
    removed: list[Label]
    renamed: list[Changed]
    renumbered: list[Changed]
    changed: list[Changed]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return any(self)


def label_set_diff(old: LabelSet, new: LabelSet) -> LabelSetDiff:
    """Compare two label sets by the ids of their labels."""
    numbers, later = (each.indices() for each in (old, new))
    diff = LabelSetDiff((old.schema, new.schema) if old.schema != new.schema else None, [], [], [], [], [])
    diff.removed.extend(label for label in old.labels if new.get(label.id) is None)
    for label in new.labels:
        before = old.get(label.id)
        if before is None:
            diff.added.append(label)
            continue
        if before.name != label.name:
            diff.renamed.append(Changed(label.id, "name", before.name, label.name))
        if numbers[label.id] != later[label.id]:
            diff.renumbered.append(Changed(label.id, "index", numbers[label.id], later[label.id]))
        elif before.index != label.index:
            diff.changed.append(Changed(label.id, "index", before.index, label.index))
        for name in _FIELDS:
            was, now = getattr(before, name), getattr(label, name)
            if was != now:
                diff.changed.append(Changed(label.id, name, was, now))
    return diff
