"""One sample of a dataset: an object with its annotations, its bytes and, decoded when asked for, its image.

Picklable, so that worker processes can hand it on; small, since bytes are read when they are asked for.
"""

from __future__ import annotations

import html
import io
from typing import Any, BinaryIO
from uuid import UUID

from gonk_node.errors import InputFileError
from gonk_node.formats.extras import library
from gonk_node.node.loading.annotations import Annotation
from gonk_node.node.loading.source import DataObject, Source

# Decoders that people need and that run no other program; Pillow's for EPS would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")


class Sample:
    """An object of a dataset with what was annotated on it.

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
        pillow.init()  # makes all its decoders known
        try:
            image = pillow.open(io.BytesIO(self.bytes()), formats=[each for each in _FORMATS if each in pillow.OPEN])
            image.load()
        except (OSError, ValueError, SyntaxError, EOFError, pillow.DecompressionBombError) as error:
            raise InputFileError(
                f"cannot be decoded as an image: {error}",
                where=self.name,
                hint="sample.open() gives its bytes to any other decoder",
            ) from error
        return image

    def __repr__(self) -> str:
        return (
            f"Sample({self.name!r}, {self.media_type}, {self.object.size:,} bytes, {len(self.annotations)} annotations)"
        )

    def _repr_html_(self) -> str:
        """For notebooks; whatever comes from the dataset is escaped."""
        rows = "".join(f"<li><code>{html.escape(repr(each))}</code></li>" for each in self.annotations)
        about = f"{self.media_type}, {self.object.size:,} bytes, {self.uuid}"
        return f"<b>{html.escape(self.name)}</b> <small>{html.escape(about)}</small><ul>{rows}</ul>"
