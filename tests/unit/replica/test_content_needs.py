"""Which content a node takes from peers, and which it offers them, from histories written by hand."""

from __future__ import annotations

from hashlib import sha256

from gonk_node.core.entry import Entry
from gonk_node.core.events import CONTRIBUTOR, Delete, ObjectCreate
from gonk_node.core.limits import MIB, STRANGER_CONTENT_BYTES_MIN
from gonk_node.replica.content.needs import ContentNeeds
from gonk_node.replica.content.stranger_content import ContentQuota, StrangerContent
from gonk_node.replica.folding.projection import Projection
from gonk_node.store.state_db import StateDb
from kit.arrival_log import ArrivalLog
from kit.history import World, accept, key_of, ref, reject, some_uuid

ROOMY = ContentQuota(100 * MIB, 1000 * MIB)


def adding(number: int, size: int = 100) -> ObjectCreate:
    """An object with a content of its own."""
    content_id = sha256(b"content %d" % number).digest()
    return ObjectCreate(some_uuid(number), f"{number}.png", "image/png", size, content_id, bytes(32))


def named(number: int, size: int = 100) -> tuple[bytes, int]:
    return adding(number, size).content_id, size


class Replicated:
    """A world, and the State of one who holds all of it."""

    def __init__(self) -> None:
        self.world = World()
        self.log = ArrivalLog()
        self.db = StateDb(None, self.world.dataset)
        self.log.add(self.world.entries[0])
        self.projection = Projection(self.log, self.db)
        self.sync()

    def sync(self) -> int:
        for entry in self.world.entries:
            self.log.add(entry)
        self.projection.catch_up()
        return self.log.last_lsn()

    def add(self, name: str, number: int, size: int = 100) -> Entry:
        entry = self.world.write(name, adding(number, size))
        self.sync()
        return entry

    def needs(self, policy: str = "accepted", *own: str, quota: ContentQuota = ROOMY) -> ContentNeeds:
        return ContentNeeds(self.db, policy, lambda: [key_of(name) for name in own], quota=quota)

    def taken(self, policy: str, *own: str, quota: ContentQuota = ROOMY) -> list[int]:
        """Numbers of the objects (up to 50) whose content is taken."""
        found = self.needs(policy, *own, quota=quota).takes([named(number) for number in range(50)])
        return [number for number, taken in enumerate(found) if taken]


def numbers(found: object) -> list[int]:
    by_name = {named(number)[0]: number for number in range(50)}
    return [by_name[each[0]] for each in found]  # type: ignore[attr-defined]


def everything() -> Replicated:
    """0 accepted, 1 pending and 2 rejected of a contributor; 3 deleted; 4 pending, 5 accepted, 6 rejected of a stranger."""
    replicated = Replicated()
    world = replicated.world
    world.grant("root", "nora", CONTRIBUTOR)
    entries = [world.write("sam" if number >= 4 else "nora", adding(number)) for number in range(7)]
    world.write("root", accept(*(ref(entries[number]) for number in (0, 3, 5))))
    world.write("root", reject(ref(entries[2]), ref(entries[6])))
    deletion = world.write("root", Delete(ref(entries[3])))
    world.write("root", accept(ref(deletion)))
    replicated.sync()
    return replicated


def test_each_policy_takes_what_it_says() -> None:
    replicated = everything()
    assert replicated.taken("accepted") == [0, 1, 4, 5]
    assert replicated.taken("all") == [0, 1, 3, 4, 5]
    assert replicated.taken("none") == []


def test_nothing_is_taken_that_no_object_names_with_that_size() -> None:
    needs = everything().needs()
    id_, size = named(0)
    assert needs.takes([(id_, size + 1), (bytes(32), 10), (id_, size), (named(4)[0], 99)]) == [
        False,
        False,
        True,
        False,
    ]
    assert needs.takes([]) == []


def test_strangers_have_a_quota_each_and_one_together_oldest_first() -> None:
    replicated = Replicated()
    for number, name in enumerate(["sam", "sam", "sue", "sam", "sue"]):
        replicated.add(name, number, MIB)
    files = [named(number, MIB) for number in range(5)]

    def takes(per_key: int, total: int, *own: str) -> list[int]:
        quota = ContentQuota(per_key * MIB, total * MIB)
        found = replicated.needs("accepted", *own, quota=quota).takes(files)
        return [number for number, taken in enumerate(found) if taken]

    assert takes(2, 10) == [0, 1, 2, 4]
    assert takes(10, 2) == [0, 1]
    assert takes(10, 10) == [0, 1, 2, 3, 4]
    assert takes(0, 10) == []
    assert takes(1, 10, "sam") == [0, 1, 2, 3]  # a node's own keys have no quota there


