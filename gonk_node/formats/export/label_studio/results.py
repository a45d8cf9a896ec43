"""Bodies into results of Label Studio: one for most, several for keypoints, transcriptions and what was said of a region.

The way back of `formats.label_studio.results`; values of shapes are made in `formats.label_studio.shapes`. What was kept of
the results that a body comes from is put back. Which results are one annotation is decided in `groups`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from gonk_node.errors import InputFileError
from gonk_node.formats import rle
from gonk_node.formats.export.label_studio.config import Control
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.label_studio import brush as label_studio_brush
from gonk_node.formats.label_studio import shapes as label_studio_shapes
from gonk_node.formats.label_studio.kept import INDEX, Kept
from gonk_node.formats.label_studio.regions import TRANSCRIPTION
from gonk_node.state.strict_json import Json

_TURNS = (("canRotate", "true"),)
_BOX = Control("RectangleLabels", "box", _TURNS)
_CHOICE = Control("Choices", "choice", (("choice", "single"),))
_CHOICES = Control("Choices", "choices", (("choice", "multiple"),))
_CAPTION = Control("TextArea", "caption")
_SAID = Control("TextArea", TRANSCRIPTION, (("perRegion", "true"), ("editable", "true")))
_LINE_OF_POINTS = Control("PolygonLabels", "line-outline")
_UNLABELLED = {"rectangle": Control("Rectangle", "area"), "polygon": Control("Polygon", "area-outline")}
POINTS = Control("KeyPointLabels", "points")

SHAPES = ("bounding-box", "keypoints", "mask", "ocr-line", "polygon", "polyline", "rotated-box")
"""Schemas of images whose size is needed."""
REGIONS = frozenset({*SHAPES, "text-span", "audio-segment"})
"""Schemas of what is somewhere in an object."""
CONTROLS = {
    "audio-segment": Control("Labels", "segment"),
    "bounding-box": _BOX,
    "classification": _CHOICE,
    "keypoints": Control("RectangleLabels", "thing", _TURNS),
    "mask": Control("BrushLabels", "mask"),
    "multi-label": _CHOICES,
    "ocr-line": Control("RectangleLabels", "line", _TURNS),
    "polygon": Control("PolygonLabels", "polygon"),
    "polyline": Control("PolygonLabels", "polyline"),
    "rotated-box": Control("RectangleLabels", "rotated-box", _TURNS),
    "text-span": Control("Labels", "span"),
}
"""The tags by which annotations get the labels of their schemas."""
MEMBERS: dict[str, frozenset[str]] = {
    "audio-segment": frozenset({"label", "start_s", "end_s", "channel", "speaker", "text"}),
    "bounding-box": frozenset({"label", *"xywh"}),
    "caption": frozenset({"text"}),
    "classification": frozenset({"label", "labels"}),
    "keypoints": frozenset({"label", "points", "box"}),
    "mask": frozenset({"label", "size", "counts"}),
    "multi-label": frozenset({"labels"}),
    "ocr-line": frozenset({"label", "outline", "text"}),
    "polygon": frozenset({"label", "parts"}),
    "polyline": frozenset({"label", "points"}),
    "rating": frozenset({"value", "min", "max", "step", "criterion"}),
    "relation": frozenset({"label", "head", "tail", "directed"}),
    "reviewed-empty": frozenset(),
    "rotated-box": frozenset({"label", "cx", "cy", "w", "h", "angle"}),
    "text-span": frozenset({"label", "start", "end", "exact"}),
}
"""What is written of each schema that is written at all, beside score and attributes."""
OF_KIND = {
    "image": frozenset(SHAPES),
    "text": frozenset({"text-span"}),
    "audio": frozenset({"audio-segment"}),
    "video": frozenset[str](),
}
"""Schemas of regions that each kind of data can have; whatever is about a whole object can be of any."""

_STARS_MAX = 20  # more of them nobody counts
_POINT_PERCENT = 0.5  # how large keypoints are shown that do not say it
_GEOMETRY = (
    "x",
    "y",
    "width",
    "height",
    "rotation",
    "points",
    "closed",
    "format",
    "rle",
    "start",
    "end",
    "channel",
    "text",
)
_OF_REGION = {
    "choices": ("Choices", (("choice", "multiple"),)),
    "textarea": ("TextArea", (("editable", "true"),)),
    "rating": ("Rating", ()),
    "number": ("Number", ()),
    "taxonomy": ("Taxonomy", ()),
    "datetime": ("DateTime", ()),
    "labels": ("Labels", ()),
    "rectanglelabels": ("RectangleLabels", ()),
    "polygonlabels": ("PolygonLabels", ()),
}
"""Tags of what is said of a region beside its label, by the types of results."""
_MADE_ANEW = frozenset(
    {
        INDEX,
        "id",
        "type",
        "value",
        "from_name",
        "to_name",
        "labels",
        "points",
        "of_region",
        TRANSCRIPTION,
        "rotation",
        "width",
    }
    | {"part", "channel", "score", "direction", "original_width", "original_height"}
)


class Part(NamedTuple):
    """A result without its value.

    Attributes:
        type: as Label Studio has it.
        control: the tag by which it is made.
        wanted: the name of that tag where the result comes from, None if it comes from elsewhere.
        labels: that it has.
        kept: of the result that it comes from.
        apart: whether it is a region of its own, beside the first part.
        point: whether it is a keypoint of the thing that the first part is.
    """

    type: str
    control: Control
    wanted: Json
    labels: list[str]
    kept: dict[str, Json]
    apart: bool = False
    point: bool = False

    @property
    def fields(self) -> dict[str, Json]:
        """Those of the result that are put back as they were."""
        return {name: value for name, value in self.kept.items() if name not in _MADE_ANEW}


def parts_of(schema: str, body: dict[str, Any], kept: Kept, names: dict[str, str]) -> list[Part]:
    """The results that a body makes, in the order of `values_of`.

    Args:
        schema: one of MEMBERS, but relation.
        body: which fits the schema that ships.
        kept: what it keeps.
        names: what labels are called, by id.
    """
    if schema == "reviewed-empty":
        return []
    result = kept.result
    wanted, labels = result.get("from_name"), _labels(body, result, names)
    if schema == "caption":
        return [Part("textarea", _CAPTION, wanted, [], result)]
    if schema == "rating":
        return [_rating(body, result)]
    if schema in ("classification", "multi-label"):
        return [Part("choices", _CHOICE if "label" in body else _CHOICES, wanted, labels, result)]
    if schema in ("text-span", "audio-segment"):
        return [Part("labels", CONTROLS[schema], wanted, labels, result), *_said(body, result), *_of_region(result)]
    shape, control = _shape(schema, body, result)
    if not labels:
        control = _UNLABELLED[shape]
    main = Part(shape + "labels" if labels else shape, control, wanted, labels, result)
    if schema == "polygon":
        return [main, *_of_region(result), *([main._replace(apart=True)] * (len(body["parts"]) - 1))]
    if schema == "keypoints" and "box" in body:
        return [main, *_points(body, result), *_of_region(result)]
    if schema == "keypoints":
        alone = [point["name"] for point in body["points"]] == [body["label"]]
        points = [
            Part("keypointlabels", POINTS, wanted, labels if alone else [point["name"]], result)
            for point in _placed(body)
        ]
        return [*points[:1], *_of_region(result), *(point._replace(apart=True) for point in points[1:])]
    return [main, *(_said(body, result) if schema == "ocr-line" else ()), *_of_region(result)]


def _labels(body: dict[str, Any], result: dict[str, Json], names: dict[str, str]) -> list[str]:
    """What the labels of a body are called, with further ones that the region had."""
    ids = body["labels"] if "labels" in body else [body[name] for name in ("label", "speaker") if name in body][:1]
    more = result.get("labels")
    further = [each for each in more[1:] if isinstance(each, str)] if isinstance(more, list) and "label" in body else []
    return [*(names.get(each, each) for each in ids), *further]


def _shape(schema: str, body: dict[str, Any], result: dict[str, Json]) -> tuple[str, Control]:
    """The type of a region without what it has labels for, and the tag by which it gets them."""
    if schema == "mask":
        return "brush", CONTROLS[schema]
    if schema in ("polygon", "polyline"):
        return "polygon", CONTROLS[schema]
    if schema != "ocr-line":
        return "rectangle", CONTROLS[schema]
    box = label_studio_shapes.box_of_corners(body["outline"], result.get("rotation"))
    was = str(result.get("type"))
    if box is None or was.startswith("polygon") or ("angle" in box and not was.startswith("rectangle")):
        return "polygon", _LINE_OF_POINTS
    return "rectangle", CONTROLS[schema]


def _placed(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The keypoints that are labelled."""
    return [point for point in body["points"] if point["v"]]


