"""Which documents of schemas an export carries does not depend on the order in which entries came."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.core.entry import Entry
from gonk_node.core.events import SchemaUpdate
from gonk_node.core.ids import EventRef
from gonk_node.errors import PeerUnavailableError
from gonk_node.formats.loss import Loss
from gonk_node.replica.exchange import exporting
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import Replica
from gonk_node.store.content import ContentStore
from kit import local_replica
from kit.history import accept, annotation_create, object_create, own, schema_create
from kit.local_replica import copy_of, records


def schemas(replica: Replica, content: ContentStore) -> list[tuple[str, int, bytes]]:
    def fetch(_content_id: bytes) -> None:
        raise PeerUnavailableError("nobody is asked")

    return [tuple(each) for each in exporting.Samples(Queries(replica.db), content, fetch, Loss()).schemas()]


def first(entry: Entry) -> EventRef:
    return EventRef(entry.entry_id, 0)


@pytest.mark.parametrize("later_first", [False, True])
def test_of_two_versions_of_one_number_every_node_takes_the_same(tmp_path: Path, later_first: bool) -> None:
    """Neither of the two counts any more, annotations are of both, and another node got the later one first."""
    (tmp_path / "here").mkdir()
    replica = local_replica.make(tmp_path / "here")
    owner, nora, sam = (local_replica.author(replica, name) for name in ("owner", "nora", "sam"))
    founded = owner.sign([schema_create(body=b'{"title": "0"}'), object_create()])
    schema, thing = EventRef(founded.entry_id, 0), EventRef(founded.entry_id, 1)
    forked: list[Entry] = []
    for who, author in enumerate((nora, sam)):
        body = b'{"title": "%s"}' % (b"nora's", b"sam's")[who]
        events = [SchemaUpdate("schema-box", schema, body), annotation_create(who, own(0), thing)]
        forked.append(author.sign(events, after_ms=forked[-1].header.time_ms if forked else 0))
    newest = owner.sign([SchemaUpdate("schema-box", first(forked[0]), b'{"title": "2"}')])
    wanted = [schema, thing, first(newest), *(EventRef(each.entry_id, index) for each in forked for index in (0, 1))]
    owner.sign([accept(*wanted)])
    held = records(replica)
    if later_first:
        places = [held.index(each.record) for each in forked]
        held[places[0]], held[places[1]] = held[places[1]], held[places[0]]
    content = ContentStore.create(tmp_path / "content", map_bytes=1 << 20)
    found = schemas(copy_of(tmp_path / "there", held), content)
    assert found == schemas(replica, content)
    assert found == [("box", 1, b'{"title": "nora\'s"}'), ("box", 2, b'{"title": "2"}')]
