"""Which annotations of a dataset are one annotation of Label Studio, and what of them it has no place for.

Those that came from one are one again; all that came from elsewhere are one together. A relation is where its ends are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gonk_node.core.ids import uuid_text
from gonk_node.formats.export.job import (
    Job,
    Sample,
    SampleAnnotation,
    annotation_place,
    tell_other_attributes,
    typed_body,
)
from gonk_node.formats.export.label_studio.results import MEMBERS, OF_KIND, REGIONS, kept_of_region
from gonk_node.formats.export.numbering import kept_id
from gonk_node.formats.label_studio.kept import FORMAT, INDEX, Kept
from gonk_node.formats.loss import Loss
from gonk_node.state.strict_json import Json, canonical

_LAST = 1 << 60  # behind all that has a place


@dataclass(slots=True)
class Item:
    """One annotation of the dataset."""

    annotation: SampleAnnotation
    body: dict[str, Any]
    kept: Kept
    place: str

    @property
    def order(self) -> tuple[int, int, bytes]:
        """Results come in the order that they had, and others behind them."""
        return place_of(self.kept.result), _whole(self.kept.result.get("part"), 0), self.annotation.uuid


@dataclass(slots=True)
class Group:
    """One annotation of Label Studio.

    Attributes:
        items: in the order of their results, without relations.
        relations: likewise.
    """

    items: list[Item] = field(default_factory=list)
    relations: list[Item] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, Json]:
        """What was kept of it; the latest, where it was exported and imported again."""
        latest = max(self.items, key=lambda item: (str(item.kept.annotation.get("updated_at")), item.annotation.uuid))
        return latest.kept.annotation

    @property
    def kept_id(self) -> int | None:
        """The id that it had."""
        return kept_id(self.fields.get("id"))


def groups_of(job: Job, sample: Sample, kind: str, *, again: bool) -> list[Group]:
    """The annotations that a sample has there, in the order that they had, and new ones behind them.

    Args:
        job: where losses are told, the first time.
        sample: the object.
        kind: of it.
        again: this is a later pass of the same job.
    """
    groups: dict[str, Group] = {}
    by_uuid: dict[str, Group] = {}
    relations: list[Item] = []
    for annotation in sample.annotations:
        item = _item(job, sample, annotation, kind, again=again)
        if item is None:
            continue
        if annotation.schema == "relation":
            relations.append(item)
        else:
            group = groups.setdefault(_key(item.kept), Group())
            group.items.append(item)
            by_uuid[uuid_text(annotation.uuid)] = group
    for item in relations:
        head, tail = by_uuid.get(item.body["head"]), by_uuid.get(item.body["tail"])
        if head is not None and head is tail:
            head.relations.append(item)
        elif not again:
            where = "that are not written with this object" if head is None or tail is None else "of different people"
            job.loss.left_out(item.place, f"joins annotations {where}; left out")
    for group in groups.values():
        group.items.sort(key=lambda item: item.order)
        group.relations.sort(key=lambda item: item.order)
        if not again:
            _tell_of_empty(group, job.loss)
    return [groups[key] for key in sorted(groups, key=lambda key: (place_of(groups[key].fields), key))]


def _item(job: Job, sample: Sample, annotation: SampleAnnotation, kind: str, *, again: bool) -> Item | None:
    schema = annotation.schema
    if schema not in MEMBERS or (schema in REGIONS and schema not in OF_KIND[kind]):
        if not again:
            about = f" about {kind}" if schema in MEMBERS else ""
            job.loss.not_carried(sample.place, f"annotations of {schema[:60]}{about}")
        return None
    body = typed_body(annotation, sample, job, again=again)
    if body is None:
        return None
    item = Item(annotation, body, Kept.of(body), annotation_place(annotation, sample))
    if not again:
        _tell(schema, item, job.loss)
    return item


def _key(kept: Kept) -> str:
    """The same for what came from one annotation; "" for what came from none."""
    if not kept.annotation:
        return ""
    number = kept_id(kept.annotation.get("id"))
    said = kept.annotation if number is None else number
    return canonical([kept.task.get("id"), said]).decode()


def place_of(kept: dict[str, Json]) -> int:
    """Where something stood among its kind; behind all others, where it came from elsewhere."""
    return _whole(kept.get(INDEX), _LAST)


def _whole(value: Json, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LAST else default


# --- what is lost -----------------------------------------------------------------------------------------------


def _tell(schema: str, item: Item, loss: Loss) -> None:
    body, place = item.body, item.place
    tell_other_attributes(body, place, FORMAT, loss)
    for member in sorted(body.keys() - MEMBERS[schema] - {"score", "attributes"}):
        loss.not_carried(place, f"{member} of {schema}")
    for what in _lost(schema, body):
        loss.not_carried(place, what)
    said = item.kept.result.get("of_region")
    if isinstance(said, list) and len(kept_of_region(item.kept.result)) < len(said):
        loss.not_carried(place, "what was said of a region by tags that are not known")


def _lost(schema: str, body: dict[str, Any]) -> list[str]:
    """What of a body has no place in Label Studio, though its member has."""
    parts = body.get("parts", [])
    points = body.get("points", [])
    unnamed = schema == "keypoints" and "box" not in body
    told = {
        "that several parts are one thing: each is a region": len(parts) > 1,
        "holes of polygons, which are filled": any(part.get("holes") for part in parts),
        "that boxes of angle 0 are rotated boxes": schema == "rotated-box" and not body["angle"],
        "that a list of labels is a classification: it is a multi-label": schema == "classification"
        and "labels" in body,
        "keypoints that are not labelled (v 0)": schema == "keypoints" and any(not point["v"] for point in points),
        "of which thing keypoints without a box are": unnamed
        and [point["name"] for point in points] != [body["label"]],
        "that a label is a speaker": schema == "audio-segment" and "speaker" in body and "label" not in body,
        "speakers of audio-segments with a label": schema == "audio-segment" and "speaker" in body and "label" in body,
    }
    return [what for what, lost in told.items() if lost]


def _tell_of_empty(group: Group, loss: Loss) -> None:
    empty = [item for item in group.items if item.annotation.schema == "reviewed-empty"]
    if len(empty) < len(group.items):
        for item in empty:
            loss.not_carried(item.place, "reviewed-empty beside annotations of the same person")