def _points(body: dict[str, Any], result: dict[str, Json]) -> Iterator[Part]:
    placed, said = _placed(body), result.get("points")
    same = isinstance(said, list) and len(said) == len(placed)  # otherwise nobody knows which is which
    for at, point in enumerate(placed):
        kept = said[at] if same and isinstance(said, list) and isinstance(said[at], dict) else {}
        yield Part("keypointlabels", POINTS, kept.get("from_name"), [point["name"]], kept, apart=True, point=True)


def _said(body: dict[str, Any], result: dict[str, Json]) -> Iterator[Part]:
    """What is written or said in a region."""
    if "text" in body:
        kept = result.get(TRANSCRIPTION)
        yield Part("textarea", _SAID, TRANSCRIPTION, [], kept if isinstance(kept, dict) else {})


def _of_region(result: dict[str, Json]) -> list[Part]:
    parts = []
    for each in kept_of_region(result):
        tag, attributes = _OF_REGION[each["type"]]
        value = each["value"].get(each["type"])
        labels = [label for label in value if isinstance(label, str)] if isinstance(value, list) else []
        control = Control(tag, f"{each['type']}-of-region", (("perRegion", "true"), *attributes))
        parts.append(Part(each["type"], control, each.get("from_name"), labels, each))
    return parts


