"""Values of Label Studio's regions to and from bodies: boxes, outlines, points and masks of images, and spans of texts.

Coordinates are percentages of the image's sides, in both directions: pixels are rounded to six decimals, percentages to ten.
`rotation` turns a box clockwise around its top left corner; a `rotated-box` turns around its middle. Offsets in texts count
code points (as in web/libs/editor/src/utils/selection-tools.js of Label Studio), and once counted UTF-16 units: which of them
is seen by the text that stands with them.
Which result is which annotation is decided in `results`.

Format: https://labelstud.io/guide/export#Units-of-image-annotations.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from functools import cached_property
from typing import Any

from gonk_node.core.limits import IMPORTED_BODY_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.sample import number
from gonk_node.state.strict_json import Json

PIXEL_DECIMALS = 6
PERCENT_DECIMALS = 10

_SAME_PIXELS = 1e-5  # but for rounding

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_BLANKS = re.compile(r"(?:\\n|\s)+")  # Label Studio writes ends of lines as \n, with a backslash

# --- values into bodies ---------------------------------------------------------------------------------------


def box(value: dict[str, Any], size: ImageSize) -> tuple[str, dict[str, Json]]:
    """(schema, members) of a rectangle: a `bounding-box`, or with a rotation a `rotated-box`.

    Raises:
        InputFileError: of these and the following ones: something is missing, or is no number.
    """
    x, y = _side(value, "x", size.width), _side(value, "y", size.height)
    w, h = _side(value, "width", size.width), _side(value, "height", size.height)
    angle = _number(value.get("rotation") or 0)
    if not angle:
        return "bounding-box", _pixels(x=x, y=y, w=w, h=h)
    cx, cy = _turned(x, y, w / 2, h / 2, angle)
    return "rotated-box", {**_pixels(cx=cx, cy=cy, w=w, h=h), "angle": number(angle)}


def corners(value: dict[str, Any], size: ImageSize) -> list[list[Json]]:
    """The corners of a rectangle, from its top left one on, clockwise."""
    x, y = _side(value, "x", size.width), _side(value, "y", size.height)
    w, h = _side(value, "width", size.width), _side(value, "height", size.height)
    angle = _number(value.get("rotation") or 0)
    ends = ((0, 0), (w, 0), (w, h), (0, h))
    return [[_rounded(each) for each in _turned(x, y, right, down, angle)] for right, down in ends]


def outline(value: dict[str, Any], size: ImageSize) -> list[list[Json]]:
    """The points of a polygon."""
    points = value.get("points")
    if not isinstance(points, list) or not all(isinstance(each, list) and len(each) == 2 for each in points):
        raise InputFileError("its points are no pairs of numbers")
    return [[_rounded(_number(x) * size.width / 100), _rounded(_number(y) * size.height / 100)] for x, y in points]


def point(value: dict[str, Any], size: ImageSize) -> dict[str, Json]:
    """x, y and v of a keypoint: 1 where Label Studio's converter says that it is hidden, else 2."""
    x, y = _side(value, "x", size.width), _side(value, "y", size.height)
    return {**_pixels(x=x, y=y), "v": 1 if value.get("hidden") is True else 2}


