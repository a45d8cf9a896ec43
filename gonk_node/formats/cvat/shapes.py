"""What one shape of a CVAT file says, as a body of a schema that ships. It reads no files.

Coordinates are pixels from the top left corner of the image, as in gonk; a box is given by two of its corners before it is
turned around its middle, clockwise as seen. A mask is run lengths row by row within a box.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, TypeAlias
from xml.etree.ElementTree import Element

from gonk_node.core.limits import CVAT_MASK_RUNS_MAX, CVAT_POINTS_MAX, IMPORTED_BODY_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats import decimals, rle
from gonk_node.formats.decimals import EXACT
from gonk_node.formats.sample import number
from gonk_node.state.strict_json import Json

FORMAT = "cvat"
_POINT_BYTES_MIN = len("[0,0],")  # in a body
_SIDE_MAX = 2**31 - 1
_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_SAID = frozenset(  # attributes of elements that bodies say, or that are of no use without them
    ("label", "occluded", "outside", "keyframe", "frame", "rotation", "points", "rle", "left", "top", "width", "height")
) | {*_CORNERS, "z_order", "group_id"}
_NO_SCHEMA = {
    "ellipse": "ellipses have no schema in gonk; left out",
    "cuboid": "cuboids drawn in an image have no schema in gonk; left out",
}
Body: TypeAlias = dict[str, Json]
Point: TypeAlias = list[int | float]


class Found(NamedTuple):
    """What a shape says.

    Attributes:
        schema: the name of a schema that ships.
        body: without attributes.
        kept: what else CVAT says of it, for `attributes.cvat`.
    """

    schema: str
    body: Body
    kept: Body


def read(element: Element, size: tuple[int, int] | None, label: str | None = None) -> Found:
    """The body that a shape or tag makes.

    Args:
        element: `box`, `polygon`, `polyline`, `points`, `mask`, `skeleton` or `tag`.
        size: height and width of its image, in pixels; None if they are not known.
        label: of its track, for a shape that has none itself.

    Raises:
        InputFileError: it cannot be used; says why.
    """
    label = element.get("label", label)
    if not label:
        raise InputFileError("has no label; left out")
    base: Body = {"label": label}
    kept = kept_of(element)
    if element.tag == "tag":
        return Found("classification", base, kept)
    if element.tag == "skeleton":
        points, elements = _skeleton(element)
        return Found("keypoints", base | {"points": points}, kept | ({"elements": elements} if elements else {}))
    if element.get("occluded") in ("0", "1"):
        base["occluded"] = element.get("occluded") == "1"
    if element.tag == "mask":
        return Found("mask", base | _mask(element, size), kept)
    if element.tag == "points":
        named = [{"name": str(at), "x": x, "y": y, "v": 2} for at, (x, y) in enumerate(points_of(element))]
        return Found("keypoints", base | {"points": named}, kept)
    if element.tag == "polygon":
        return Found("polygon", base | {"parts": [{"outer": points_of(element), "holes": []}]}, kept)
    if element.tag == "polyline":
        return Found("polyline", base | {"points": points_of(element)}, kept)
    if element.tag != "box":
        raise refusal(element)
    if element.get("rotation") is None:
        return Found("bounding-box", base | box_of(element), kept)
    return Found("rotated-box", base | _rotated(element), kept)


def refusal(element: Element) -> InputFileError:
    """Why a shape of this kind is left out."""
    return InputFileError(_NO_SCHEMA.get(element.tag, f"<{element.tag[:40]}> is no shape that is read; left out"))


def kept_of(element: Element) -> Body:
    """What CVAT says of a shape beside its form: `z_order`, `group_id`, `source`, `attributes`, and what is not known."""
    kept: Body = {name: value for name, value in element.attrib.items() if name not in _SAID and value}
    for name in ("z_order", "group_id"):
        text = element.get(name, "0")
        value = whole_of(text)
        if value != 0:
            kept[name] = text if value is None else value
    attributes = {each.get("name", ""): each.text or "" for each in element.iterfind("attribute")}
    return kept | ({"attributes": attributes} if attributes else {})


def lost_of(element: Element) -> Iterator[str]:
    """What is in a shape and has no place, as kinds of things."""
    known = {"attribute"} | ({"points"} if element.tag == "skeleton" else set())
    for tag in sorted({child.tag for child in element} - known):
        yield f"<{tag[:40]}> in <{element.tag[:40]}>"
    names = [child.get("name") for child in element.iterfind("attribute")]
    if len(set(names)) < len(names):
        yield "all but the last of several attributes with one name"


# --- numbers ------------------------------------------------------------------------------------------------


def whole_of(text: str | None) -> int | None:
    """A whole number of at most 15 digits; None for anything else."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,15}", text, re.ASCII) else None


def _decimal(text: str | None) -> Decimal:
    text = "" if text is None else text.strip()
    found = decimals.read(text)
    if found is None:
        raise InputFileError(f"{text[:40]!r} is no number; left out" if text else "lacks a coordinate; left out")
    return found


def _number(value: Decimal) -> int | float:
    found = number(float(value))
    if found is None:
        raise InputFileError("has a coordinate that is too large; left out")
    return found


