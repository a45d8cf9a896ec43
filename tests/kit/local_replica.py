"""A replica on the disk whose authors sign here, as those of a node do; with a schema and objects to annotate."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from gonk_node.core.entry import read_stored
from gonk_node.core.events import PUBLIC, DatasetCreate
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.replica.replica import Replica
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.group_commit import Draft
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.store.state_schema import OBJECT
from kit.arrival_log import shuffled
from kit.authors import TestAuthor
from kit.history import object_create, schema_create, some_uuid

INSTANCE = b"i" * 32


def make(folder: Path) -> Replica:
    """A dataset that "owner" founded, opened."""
    genesis = Replica.found(
        TestAuthor("owner").signer, INSTANCE, DatasetCreate("x", "", 1, 1, PUBLIC, (), 0, bytes(16))
    )
    Replica.make(folder / "log", genesis.record, None)
    return reopen(folder)


def reopen(folder: Path) -> Replica:
    return Replica.open(folder / "log", folder / "state.db", INSTANCE)


def author(replica: Replica, name: str, display_name: str = "") -> Author:
    """Somebody who signs here; "owner" is the owner, all others are strangers."""
    return Author(replica, TestAuthor(name).signer, display_name)


def furnish(replica: Replica, objects: int = 3) -> None:
    """Have the owner propose `schema-box` and some objects, `some_uuid(0)` and so on."""
    things = [object_create(number, f"o{number}") for number in range(objects)]
    author(replica, "owner").sign([schema_create("schema-box", b'{"type": "object"}'), *things])


def thing(replica: Replica, number: int = 0) -> list[Revision]:
    """The revisions of an object of `furnish`."""
    return Queries(replica.db).revisions(OBJECT, some_uuid(number))


def annotating(proposer: Proposer, number: int = 0, body: bytes = b"{}") -> Callable[[], Draft[bytes]]:
    """What prepares an annotation of an object; its answer is the annotation's uuid."""

    def prepare() -> Draft[bytes]:
        on = thing(proposer.author.replica, number)[0]
        schema = proposer.usable_schema("schema-box")
        event = proposer.annotation_create([on], schema, body)
        return Draft(event, event.uuid, max(on.time_ms, schema.time_ms))

    return prepare


def records(replica: Replica) -> list[bytes]:
    """All records of a replica, in order of arrival."""
    return [record for _, record in replica.log.scan(0, count_max=10**6, bytes_max=10**9)]


def copy_of(folder: Path, held: Sequence[bytes], seed: int | None = None) -> Replica:
    """Another node that got those records, in another order where a seed is given; one batch for each entry."""
    entries = [read_stored(record) for record in held]
    if seed is not None:
        entries = shuffled(entries, random.Random(seed))
    folder.mkdir()
    Replica.make(folder / "log", entries[0].record, None)
    replica = reopen(folder)
    for entry in entries[1:]:
        replica.ingest([entry.record])
    return replica
