"""What one annotation of a COCO file says, as bodies of the schemas that ship. It reads no files.

A box is [x, y, width, height] in pixels from the top left corner, as in `bounding-box`; a segmentation of polygons makes a
`polygon`, one in run-length encoding a `mask`, and keypoints make `keypoints`, which hold the box themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from gonk_node.errors import InputFileError
from gonk_node.formats import rle
from gonk_node.formats.sample import number
from gonk_node.state.strict_json import Json

OWN_FIELDS = frozenset({"bbox", "segmentation", "caption", "iscrowd", "keypoints", "num_keypoints"})
"""Fields of an annotation that the body itself says; all others are kept as attributes."""

_MEMBERS = {  # fields that are no part of the format, but are written by many, and have a place in these schemas
    "bounding-box": ("occluded", "truncated", "difficult", "pose", "score"),
    "polygon": ("occluded", "truncated", "score"),
    "mask": ("occluded", "truncated", "score"),
    "keypoints": ("occluded", "truncated", "score"),
}
_POSE_CHARS_MAX = 64
_SIDE_MAX = 2**31 - 1
Ring: TypeAlias = list[list[int | float]]
Body: TypeAlias = dict[str, Json]


class Category(NamedTuple):
    """A category of the file: its name, what it belongs to, and the names of its keypoints in order."""

    name: str
    supercategory: Json = None
    keypoints: tuple[str, ...] = ()


def point_names(category: dict[str, Json]) -> tuple[str, ...]:
    """The names of a category's keypoints; empty where it has none, or no list of different names."""
    names = category.get("keypoints")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        return ()
    return tuple(names) if len(set(names)) == len(names) else ()


def said_by_the_body(schema: str, fields: Body) -> tuple[Body, Body]:
    """(members of a body of that schema, the rest) of further fields of an annotation."""
    members = {name: fields[name] for name in _MEMBERS.get(schema, ()) if name in fields and _fits(name, fields[name])}
    return members, {name: value for name, value in fields.items() if name not in members}


def _fits(name: str, value: Json) -> bool:
    if name == "score":
        found = number(value)
        return found is not None and 0 <= found <= 1
    if name == "pose":
        return isinstance(value, str) and len(value) <= _POSE_CHARS_MAX
    return isinstance(value, bool)


def bodies(item: Body, category: Category | None) -> Iterator[tuple[str, Body | str, str]]:
    """(schema, body or what is wrong, place in the annotation) of each thing that one annotation says of its image.

    Args:
        item: the annotation.
        category: of its category_id, where the file has it.
    """
    if "caption" in item:
        text = item["caption"]
        good = isinstance(text, str) and text.strip()
        yield "caption", {"text": text} if good else "the caption is no text; left out", "/caption"
    box, outline, points = item.get("bbox"), item.get("segmentation"), item.get("keypoints")
    has_box, has_outline, has_points = (each not in (None, []) for each in (box, outline, points))
    if not has_box and not has_outline and not has_points:
        if "caption" not in item:
            yield "", "has neither bbox, segmentation, keypoints nor caption; left out", ""
        return
    if category is None:
        what = f"there is no category of id {short_text(item.get('category_id'))}; left out"
        yield "", what, "/category_id"
        return
    base: Body = {"label": category.name}
    if item.get("iscrowd") in (0, 1):
        base["iscrowd"] = bool(item["iscrowd"])
    if has_points:
        body = _keypoints(points, category, base)
        if has_box and isinstance(body, dict):
            frame = _box(box, {})
            body |= {} if isinstance(frame, str) else {"box": frame}
            has_box = isinstance(frame, str)  # told below
        yield "keypoints", body, "/keypoints"
    if has_box:
        yield "bounding-box", _box(box, base), "/bbox"
    if has_outline:
        if isinstance(outline, dict):
            yield "mask", _mask(outline, base), "/segmentation"
        else:
            yield "polygon", _polygon(outline, base), "/segmentation"


def _box(box: Json, base: Body) -> Body | str:
    values = [number(value) for value in box] if isinstance(box, list) else []
    if len(values) != 4 or None in values:
        return f"a box must be four finite numbers, not {short_text(box)}; left out"
    x, y, w, h = values
    if not (w and w > 0 and h and h > 0):
        return f"the box is degenerate: {w} wide, {h} high; left out"
    return {**base, "x": x, "y": y, "w": w, "h": h}


def _polygon(outline: Json, base: Body) -> Body | str:
    if not isinstance(outline, list):
        return f"a segmentation must be a list of polygons, not {short_text(outline)}; left out"
    parts = []
    for index, flat in enumerate(outline):
        ring = _ring(flat)
        if isinstance(ring, str):
            return f"polygon {index} {ring}; the outline is left out"
        parts.append({"outer": ring, "holes": []})
    return {**base, "parts": parts}


def _ring(flat: Json) -> Ring | str:
    """The points of [x1, y1, x2, y2, …], or what is wrong with them."""
    values = [number(value) for value in flat] if isinstance(flat, list) else []
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values) or len(values) < 6 or len(values) % 2:
        return "must be x, y of at least three points, in finite numbers"
    points = [[numbers[at], numbers[at + 1]] for at in range(0, len(numbers), 2)]
    following = [*points[1:], points[0]]
    if not sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, following, strict=True)):
        return "is degenerate: it has no area"
    return points


def _mask(outline: dict[str, Json], base: Body) -> Body | str:
    size, counts = outline.get("size"), outline.get("counts", ())
    if not isinstance(size, list) or len(size) != 2 or not all(_is_side(side) for side in size):
        return f"the size of a mask must be its height and width in pixels, not {short_text(size)}; left out"
    if not isinstance(counts, str) and not _are_runs(counts):
        return "the counts of a mask must be a text or whole numbers; left out"
    try:
        rle.check(rle.decode(counts) if isinstance(counts, str) else counts, *size)
    except InputFileError as error:
        return f"{error.what}; left out"
    return {**base, "size": size, "counts": counts}


def _are_runs(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(run, int) and not isinstance(run, bool) for run in value)


def _is_side(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _SIDE_MAX


def _keypoints(flat: Json, category: Category, base: Body) -> Body | str:
    """The points of [x1, y1, v1, x2, …], named by the category."""
    names = category.keypoints
    values = [number(value) for value in flat] if isinstance(flat, list) else []
    if not names:
        return "its category names no keypoints, or one twice; the keypoints are left out"
    if None in values or len(values) != 3 * len(names):
        return f"keypoints must be x, y, v of the {len(names)} that the category names, in finite numbers; left out"
    points: list[Body] = []
    for index, name in enumerate(names):
        x, y, v = values[3 * index : 3 * index + 3]
        if v not in (0, 1, 2):
            return f"the keypoint {short_text(name)} has the visibility {v}, not 0, 1 or 2; left out"
        points.append({"name": name, "v": v} if not v and not x and not y else {"name": name, "x": x, "y": y, "v": v})
    return {**base, "points": points}


def short_text(value: Json) -> str:
    """The value for a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
