"""Regions of Label Studio into bodies: shapes of images, spans of texts and segments of sounds, and what is said of them.

What the values are is in `shapes`; which results are one region, in `results`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gonk_node.core.plural import with_its
from gonk_node.errors import InputFileError
from gonk_node.formats import rle
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.label_studio import brush, shapes
from gonk_node.formats.label_studio.config import LabelConfig
from gonk_node.formats.label_studio.kept import INDEX, keep
from gonk_node.formats.label_studio.shapes import Text
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import number, whole
from gonk_node.state.strict_json import Json, Problem

TRANSCRIPTION = "transcription"
"""The name of the tag by which Label Studio's templates ask what is written or said in a region."""
OWN = frozenset({"id", "type", "value", "original_width", "original_height", "score", INDEX})
"""Fields of results that are said otherwise than in attributes."""
_UNREAD = {
    "ellipse": "gonk has no ellipses, and releases of Label Studio do not agree how they count the second radius",
    "videorectangle": "tracks are percentages of the video's size, which is not in the file",
    "hypertext": "positions in rendered HTML are not read",
    "paragraph": "positions in dialogues are not read",
}


class Found(NamedTuple):
    """One body.

    Attributes:
        schema: the schema's name.
        body: without attributes.
        result: what is kept of the result, or of the results, that it is made of.
        region: the id of that result; "" where it has none.
        part: which of several bodies of one result it is, from 0.
        place: of the result, for messages.
        tags: names of those by which it has its label.
    """

    schema: str
    body: dict[str, Json]
    result: dict[str, Json]
    region: str
    part: int
    place: str
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class About:
    """The object that results are about.

    Attributes:
        kind: "image", "text", "audio" or "video".
        config: the labelling config; an empty one where there is none.
        name: of the object's tag in the config, "" where that is not known.
        size: gives the size of the image file; None where it cannot be had.
        text: gives the text; InputFileError where it cannot be had.
        channels: whether channels of a sound are told apart; seen by the config, or by regions of others than the first.
    """

    kind: str
    config: LabelConfig
    name: str
    size: Callable[[], ImageSize | None]
    text: Callable[[], Text]
    channels: bool = False


@dataclass(slots=True)
class Result:
    """One result as the file has it.

    Attributes:
        index: its position among those of its annotation.
        place: where it stands, for messages.
        fields: all of it.
        value: its value.
    """

    index: int
    place: str
    fields: dict[str, Any]
    value: dict[str, Any]

    @property
    def type(self) -> str:
        """Such as rectanglelabels."""
        return str(self.fields.get("type"))

    @property
    def shape(self) -> str:
        """The type without what it has labels for."""
        return self.type.removesuffix("labels")

    def labels(self) -> list[str]:
        """Those in its value; without what is none."""
        found = self.value.get(self.type if self.type.endswith("labels") else "labels")
        return [each for each in found if isinstance(each, str) and each] if isinstance(found, list) else []


@dataclass(slots=True)
class Region:
    """The results of one id."""

    id: str
    main: Result
    rest: list[Result]
    labels: list[str]
    tags: tuple[str, ...]  # names of those that have the labels
    points: list[Region] = field(default_factory=list)  # keypoints that have it as their parent
    text: Result | None = None  # the result that tells what is written or said there
    said: Json = None  # which is this


def bodies_of(region: Region, about: About) -> Iterator[Found | Problem | NotCarried]:
    """The body that a region makes, or why it makes none; and what is lost of it."""
    main = region.main
    for each in region.rest:
        texts = each.value.get("text")
        texts = [texts] if isinstance(texts, str) else texts
        asked = each.type == "textarea" and each.fields.get("from_name") == TRANSCRIPTION
        readable = main.shape in ("rectangle", "polygon") or about.kind == "audio"
        if not asked or not readable or region.points or region.text is not None:
            continue
        if isinstance(texts, list) and len(texts) == 1:
            region.text, region.said = each, texts[0]
    kept, lost = keep(main.fields, OWN, main.place, "results", whole=("meta",))
    kept[INDEX] = main.index
    yield from lost
    try:
        schema, body = _shape(region, about, kept)
    except InputFileError as error:
        lost_with = with_its(len(region.points), "keypoint")
        yield Problem(main.place, f"{error.what}; left out{lost_with}")
        return
    if region.points:
        points: dict[str, Json] = {}
        said: list[Json] = []
        for point in region.points:
            yield from _add_point(point, about, points, said)
        if points:
            schema, body, kept["points"] = "keypoints", {"points": [*points.values()], "box": body}, said
    if region.labels:
        body["label"] = region.labels[0]
    if len(region.labels) > 1:
        kept["labels"] = [*region.labels]
        yield NotCarried(main.place, "further labels of a region: the first is taken, all are in the attributes")
    yield from _keep_rest(region, kept)
    keep_score(schema, body, main.fields, kept)
    yield Found(schema, body, kept, region.id, 0, main.place, region.tags)