def exactly(one: int | float, other: int | float) -> int | float:
    """The sum of two numbers as it is in decimals: 0.1 + 0.2 is 0.3."""
    return _number(EXACT.add(Decimal(repr(one)), Decimal(repr(other))))


def box_of(element: Element) -> Body:
    """x, y, w, h of a box as it is before it is turned; InputFileError if it has no area."""
    left, top, right, bottom = (_decimal(element.get(corner)) for corner in _CORNERS)
    w, h = _number(EXACT.subtract(right, left)), _number(EXACT.subtract(bottom, top))
    if w <= 0 or h <= 0:
        raise InputFileError(f"the box is degenerate: {w} wide, {h} high; left out")
    return {"x": _number(left), "y": _number(top), "w": w, "h": h}


def _rotated(element: Element) -> Body:
    left, top, right, bottom = (_decimal(element.get(corner)) for corner in _CORNERS)
    sides = box_of(element)
    cx, cy = (EXACT.divide(EXACT.add(a, b), Decimal(2)) for a, b in ((left, right), (top, bottom)))
    return {"cx": _number(cx), "cy": _number(cy), "w": sides["w"], "h": sides["h"], "angle": angle_of(element)}


def angle_of(element: Element) -> int | float:
    """Degrees, clockwise as seen, from -360 to 360; 0 without any."""
    angle = _number(_decimal(element.get("rotation", "0")))
    return angle if -360 <= angle <= 360 else angle % 360


def points_of(element: Element) -> list[Point]:
    """The points of "x,y;x,y;…"; InputFileError if they are none, or more than a body can hold."""
    text = element.get("points", "")
    if text.count(";") > IMPORTED_BODY_BYTES_MAX // _POINT_BYTES_MIN:
        raise InputFileError(f"has {text.count(';') + 1:,} points, more than an annotation can hold; left out")
    points: list[Point] = []
    for pair in text.split(";"):
        x, comma, y = pair.partition(",")
        if not comma:
            raise InputFileError(f"{pair[:40]!r} is no point; left out")
        points.append([_number(_decimal(x)), _number(_decimal(y))])
    return points


# --- masks and skeletons ------------------------------------------------------------------------------------


def _mask(element: Element, size: tuple[int, int] | None) -> Body:
    """`size` and `counts` of a mask of the whole image, which is read column by column."""
    if size is None:
        raise InputFileError("a mask needs the width and height of its image, which the file does not say; left out")
    height, width = size
    text = element.get("rle", "")
    left, top, w, h = (whole_of(element.get(name)) for name in ("left", "top", "width", "height"))
    if left is None or top is None or not w or not h or min(left, top, w, h) < 0:
        raise InputFileError("a mask needs left, top, width and height in whole pixels; left out")
    if left + w > width or top + h > height or max(height, width) > _SIDE_MAX:
        raise InputFileError(f"the mask reaches beyond its image of {width} x {height} pixels; left out")
    if text.count(",") >= CVAT_MASK_RUNS_MAX:
        raise InputFileError(f"the mask has more than {CVAT_MASK_RUNS_MAX:,} runs; left out")
    runs = [whole_of(run.strip()) for run in text.split(",")]
    rows = [run for run in runs if run is not None]
    if len(rows) < len(runs):
        raise InputFileError("the runs of the mask are no whole numbers; left out")
    try:
        rle.check(rows, h, w)
        columns = rle.turned(
            rows, w, new_length=height, shift=(left, top), total=height * width, runs_max=CVAT_MASK_RUNS_MAX
        )
    except InputFileError as error:
        raise InputFileError(f"{error.what}; left out") from error
    return {"size": [height, width], "counts": rle.encode(columns)}


def _skeleton(element: Element) -> tuple[list[Body], Body]:
    """(the points of a skeleton by the names of its sublabels, what else is said of some of them)."""
    points: list[Body] = []
    elements: Body = {}
    for name, child in skeleton_elements(element).items():
        [(x, y)] = points_of(child)
        v = visibility(child)
        points.append({"name": name, "v": v} if not v and not x and not y else {"name": name, "x": x, "y": y, "v": v})
        kept = kept_of(child)
        if kept.get("source") == element.get("source"):
            kept.pop("source", None)
        if kept:
            elements[name] = kept
    return points, elements


def skeleton_elements(element: Element) -> dict[str, Element]:
    """The points of a skeleton by their names; InputFileError where one is not a single point with a name of its own."""
    found: dict[str, Element] = {}
    for child in element:
        if child.tag == "attribute":
            continue
        name = child.get("label")
        if child.tag != "points" or not name or name in found or ";" in child.get("points", ""):
            raise InputFileError("the skeleton has an element that is not one point with a name of its own; left out")
        found[name] = child
    if not 0 < len(found) <= CVAT_POINTS_MAX:
        raise InputFileError(f"the skeleton has {len(found):,} points, not 1 to {CVAT_POINTS_MAX:,}; left out")
    return found


def visibility(element: Element) -> int:
    """Of a point of a skeleton, as in COCO: 0 is outside, 1 occluded, 2 visible."""
    return 0 if element.get("outside") == "1" else 1 if element.get("occluded") == "1" else 2
