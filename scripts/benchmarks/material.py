"""Makes what is measured: nodes with datasets of annotations, and a COCO file with its images. Takes no times."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from gonk_node import schemas
from gonk_node.config import Config
from gonk_node.core.entry import Header, build_entry, decode_record
from gonk_node.core.events import AnnotationCreate, Event, ObjectCreate, SchemaCreate
from gonk_node.core.heads import Head
from gonk_node.core.ids import EventRef, object_uuid
from gonk_node.core.outcome import Outcome
from gonk_node.home import Home
from gonk_node.node.node import Node
from gonk_node.replica.replica import Replica

DATASET_NAME = "cells"
OBJECTS = 100
_CLASSES = 10
_INGEST_EVENTS = 4000  # built and taken in at a time


class Sender(NamedTuple):
    """A node whose dataset is cloned: its folder, and the dataset's id."""

    home: Home
    dataset: bytes


def new_node(root: Path) -> Home:
    """Make a node in a new folder."""
    home = Home(root)
    Node.create(home)
    return home


def open_node(home: Home) -> Node:
    """Open a node with the default settings, and a port that the system chooses."""
    return Node.open(home, Config(peer_port=0))


def new_dataset(home: Home) -> bytes:
    """Found a dataset in a node; returns its id."""
    with open_node(home) as node:
        return node.create_dataset(DATASET_NAME).dataset


class Annotator:
    """The owner of a dataset: signs a schema and objects once, then any number of annotations of them."""

    def __init__(self, node: Node, dataset: bytes) -> None:
        self.replica: Replica = node.replica(dataset.hex())
        self.signer = node.signer()
        self._random = Random(dataset)
        schema = self.sign([SchemaCreate("schema-bounding-box", schemas.load("bounding-box"))])
        self._schema = EventRef(schema, 0)
        self._objects = self.sign([self._object(number) for number in range(OBJECTS)])

    def sign(self, events: list[Event]) -> bytes:
        """Sign one entry; returns its id."""
        return self.replica.sign(self.signer, events).entry_id

    def annotations(self, count: int) -> list[Event]:
        """New annotations, each a box of one object."""
        return [self._annotation() for _ in range(count)]

    def records(self, count: int, per_entry: int) -> Iterator[bytes]:
        """Signed entries that follow the last one in the log, with `count` annotations in all; they are not taken in."""
        head, prev = self._tip()
        prev_id = head.entry_id
        for start in range(0, count, per_entry):
            entry = build_entry(
                self.signer,
                dataset=self.replica.dataset,
                log_id=head.log_id,
                prev=prev,
                prev_id=prev_id,
                time_ms=prev.time_ms + 1,
                events=self.annotations(min(per_entry, count - start)),
            )
            prev, prev_id = entry.header, entry.entry_id
            yield entry.record

    def take_in(self, count: int, per_entry: int) -> None:
        """Add `count` annotations to the dataset, flushed in large groups."""
        records = self.records(count, per_entry)
        while group := list(islice(records, max(1, _INGEST_EVENTS // per_entry))):
            results = self.replica.ingest(group)
            refused = [each for each in results if each.outcome is not Outcome.INSERTED]
            if refused:
                raise ValueError(f"the node refused what it should take: {refused[0]}")

    def _tip(self) -> tuple[Head, Header]:
        """The last entry of this node's own log."""
        log = self.replica.log
        author = self.signer.author
        (head,) = log.leaves(author, self.replica.log_id(author))
        return head, decode_record(log.record_of(head.entry_id) or b"").header

    def _object(self, number: int) -> ObjectCreate:
        content_id = self._random.randbytes(32)
        uuid = object_uuid(self.replica.dataset, content_id)
        return ObjectCreate(
            uuid, f"image-{number:03}.png", "image/png", 100_000, content_id, self._random.randbytes(32)
        )

    def _annotation(self) -> AnnotationCreate:
        random = self._random
        target = EventRef(self._objects, random.randrange(OBJECTS))
        return AnnotationCreate(random.randbytes(16), self._schema, (target,), json.dumps(box(random)).encode())


def make_sender(root: Path, events: int, per_entry: int) -> Sender:
    """A node with a dataset of that many annotations."""
    home = new_node(root)
    dataset = new_dataset(home)
    with open_node(home) as node:
        Annotator(node, dataset).take_in(events, per_entry)
    return Sender(home, dataset)


def make_coco(folder: Path, images: int, boxes: int) -> Path:
    """A COCO file with its images, all small and different, in the folder `images` beside it; returns the file."""
    random = Random(boxes)
    (folder / "images").mkdir(parents=True)
    names = [f"image-{number:05}.png" for number in range(images)]
    for number, name in enumerate(names):
        (folder / "images" / name).write_bytes(_png(number))
    document = {
        "images": [{"id": at, "file_name": name, "width": 640, "height": 480} for at, name in enumerate(names)],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            {"id": at, "image_id": at % images, "category_id": 1, "bbox": [one["x"], one["y"], one["w"], one["h"]]}
            for at in range(boxes)
            for one in [box(random)]
        ],
    }
    file = folder / "coco.json"
    file.write_text(json.dumps(document))
    return file


def make_classes(folder: Path, images: int) -> Path:
    """A folder for each of ten classes, with that many small and different images in all; returns it."""
    for number in range(images):
        path = folder / f"class {number % _CLASSES}" / f"image-{number:06}.png"
        if number < _CLASSES:
            path.parent.mkdir(parents=True)
        path.write_bytes(_png(number))
    return folder


def box(random: Random) -> dict[str, str | int]:
    """The body of an annotation: a box in a picture of 640 by 480."""
    x, y = random.randrange(600), random.randrange(440)
    return {"label": "cell", "x": x, "y": y, "w": random.randint(2, 640 - x), "h": random.randint(2, 480 - y)}


def _png(number: int) -> bytes:
    """What begins as a picture of 640 by 480 (https://www.w3.org/TR/png-3/), of which a single pixel is there: the number."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = chunk(b"IHDR", struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\0" + number.to_bytes(3, "big")))
    return b"\x89PNG\r\n\x1a\n" + size + pixel + chunk(b"IEND", b"")
