"""Samples of a State, one at a time: what one costs, and which objects are none."""

from __future__ import annotations

from pathlib import Path

from gonk_node.core.events import ACCEPT, AnnotationCreate, ObjectCreate, Review
from gonk_node.core.ids import EventRef
from gonk_node.formats import own_objects
from gonk_node.formats.label_set import MEDIA_TYPE
from gonk_node.replica.reading.samples import Samples
from kit import local_replica
from kit.history import object_create, schema_create, some_uuid


def samples_of(folder: Path, *objects: ObjectCreate) -> Samples:
    """Of a dataset in which each of these objects is accepted, and an annotation on it."""
    folder.mkdir()
    replica = local_replica.make(folder)
    owner = local_replica.author(replica, "owner")
    marks = [
        AnnotationCreate(some_uuid(10_000 + at), EventRef(b"", 0), (EventRef(b"", 1 + at),), b"{}")
        for at in range(len(objects))
    ]
    entry = owner.sign([schema_create("schema-box", b'{"type": "object"}'), *objects, *marks])
    refs = tuple(EventRef(entry.entry_id, index) for index in range(1 + 2 * len(objects)))
    owner.sign([Review(ACCEPT, refs[start : start + 256], (), "") for start in range(0, len(refs), 256)])
    return Samples(replica.db)


def steps_of_one(samples: Samples) -> int:
    """How many steps SQLite takes, in tens, to find an object in the middle and what is annotated on it."""
    number = samples.numbers()[len(samples.numbers()) // 2]
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    assert len(samples.annotations(number)) == 1  # the schema is known from now on
    samples._db._db.set_progress_handler(count, 10)
    assert samples.object(number) is not None
    assert len(samples.annotations(number)) == 1
    samples._db._db.set_progress_handler(None, 0)
    return taken


def test_one_sample_costs_the_same_in_a_larger_dataset(tmp_path: Path) -> None:
    small, large = (
        steps_of_one(samples_of(tmp_path / str(count), *(object_create(at, f"o{at}") for at in range(count))))
        for count in (10, 1000)
    )
    assert 0 < large <= 2 * small


def test_objects_of_gonks_own_are_no_samples(tmp_path: Path) -> None:
    types = [
        "image/png",
        MEDIA_TYPE,
        own_objects.LOG_OF_GONK,
        "application/vnd.gonk.what-comes-later",
        "application/vnd",
    ]
    made = [object_create(at, f"o{at}")._replace(media_type=each) for at, each in enumerate(types)]
    samples = samples_of(tmp_path / "dataset", *made)
    found = [samples.object(number) for number in samples.numbers()]
    told = sorted(each.media_type or "" for each in found if each is not None)
    assert told == list(samples.contents()) == ["application/vnd", "image/png"]
    assert [each for each in types if not own_objects.is_own(each)] == ["image/png", "application/vnd"]