def kept_of_region(result: dict[str, Json]) -> list[dict[str, Any]]:
    """What else was said of a region, as far as it can be written again."""
    found = result.get("of_region")
    return [
        each
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, dict) and each.get("type") in _OF_REGION and isinstance(each.get("value"), dict)
    ]


def _rating(body: dict[str, Any], result: dict[str, Json]) -> Part:
    """Stars where it is one of so many, else a number; the tag is called by what is rated."""
    stars = body["min"] == 1 and body.get("step") == 1 and body["max"] in range(2, _STARS_MAX + 1)
    wanted = body.get("criterion")
    if stars and result.get("type") != "number":
        return Part("rating", Control("Rating", "rating", (("maxRating", str(body["max"])),)), wanted, [], result)
    scale = tuple((name, str(body[name])) for name in ("min", "max", "step") if name in body)
    return Part("number", Control("Number", "number", scale), wanted, [], result)


# --- values ----------------------------------------------------------------------------------------------------


def values_of(
    schema: str, body: dict[str, Any], kept: Kept, parts: list[Part], size: ImageSize, text: str
) -> list[Any]:
    """The values of the parts of a body.

    Args:
        schema: of the body.
        body: the body.
        kept: what it keeps.
        parts: as `parts_of` gave them.
        size: of the image, for a schema of SHAPES.
        text: that is labelled, for text-span.

    Raises:
        InputFileError: it makes none, and why.
    """
    if schema == "caption":
        return [{"text": [body["text"]]}]
    if schema == "rating":
        return [{parts[0].type: body["value"]}]
    if schema in ("classification", "multi-label"):
        return [{"choices": parts[0].labels}]
    if schema == "keypoints":
        found = _values_of_points(body, parts, size)
    else:
        found = _outlines(body, size) if schema == "polygon" else [_value(schema, body, kept.result, size, text)]
    geometry = {name: value for name, value in found[0].items() if name in _GEOMETRY}
    regions, said = iter(found), iter(kept_of_region(kept.result))
    values = []
    for at, part in enumerate(parts):
        if part.apart or at == 0:
            values.append({**next(regions), **({part.type: part.labels} if part.labels else {})})
        else:
            more = {"text": [body["text"]]} if part.control is _SAID else next(said)["value"]
            values.append({**geometry, **more})
    return values


def _outlines(body: dict[str, Any], size: ImageSize) -> list[dict[str, Json]]:
    return [{"points": label_studio_shapes.points(part["outer"], size), "closed": True} for part in body["parts"]]


def _value(schema: str, body: dict[str, Any], result: dict[str, Json], size: ImageSize, text: str) -> dict[str, Json]:
    if schema == "text-span":
        if not body["start"] < body["end"] <= len(text):
            raise InputFileError(f"its offsets are no place in a text of {len(text):,} characters")
        return {"start": body["start"], "end": body["end"], "text": text[body["start"] : body["end"]]}
    if schema == "audio-segment":
        channel = body.get("channel", result.get("channel"))
        return {"start": body["start_s"], "end": body["end_s"], **({} if channel is None else {"channel": channel})}
    if schema == "mask":
        return {"format": "rle", "rle": _rle(body, size)}
    if schema == "polyline":
        return {"points": label_studio_shapes.points(body["points"], size), "closed": False}
    if schema == "ocr-line":
        box = label_studio_shapes.box_of_corners(body["outline"], result.get("rotation"))
        if box is None or _shape(schema, body, result)[0] == "polygon":
            return {"points": label_studio_shapes.points(body["outline"], size), "closed": True}
        return label_studio_shapes.rectangle(box, size)
    return label_studio_shapes.rectangle(body, size)


def _rle(body: dict[str, Any], size: ImageSize) -> list[int]:
    height, width = body["size"]
    if (width, height) != (size.width, size.height):
        raise InputFileError(
            f"is of an image of {width} x {height}, and this one has {size.width} x {size.height} pixels"
        )
    runs = rle.decode(body["counts"]) if isinstance(body["counts"], str) else body["counts"]
    rle.check(runs, height, width)
    return label_studio_brush.encode(runs, width, height)


def _values_of_points(body: dict[str, Any], parts: list[Part], size: ImageSize) -> list[dict[str, Json]]:
    values = [label_studio_shapes.rectangle(body["box"], size)] if "box" in body else []
    points = [part for part in parts if part.type == "keypointlabels"]
    for point, part in zip(_placed(body), points, strict=True):
        x, y = label_studio_shapes.percent(point["x"], point["y"], size)
        hidden = {"hidden": True} if point["v"] == 1 else {}
        values.append({"x": x, "y": y, "width": part.kept.get("width", _POINT_PERCENT), **hidden})
    if not values:
        raise InputFileError("none of its points is labelled (v 0)")
    return values
