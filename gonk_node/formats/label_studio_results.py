"""The results of one annotation of Label Studio, taken together into bodies of gonk's schemas.

Results of one `id` are one region and what is said of it: a shape (`rectanglelabels`, or `rectangle` with its `labels` in
another result), and texts, choices and numbers. Results without a region are about the whole object. Relations name regions
and come last. What the values of regions are is in `label_studio_shapes`; the way back is in `export.label_studio_results`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gonk_node.errors import InputFileError
from gonk_node.formats import label_studio_brush, label_studio_shapes, rle
from gonk_node.formats.image_size import ImageSize
from gonk_node.formats.label_studio_config import LabelConfig
from gonk_node.formats.label_studio_kept import INDEX, keep
from gonk_node.formats.label_studio_objects import body_of_object
from gonk_node.formats.label_studio_shapes import Text
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import number, whole
from gonk_node.state.strict_json import Json, Problem

TRANSCRIPTION = "transcription"
"""The name of the tag by which Label Studio's templates ask what is written or said in a region."""
OF_OBJECTS = frozenset(
    {"choices", "textarea", "rating", "number", "taxonomy", "datetime", "pairwise", "ranker", "chatmessage"}
)
"""Types of results that may be about the whole object; about a region where they share its id."""

_OWN = frozenset({"id", "type", "value", "original_width", "original_height", "score", INDEX})
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


class Relation(NamedTuple):
    """A result that joins two regions, as the file has it, with what is kept of it."""

    value: dict[str, Any]
    result: dict[str, Json]
    place: str


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
class _Result:
    index: int
    place: str
    fields: dict[str, Any]
    value: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.fields.get("type"))

    @property
    def shape(self) -> str:
        """The type without what it has labels for."""
        return self.type.removesuffix("labels")

    def labels(self) -> list[str]:
        found = self.value.get(self.type if self.type.endswith("labels") else "labels")
        return [each for each in found if isinstance(each, str) and each] if isinstance(found, list) else []


@dataclass(slots=True)
class _Region:
    """The results of one id."""

    id: str
    main: _Result
    rest: list[_Result]
    labels: list[str]
    tags: tuple[str, ...]  # names of those that have the labels
    points: list[_Region] = field(default_factory=list)  # keypoints that have it as their parent
    text: _Result | None = None  # the result that tells what is written or said there
    said: Json = None  # which is this


def read_results(results: list[Json], about: About, place: str) -> Iterator[Found | Relation | Problem | NotCarried]:
    """What the results of one annotation make.

    Args:
        results: as the file has them.
        about: their object.
        place: of the list, for messages.
    """
    groups: dict[str | int, list[_Result]] = {}
    relations: list[Relation] = []
    for index, fields in enumerate(results):
        here = f"{place}/{index}"
        if isinstance(fields, dict) and fields.get("type") == "relation":
            kept, lost = keep(fields, (*_OWN, "from_id", "to_id", "labels"), here, "results")
            relations.append(Relation(fields, {**kept, INDEX: index}, here))
            yield from lost
        elif not isinstance(fields, dict) or not isinstance(fields.get("value"), dict):
            yield Problem(here, "a result needs a value; left out")
        elif about.name and fields.get("to_name", about.name) != about.name:
            yield Problem(here, f"is about {str(fields['to_name'])[:80]!r}, another part of the task; left out")
        else:
            said = fields.get("id")
            key = said if isinstance(said, str) and said else index
            groups.setdefault(key, []).append(_Result(index, here, fields, fields["value"]))
    data = about.config.data.get(about.name)
    about.channels = data is not None and data.attributes.get("splitchannels") == "true"
    about.channels |= any(each.value.get("channel") not in (None, 0) for group in groups.values() for each in group)
    regions: list[_Region] = []
    made: list[tuple[int, Iterator[Found | Problem | NotCarried]]] = []
    for key, group in groups.items():
        own = key if isinstance(key, str) else ""
        shapes = [each for each in group if each.type not in OF_OBJECTS]
        if shapes:
            regions.append(_region(own, group, shapes))
        else:
            made += [(each.index, _object(each, own, part, about)) for part, each in enumerate(group)]
    made += [(region.main.index, _bodies(region, about)) for region in _with_their_points(regions)]
    for _, records in sorted(made, key=lambda each: each[0]):
        yield from records
    yield from relations


def _region(key: str, group: list[_Result], shapes: list[_Result]) -> _Region:
    main = next((each for each in shapes if each.type != "labels"), shapes[0])
    rest = [each for each in group if each is not main]
    labels, source = main.labels(), main
    if not labels and (apart := next((each for each in rest if each.type == "labels"), None)) is not None:
        labels, source = apart.labels(), apart
        rest.remove(apart)
    return _Region(key, main, rest, labels, (str(source.fields.get("from_name")),))


def _with_their_points(regions: list[_Region]) -> Iterator[_Region]:
    """Keypoints go into the upright rectangle that they have as their parent; all others stay by themselves."""
    parents = {
        each.id: each
        for each in regions
        if each.id and each.labels and each.main.shape == "rectangle" and not each.main.value.get("rotation")
    }
    alone = []
    for region in regions:
        parent = region.main.fields.get("parentID")
        if region.main.shape == "keypoint" and region.labels and isinstance(parent, str) and parent in parents:
            parents[parent].points.append(region)
        else:
            alone.append(region)
    yield from alone


