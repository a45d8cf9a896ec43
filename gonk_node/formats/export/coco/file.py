"""One COCO file, written in one pass over the samples: what ids and numbers it has is known only at the end of that.

So annotations wait in a spool, without their ids and with those that they claim; at the end each gets its own. It does not
know what an annotation says.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gonk_node.formats.export.numbering import Ids
from gonk_node.formats.folder import ExportFile, FolderWriter, Spool

_HEAD = struct.Struct("<qIIII")  # kept id or -1, image, label or _NO_LABEL, lengths of what follows
_NO_LABEL = 0xFFFFFFFF
_PIECE_CHARS = 1 << 16  # written at once
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Waiting(NamedTuple):
    """An annotation that waits for its ids.

    Attributes:
        kept: the id that it claims; None: any.
        image: the number of its image, in the order of the samples, from 0.
        label: its label; None where the file has no categories.
        members: its other members, a JSON object without ids.
        points: its keypoints as JSON, whose form follows from all points that its category has in the end; "" without any.
    """

    kept: int | None
    image: int
    label: str | None
    members: dict[str, Any]
    points: str = ""


class CocoFile:
    """A file that is being written; its folder exists until `close`."""

    def __init__(self, folder: FolderWriter, path: str) -> None:
        self._file: ExportFile = folder.create(path)
        self._spool: Spool = folder.spool()
        self._ids = Ids()
        self._images = 0
        self._labels: dict[str, int] = {}  # in order of their first use: the number is the position
        self._file.write(b'{"info":{},"licenses":[],"images":[')

    def add(self, waiting: Waiting) -> None:
        """Take an annotation."""
        self._ids.add(waiting.kept)
        label = _NO_LABEL if waiting.label is None else self._labels.setdefault(waiting.label, len(self._labels))
        rest, points = _encode(waiting.members).encode(), waiting.points.encode()
        kept = -1 if waiting.kept is None else waiting.kept
        self._spool.write(_HEAD.pack(kept, waiting.image, label, len(rest), len(points)) + rest + points)

    def image(self, image: dict[str, Any]) -> None:
        """List an image; all of them before `close`."""
        self._file.write(((",\n" if self._images else "\n") + _encode(image)).encode())
        self._images += 1

    def close(
        self,
        image_ids: Sequence[int],
        numbers: Mapping[str, int],
        categories: Sequence[dict[str, Any]] | None,
        points_of: Callable[[str, str], dict[str, Any]],
    ) -> None:
        """Write the annotations with their ids, and the categories.

        Args:
            image_ids: of the images, in the order of the samples.
            numbers: the id of each label's category.
            categories: None for a file that has none.
            points_of: makes members of a label and of the points that were given.
        """
        labels = list(self._labels)
        own = [f'"category_id":{numbers[label]},' for label in labels]

        def line(head: tuple[int, int, int, int, int], rest: bytes, points: bytes) -> str:
            kept, image, label, *_ = head
            number = self._ids.next(None if kept < 0 else kept)
            category = "" if label == _NO_LABEL else own[label]
            if points:
                category += _encode(points_of(labels[label], points.decode()))[1:-1] + ","
            return f'{{"id":{number},"image_id":{image_ids[image]},{category}{rest.decode()[1:]}'

        self._file.write(b'\n],"annotations":[')
        self._write_lines(line(*record) for record in self._waiting())
        self._file.write(b"\n]")
        if categories is not None:
            self._file.write(b',"categories":[')
            self._write_lines(_encode(category) for category in categories)
            self._file.write(b"\n]")
        self._file.write(b"}\n")
        self._file.close()

    def _waiting(self) -> Iterator[tuple[tuple[int, int, int, int, int], bytes, bytes]]:
        """(head, members, points) of each annotation, in the order in which they were added."""
        text, at = b"", 0
        for piece in self._spool.pieces():
            text, at = text[at:] + piece, 0
            while len(text) - at >= _HEAD.size:
                head = _HEAD.unpack_from(text, at)
                middle = at + _HEAD.size + head[3]
                end = middle + head[4]
                if end > len(text):
                    break
                yield head, text[at + _HEAD.size : middle], text[middle:end]
                at = end

    def _write_lines(self, lines: Iterable[str]) -> None:
        """Write elements of an array, a line each."""
        held: list[str] = []
        size, before = 0, "\n"
        for line in lines:
            held.append(line)
            size += len(line)
            if size >= _PIECE_CHARS:
                self._file.write((before + ",\n".join(held)).encode())
                held, size, before = [], 0, ",\n"
        if held:
            self._file.write((before + ",\n".join(held)).encode())
