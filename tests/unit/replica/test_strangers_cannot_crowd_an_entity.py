"""However many strangers propose new versions of one object, its fold stays cheap; what an owner writes is not bounded."""

from __future__ import annotations

from pathlib import Path

from gonk_node.core import limits
from gonk_node.core.events import ObjectUpdate
from gonk_node.core.ids import EventRef
from gonk_node.core.outcome import Outcome
from gonk_node.replica.replica import Replica
from kit.authors import TestAuthor
from kit.history import object_create


def test_undecided_revisions_of_strangers_are_bounded_for_each_entity(tmp_path: Path) -> None:
    owner = TestAuthor("owner")
    genesis = owner.genesis()
    Replica.make(tmp_path / "log", genesis.record, genesis.entry_id)
    replica = Replica.open(tmp_path / "log", tmp_path / "state.db", bytes(32))
    create = object_create(1)
    root = owner.append(create)
    update = ObjectUpdate(create.uuid, EventRef(root.entry_id, 0), "x", *create[2:])
    strangers = [TestAuthor(f"stranger {number}", owner.dataset) for number in range(4)]
    entries = [stranger.append(*[update] * 200) for stranger in strangers]
    outcomes = [each.outcome for each in replica.ingest([each.record for each in (root, *entries)])]
    assert outcomes == [Outcome.INSERTED] * 3 + [Outcome.DECLINED] * 2
    (held,) = replica.db.rows("SELECT count(*) FROM objects WHERE shared IS NULL")
    assert held[0] == 400 <= limits.STRANGER_REVISIONS_MAX

    more = owner.append(*[update] * 600)
    assert replica.ingest([more.record])[0].outcome is Outcome.INSERTED
    cited = replica.ingest([entries[-1].record], cited=True)
    assert cited[0].outcome is Outcome.INSERTED
    replica.close()
