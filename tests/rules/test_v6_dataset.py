"""V6: an entry belongs to the dataset it is offered to, and a genesis begins with dataset.create."""

from __future__ import annotations

from gonk_node.core.events import PUBLIC, DatasetCreate, Profile
from kit.authors import TestAuthor
from kit.raw_entries import DATASET, GENESIS, draft, genesis_draft
from kit.verdicts import broken_rule

CREATE = DatasetCreate("cells", "", 1, 1, PUBLIC, (), 0, bytes(16))


def test_v6_entries_and_the_genesis_of_the_dataset_are_accepted() -> None:
    assert broken_rule(draft().record()) is None
    assert broken_rule(GENESIS.record) is None


def test_v6_entries_and_the_genesis_of_another_dataset_are_refused() -> None:
    elsewhere = TestAuthor("elsewhere").genesis()
    assert broken_rule(elsewhere.record) == "V6"
    assert broken_rule(draft().change(dataset=elsewhere.entry_id).record()) == "V6"
    assert broken_rule(draft().record(), dataset=elsewhere.entry_id) == "V6"
    assert broken_rule(GENESIS.record, dataset=elsewhere.entry_id) == "V6"


def test_v6_any_dataset_is_taken_where_none_is_expected_yet() -> None:
    assert broken_rule(TestAuthor("elsewhere").genesis().record, dataset=None) is None


def test_v6_a_genesis_may_go_on_after_its_first_event() -> None:
    assert broken_rule(genesis_draft(CREATE, Profile("Ann")).record(), dataset=None) is None


def test_v6_a_genesis_begins_with_dataset_create() -> None:
    for events in ((Profile("Ann"),), (Profile("Ann"), CREATE)):
        assert broken_rule(genesis_draft(*events).record(), dataset=None) == "V6"


def test_v6_the_dataset_create_of_a_genesis_cannot_be_withheld() -> None:
    entry = genesis_draft(CREATE, Profile("Ann"))
    assert broken_rule(entry.withhold(1).record(), dataset=None) is None
    assert broken_rule(entry.withhold(0).record(), dataset=None) == "V6"


def test_v6_dataset_create_elsewhere_is_well_formed_and_creates_nothing() -> None:
    assert broken_rule(draft(CREATE).record()) is None
    assert broken_rule(draft(CREATE, seq=0).record()) is None


def test_v6_the_dataset_of_a_genesis_is_its_own_id() -> None:
    assert broken_rule(genesis_draft(CREATE).change(time_ms=5).record(), dataset=DATASET) == "V6"