# --- regions --------------------------------------------------------------------------------------------------


def _bodies(region: _Region, about: About) -> Iterator[Found | Problem | NotCarried]:
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
    kept, lost = keep(main.fields, _OWN, main.place, "results", whole=("meta",))
    kept[INDEX] = main.index
    yield from lost
    try:
        schema, body = _shape(region, about, kept)
    except InputFileError as error:
        lost_with = f", and its {len(region.points)} keypoints with it" if region.points else ""
        yield Problem(main.place, f"{error.what}; left out{lost_with}")
        return
    if region.points:
        points: list[Json] = []
        said: list[Json] = []
        for point in region.points:
            yield from _add_point(point, about, points, said)
        if points:
            schema, body, kept["points"] = "keypoints", {"points": points, "box": body}, said
    if region.labels:
        body["label"] = region.labels[0]
    if len(region.labels) > 1:
        kept["labels"] = [*region.labels]
        yield NotCarried(main.place, "further labels of a region: the first is taken, all are in the attributes")
    yield from _keep_rest(region, kept)
    _score(schema, body, main.fields, kept)
    yield Found(schema, body, kept, region.id, 0, main.place, region.tags)


def _shape(region: _Region, about: About, kept: dict[str, Json]) -> tuple[str, dict[str, Json]]:
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
        points = (label_studio_shapes.corners if shape == "rectangle" else label_studio_shapes.outline)(value, size)
        return "ocr-line", {"outline": points, "text": region.said}
    if shape == "rectangle":
        return label_studio_shapes.box(value, size)
    if shape == "polygon" and value.get("closed") is False:
        return "polyline", {"points": label_studio_shapes.outline(value, size)}
    if shape == "polygon":
        return "polygon", {"parts": [{"outer": label_studio_shapes.outline(value, size), "holes": []}]}
    if shape == "keypoint":
        kept |= _width(value)
        return "keypoints", {"points": [{"name": region.labels[0], **label_studio_shapes.point(value, size)}]}
    if value.get("format", "rle") != "rle":
        raise InputFileError("brush regions are read as rle only")
    runs = label_studio_brush.decode(value.get("rle"), size.width, size.height)
    return "mask", {"size": [size.height, size.width], "counts": rle.encode(runs)}


def _segment(region: _Region, about: About, kept: dict[str, Json]) -> dict[str, Json]:
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


def _add_point(region: _Region, about: About, points: list[Json], said: list[Json]) -> Iterator[Problem | NotCarried]:
    """Add a keypoint of a thing to its points, and what is kept of it to `said`."""
    main = region.main
    try:
        found = {"name": region.labels[0], **label_studio_shapes.point(main.value, _size(main.fields, about))}
        if any(each["name"] == found["name"] for each in points):
            raise InputFileError(f"the thing has another keypoint {found['name'][:80]!r}")
    except InputFileError as error:
        yield Problem(main.place, f"{error.what}; left out")
        return
    kept, lost = keep(main.fields, (*_OWN, "parentID"), main.place, "results", whole=("meta",))
    yield from lost
    if region.rest or len(region.labels) > 1 or "score" in main.fields:
        yield NotCarried(main.place, "scores, further labels and remarks of single keypoints")
    points.append(found)
    said.append({**kept, **_width(main.value), "id": region.id, INDEX: main.index})


def _width(value: dict[str, Any]) -> dict[str, Json]:
    found = number(value.get("width"))
    return {} if found is None else {"width": found}


def _keep_rest(region: _Region, kept: dict[str, Json]) -> Iterator[NotCarried]:
    """What else is said of a region goes into its attributes, from which it is put back on export."""
    rest: list[Json] = []
    for each in region.rest:
        more, lost = keep(each.fields, (*_OWN, "parentID"), each.place, "results", whole=("meta",))
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


# --- results about the whole object ------------------------------------------------------------------------------


def _object(result: _Result, region: str, part: int, about: About) -> Iterator[Found | Problem | NotCarried]:
    kept, lost = keep(result.fields, _OWN, result.place, "results", whole=("meta",))
    kept[INDEX] = result.index
    control = about.config.controls.get(str(result.fields.get("from_name")))
    try:
        bodies = body_of_object(result.type, result.fields.get("from_name"), result.value, control)
    except InputFileError as error:
        yield Problem(result.place, f"{error.what}; left out")
        return
    yield from lost
    if result.type == "number":
        kept["type"] = result.type
    for at, (schema, body) in enumerate(bodies):
        own = dict(kept)
        _score(schema, body, result.fields, own)
        if at:
            own["part"] = at
        yield Found(schema, body, own, region, part + at, result.place, (str(result.fields.get("from_name")),))


def _score(schema: str, body: dict[str, Json], fields: dict[str, Any], kept: dict[str, Json]) -> None:
    score = number(fields.get("score"))
    if score is None:
        return
    if 0 <= score <= 1 and schema != "multi-label":
        body["score"] = score
    else:
        kept["score"] = score