def _shape(region: Region, about: About, kept: dict[str, Json]) -> tuple[str, dict[str, Json]]:
    """(schema, members) of a region; what is to be kept of it besides is added to `kept`."""
    value, shape = region.main.value, region.main.shape
    if shape in _UNREAD:
        raise InputFileError(_UNREAD[shape])
    readable = {"image": ("rectangle", "polygon", "keypoint", "brush"), "text": ("",), "audio": ("",)}
    if shape not in readable.get(about.kind, ()):
        raise InputFileError(f"results of type {region.main.type[:40]!r} about {about.kind} are not read")
    if not region.labels and region.text is None:
        raise InputFileError("a region needs a label")
    if about.kind == "text":
        return "text-span", about.text().span(value)
    if about.kind == "audio":
        return "audio-segment", _segment(region, about, kept)
    size = _size(region.main.fields, about)
    if region.text is not None:
        kept["type"] = region.main.type
        if value.get("rotation"):
            kept["rotation"] = value["rotation"]
        points = (shapes.corners if shape == "rectangle" else shapes.outline)(value, size)
        return "ocr-line", {"outline": points, "text": region.said}
    if shape == "rectangle":
        return shapes.box(value, size)
    if shape == "polygon" and value.get("closed") is False:
        return "polyline", {"points": shapes.outline(value, size)}
    if shape == "polygon":
        return "polygon", {"parts": [{"outer": shapes.outline(value, size), "holes": []}]}
    if shape == "keypoint":
        kept |= _width(value)
        return "keypoints", {"points": [{"name": region.labels[0], **shapes.point(value, size)}]}
    if value.get("format", "rle") != "rle":
        raise InputFileError("brush regions are read as rle only")
    runs = brush.decode(value.get("rle"), size.width, size.height)
    return "mask", {"size": [size.height, size.width], "counts": rle.encode(runs)}


def _segment(region: Region, about: About, kept: dict[str, Json]) -> dict[str, Json]:
    value = region.main.value
    start, end, channel = (number(value.get(name)) for name in ("start", "end", "channel"))
    if start is None or end is None or start > end:
        raise InputFileError("its start and end are no times")
    body: dict[str, Json] = {"start_s": start, "end_s": end}
    if isinstance(channel, int) and about.channels:
        body["channel"] = channel
    elif channel is not None:  # Label Studio says 0 of all regions where channels are not shown apart
        kept["channel"] = channel
    if region.text is not None:
        body["text"] = region.said
    return body


def _size(fields: dict[str, Any], about: About) -> ImageSize:
    """The size that percentages are of: as the result says, which must be that of the image where that can be read."""
    width, height = whole(fields.get("original_width")), whole(fields.get("original_height"))
    there = about.size()
    if width is None or height is None:
        raise InputFileError("a region needs original_width and original_height")
    if there is not None and (there.width, there.height) != (width, height):
        what = f"is of an image of {width} x {height}, and the image file has {there.width} x {there.height} pixels"
        turned = (there.height, there.width) == (width, height)
        raise InputFileError(f"{what}: browsers turn it, as its EXIF orientation says" if turned else what)
    return ImageSize(width, height)


def _add_point(
    region: Region, about: About, points: dict[str, Json], said: list[Json]
) -> Iterator[Problem | NotCarried]:
    """Add a keypoint of a thing to its points, by their names, and what is kept of it to `said`."""
    main, name = region.main, region.labels[0]
    try:
        if name in points:
            raise InputFileError(f"the thing has another keypoint {name[:80]!r}")
        found = {"name": name, **shapes.point(main.value, _size(main.fields, about))}
    except InputFileError as error:
        yield Problem(main.place, f"{error.what}; left out")
        return
    kept, lost = keep(main.fields, (*OWN, "parentID"), main.place, "results", whole=("meta",))
    yield from lost
    if region.rest or len(region.labels) > 1 or "score" in main.fields:
        yield NotCarried(main.place, "scores, further labels and remarks of single keypoints")
    points[name] = found
    said.append({**kept, **_width(main.value), "id": region.id, INDEX: main.index})


def _width(value: dict[str, Any]) -> dict[str, Json]:
    found = number(value.get("width"))
    return {} if found is None else {"width": found}


def _keep_rest(region: Region, kept: dict[str, Json]) -> Iterator[NotCarried]:
    """What else is said of a region goes into its attributes, from which it is put back on export."""
    rest: list[Json] = []
    for each in region.rest:
        more, lost = keep(each.fields, (*OWN, "parentID"), each.place, "results", whole=("meta",))
        yield from lost
        if each is region.text:
            kept[TRANSCRIPTION] = {**more, INDEX: each.index}
            continue
        member = "text" if each.type == "textarea" else each.type
        value, lost = keep(
            each.value, each.value.keys() - {member}, each.place, "results", whole=(member,), people=False
        )
        yield from lost
        if value:
            rest.append({**more, "type": each.type, "value": value, INDEX: each.index})
    if rest:
        kept["of_region"] = rest
        place = region.main.place
        yield NotCarried(place, "choices, texts and numbers about a region, which are in its attributes only")


def keep_score(schema: str, body: dict[str, Json], fields: dict[str, Any], kept: dict[str, Json]) -> None:
    """Put the score of a result into its body, or where that has no place for it, into what is kept."""
    score = number(fields.get("score"))
    if score is None:
        return
    if 0 <= score <= 1 and schema != "multi-label":
        body["score"] = score
    else:
        kept["score"] = score
