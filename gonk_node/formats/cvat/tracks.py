"""What one track of a CVAT file says, as bodies of the schema `video-track`. It reads no files, and knows no videos.

CVAT writes a shape for each frame; those that are no keyframes are computed, and are left out. A track with more keyframes
than an annotation can hold becomes several, each of which begins with the keyframe that the one before ends with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

from gonk_node.core.limits import CVAT_TEXT_CHARS_MAX, IMPORTED_BODY_BYTES_MAX, LOSS_KINDS_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.cvat.shapes import (
    FORMAT,
    Body,
    angle_of,
    box_of,
    exactly,
    kept_of,
    lost_of,
    points_of,
    refusal,
    skeleton_elements,
    visibility,
    whole_of,
)
from gonk_node.state.strict_json import Json, canonical

_PART_BYTES_MAX = IMPORTED_BODY_BYTES_MAX * 3 // 4  # of keyframes in one annotation
_OUTLINES = ("polygon", "polyline")


class Track:
    """One track while its shapes pass.

    Args:
        attributes: of the element `track`.
        frame_shift: what frames are shifted by in the file.
        names: of the points of its label's skeleton, in order; empty if the file does not say.

    Attributes:
        label: of all shapes.
        kept: what CVAT says of the track beside, for `attributes.cvat`.
        refusal: why it is left out; "" as long as it can be used.
        lost: kinds of things that have no place, each once.
    """

    def __init__(self, attributes: dict[str, str], frame_shift: int, names: Sequence[str]) -> None:
        self.label = attributes.get("label", "")
        self.refusal = "" if self.label else "has no label; left out"
        if len(self.label) > CVAT_TEXT_CHARS_MAX:
            self.refusal = "its label is too long; left out"
        self.lost: dict[str, None] = {}
        self._shift = frame_shift
        self._names = dict.fromkeys(names)
        source = attributes.get("source", "")[:CVAT_TEXT_CHARS_MAX]
        self.kept: Body = {"source": source} if source else {}
        group = whole_of(attributes.get("group_id", "0"))
        self.kept |= {"group_id": group} if group else {}
        self._track = attributes.get("id", "")
        self._kind = ""
        self._all = False  # each frame counts: keyframes are not marked
        self._keyframes: list[Body] = []
        self._bytes = 0
        self._parts = 0
        self._shape: Json = None  # of the keyframe before
        self._said: Body | None = None
        self._moved = False  # an outline changes between two keyframes that are not neighbours
        self._points: dict[str, tuple[Sequence[Any], int]] = {}  # of a skeleton, as far as they are known

    @property
    def id(self) -> Json:
        """Its id in the file: a number, or a text."""
        number = whole_of(self._track)
        return self._track[:CVAT_TEXT_CHARS_MAX] if number is None else number

    def add(self, element: Element) -> Body | None:
        """Take the shape in one frame; a body, once there are as many as one can hold."""
        if self.refusal:
            return None
        try:
            keyframe = self._keyframe(element)
        except InputFileError as error:
            self.refusal = error.what
            return None
        if keyframe is None:
            return None
        if len(self.lost) < LOSS_KINDS_MAX:
            self.lost |= dict.fromkeys(lost_of(element))
        self._keyframes.append(keyframe)
        self._bytes += len(canonical(keyframe))
        return self._part() if self._bytes > _PART_BYTES_MAX else None

    def end(self) -> Body | None:
        """The body of what is left; None if it is left out, or everything was given before."""
        if not self.refusal and not self._kind:
            self.refusal = "has no frames; left out"
        if self.refusal or (self._parts and len(self._keyframes) == 1):
            return None
        return self._part()

    # --- bodies -----------------------------------------------------------------------------------------

    def _part(self) -> Body:
        still = self._kind == "points" and len(self._shape_points()) > 1
        if self._moved:
            self.lost["how CVAT moves outlines between keyframes: here each point moves evenly"] = None
        body: Body = {
            "label": self.label,
            "interpolation": "none" if still else "linear",
            "keyframes": self._keyframes,
        }
        kept = self.kept | ({"elements": list(self._names)} if self._kind == "skeleton" else {})
        if kept:
            body["attributes"] = {FORMAT: kept}
        last = self._keyframes[-1]
        self._parts += 1
        if self._parts > 1 or self._bytes > _PART_BYTES_MAX:
            body["track"] = self.id
        if self._said:  # what is as in the keyframe before is said again by the first one of a part
            last = {**last, "attributes": {FORMAT: self._said}}
        if "shape" not in last and self._shape is not None:
            last = {**last, "shape": self._shape}
        self._keyframes, self._bytes = [last], len(canonical(last))
        return body

    def _shape_points(self) -> Sequence[Any]:
        return self._shape.get("points", ()) if isinstance(self._shape, dict) else ()

    # --- keyframes --------------------------------------------------------------------------------------

    def _keyframe(self, element: Element) -> Body | None:
        frame = whole_of(element.get("frame"))
        if frame is None or frame < self._shift:
            raise InputFileError("has a shape without the number of a frame of its video; left out")
        if element.tag not in ("box", "polygon", "polyline", "points", "skeleton"):
            if element.tag == "mask":
                raise InputFileError("masks in videos have no schema in gonk; left out")
            raise refusal(element)
        if not self._kind:
            self._kind = element.tag
            self._all = not _is_keyframe(element)
        if element.tag != self._kind:
            raise InputFileError(f"is a <{self._kind}> and then a <{element.tag}>; left out")
        if not self._all and not _is_keyframe(element):
            return None
        found: Body = {"frame": frame - self._shift}
        if self._keyframes and found["frame"] <= self._keyframes[-1]["frame"]:
            raise InputFileError("its frames are in no order; left out")
        shape, said = self._skeleton(element) if self._kind == "skeleton" else (self._plain(element), kept_of(element))
        outside = element.get("outside") == "1" or (bool(self._points) and not any(v for _, v in self._points.values()))
        occluded = element.get("occluded") == "1"
        if self._points and not outside:
            occluded = all(v < 2 for _, v in self._points.values())  # of those that are in the picture
        found |= ({"outside": True} if outside else {}) | ({"occluded": True} if occluded else {})
        if not outside or shape != self._shape:
            found["shape"] = shape
        if self._keyframes and self._kind in _OUTLINES and shape != self._shape:
            before = self._keyframes[-1]
            self._moved = self._moved or (not before.get("outside") and found["frame"] > before["frame"] + 1)
        self._shape = shape
        if said != (self._said or {}):
            found["attributes"] = {FORMAT: said}
        self._said = said
        return found

    def _plain(self, element: Element) -> Body:
        if element.tag != "box":
            return {element.tag: points_of(element)}
        box = box_of(element)
        before = self._shape["box"].get("angle") if isinstance(self._shape, dict) else None
        if element.get("rotation") is not None or before is not None:
            box["angle"] = _nearest(angle_of(element), before or 0)
            if before is not None and abs(box["angle"] - before) > 180:
                self.lost["that turned boxes go the shorter way round, where that leads beyond 360 degrees"] = None
        return {"box": box}

    def _skeleton(self, element: Element) -> tuple[Body, Body]:
        """(the points of all names, what else is said of this keyframe)."""
        elements = skeleton_elements(element)
        if not self._names:
            self._names = dict.fromkeys(elements)
        for name, child in elements.items():
            if name not in self._names:
                raise InputFileError(f"the skeleton has a point {name[:40]!r} that its label lacks; left out")
            [point] = points_of(child)
            self._points[name] = (point, visibility(child))
            if child.find("attribute") is not None:
                self.lost["attributes of the points of skeletons in tracks"] = None
        known = [self._points.get(name, ((0, 0), 0)) for name in self._names]
        seen = [v for _, v in known]
        said = kept_of(element) | ({} if all(v == 2 for v in seen) else {"visibility": seen})
        return {"points": [list(point) for point, _ in known]}, said


def _is_keyframe(element: Element) -> bool:
    """Whether it, or a point of the skeleton that it is, is marked as such; where nothing is said of it, it is one."""
    marks = [each.get("keyframe", "1") for each in (element, *element.iterfind("points"))]
    return marks[0] == "1" if element.tag != "skeleton" else "1" in marks


def _nearest(angle: int | float, before: int | float) -> int | float:
    """The same angle, perhaps with a full turn more or less: as near as possible to the one before, as CVAT takes it."""
    possible = [turn for turn in (exactly(angle, -360), angle, exactly(angle, 360)) if -360 <= turn <= 360]
    return min(possible, key=lambda turn: (abs(turn - before), abs(turn)))
