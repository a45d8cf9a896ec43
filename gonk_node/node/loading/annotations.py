"""Annotations as programs get them: a small frozen class for each schema that ships, and a general one for all others.

What each field means is in its schema (`gonk schema show NAME`). How they are made of bodies is `typed`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Annotation:
    """One revision of an annotation, of any schema.

    Attributes:
        uuid: of the annotation; all its revisions share it.
        version: which revision, from 0.
        schema: the name of its schema, such as "schema-bounding-box".
        schema_version: which revision of that.
        data: its body, exactly the bytes that were signed: UTF-8 JSON.
    """

    uuid: UUID
    version: int
    schema: str
    schema_version: int
    data: bytes

    @property
    def body(self) -> Any:
        """The body as Python has JSON: dict, list, str, float, …; a new one each time."""
        return json.loads(self.data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(schema={self.schema!r}, body={self.body!r})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class ShippedAnnotation(Annotation):
    """What annotations of the schemas that ship have in common. Where a body leaves a field out, it is None.

    Attributes:
        score: confidence of who or what made it, from 0 to 1.
        attributes: anything else that was noted.
        source: where it comes from.
    """

    score: float | None = None
    attributes: dict[str, Any] | None = None
    source: dict[str, Any] | None = None

    def __repr__(self) -> str:
        told = ", ".join(f"{key}={value!r}" for key, value in self.body.items())
        return f"{type(self).__name__}({told})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Classification(ShippedAnnotation):
    """What a whole object is or shows: one label, or several that hold at once."""

    label: str | None = None
    labels: list[str] | None = None
    scores: list[float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class MultiLabel(ShippedAnnotation):
    """Labels of a whole object that hold at once, most important first."""

    labels: list[str]
    scores: list[float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class BoundingBox(ShippedAnnotation):
    """An upright rectangle in an image: left, top, width and height in pixels."""

    label: str
    x: float
    y: float
    w: float
    h: float
    iscrowd: bool | None = None
    occluded: bool | None = None
    truncated: bool | None = None
    difficult: bool | None = None
    pose: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class RotatedBox(ShippedAnnotation):
    """A rectangle at any angle in an image: centre, width and height in pixels; the schema says how the angle turns."""

    label: str
    cx: float
    cy: float
    w: float
    h: float
    angle: float
    iscrowd: bool | None = None
    occluded: bool | None = None
    truncated: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Polygon(ShippedAnnotation):
    """An outline in an image: parts, each an outer ring with holes, of points (x, y) in pixels."""

    label: str
    parts: list[dict[str, Any]]
    iscrowd: bool | None = None
    occluded: bool | None = None
    truncated: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Polyline(ShippedAnnotation):
    """An open line in an image, such as a lane or a vessel: points (x, y) in pixels."""

    label: str
    points: list[Any]
    occluded: bool | None = None
    truncated: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Keypoints(ShippedAnnotation):
    """Named points of one thing in an image, such as the joints of a person."""

    label: str
    points: list[Any]
    box: dict[str, Any] | None = None
    iscrowd: bool | None = None
    occluded: bool | None = None
    truncated: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Mask(ShippedAnnotation):
    """Which pixels of an image belong to one thing: run lengths (RLE), as COCO and pycocotools have them."""

    label: str
    size: list[int]
    counts: Any
    box: dict[str, Any] | None = None
    iscrowd: bool | None = None
    occluded: bool | None = None
    truncated: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Caption(ShippedAnnotation):
    """A text about an object: a caption, a transcript, a remark."""

    text: str
    lang: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class TextSpan(ShippedAnnotation):
    """A stretch of a text; the schema says in which units it is counted."""

    label: str
    start: int
    end: int
    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class OcrLine(ShippedAnnotation):
    """Where a line of text is in an image, and what it says."""

    outline: list[Any]
    text: str
    label: str | None = None
    baseline: list[Any] | None = None
    legible: bool | None = None
    order: int | None = None
    lang: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class AudioSegment(ShippedAnnotation):
    """What is heard from one moment of a sound to another, in seconds."""

    start_s: float
    end_s: float
    label: str | None = None
    channel: int | None = None
    speaker: str | None = None
    text: str | None = None
    lang: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class VideoTrack(ShippedAnnotation):
    """One thing through a video, at some frames and between them."""

    label: str
    interpolation: Any
    keyframes: list[Any]
    track: str | int | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Cuboid3d(ShippedAnnotation):
    """A box at any angle in space, in metres: centre, size, and its turn as a quaternion."""

    label: str
    center: list[float]
    size: list[float]
    quaternion: list[float]
    frame: str
    time_s: float | None = None
    track: str | int | None = None
    occluded: bool | None = None
    truncated: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Relation(ShippedAnnotation):
    """Two annotations that belong together in a certain way."""

    label: str
    head: Any
    tail: Any
    directed: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Preference(ShippedAnnotation):
    """Which of several answers is better."""

    candidates: list[str]
    ranks: list[int]
    prompt: str | None = None
    criterion: str | None = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Rating(ShippedAnnotation):
    """A number on a scale, such as 4 of 1 to 5 stars."""

    value: float
    min: float
    max: float
    step: float | None = None
    criterion: str | None = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class QuestionAnswer(ShippedAnnotation):
    """A question about an object, and what answers it."""

    question: str
    answers: list[dict[str, Any]]
    impossible: bool | None = None
    lang: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class ReviewedEmpty(ShippedAnnotation):
    """Somebody looked at the whole object and found nothing to annotate."""

    schemas: list[str] | None = None
    labels: list[str] | None = None
    comment: str | None = None


TYPES: dict[str, type[ShippedAnnotation]] = {
    "classification": Classification,
    "multi-label": MultiLabel,
    "bounding-box": BoundingBox,
    "rotated-box": RotatedBox,
    "polygon": Polygon,
    "polyline": Polyline,
    "keypoints": Keypoints,
    "mask": Mask,
    "caption": Caption,
    "text-span": TextSpan,
    "ocr-line": OcrLine,
    "audio-segment": AudioSegment,
    "video-track": VideoTrack,
    "cuboid-3d": Cuboid3d,
    "relation": Relation,
    "preference": Preference,
    "rating": Rating,
    "question-answer": QuestionAnswer,
    "reviewed-empty": ReviewedEmpty,
}
"""The class for each schema that ships, by the name of its file."""
