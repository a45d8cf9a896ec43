"""The categories of a COCO file: what annotations need of them, and the labels that they declare. It reads no files."""

from __future__ import annotations

from collections.abc import Iterator

from gonk_node.formats.coco.bodies import Category, point_names
from gonk_node.formats.coco.known import Known, id_of, with_ids
from gonk_node.formats.label_set import Label, declared_label
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedLabels, Record
from gonk_node.state.strict_json import Json, Problem, canonical

_FORMAT = "coco"
_POINTED = frozenset({"keypoints", "skeleton"})  # a label has a place for them


def survey_category(item: Json, index: int, known: Known) -> Iterator[Record]:
    """Take note of a category, and tell what cannot be used of it."""
    category = id_of(item.get("id")) if isinstance(item, dict) else None
    if category is None or not isinstance(item.get("name"), str) or not item["name"]:
        yield Problem(known.at("categories", index), "a category needs an id and a name; left out")
    elif category in known.categories:
        yield Problem(known.at("categories", index, "id"), f"category id {category!r} is taken; left out")
    else:
        known.categories[category] = Category(item["name"], item.get("supercategory"), point_names(item))
        if item["name"] in known.fields:
            yield NotCarried(known.at("categories", index), "that several categories have one name")
        else:
            said = {name: value for name, value in item.items() if name == "name" or _is_json({name: value})}
            known.fields[item["name"]] = with_ids(said)
            if len(known.fields[item["name"]]) < len(item):
                yield NotCarried(
                    known.at("categories", index), "fields of categories that JSON cannot hold (NaN, Infinity)"
                )
            if declared_label(item["name"]) is None:
                yield NotCarried(known.at("categories", index), "names of categories that no label can have")
            if not _skeleton(item)[1]:
                yield NotCarried(
                    known.at("categories", index, "skeleton"), "lines of skeletons that join no two keypoints"
                )


def declared_labels(known: Known) -> Iterator[Record]:
    """The categories that the file declares, for each schema that its annotations have."""
    pointed = any(category.keypoints for category in known.categories.values())
    for schema in sorted(known.schemas) or (["keypoints"] if pointed else ["bounding-box"] if known.fields else []):
        labels = (_label(item, schema) for item in known.fields.values())
        yield ImportedLabels(schema, tuple(label for label in labels if label is not None), known.at("categories"))


def _label(item: dict[str, Json], schema: str) -> Label | None:
    points = point_names(item) if schema == "keypoints" else ()
    pairs = _skeleton(item)[0] if points else []
    rest = {name: value for name, value in item.items() if name != "name" and name not in (_POINTED if points else ())}
    return declared_label(
        item["name"],
        {_FORMAT: rest},
        keypoints=points,
        skeleton=tuple((points[one - 1], points[other - 1]) for one, other in pairs),
    )


def _skeleton(item: dict[str, Json]) -> tuple[list[list[int]], bool]:
    """(the pairs of a category's skeleton, whether that is all it says)."""
    points, joined = point_names(item), item.get("skeleton")
    pairs = [pair for pair in joined if _joins(pair, len(points))] if isinstance(joined, list) else []
    return pairs, not points or pairs == (joined or [])


def _joins(pair: Json, count: int) -> bool:
    """Whether it is two positions of points, counted from 1."""
    return isinstance(pair, list) and len(pair) == 2 and all(type(at) is int and 0 < at <= count for at in pair)


def _is_json(value: Json) -> bool:
    try:
        canonical(value)
    except (ValueError, RecursionError):
        return False
    return True
