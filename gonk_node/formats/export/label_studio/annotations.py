"""One annotation of Label Studio, made of those of a dataset: its results with their ids, and who made it when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gonk_node.core.ids import uuid_text
from gonk_node.errors import InputFileError
from gonk_node.formats.export.label_studio.config import Config
from gonk_node.formats.export.label_studio.groups import Group, Item, place_of
from gonk_node.formats.export.label_studio.results import SHAPES, Part, parts_of, values_of
from gonk_node.formats.export.numbering import kept_id
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.label_studio.importer import UNLABELLED
from gonk_node.formats.label_studio.kept import INDEX
from gonk_node.formats.loss import Loss
from gonk_node.state.strict_json import Json

_NEW: dict[str, Json] = {
    "ground_truth": False,
    "was_cancelled": False,
}  # Label Studio takes what says nothing for the truth


@dataclass(frozen=True, slots=True)
class Target:
    """The object that results are about.

    Attributes:
        config: of its kind of data.
        size: of the image; None where it is none or cannot be read.
        text: that is labelled; "" where it is none.
        called: what labels are called, by id.
        loss: where losses are told.
    """

    config: Config
    size: ImageSize | None
    text: str
    called: dict[str, str]
    loss: Loss


def annotation_of(group: Group, number: int, target: Target) -> dict[str, Json] | None:
    """The annotation; None where nothing of it can be written.

    Args:
        group: what it consists of.
        number: its id.
        target: the object.
    """
    results: list[tuple[int, dict[str, Any]]] = []
    regions: dict[str, str] = {}  # by the uuid of the annotation
    taken: set[str] = set()
    captions: dict[str, list[Json]] = {}  # texts of one result
    said = [item for item in group.items if item.annotation.schema != "reviewed-empty"]
    for item in said:
        own = item.kept.result.get("id")
        if item.kept.result.get("part") and isinstance(own, str) and own in captions:
            captions[own].append(item.body["text"])
            continue
        region = own if isinstance(own, str) and own and own not in taken else item.annotation.uuid.hex()
        try:
            made = list(_results(item, region, target))
        except InputFileError as error:
            target.loss.left_out(item.place, f"{error.what}; left out")
            continue
        regions[uuid_text(item.annotation.uuid)] = region
        taken.update(each["id"] for _, each in made)
        results += made
        if item.annotation.schema == "caption":
            captions[region] = made[0][1]["value"]["text"]
    for item in group.relations:
        results += _relation(item, regions, target)
    if said and not results:
        return None
    results.sort(key=lambda each: each[0])
    return {**_NEW, **_fields(group, target.loss), "id": number, "result": [result for _, result in results]}


def _fields(group: Group, loss: Loss) -> dict[str, Json]:
    fields = {name: value for name, value in group.fields.items() if name != INDEX}
    person = fields.get("completed_by")
    if person is not None and kept_id(person) is None:
        loss.not_carried(group.items[0].place, "names of people in completed_by: Label Studio refuses all but ids")
        del fields["completed_by"]
    return fields


def _results(item: Item, region: str, target: Target) -> Iterator[tuple[int, dict[str, Any]]]:
    """The results that a body makes, each with its place among those of its annotation.

    Raises:
        InputFileError: it makes none, and why.
    """
    schema, kept, config = item.annotation.schema, item.kept, target.config
    if schema in SHAPES and target.size is None:
        raise InputFileError("needs the image's size, which cannot be read from the image file")
    parts = parts_of(schema, item.body, kept, target.called)
    values = values_of(schema, item.body, kept, parts, target.size or ImageSize(1, 1), target.text)
    for at, (part, value) in enumerate(zip(parts, values, strict=True)):
        found: dict[str, Any] = {**part.fields, "id": _id(part, region, at), "type": part.type, "value": value}
        found |= {"from_name": config.control(part.control, part.wanted), "to_name": config.to_name}
        if schema == "rating" and found["from_name"] != item.body.get("criterion", part.type):
            target.loss.not_carried(
                item.place, "what is rated, where that makes no name, or is rated on several scales"
            )
        if part.point:
            found["parentID"] = region
        if schema in SHAPES and target.size is not None:
            found |= {"original_width": target.size.width, "original_height": target.size.height}
            found.setdefault("image_rotation", 0)
        score = item.body.get("score", kept.result.get("score")) if at == 0 else None
        if score is not None:
            found["score"] = score
        yield min(place_of(part.kept), place_of(kept.result)) if at == 0 else place_of(part.kept), found


def _id(part: Part, region: str, at: int) -> str:
    """That of the region; of a keypoint its own, if it had one."""
    if not part.apart:
        return region
    own = part.kept.get("id") if part.point else None
    return own if isinstance(own, str) and own and own != region else f"{region}-{at}"


def labels_of_relation(item: Item, called: dict[str, str]) -> list[str]:
    """What a relation is called: nothing, where it had no label."""
    more, label = item.kept.result.get("labels"), item.body["label"]
    if more == [] and label == UNLABELLED:
        return []
    further = [each for each in more[1:] if isinstance(each, str)] if isinstance(more, list) else []
    return [called.get(label, label), *further]


def _relation(item: Item, regions: dict[str, str], target: Target) -> Iterator[tuple[int, dict[str, Any]]]:
    body, kept = item.body, item.kept.result
    ends = [regions.get(body["head"]), regions.get(body["tail"])]
    if None in ends:
        target.loss.left_out(item.place, "joins an annotation that was left out; left out")
        return
    direction = "right" if body.get("directed", True) else "bi"
    if direction == "right" and kept.get("direction") == "left":
        direction = "left"
        ends.reverse()
    fields = {name: value for name, value in kept.items() if name not in (INDEX, "labels", "direction")}
    found = {**fields, "type": "relation", "from_id": ends[0], "to_id": ends[1], "direction": direction}
    if not kept:  # Label Studio gives relations no ids; by this one it is known when it comes back
        found["id"] = item.annotation.uuid.hex()
    if labels := labels_of_relation(item, target.called):
        found["labels"] = labels
    yield place_of(kept), found
