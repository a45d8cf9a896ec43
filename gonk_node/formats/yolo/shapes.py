"""The lines of YOLO label files and the bodies of the schemas that ship, both ways. It reads and writes no files.

Format: https://docs.ultralytics.com/datasets. A line has the number of a class and coordinates as fractions of the image's
width and height: a box as its middle and its size, outlines and corners as points. Pixels are rounded to six decimals when
read, and fractions to ten when written: boxes of whole pixels come back exactly, and nothing moves by more than 1e-9 of a
side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from gonk_node.errors import InputFileError
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.sample import number
from gonk_node.state.strict_json import Json

Body: TypeAlias = dict[str, Json]
Point: TypeAlias = tuple[float, float]

DETECT, SEGMENT, POSE, OBB = "detect", "segment", "pose", "obb"
SCHEMAS = {DETECT: "bounding-box", SEGMENT: "polygon", POSE: "keypoints", OBB: "rotated-box"}
_OUTSIDE_MAX = 0.01  # of a side: how far a fraction may be out of the image, as rounding puts it there
_SQUARE_MAX = 1e-3  # of its size: how much a rectangle may be skewed


def unused_class(number: int) -> str:
    """What a class is called that nothing has, so that the numbers of classes have no gap."""
    return f"unused {number}"


# --- written ------------------------------------------------------------------------------------------------


def fraction(value: float) -> str:
    """A fraction of a side, in the shortest form with at most ten decimals."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def box_fractions(box: Body, size: ImageSize) -> tuple[list[str], bool] | None:
    """(middle and size of a box as fractions, whether it was cut off at the edge); None: it is wholly outside."""
    left, top = max(0.0, box["x"]), max(0.0, box["y"])
    right, bottom = min(size.width, box["x"] + box["w"]), min(size.height, box["y"] + box["h"])
    if right <= left or bottom <= top:
        return None
    cut = (left, top) != (box["x"], box["y"]) or right < box["x"] + box["w"] or bottom < box["y"] + box["h"]
    values = (
        (left + right) / 2 / size.width,
        (top + bottom) / 2 / size.height,
        (right - left) / size.width,
        (bottom - top) / size.height,
    )
    return [fraction(value) for value in values], cut


def point_fractions(points: Sequence[Sequence[float]], size: ImageSize) -> tuple[list[str], bool]:
    """(points as fractions, whether some were outside of the image and moved to its edge)."""
    found: list[str] = []
    cut = False
    for x, y in points:
        inside = min(max(x, 0.0), size.width), min(max(y, 0.0), size.height)
        cut = cut or inside != (x, y)
        found += [fraction(inside[0] / size.width), fraction(inside[1] / size.height)]
    return found, cut


def corners(body: Body) -> list[Point]:
    """The corners of a rotated box: that which is top left before it is turned, and clockwise from there."""
    turn = math.radians(body["angle"])
    cos, sin = math.cos(turn), math.sin(turn)
    sides = [
        (sign_x * body["w"] / 2, sign_y * body["h"] / 2) for sign_x, sign_y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    return [(body["cx"] + x * cos - y * sin, body["cy"] + x * sin + y * cos) for x, y in sides]


# --- read ---------------------------------------------------------------------------------------------------


def pixels(text: str, side: int) -> float:
    """A fraction as pixels.

    Raises:
        InputFileError: it is no finite number, or far out of the image: probably pixels already.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputFileError(f"{text[:40]!r} is no finite number")
    if not -_OUTSIDE_MAX <= value <= 1 + _OUTSIDE_MAX:
        raise InputFileError(f"{text[:40]!r} is no fraction of the image's side")
    return _six(value * side)


def read_box(texts: Sequence[str], size: ImageSize) -> Body:
    """x, y, w, h in pixels of a box of four fractions; InputFileError where it has no area."""
    sides = (size.width, size.height, size.width, size.height)
    _, _, w, h = (pixels(text, side) for text, side in zip(texts, sides, strict=True))
    if w <= 0 or h <= 0:
        raise InputFileError(f"the box is degenerate: {w} wide, {h} high")
    x = float(texts[0]) * size.width - float(texts[2]) * size.width / 2
    y = float(texts[1]) * size.height - float(texts[3]) * size.height / 2
    return {"x": number(_six(x)), "y": number(_six(y)), "w": number(w), "h": number(h)}


def read_points(texts: Sequence[str], size: ImageSize) -> list[list[int | float]]:
    """Points in pixels, of x, y, x, y, … as fractions."""
    sides = (size.width, size.height)
    flat = [number(pixels(text, sides[index % 2])) for index, text in enumerate(texts)]
    return [[flat[at] or 0, flat[at + 1] or 0] for at in range(0, len(flat), 2)]


def read_corners(texts: Sequence[str], size: ImageSize) -> tuple[Body, bool]:
    """(cx, cy, w, h, angle of a rotated box, whether the four corners are a rectangle); InputFileError without area."""
    points = read_points(texts, size)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points
    width = (math.hypot(x1 - x0, y1 - y0) + math.hypot(x2 - x3, y2 - y3)) / 2
    height = (math.hypot(x2 - x1, y2 - y1) + math.hypot(x3 - x0, y3 - y0)) / 2
    if width <= 0 or height <= 0:
        raise InputFileError("the corners have no area")
    angle = math.degrees(math.atan2(y1 - y0 + y2 - y3, x1 - x0 + x2 - x3))
    body: Body = {
        "cx": number(_six((x0 + x1 + x2 + x3) / 4)),
        "cy": number(_six((y0 + y1 + y2 + y3) / 4)),
        "w": number(_six(width)),
        "h": number(_six(height)),
        "angle": number(_six(angle)),
    }
    again = corners(body)
    off = max(math.hypot(a[0] - b[0], a[1] - b[1]) for a, b in zip(points, again, strict=True))
    return body, off <= max(_SQUARE_MAX * (width + height), 1e-3)


def read_keypoints(texts: Sequence[str], dims: int, names: Sequence[str], size: ImageSize) -> list[Body]:
    """Named points: x, y and, where `dims` is 3, the visibility of each; InputFileError where that is not 0, 1 or 2."""
    points: list[Body] = []
    for index, name in enumerate(names):
        one = texts[dims * index : dims * index + dims]
        x, y = number(pixels(one[0], size.width)), number(pixels(one[1], size.height))
        visibility = _visibility(one[2]) if dims == 3 else 2 if x or y else 0
        if not visibility and not x and not y:
            points.append({"name": name, "v": 0})
        else:
            points.append({"name": name, "x": x, "y": y, "v": visibility})
    return points


def _visibility(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if value not in (0, 1, 2):
        raise InputFileError(f"the visibility {text[:40]!r} of a keypoint is not 0, 1 or 2")
    return int(value)


def _six(value: float) -> float:
    return round(value, 6) + 0.0  # no -0.0
