"""The tracks of a CVAT file, put on what they are tracks of: the video if it is there, else the images of its frames.

Where the frames are images (CVAT gives them along with the annotations, instead of the video), each shape that is in the
picture becomes an annotation of its frame, the computed ones too: CVAT does so itself, in its format for images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gonk_node.core.limits import CVAT_SHAPES_MAX, CVAT_TEXT_CHARS_MAX
from gonk_node.core.plural import with_its
from gonk_node.errors import InputFileError
from gonk_node.formats.cvat.annotations import Annotations, Equal
from gonk_node.formats.cvat.media import Media, Medium
from gonk_node.formats.cvat.meta import Meta, Task
from gonk_node.formats.cvat.shapes import Body, whole_of
from gonk_node.formats.cvat.tracks import Track
from gonk_node.formats.images import media_type
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Record
from gonk_node.formats.strict_xml import Begun, Whole
from gonk_node.state.strict_json import Problem

_OF_TRACK = frozenset({"id", "label", "source", "group_id", "subset", "task_id"})


@dataclass(slots=True)
class _Video:
    """What the tracks of one task are put on.

    Attributes:
        task: the task.
        place: of its first track.
        medium: the video; None if it is not there.
        refusal: why it cannot be used.
        found: tracks that could be put on images of its frames,
        lost: and those that could not.
    """

    task: Task
    place: str
    medium: Medium | None = None
    refusal: str = ""
    found: int = 0
    lost: int = 0


@dataclass(slots=True)
class _Now:
    """The track whose shapes come now."""

    video: _Video
    track: Track
    place: str
    aside: Body
    subset: str
    found: int = 0  # shapes of it that are in frames with an image,
    missing: int = 0  # and without one


class Videos:
    """All tracks of one file.

    Args:
        place: the file, for messages.
        media: finds the videos and frames.
        annotations: makes annotations.
    """

    def __init__(self, place: str, media: Media, annotations: Annotations) -> None:
        self._place = place
        self._media = media
        self._annotations = annotations
        self._videos: dict[str, _Video] = {}  # by the ids of tasks
        self._given: set[str] = set()  # names of videos and frames
        self._now: _Now | None = None
        self._tracks = 0
        self._equal = Equal()

    @property
    def in_track(self) -> bool:
        """Whether a track has begun and not ended."""
        return self._now is not None

    def begin(self, part: Begun, meta: Meta) -> Iterator[Record]:
        """A track begins."""
        said = part.attributes
        place = f"{self._place}: line {part.line}: <track>"
        self._tracks += 1
        task_id = said.get("task_id", "")
        task_id = task_id if task_id in meta.tasks else ""
        if task_id not in self._videos:
            self._videos[task_id] = self._video(meta.task(task_id), place)
        video = self._videos[task_id]
        yield from self._given_once(video.medium, video.task)
        label = meta.labels.get(said.get("label", ""))
        track = Track(said, video.task.frame_shift, () if label is None else label.keypoints)
        subset = said.get("subset", "")[:CVAT_TEXT_CHARS_MAX]
        aside = meta.aside(video.task) | ({"track_id": track.id} if "id" in said else {})
        aside |= {"subset": subset or video.task.subset} if subset or video.task.subset else {}
        if video.medium is not None and video.task.size is not None:
            aside["original_size"] = dict(zip(("height", "width"), video.task.size, strict=True))
        self._now = _Now(video, track, place, aside, subset)
        yield from (NotCarried(place, f"{name[:40]!r} of tracks") for name in sorted(said.keys() - _OF_TRACK))

    def add(self, part: Whole) -> Iterator[Record]:
        """A shape of the track that began."""
        now = self._now
        if now is None or self._tracks > CVAT_SHAPES_MAX or now.track.refusal:
            return
        if now.video.medium is None:
            yield from self._on_frame(now, part)
        elif (body := now.track.add(part.element)) is not None:
            yield self._made(now, now.video.medium, body)

    def end(self) -> Iterator[Record]:
        """The track ends."""
        now, self._now = self._now, None
        if now is None or self._tracks > CVAT_SHAPES_MAX:
            return
        if now.video.medium is None and not now.track.refusal:
            now.video.found += bool(now.found)
            now.video.lost += not now.found
            if now.found and now.missing:
                yield Problem(now.place, f"{now.missing} of its shapes are in frames without an image; left out")
            return
        if now.video.medium is not None and (body := now.track.end()) is not None:
            yield self._made(now, now.video.medium, body)
        if now.track.refusal:
            yield Problem(now.place, now.track.refusal)
        yield from (NotCarried(now.place, what) for what in now.track.lost)

    def without_tracks(self, meta: Meta) -> Iterator[Record]:
        """The videos of tasks that had no tracks, in a file that has no images."""
        for task_id, task in meta.tasks.items():
            if task.source and task_id not in self._videos:
                self._videos[task_id] = video = self._video(task, f"{self._place}: <source>")
                yield from self._given_once(video.medium, task)

    def left_out(self) -> Iterator[Record]:
        """What could not be put on anything, at the end."""
        for video in self._videos.values():
            if video.medium is None and (video.lost or not video.found):
                tracks = with_its(video.lost, "track")
                yield Problem(video.place, f"{video.refusal}; left out{tracks}")
        if self._tracks > CVAT_SHAPES_MAX:
            yield Problem(self._place, f"has more than {CVAT_SHAPES_MAX:,} tracks; the others are left out")

    def _video(self, task: Task, place: str) -> _Video:
        video = _Video(task, place)
        try:
            video.medium = self._media.video(task.source)
            said = "the file does not name its video, there is not exactly one beside it,"
            said = f"the video {task.source[:80]!r}" if task.source else said
            video.refusal = f"{said} and images of its frames (frame_000000.png, …) are missing"
        except InputFileError as error:
            video.refusal = error.what
        return video

    def _given_once(self, medium: Medium | None, task: Task) -> Iterator[Record]:
        if medium is None or medium.name in self._given:
            return
        self._given.add(medium.name)
        height, width = task.size or (None, None)
        yield ImportedImage(medium.name, medium.path, media_type(medium.name, medium.path), width, height)

    def _made(self, now: _Now, medium: Medium, body: Body) -> Record:
        return self._annotations.make(medium.name, "video-track", body, now.place, self._equal, now.aside)

    def _on_frame(self, now: _Now, part: Whole) -> Iterator[Record]:
        if part.element.get("outside") == "1":
            return
        number = whole_of(part.element.get("frame"))
        medium = None if number is None else self._media.frame(number, now.subset)
        if medium is None:
            now.missing += 1
            return
        now.found += 1
        yield from self._given_once(medium, now.video.task)
        size = now.video.task.size or (medium.size() if part.element.tag == "mask" else None)
        place = f"{self._place}: line {part.line}: <{part.element.tag[:40]}>"
        more = now.track.kept | {name: now.aside[name] for name in ("track_id",) if name in now.aside}
        yield from self._annotations.of_shape(
            medium.name,
            part.element,
            size,
            place,
            Equal(),  # a track is once in a frame
            now.aside | {"image_id": number},
            label=now.track.label,
            more=more,
        )
