"""What gonk's shapes are in COCO: segmentation, bounding box, area, keypoints. It writes nothing.

All take the body of a schema that ships, in pixels, and give JSON values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gonk_node.errors import InputFileError
from gonk_node.formats import rle
from gonk_node.formats.sample import number
from gonk_node.state.strict_json import Json

Body = dict[str, Json]
Numbers = list[int | float]


def short(value: float) -> int | float:
    """The number in its shortest form: 2.0 becomes 2."""
    found = number(value)
    return value if found is None else found


def segmentation(bodies: Mapping[str, Body]) -> Json:
    """Of the polygon or mask among the bodies, by schema: lists of x, y; a mask; [] without either."""
    if "mask" in bodies:
        body = bodies["mask"]
        return {"size": body["size"], "counts": body["counts"]}
    if "polygon" in bodies:
        return [[value for point in part["outer"] for value in point] for part in bodies["polygon"]["parts"]]
    return []


def box(bodies: Mapping[str, Body]) -> Numbers:
    """x, y, width, height: the box that one of them states, else that around the outline, the mask or the points."""
    stated = [bodies.get("bounding-box"), *(bodies.get(name, {}).get("box") for name in ("keypoints", "mask"))]
    for body in stated:
        if body is not None:
            return [body["x"], body["y"], body["w"], body["h"]]
    if "polygon" in bodies:
        return around([point for part in bodies["polygon"]["parts"] for point in part["outer"]])
    if "mask" in bodies:
        return list(rle.bounding_box(runs(bodies["mask"]), bodies["mask"]["size"][0]) or (0, 0, 0, 0))
    return around([(point["x"], point["y"]) for point in bodies["keypoints"]["points"] if point["v"]])


def area(bodies: Mapping[str, Body]) -> int | float:
    """In square pixels: of the mask or outline (less its holes), else of the box."""
    if "mask" in bodies:
        return rle.area(runs(bodies["mask"]))
    if "polygon" in bodies:
        parts = bodies["polygon"]["parts"]
        inside = sum(ring_area(part["outer"]) - sum(map(ring_area, part.get("holes", ()))) for part in parts)
        return short(inside)
    _, _, w, h = box(bodies)
    return short(w * h)


def runs(mask: Body) -> Sequence[int]:
    """The runs of a mask; of a wrong one none, so that its area is 0 and its box empty."""
    height, width = mask["size"]
    counts = mask["counts"]
    try:
        found: Sequence[int] = rle.decode(counts) if isinstance(counts, str) else counts
        rle.check(found, height, width)
    except InputFileError:
        return ()
    return found


def keypoints(points: Sequence[Body], names: Sequence[str]) -> tuple[Numbers, int]:
    """x, y, v of each named point in turn (0, 0, 0 for those that are lacking), and how many have v > 0."""
    by_name = {point["name"]: point for point in points}
    flat: Numbers = []
    for name in names:
        point = by_name.get(name)
        flat += [0, 0, 0] if point is None else [point.get("x", 0), point.get("y", 0), point["v"]]
    return flat, sum(1 for visible in flat[2::3] if visible)


def around(points: Iterable[Sequence[float]]) -> Numbers:
    """x, y, width, height of the smallest box around points; zeros without any."""
    points = list(points)
    if not points:
        return [0, 0, 0, 0]
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    x, y = min(xs), min(ys)
    return [short(x), short(y), short(max(xs) - x), short(max(ys) - y)]


def ring_area(ring: Sequence[Sequence[float]]) -> float:
    """In square pixels, of an outline without holes."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))) / 2
