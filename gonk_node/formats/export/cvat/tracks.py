"""What a body of `video-track` is in a CVAT file: an element `track` with a shape for each keyframe. It writes nothing.

CVAT computes the frames between keyframes itself when it takes the file, so only keyframes are written. `formats.cvat.tracks`
reads what is made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from gonk_node.errors import RefusedError
from gonk_node.formats.cvat.shapes import FORMAT
from gonk_node.formats.export.cvat.shapes import (
    Body,
    corners,
    named_attributes,
    own_attributes,
    points_text,
    said_of,
    visibility,
)
from gonk_node.formats.export.job import kept
from gonk_node.formats.export.xml_lines import Xml

_STILL = "that tracks stand still between keyframes: keyframes were added for it"
_LONG_WAY = "that turned boxes go the longer way round between keyframes"


class _Keyframe(NamedTuple):
    frame: int
    shape: dict[str, Any]
    outside: bool
    occluded: bool
    said: Body  # what an import kept of it
    attributes: dict[str, str]


def joined(bodies: Iterable[Body]) -> list[Body]:
    """The bodies of a video, parts of one track made one: a part begins with the keyframe that the one before ends with."""
    groups: dict[object, list[Body]] = {}
    for index, body in enumerate(bodies):
        key = (repr(body["track"]), body["label"], body["interpolation"]) if "track" in body else index
        groups.setdefault(key, []).append(body)
    return [body for same in groups.values() for body in _chained(same)]


def _chained(bodies: Sequence[Body]) -> list[Body]:
    """Bodies of one track; those that overlap stay apart."""
    first, *others = sorted(bodies, key=lambda each: each["keyframes"][0]["frame"])
    chain = list(first["keyframes"])
    found = [{**first, "keyframes": chain}]
    for body in others:
        keyframes = body["keyframes"]
        if keyframes[0]["frame"] < chain[-1]["frame"]:
            found.append(body)
        else:
            chain += keyframes[1:] if keyframes[0]["frame"] == chain[-1]["frame"] else keyframes
    return found


def element(body: Body, number: int, called: str, points: Sequence[str]) -> tuple[Xml, list[str]]:
    """(the track, kinds of things that it does not carry).

    Args:
        body: one of `joined`.
        number: its id in the file.
        called: the name of its label.
        points: the names of the points of its label's skeleton, in order; empty if it has none.

    Raises:
        RefusedError: it cannot be written.
    """
    keyframes = _keyframes(body)
    kind = next(iter(keyframes[0].shape))
    lost = _lost(body, keyframes)
    many = kind == "points" and max(len(each.shape["points"]) for each in keyframes) > 1
    if body["interpolation"] == "none" and not many:
        still = _standing(keyframes)
        lost += [_STILL] if len(still) > len(keyframes) else []
        keyframes = still
    names = _names(body, keyframes, points) if kind == "points" else ()
    said = said_of(body)
    head = {"id": str(number), "label": called} | {name: said[name] for name in ("source", "group_id") if name in said}
    shapes = [_skeleton(each, names) if names else _shape(each, kind) for each in keyframes]
    return Xml("track", head, children=shapes), lost


def _keyframes(body: Body) -> list[_Keyframe]:
    """The keyframes, each with a shape: where it has none, it is outside, as the one before (else behind) was."""
    found: list[_Keyframe] = []
    shapes = [each["shape"] for each in body["keyframes"] if "shape" in each]
    if not shapes:
        raise RefusedError("is never in the picture, and CVAT has no such tracks; left out")
    if len({next(iter(shape)) for shape in shapes}) > 1:
        raise RefusedError("has shapes of several kinds, and no track of CVAT has; left out")
    shape, said = shapes[0], Body()
    for each in body["keyframes"]:
        if found and each["frame"] <= found[-1].frame:
            raise RefusedError("its keyframes are not in the order of their frames; left out")
        shape = each.get("shape", shape)
        own = (each.get("attributes") or {}).get(FORMAT)
        said = own if isinstance(own, dict) else said
        attributes = own_attributes(body.get("attributes")) | named_attributes({"attributes": {FORMAT: said}})
        attributes = dict(sorted((attributes | own_attributes(each.get("attributes"))).items()))
        found.append(
            _Keyframe(each["frame"], shape, each.get("outside", False), each.get("occluded", False), said, attributes)
        )
    return found


def _standing(keyframes: Sequence[_Keyframe]) -> list[_Keyframe]:
    """The same, with a keyframe right before each where the shape changes: CVAT moves everything else."""
    found: list[_Keyframe] = []
    for each in keyframes:
        before = found[-1] if found else None
        if before is not None and each.frame - before.frame > 1 and not before.outside and each.shape != before.shape:
            found.append(before._replace(frame=each.frame - 1))
        found.append(each)
    return found


def _lost(body: Body, keyframes: Sequence[_Keyframe]) -> list[str]:
    lost = ["times of keyframes"] if any("time_s" in each for each in body["keyframes"]) else []
    angles = [each.shape["box"].get("angle", 0) for each in keyframes if "box" in each.shape]
    if body["interpolation"] == "linear" and any(abs(b - a) > 180 for a, b in pairwise(angles)):
        lost.append(_LONG_WAY)
    return lost


def _names(body: Body, keyframes: Sequence[_Keyframe], points: Sequence[str]) -> Sequence[str]:
    """The names of the points of a skeleton, for each position; empty where there are not so many, or it is none."""
    counts = {len(each.shape["points"]) for each in keyframes}
    for names in (element_names(body), points):
        if points and counts == {len(names)} and set(names) <= set(points):
            return names
    return ()


def element_names(body: Body) -> list[str]:
    """The names of the points of a skeleton that an import kept; empty if there are none."""
    found = kept(body, FORMAT).get("elements")
    if not isinstance(found, list) or not all(isinstance(name, str) and name for name in found):
        return []
    return found if len(set(found)) == len(found) else []


def _shape(each: _Keyframe, kind: str) -> Xml:
    form = corners(each.shape["box"]) if kind == "box" else {"points": points_text(each.shape[kind])}
    flags = {"outside": str(int(each.outside)), "occluded": str(int(each.occluded))}
    return Xml(kind, _head(each) | flags | form | _z_order(each), children=_attributes(each))


def _skeleton(each: _Keyframe, names: Sequence[str]) -> Xml:
    seen = each.said.get("visibility")
    if not isinstance(seen, list) or len(seen) != len(names) or each.outside:
        seen = [0 if each.outside else 1 if each.occluded else 2] * len(names)
    points = [
        Xml("points", {"label": name, "keyframe": "1"} | visibility(v) | {"points": points_text([point])})
        for name, v, point in zip(names, seen, each.shape["points"], strict=True)
    ]
    return Xml("skeleton", _head(each) | _z_order(each), children=[*points, *_attributes(each)])


def _head(each: _Keyframe) -> dict[str, str]:
    return {"frame": str(each.frame), "keyframe": "1"}


def _z_order(each: _Keyframe) -> dict[str, str]:
    return {"z_order": said_of({"attributes": {FORMAT: each.said}}).get("z_order", "0")}


def _attributes(each: _Keyframe) -> list[Xml]:
    return [Xml("attribute", {"name": name}, text) for name, text in each.attributes.items()]
