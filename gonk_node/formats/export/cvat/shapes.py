"""What gonk's bodies are in a CVAT file: the elements of shapes and tags. It writes nothing.

All take bodies of schemas that ship, in pixels; `formats.cvat.shapes` reads what is made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from gonk_node.core.limits import CVAT_MASK_RUNS_MAX, CVAT_POINTS_MAX
from gonk_node.errors import InputFileError, RefusedError
from gonk_node.formats import rle
from gonk_node.formats.cvat.shapes import FORMAT
from gonk_node.formats.decimals import EXACT, exact, plain
from gonk_node.formats.export.job import kept
from gonk_node.formats.export.xml_lines import Xml
from gonk_node.formats.image_size import ImageSize
from gonk_node.state.strict_json import canonical

_NUMBER_MAX = 2**31 - 1  # of z_order and group_id
Body = dict[str, Any]


def elements(
    schema: str, body: Body, called: Sequence[str], points: Sequence[str], size: ImageSize | None
) -> list[Xml]:
    """The shapes or tags that a body makes.

    Args:
        schema: that it is of.
        body: what it says.
        called: the names of its labels; of several those of a list of labels.
        points: the names of the points of a label with a skeleton, in order; empty for any other.
        size: of the image, if it is known.

    Raises:
        RefusedError: it cannot be written.
    """
    said = said_of(body)
    if schema == "classification":
        return [Xml("tag", {"label": name, **said}, children=attributes_of(body)) for name in called]
    first: dict[str, str] = {"label": called[0]}
    if "source" in said:
        first["source"] = said.pop("source")
    said = {"z_order": "0", **said}
    if points:
        return [Xml("skeleton", first | said, children=[*_skeleton(body, points), *attributes_of(body)])]
    first["occluded"] = str(int(body.get("occluded", False)))
    tag, forms = _FORMS[schema](body, size)
    return [Xml(tag, first | form | said, children=attributes_of(body)) for form in forms]


def said_of(body: Body) -> dict[str, str]:
    """What an import kept of a shape or track and has a place: z_order, group_id, source."""
    source = kept(body, FORMAT)
    found = {name: source.get(name) for name in ("z_order", "group_id")}
    numbers = {name: str(value) for name, value in found.items() if type(value) is int and abs(value) <= _NUMBER_MAX}
    return numbers | ({"source": source["source"]} if isinstance(source.get("source"), str) else {})


def attributes_of(body: Body) -> list[Xml]:
    """The attributes of a shape: those that an import kept, and what people added."""
    return [Xml("attribute", {"name": name}, text) for name, text in named_attributes(body).items()]


def named_attributes(body: Body) -> dict[str, str]:
    """The same by name, in the order of the names."""
    before = own_attributes(kept(body, FORMAT).get("attributes"))
    return dict(sorted((own_attributes(body.get("attributes")) | before).items()))


def own_attributes(value: Any) -> dict[str, str]:
    """Texts, numbers, true and false under a name, as texts."""
    if not isinstance(value, dict):
        return {}
    plain = {name: each for name, each in value.items() if isinstance(each, str | bool | int | float)}
    return {name: each if isinstance(each, str) else canonical(each).decode() for name, each in plain.items()}


# --- forms --------------------------------------------------------------------------------------------------


def _box(body: Body, _: ImageSize | None) -> tuple[str, list[dict[str, str]]]:
    return "box", [corners(body)]


def corners(box: Body) -> dict[str, str]:
    """The corners of a box of x, y, w, h, with the rotation where it has an angle."""
    x, y, w, h = (exact(box[name]) for name in "xywh")
    found = {"xtl": x, "ytl": y, "xbr": EXACT.add(x, w), "ybr": EXACT.add(y, h)}
    return {name: plain(value) for name, value in found.items()} | (
        {"rotation": rotation(box["angle"])} if "angle" in box else {}
    )


def _rotated(body: Body, _: ImageSize | None) -> tuple[str, list[dict[str, str]]]:
    cx, cy, w, h = (exact(body[name]) for name in ("cx", "cy", "w", "h"))
    w, h = EXACT.divide(w, Decimal(2)), EXACT.divide(h, Decimal(2))
    found = {
        "xtl": EXACT.subtract(cx, w),
        "ytl": EXACT.subtract(cy, h),
        "xbr": EXACT.add(cx, w),
        "ybr": EXACT.add(cy, h),
    }
    return "box", [{name: plain(value) for name, value in found.items()} | {"rotation": rotation(body["angle"])}]


def rotation(angle: float) -> str:
    """An angle as CVAT has it: from 0 to 360 degrees."""
    found = EXACT.remainder(exact(angle), Decimal(360))
    return plain(EXACT.add(found, Decimal(360)) if found < 0 else found)


def _polygon(body: Body, _: ImageSize | None) -> tuple[str, list[dict[str, str]]]:
    return "polygon", [{"points": points_text(part["outer"])} for part in body["parts"]]


def _polyline(body: Body, _: ImageSize | None) -> tuple[str, list[dict[str, str]]]:
    return "polyline", [{"points": points_text(body["points"])}]


def _points(body: Body, _: ImageSize | None) -> tuple[str, list[dict[str, str]]]:
    return "points", [{"points": points_text([(point["x"], point["y"]) for point in body["points"]])}]


def _mask(body: Body, size: ImageSize | None) -> tuple[str, list[dict[str, str]]]:
    """The mask row by row, in the smallest box around it."""
    height, width = body["size"]
    try:
        runs = rle.decode(body["counts"]) if isinstance(body["counts"], str) else body["counts"]
        rle.check(runs, height, width)
        box = rle.bounding_box(runs, height)
        if box is None:
            raise RefusedError("the mask covers no pixel, and CVAT has no such masks; left out")
        left, top, w, h = box
        if size is not None and (left + w > size.width or top + h > size.height):
            raise RefusedError("the mask reaches beyond its image; left out")
        rows = rle.turned(runs, height, new_length=w, shift=(-top, -left), total=w * h, runs_max=CVAT_MASK_RUNS_MAX)
    except InputFileError as error:
        raise RefusedError(f"{error.what}; left out") from error
    numbers = {"left": left, "top": top, "width": w, "height": h}
    return "mask", [{"rle": ", ".join(map(str, rows)), **{name: str(value) for name, value in numbers.items()}}]


_FORMS = {
    "bounding-box": _box,
    "keypoints": _points,
    "mask": _mask,
    "polygon": _polygon,
    "polyline": _polyline,
    "rotated-box": _rotated,
}


def _skeleton(body: Body, names: Sequence[str]) -> Iterator[Xml]:
    """All points of a skeleton; those that the body lacks are outside."""
    by_name = {point["name"]: point for point in body["points"]}
    if not by_name.keys() <= set(names):
        raise RefusedError(f"its label has more than {CVAT_POINTS_MAX:,} points; left out")
    own = kept(body, FORMAT).get("elements")
    for name in names:
        point = by_name.get(name, {"v": 0})
        more = own.get(name) if isinstance(own, dict) else None
        more = {"attributes": {FORMAT: more}} if isinstance(more, dict) else {}
        source = said_of(more).get("source", said_of(body).get("source"))
        yield Xml(
            "points",
            {"label": name}
            | ({"source": source} if source is not None else {})
            | visibility(point["v"])
            | {"points": points_text([(point.get("x", 0), point.get("y", 0))])},
            children=attributes_of(more),
        )


def visibility(v: int) -> dict[str, str]:
    """`outside` and `occluded` of a point of a skeleton."""
    return {"outside": str(int(v == 0)), "occluded": str(int(v == 1))}


def are_plain_points(body: Body) -> bool:
    """Whether points are named by their positions, and all are there: then CVAT's `points` can hold them."""
    names = [point["name"] for point in body["points"]]
    return names == [str(at) for at in range(len(names))] and all(point["v"] == 2 for point in body["points"])


def points_text(points: Sequence[Sequence[float]]) -> str:
    """Points as CVAT has them: "x,y;x,y"."""
    return ";".join(f"{plain(exact(x))},{plain(exact(y))}" for x, y in points)
