"""One CVAT file: its parts, as they come, made into records.

Which files there are is for `importer`; tracks are for `videos`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from gonk_node.core.limits import CVAT_SHAPES_MAX, CVAT_TEXT_CHARS_MAX
from gonk_node.core.plural import with_its
from gonk_node.errors import InputFileError
from gonk_node.formats.compact import NamedTexts
from gonk_node.formats.cvat import meta as cvat_meta
from gonk_node.formats.cvat.annotations import Annotations, Equal
from gonk_node.formats.cvat.media import Media, Medium
from gonk_node.formats.cvat.meta import Meta
from gonk_node.formats.cvat.shapes import Body, whole_of
from gonk_node.formats.cvat.videos import Videos
from gonk_node.formats.images import media_type
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Record
from gonk_node.formats.strict_xml import Begun, Part, Whole
from gonk_node.state.strict_json import Problem

_OF_IMAGE = frozenset({"id", "name", "width", "height", "subset", "task_id"})
_KNOWN = frozenset({"meta", "version"})


@dataclass(slots=True)
class _Image:
    """The image whose shapes come now.

    Attributes:
        place: where it begins.
        medium: its file.
        record: the image; None if it is left out.
        refusal: why it is.
        size: height and width in pixels, if the file says so.
        aside: what its annotations keep of it and its task.
        shapes: how many came.
    """

    place: str
    medium: Medium | None = None
    record: ImportedImage | None = None
    refusal: str = ""
    size: tuple[int, int] | None = None
    aside: Body = field(default_factory=dict)
    shapes: int = 0
    equal: Equal = field(default_factory=Equal)

    def size_for(self, element: Element) -> tuple[int, int] | None:
        """What is needed of it for a shape: of a mask the size, from the image file where the CVAT file does not say it."""
        if self.size is None and element.tag == "mask" and self.medium is not None:
            self.size = self.medium.size()
        return self.size


class CvatFile:
    """One file while it is read.

    Args:
        file: it.
        images: the folder with the images, None if there is none.
        paths: where the images of the source are, by their names; of files before, and to be filled.

    Attributes:
        place: the file, for messages.
        meta: what it says of tasks and labels.
        annotations: makes them.
    """

    def __init__(self, file: Path, images: Path | None, paths: NamedTexts) -> None:
        self.place = str(file)
        self.meta = Meta()
        self.annotations = Annotations()
        self._media = Media(file, images)
        self._videos = Videos(self.place, self._media, self.annotations)
        self._names = NamedTexts()  # of images: their lines
        self._images = 0  # that were taken
        self._paths = paths
        self._image: _Image | None = None

    def records(self, parts: Iterable[Part]) -> Iterator[Record]:
        """Everything that is in the file."""
        for part in parts:
            if isinstance(part, Whole):
                yield from self._whole(part)
            elif part.tag == "image":
                yield from self._begin_image(part) if isinstance(part, Begun) else self._end_image()
            elif part.tag == "track":
                yield from self._videos.begin(part, self.meta) if isinstance(part, Begun) else self._videos.end()
        if not self._images:
            yield from self._videos.without_tracks(self.meta)
        yield from self._videos.left_out()

    def _whole(self, part: Whole) -> Iterator[Record]:
        place = f"{self.place}: line {part.line}"
        if self._image is not None:
            yield from self._shape(self._image, part, f"{place}: <{part.element.tag[:40]}>")
        elif self._videos.in_track:
            yield from self._videos.add(part)
        elif part.element.tag == "meta":
            self.meta = cvat_meta.read(part.element)
            yield from (NotCarried(place, what) for what in self.meta.lost)
        elif part.element.tag not in _KNOWN:
            yield NotCarried(place, f"<{part.element.tag[:40]}> of the file")

    def _shape(self, image: _Image, part: Whole, place: str) -> Iterator[Record]:
        image.shapes += 1
        if image.record is not None and image.shapes <= CVAT_SHAPES_MAX:
            size = image.size_for(part.element)
            yield from self.annotations.of_shape(image.record.name, part.element, size, place, image.equal, image.aside)

    def _begin_image(self, part: Begun) -> Iterator[Record]:
        said = part.attributes
        self._image = image = _Image(f"{self.place}: line {part.line}: <image>")
        task = self.meta.task(said.get("task_id"))
        subset = said.get("subset", "")[:CVAT_TEXT_CHARS_MAX]
        try:
            medium = self._media.image(said.get("name"), subset)
            name, path = medium.name, str(medium.path)
            if subset and (name in self._names or self._paths.get(name) not in (None, path)):
                name = f"{subset}/{name}"
            if name in self._names:
                raise InputFileError(f"the file name {name!r} is taken by the image of line {self._names.get(name)}")
            if self._paths.add(name, path) != path:
                raise InputFileError(f"the file name {name!r} is taken by an image of another file")
            kind = media_type(medium.name, medium.path)
        except InputFileError as error:
            image.refusal = error.what
            return
        self._names.add(name, str(part.line))
        self._images += 1
        width, height = (whole_of(said.get(side)) for side in ("width", "height"))
        if width and height and min(width, height) > 0:
            image.size = (height, width)
        number = whole_of(said.get("id"))
        image.aside = self.meta.aside(task) | ({} if number is None else {"image_id": number})
        image.aside |= {"subset": subset or task.subset} if subset or task.subset else {}
        image.medium = medium
        image.record = ImportedImage(name, medium.path, kind, width, height)
        yield image.record
        yield from (NotCarried(image.place, f"{name[:40]!r} of images") for name in sorted(said.keys() - _OF_IMAGE))

    def _end_image(self) -> Iterator[Record]:
        image, self._image = self._image, None
        if image is None:
            return
        if image.record is None:
            yield Problem(image.place, f"{image.refusal}; left out{with_its(image.shapes, 'annotation')}")
        elif image.shapes > CVAT_SHAPES_MAX:
            what = f"has more than {CVAT_SHAPES_MAX:,} shapes; the others are left out"
            yield Problem(image.place, what)
        elif not image.shapes and "image_id" in image.aside:
            yield NotCarried(image.place, "ids of images that have no annotation")