def test_what_does_not_fit_leaves_room_for_what_does() -> None:
    replicated = Replicated()
    replicated.add("sam", 0, 10 * MIB)
    replicated.add("sam", 1, MIB)
    needs = replicated.needs(quota=ContentQuota(2 * MIB, 2 * MIB))
    assert needs.takes([named(0, 10 * MIB), named(1, MIB)]) == [False, True]


def test_a_decision_gives_the_room_back() -> None:
    replicated = Replicated()
    entries = [replicated.add("sam", number, MIB) for number in range(3)]
    needs = replicated.needs(quota=ContentQuota(MIB, MIB))
    files = [named(number, MIB) for number in range(3)]
    assert needs.takes(files) == [True, False, False]
    replicated.world.write("root", reject(ref(entries[0])))
    replicated.world.write("root", accept(ref(entries[2])))
    replicated.sync()
    assert needs.takes(files) == [False, True, True]


def test_one_file_counts_once_and_a_tiny_one_as_a_page() -> None:
    replicated = Replicated()
    for number in range(4):
        replicated.world.write("sam", adding(number % 2, 0))
        replicated.world.write("sue", adding(number % 2, 0))
    replicated.sync()
    quota = ContentQuota(2 * STRANGER_CONTENT_BYTES_MIN, 2 * STRANGER_CONTENT_BYTES_MIN)
    assert StrangerContent(replicated.db, tuple, quota).files() == {named(0, 0), named(1, 0)}
    quota = ContentQuota(STRANGER_CONTENT_BYTES_MIN, STRANGER_CONTENT_BYTES_MIN)
    assert StrangerContent(replicated.db, tuple, quota).files() == {named(0, 0)}


def test_a_lie_about_the_size_does_not_keep_the_true_file_out() -> None:
    replicated = Replicated()
    replicated.add("sam", 0, MIB)
    replicated.add("root", 0, 100)
    needs = replicated.needs(quota=ContentQuota(0, 0))
    assert needs.takes([named(0, 100), named(0, MIB)]) == [True, False]


def test_more_proposals_of_strangers_than_a_page_are_all_counted() -> None:
    replicated = Replicated()
    replicated.world.write("sam", *(adding(number, 1) for number in range(1500)))
    replicated.world.write("sam", *(adding(number, 1) for number in range(1500, 2500)))
    replicated.sync()
    assert len(StrangerContent(replicated.db, tuple, ROOMY).files()) == 2500


def test_a_node_offers_what_counts_and_its_own_proposals_apart() -> None:
    replicated = everything()
    as_nora, as_sam = replicated.needs("accepted", "nora"), replicated.needs("accepted", "sam")
    assert numbers(as_nora.news(0, mine=True)) == [0, 1]
    assert numbers(as_nora.news(0, mine=False)) == [5]
    assert numbers(as_nora.own_proposals()) == []
    assert numbers(as_sam.news(0, mine=True)) == [5]
    assert numbers(as_sam.own_proposals()) == [4]
    assert numbers(replicated.needs("accepted").news(0, mine=True)) == []


def test_what_was_offered_is_not_offered_again_until_it_is_decided() -> None:
    replicated = everything()
    needs = replicated.needs("accepted", "nora")
    seen = replicated.sync()
    assert needs.lsn() == seen
    assert (numbers(needs.news(seen, mine=True)), numbers(needs.news(seen, mine=False))) == ([], [])
    replicated.add("nora", 7)
    replicated.add("sam", 8)
    assert numbers(needs.news(seen, mine=True)) == [7]
    later = replicated.sync()
    proposal = next(entry for entry in replicated.world.entries if entry.stored_events()[0] == adding(8))
    replicated.world.write("root", accept(ref(proposal)))
    replicated.sync()
    assert numbers(needs.news(later, mine=False)) == [8]
    assert numbers(needs.news(later, mine=True)) == []


def test_a_new_role_makes_everything_news() -> None:
    replicated = everything()
    needs = replicated.needs("accepted", "sam")
    seen = replicated.sync()
    replicated.world.grant("root", "sam", CONTRIBUTOR)
    replicated.sync()
    assert numbers(needs.news(seen, mine=True)) == [4, 5]
    assert numbers(needs.own_proposals()) == []