class Text:
    """A text that is labelled."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _astral(self) -> list[int]:
        """Where characters of two UTF-16 units are, in such units."""
        return [found.start() + before for before, found in enumerate(_ASTRAL.finditer(self.text))]

    def span(self, value: dict[str, Any]) -> dict[str, Json]:
        """start, end and exact of a region.

        Raises:
            InputFileError: there is no such place; or not the text that the region says, whichever way its offsets count.
        """
        start, end, said = number(value.get("start")), number(value.get("end")), value.get("text")
        if not isinstance(start, int) or not isinstance(end, int):
            raise InputFileError("its offsets are no whole numbers (those of HTML are not read)")
        counted = [(start, end), (self._code_points(start), self._code_points(end))]
        for first, last in counted if isinstance(said, str) else counted[:1]:
            if not 0 <= first < last <= len(self.text) or last - first > IMPORTED_BODY_BYTES_MAX:
                continue
            exact = self.text[first:last]
            if not isinstance(said, str) or exact == said or _folded(exact) == _folded(said):
                return {"start": first, "end": last, "exact": exact}
        if not 0 <= start < end <= len(self.text):
            raise InputFileError(f"its offsets {start} to {end} are no place in a text of {len(self.text)} characters")
        raise InputFileError(f"at its offsets {start} to {end} the text is not what it says")

    def _code_points(self, units: int) -> int:
        return units - bisect_left(self._astral, units)


def _folded(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _number(value: Json) -> float:
    found = number(value)
    if found is None:
        raise InputFileError("its coordinates are no numbers")
    return found


def _side(value: dict[str, Any], name: str, whole: int) -> float:
    return _number(value.get(name)) * whole / 100


def _turned(x: float, y: float, right: float, down: float, angle: float) -> tuple[float, float]:
    """What is so far right and down of a corner, where all is turned clockwise around that by so many degrees."""
    if not angle:
        return x + right, y + down
    turn = math.radians(angle)
    sin, cos = math.sin(turn), math.cos(turn)
    return x + right * cos - down * sin, y + right * sin + down * cos


def _rounded(value: float) -> Json:
    return number(round(value, PIXEL_DECIMALS))


def _pixels(**members: float) -> dict[str, Json]:
    return {name: _rounded(value) for name, value in members.items()}


# --- bodies into values ---------------------------------------------------------------------------------------


def rectangle(body: dict[str, Any], size: ImageSize) -> dict[str, Json]:
    """The value of a box of pixels: of x, y, w, h, or with an angle of cx, cy, w, h."""
    w, h, angle = body["w"], body["h"], body.get("angle", 0)
    x, y = (body["x"], body["y"]) if "x" in body else _turned(body["cx"], body["cy"], -w / 2, -h / 2, angle)
    sides = zip(("x", "y", "width", "height"), (*percent(x, y, size), *percent(w, h, size)), strict=True)
    return {**dict(sides), "rotation": angle}


def box_of_corners(points: list[list[float]], rotation: Json) -> dict[str, Json] | None:
    """x, y, w, h, or cx, cy, w, h and angle, of corners from the top left one on, clockwise; None where they make no box.

    Args:
        points: in pixels.
        rotation: what it was turned by where it comes from; taken where that is what the corners say, but for rounding.
    """
    if len(points) != 4:
        return None
    (x, y), (right_x, right_y), (far_x, far_y), (down_x, down_y) = points
    w, h = math.hypot(right_x - x, right_y - y), math.hypot(down_x - x, down_y - y)
    if not w or not h:
        return None
    given = [(right_x, right_y), (far_x, far_y), (down_x, down_y)]
    for angle in (number(rotation) or 0, math.degrees(math.atan2(right_y - y, right_x - x))):
        there = [_turned(x, y, right, down, angle) for right, down in ((w, 0), (w, h), (0, h))]
        if all(math.dist(one, other) <= _SAME_PIXELS for one, other in zip(there, given, strict=True)):
            if not angle:
                return {"x": x, "y": y, "w": right_x - x, "h": down_y - y}
            cx, cy = _turned(x, y, w / 2, h / 2, angle)
            return {"cx": cx, "cy": cy, "w": w, "h": h, "angle": angle}
    return None


def percent(x: float, y: float, size: ImageSize) -> list[float]:
    """A point of pixels in percentages."""
    return [round(100 * x / size.width, PERCENT_DECIMALS), round(100 * y / size.height, PERCENT_DECIMALS)]


def points(outline_: list[list[float]], size: ImageSize) -> list[list[float]]:
    """The points of an outline in percentages."""
    return [percent(x, y, size) for x, y in outline_]
