"""The manifest of a release, rule A15 (spec section 7): one line for each object and annotation in it, and their hash.

Pure text: which objects and annotations a State has is read by the caller, and State at which heads is rule A14. A line is
fields with tabs between them; no name can hold a tab or a line break, so nothing is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from gonk_node.core.ids import hash_manifest_lines, uuid_text

FORMAT = "gonk-node manifest 1"  # the first field of the first line
NONCONFORMING = "nonconforming"  # left out: the body does not fit its schema, or that cannot be judged
OBJECT_LEFT_OUT = "object"  # left out: an object revision that it hangs on is not in the release


class ListedObject(NamedTuple):
    """An object's current revision; ids and hashes as bytes, size in bytes."""

    uuid: bytes
    version: int
    name: str
    media_type: str
    size: int
    content_id: bytes
    sha256: bytes

    def line(self) -> str:
        """The line, without its end."""
        return (
            f"object\t{uuid_text(self.uuid)}\t{self.version}\t{self.name}\t{self.media_type}\t{self.size}"
            f"\t{self.content_id.hex()}\t{self.sha256.hex()}"
        )


class ListedAnnotation(NamedTuple):
    """An annotation's current revision.

    Attributes:
        uuid: 16 bytes.
        version: its version.
        schema_name: of the schema revision that it names.
        schema_version: of that revision; None where it takes no effect.
        schema_uuid: 16 bytes.
        schema_sha256: of that revision's document, 32 bytes.
        objects: (uuid, version) of each object revision that it hangs on, ascending, each once.
        body_sha256: of its body, 32 bytes.
    """

    uuid: bytes
    version: int
    schema_name: str
    schema_version: int | None
    schema_uuid: bytes
    schema_sha256: bytes
    objects: tuple[tuple[bytes, int], ...]
    body_sha256: bytes

    def line(self) -> str:
        """The line, without its end."""
        uuid, version, name, schema_version, schema_uuid, schema_sha256, hangs_on, body_sha256 = self
        schema = _schema_fields(name, schema_version, schema_uuid, schema_sha256)
        objects = ",".join([f"{uuid_text(each)}@{at}" for each, at in hangs_on])
        return f"annotation\t{uuid_text(uuid)}\t{version}\t{schema}\t{objects}\t{body_sha256.hex()}"


@lru_cache(maxsize=64)  # a dataset has few schemas, and each annotation names one
def _schema_fields(name: str, version: int | None, uuid: bytes, sha256: bytes) -> str:
    return f"{name}\t{'-' if version is None else version}\t{uuid_text(uuid)}\t{sha256.hex()}"


class LeftOut(NamedTuple):
    """An annotation whose current revision is not in the release, and why: NONCONFORMING or OBJECT_LEFT_OUT."""

    uuid: bytes
    version: int
    reason: str

    def line(self) -> str:
        """The line, without its end."""
        return f"left-out\t{uuid_text(self.uuid)}\t{self.version}\t{self.reason}"


Item: TypeAlias = ListedObject | ListedAnnotation | LeftOut


class Summary(NamedTuple):
    """What a release signs of its manifest: the hash (32 bytes), and how many lines of each sort there are."""

    hash: bytes
    objects: int
    annotations: int
    left_out: int


class Manifest:
    """A manifest that is told item by item, as often as it is asked for.

    Args:
        dataset: the dataset's id, 32 bytes.
        items: begins anew at each call: all objects by uuid, then annotations, those left out among them, by uuid.
    """

    def __init__(self, dataset: bytes, items: Callable[[], Iterable[Item]]) -> None:
        self._dataset = dataset
        self._items = items

    def lines(self) -> Iterator[bytes]:
        """Every line with its line break, UTF-8. ValueError where the items are out of order."""
        return self._lines(Counter())

    def summary(self) -> Summary:
        """Go through all lines, holding none: their hash, and their number."""
        counts: Counter[type] = Counter()
        digest = hash_manifest_lines(self._lines(counts))
        return Summary(digest, counts[ListedObject], counts[ListedAnnotation], counts[LeftOut])

    def _lines(self, counts: Counter[type]) -> Iterator[bytes]:
        yield f"{FORMAT}\t{self._dataset.hex()}\n".encode()
        last: tuple[bool, bytes] = (False, b"")
        for item in self._items():
            place = (type(item) is not ListedObject, item.uuid)
            if place <= last:
                raise ValueError("the items of a manifest must ascend")
            last = place
            counts[type(item)] += 1
            yield f"{item.line()}\n".encode()
