"""One sample of a dataset: an object with its annotations, its bytes and, decoded when asked for, its image.

Picklable, so that worker processes can hand it on; small, since bytes are read when they are asked for.
"""

from __future__ import annotations

import html
import io
from typing import Any, BinaryIO
from uuid import UUID

from gonk_node.core.plural import plural
from gonk_node.errors import GonkError, InputFileError
from gonk_node.formats.extras import library
from gonk_node.node.loading.annotations import Annotation
from gonk_node.node.loading.source import DataObject, Source

# Decoders that people need and that run no other program (Pillow's for EPS would start Ghostscript), with the media types of
# what they decode: registered ones (iana.org/assignments/media-types), and those by which files are known besides.
_FORMATS = {
    "PNG": ("image/png", "image/apng"),
    "JPEG": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "GIF": ("image/gif",),
    "WEBP": ("image/webp",),
    "BMP": ("image/bmp", "image/x-bmp", "image/x-ms-bmp"),
    "TIFF": ("image/tiff",),
    "AVIF": ("image/avif",),
    "JPEG2000": ("image/jp2", "image/jpx"),
    "PPM": (
        "image/x-portable-anymap",
        "image/x-portable-bitmap",
        "image/x-portable-graymap",
        "image/x-portable-pixmap",
    ),
}


def decodable_types(pillow: Any) -> set[str]:
    """The media types of what `Sample.image` decodes.

    Args:
        pillow: the module PIL.Image; which decoders it has depends on how it was built.
    """
    pillow.init()  # makes all its decoders known
    return {each for name, types in _FORMATS.items() if name in pillow.OPEN for each in types}


class Sample:
    """An object of a dataset with what was annotated on it.

    Two are equal if they are the same version of one object of one dataset, both at the same release or time or both as it is
    now. What was read of them does not matter, nor on which node.

    Attributes:
        object: the object: its uuid, name, media type, size and hash; the most used of them are attributes of the sample too.
    """

    def __init__(self, source: Source, of: DataObject) -> None:
        self.object = of
        self._source = source
        self._annotations: tuple[Annotation, ...] | None = None

    @property
    def uuid(self) -> UUID:
        """Of the object; by it samples are in order."""
        return self.object.uuid

    @property
    def name(self) -> str:
        """Of the object: usually a file name, not unique."""
        return self.object.name

    @property
    def media_type(self) -> str:
        """Of the bytes, such as "image/png"."""
        return self.object.media_type

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """The annotations that count and fit their schemas, in order of their uuids; read once."""
        if self._annotations is None:  # cached_property of Python 3.11 has a lock, which a fork may leave locked
            self._annotations = tuple(self._source.annotations(self.object))
        return self._annotations

    def bytes(self) -> bytes:
        """The object's bytes, verified; where they are not on this node, they are fetched from a peer, and kept.

        Raises:
            PeerUnavailableError: no peer gave them; it says who was asked. DamagedStoreError: they have changed on the disk.
        """
        return self._source.read(self.object)

    def open(self) -> BinaryIO:
        """The same as a seekable binary file, read piece by piece; for what is larger than memory."""
        return self._source.open(self.object)

    def image(self) -> Any:
        """The object decoded by Pillow, as a `PIL.Image.Image`.

        Pixels are as stored: an EXIF orientation is not applied, since the coordinates of annotations do not know it either.

        Raises:
            MissingExtraError: Pillow is not installed. InputFileError: it is no image that Pillow decodes
                here, or damaged, or so large that Pillow takes it for an attack. As `bytes`.
        """
        pillow = library("PIL.Image", "images")
        pillow.init()
        data = self.bytes()
        try:
            image = pillow.open(io.BytesIO(data), formats=[each for each in _FORMATS if each in pillow.OPEN])
            image.load()
        except pillow.UnidentifiedImageError as error:
            what = (
                f"{len(data):,} bytes of {self.media_type} that no decoder used here knows"
                if data
                else "it has no bytes"
            )
            raise self._no_image(what) from error
        except (OSError, ValueError, SyntaxError, EOFError, pillow.DecompressionBombError) as error:
            raise self._no_image(str(error)) from error
        return image

    def _no_image(self, what: str) -> InputFileError:
        hint = "sample.open() gives its bytes to any other decoder"
        return InputFileError(f"cannot be decoded as an image: {what}", where=self.name, hint=hint)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Sample) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self._source.dataset, self._source.heads, self.object.uuid, self.object.version

    def __repr__(self) -> str:
        try:
            told = plural(len(self.annotations), "annotation")
        except GonkError as error:
            told = error.what  # it was closed, or the disk fails: debuggers and notebooks show objects at any time
        return f"Sample({self.name!r}, {self.media_type}, {plural(self.object.size, 'byte')}, {told})"

    def _repr_html_(self) -> str:
        """For notebooks; whatever comes from the dataset is escaped."""
        about = f"{self.media_type}, {plural(self.object.size, 'byte')}, {self.uuid}"
        head = f"<b>{html.escape(self.name)}</b> <small>{html.escape(about)}</small>"
        try:
            rows = "".join(f"<li><code>{html.escape(repr(each))}</code></li>" for each in self.annotations)
        except GonkError as error:
            return f"{head}<p>{html.escape(error.what)}</p>"
        return f"{head}<ul>{rows}</ul>"
