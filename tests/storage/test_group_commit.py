"""Group commit: many write at one time, share signatures and flushes, and each is told of nothing but his own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path

import pytest

from gonk_node.core.entry import Entry, Header
from gonk_node.core.events import CONTRIBUTOR, Delete, Grant, Profile
from gonk_node.core.ids import EventRef
from gonk_node.core.limits import ENTRY_BYTES_MAX, MIB, TIME_LEAP_MS_MAX
from gonk_node.errors import BusyError, ExistsError, RefusedError, StorageError, UsageError
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import Replica, clock_ms
from gonk_node.replica.signing import group_commit
from gonk_node.replica.signing.group_commit import Committed, Draft, GroupCommit
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.store.log import LocalPlace, LogStore
from gonk_node.store.state_schema import ANNOTATION
from kit.authors import TestAuthor
from kit.history import object_update, some_uuid
from kit.local_replica import annotating, author, furnish, make, reopen, thing

KIT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60
KILLS = 4


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    replica = make(tmp_path)
    furnish(replica)
    yield replica
    replica.close()


@pytest.fixture
def commit(replica: Replica) -> Iterator[GroupCommit]:
    commit = GroupCommit(replica)
    yield commit
    commit.close()


def hold(commit: GroupCommit) -> Callable[[], None]:
    """Keep its thread busy, so that what is submitted waits; returns what lets it go on."""
    go = threading.Event()
    commit.run(lambda: go.wait(PATIENCE_SECONDS))
    return go.set


def profile(name: str, after_ms: int = 0) -> Callable[[], Draft[str]]:
    return lambda: Draft(Profile(name), name, after_ms)


def answers(futures: list[Future[Committed[str]]]) -> list[str]:
    return [future.result(PATIENCE_SECONDS).answer for future in futures]


def entries(futures: list[Future[Committed[str]]]) -> list[bytes]:
    return [future.result(PATIENCE_SECONDS).ref.entry_id for future in futures]


def rising(replica: Replica, name: str, *, touched: bytes) -> Callable[[], Draft[int]]:
    """A new version of an object, on the latest one; the answer is its version."""

    def prepare() -> Draft[int]:
        revisions = thing(replica)
        base = Proposer(author(replica, name)).latest(revisions)
        assert base.version is not None
        return Draft(object_update(0, base.ref, touched.hex()), base.version + 1, base.time_ms)

    return prepare


# --- what shares what ----------------------------------------------------------------------------------------


def test_what_waits_at_one_time_goes_into_one_entry(replica: Replica, commit: GroupCommit) -> None:
    ann, before = author(replica, "ann"), replica.log.last_lsn()
    go = hold(commit)
    futures = [commit.submit(ann, [b"%d" % number], profile(f"p{number}")) for number in range(10)]
    go()
    assert answers(futures) == [f"p{number}" for number in range(10)]
    assert [future.result().ref.index for future in futures] == list(range(10))
    assert len(set(entries(futures))) == 1
    assert replica.log.last_lsn() == before + 1
    record = replica.log.record_of(entries(futures)[0])
    assert record is not None
    assert all(b"p%d" % number in record for number in range(10))


def test_two_authors_at_one_time_sign_for_themselves_and_share_a_fold(replica: Replica, commit: GroupCommit) -> None:
    people = [author(replica, "ann"), author(replica, "ben")]
    told: list[int] = []
    replica.subscribe(told.append)
    go = hold(commit)
    futures = [commit.submit(people[number % 2], [b"%d" % number], profile(f"p{number}")) for number in range(8)]
    go()
    by_entry = Counter(entries(futures))
    assert sorted(by_entry.values()) == [4, 4]
    for number, future in enumerate(futures):
        header = replica.log.header_of(future.result().ref.entry_id)
        assert header is not None
        assert header.author == people[number % 2].key
        assert header.time_ms == future.result().time_ms
    assert told == [replica.log.last_lsn()]


def test_each_is_answered_only_once_his_event_is_in_the_log_and_in_the_state(
    replica: Replica, commit: GroupCommit
) -> None:
    seen: list[bool] = []
    people = [Proposer(author(replica, name)) for name in ("ann", "ben", "cid")]

    def look(future: Future[Committed[bytes]]) -> None:
        made = future.result()
        revision = Queries(replica.db).proposal(made.ref)
        seen.append(replica.log.has(made.ref.entry_id) and revision is not None and revision.uuid == made.answer)

    def write(number: int) -> None:
        for each in range(8):
            proposer = people[(number + each) % 3]
            future = commit.submit(proposer.author, [os.urandom(16)], annotating(proposer, number % 3))
            future.add_done_callback(look)
            future.result(PATIENCE_SECONDS)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    commit.close()  # waiters go on a moment before the last is looked at
    assert seen == [True] * 128
    assert len(Queries(replica.db).page(ANNOTATION)) == 128


ANNOTATE = """
import os, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from gonk_node.core.ids import event_uuid
from gonk_node.replica.signing.group_commit import GroupCommit
from gonk_node.replica.signing.proposing import Proposer
from kit.local_replica import annotating, author, reopen
replica = reopen(Path(sys.argv[2]))
commit = GroupCommit(replica)
def write(name):
    proposer = Proposer(author(replica, name))
    while True:
        made = commit.submit(proposer.author, [os.urandom(16)], annotating(proposer)).result()
        os.write(1, made.ref.entry_id.hex().encode() + b" %d %s\\n" % (made.ref.index, made.answer.hex().encode()))
threads = [threading.Thread(target=write, args=("ab"[number % 2],)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_what_was_answered_survives_sigkill_at_any_moment(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    replica = make(tmp_path)
    furnish(replica)
    replica.close()
    answered: list[tuple[EventRef, bytes]] = []
    for _ in range(KILLS):
        arguments = [sys.executable, "-c", ANNOTATE, str(KIT), str(tmp_path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline()]  # it is writing now
            threading.Timer(rng.random() * 0.1, os.kill, (process.pid, signal.SIGKILL)).start()
            lines += process.stdout.readlines()
            assert process.wait() == -signal.SIGKILL
        for entry_id, index, uuid in (line.split() for line in lines if line.endswith("\n")):
            answered.append((EventRef(bytes.fromhex(entry_id), int(index)), bytes.fromhex(uuid)))
    replica = reopen(tmp_path)
    found = {ref: Queries(replica.db).proposal(ref) for ref, _ in answered}
    assert [ref for ref, uuid in answered if (each := found[ref]) is None or each.uuid != uuid] == [], f"seed {seed}"
    assert list(replica.log.check()) == [], f"seed {seed}"
    replica.close()


# --- one does not disturb another -------------------------------------------------------------------------------


def test_one_that_is_refused_does_not_disturb_the_others(replica: Replica, commit: GroupCommit) -> None:
    ann = author(replica, "ann")

    def refused() -> Draft[str]:
        raise ExistsError("it is here already")

    prepares = [profile("a"), refused, profile("b"), lambda: Draft(Profile("\x00"), "c"), profile("d")]
    go = hold(commit)
    futures = [commit.submit(ann, [b"%d" % number], prepare) for number, prepare in enumerate(prepares)]
    go()
    assert answers([futures[0], futures[2], futures[4]]) == ["a", "b", "d"]
    assert [futures[at].result().ref.index for at in (0, 2, 4)] == [0, 1, 2]
    assert isinstance(futures[1].exception(), ExistsError)
    assert isinstance(futures[3].exception(), UsageError)


def test_whoever_cannot_be_introduced_does_not_disturb_the_others(replica: Replica, commit: GroupCommit) -> None:
    go = hold(commit)
    wrong = commit.submit(author(replica, "ann", "a\x00b"), [b"1"], profile("ann"))
    right = commit.submit(author(replica, "ben"), [b"2"], profile("ben"))
    go()
    assert right.result(PATIENCE_SECONDS).answer == "ben"
    assert isinstance(wrong.exception(), UsageError)


def test_a_display_name_goes_before_the_first_write(replica: Replica, commit: GroupCommit) -> None:
    ann = author(replica, "ann", "Ann")
    proposer = Proposer(ann)
    made = [commit.submit(ann, [b"1"], annotating(proposer)).result(PATIENCE_SECONDS) for _ in range(2)]
    assert Queries(replica.db).display_name(ann.key) == "Ann"
    headers = [replica.log.header_of(each.ref.entry_id) for each in made]
    assert [header and header.seq for header in headers] == [1, 2]


def test_one_that_is_cancelled_while_it_waits_is_left_out(replica: Replica, commit: GroupCommit) -> None:
    ann = author(replica, "ann")
    go = hold(commit)
    futures = [commit.submit(ann, [b"%d" % number], profile(f"p{number}")) for number in range(3)]
    assert futures[1].cancel()
    go()
    assert answers([futures[0], futures[2]]) == ["p0", "p2"]
    assert futures[2].result().ref.index == 1
    with pytest.raises(CancelledError):
        futures[1].result()


def test_a_time_far_ahead_moves_nobody_elses_entry_there(replica: Replica, commit: GroupCommit) -> None:
    ann, now = author(replica, "ann"), clock_ms()
    go = hold(commit)
    soon, never = now + TIME_LEAP_MS_MAX // 2, now + 2 * TIME_LEAP_MS_MAX
    futures = [commit.submit(ann, [], profile(f"{time}", time)) for time in (0, soon, never)]
    go()
    assert {future.result(PATIENCE_SECONDS).time_ms for future in futures} == {soon + 1}


# --- the same thing, twice at one time ----------------------------------------------------------------------------


def test_writes_of_one_thing_become_consecutive_versions_and_none_is_lost(
    replica: Replica, commit: GroupCommit
) -> None:
    names = ("owner", "ann", "ben")
    people = {name: author(replica, name) for name in names}
    people["owner"].sign([Grant(people[name].key, CONTRIBUTOR, name) for name in names[1:]])
    answered: list[int] = []

    def write(name: str) -> None:
        future = commit.submit(people[name], [some_uuid(0)], rising(replica, name, touched=os.urandom(8)))
        answered.append(future.result(PATIENCE_SECONDS).answer)

    go = hold(commit)
    threads = [threading.Thread(target=write, args=(names[number % 3],)) for number in range(12)]
    for thread in threads:
        thread.start()
    go()
    for thread in threads:
        thread.join()
    assert sorted(answered) == list(range(1, 13))
    assert [each.version for each in thing(replica)] == list(range(13))


def test_the_versions_of_one_author_are_all_in_a_row(replica: Replica, commit: GroupCommit) -> None:
    owner = author(replica, "owner")
    go = hold(commit)
    futures = [
        commit.submit(owner, [some_uuid(0), b"%d" % number], rising(replica, "owner", touched=b"%d" % number))
        for number in range(9)
    ]
    others = [commit.submit(owner, [b"x%d" % number], profile(f"p{number}")) for number in range(9)]
    go()
    assert [future.result(PATIENCE_SECONDS).answer for future in futures] == list(range(1, 10))
    assert [each.version for each in thing(replica)] == list(range(10))
    assert len({future.result().ref.entry_id for future in futures}) == 9
    assert len(set(entries(others))) == 1  # those that touch nothing of it did not wait


def test_the_second_deletion_of_one_thing_is_refused(replica: Replica, commit: GroupCommit) -> None:
    owner = author(replica, "owner")

    def deletion() -> Draft[None]:
        event: Delete = Proposer(owner).deletion(thing(replica)[0])
        return Draft(event, None)

    go = hold(commit)
    futures = [commit.submit(owner, [some_uuid(0)], deletion) for _ in range(2)]
    go()
    assert futures[0].exception(PATIENCE_SECONDS) is None
    assert isinstance(futures[1].exception(PATIENCE_SECONDS), RefusedError)


def test_one_that_must_wait_is_not_overtaken_by_what_touches_the_same(replica: Replica, commit: GroupCommit) -> None:
    ann, order = author(replica, "ann"), []

    def noting(name: str) -> Callable[[], Draft[str]]:
        return lambda: order.append(name) or Draft(Profile(name), name)  # type: ignore[func-returns-value]

    go = hold(commit)
    touched = ([b"a"], [b"a", b"b"], [b"b"], [b"c"])
    futures = [commit.submit(ann, touches, noting(f"p{number}")) for number, touches in enumerate(touched)]
    go()
    assert answers(futures) == ["p0", "p1", "p2", "p3"]
    assert order == ["p0", "p3", "p1", "p2"]


# --- bounds ---------------------------------------------------------------------------------------------------


def test_an_entry_has_so_many_events_and_what_is_over_goes_into_the_next(
    replica: Replica, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GROUP_EVENTS_MAX", 4)
    ann = author(replica, "ann")
    go = hold(commit)
    futures = [commit.submit(ann, [b"%d" % number], profile(f"p{number}")) for number in range(10)]
    go()
    assert list(Counter(entries(futures)).values()) == [4, 4, 2]


def test_writes_that_would_fit_alone_never_fail_for_being_too_large_together(
    replica: Replica, commit: GroupCommit
) -> None:
    ann = Proposer(author(replica, "ann"))
    body = b'{"a": "%s"}' % (b"x" * (MIB - 4096))
    go = hold(commit)
    futures = [commit.submit(ann.author, [b"%d" % number], annotating(ann, body=body)) for number in range(9)]
    go()
    made = Counter(future.result(PATIENCE_SECONDS).ref.entry_id for future in futures)
    assert sum(made.values()) == 9
    assert len(made) < 9
    assert all(len(replica.log.record_of(entry_id) or b"") <= ENTRY_BYTES_MAX for entry_id in made)


def test_who_writes_much_does_not_hold_up_who_writes_little(
    replica: Replica, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GROUP_EVENTS_MAX", 4)
    go, order = hold(commit), []
    many = [commit.submit(author(replica, "ann"), [b"a%d" % number], profile("ann")) for number in range(12)]
    few = [commit.submit(author(replica, "ben"), [b"b%d" % number], profile("ben")) for number in range(2)]
    for name, futures in (("many", many), ("few", few)):
        for future in futures:
            future.add_done_callback(lambda _, name=name: order.append(name))
    go()
    answers(many + few)
    assert order[:4].count("few") == 2


def test_who_had_to_wait_for_a_thing_that_is_in_demand_goes_first_the_next_time(
    replica: Replica, commit: GroupCommit
) -> None:
    order: list[str] = []

    def noting(name: str) -> Callable[[], Draft[str]]:
        return lambda: order.append(name) or Draft(Profile(name), name)  # type: ignore[func-returns-value]

    go = hold(commit)
    futures = [commit.submit(author(replica, "ann"), [b"a"], noting("ann")) for _ in range(4)]
    futures += [commit.submit(author(replica, "ben"), [b"a"], noting("ben")) for _ in range(2)]
    go()
    answers(futures)
    assert order == ["ann", "ben", "ann", "ben", "ann", "ann"]


def test_beyond_a_bound_writes_are_not_taken_and_those_that_wait_are_not_lost(
    replica: Replica, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GROUP_WAITING_MAX", 4)  # one of them holds the thread
    ann = author(replica, "ann")
    go = hold(commit)
    futures = [commit.submit(ann, [b"%d" % number], profile(f"p{number}")) for number in range(3)]
    with pytest.raises(BusyError) as error:
        commit.submit(ann, [b"4"], profile("p4"))
    assert error.value.http_status == 503
    with pytest.raises(BusyError):
        commit.run(lambda: None)
    go()
    assert answers(futures) == ["p0", "p1", "p2"]
    assert commit.submit(ann, [b"4"], profile("p4")).result(PATIENCE_SECONDS).answer == "p4"


# --- tasks, the end, and faults of the disk ------------------------------------------------------------------------


def test_what_signs_for_itself_runs_in_turn(replica: Replica, commit: GroupCommit) -> None:
    owner, ben = author(replica, "owner"), author(replica, "ben")
    go = hold(commit)
    first = commit.submit(owner, [b"1"], profile("first"))
    granted = commit.run(lambda: owner.sign([Grant(ben.key, 2, "Ben")]))
    second = commit.submit(owner, [b"2"], profile("second"))
    failing = commit.run(lambda: owner.sign([Profile("\x00")]))
    go()
    headers = [replica.log.header_of(each) for each in (entries([first])[0], granted.result(PATIENCE_SECONDS).entry_id)]
    assert entries([second])
    assert headers[0] is not None and headers[1] is not None
    assert headers[0].seq < headers[1].seq
    assert ben.role == 2
    assert isinstance(failing.exception(PATIENCE_SECONDS), UsageError)


def test_closing_finishes_what_waits_and_takes_no_more(replica: Replica, commit: GroupCommit) -> None:
    ann = author(replica, "ann")
    go = hold(commit)
    futures = [commit.submit(ann, [b"same"], profile(f"p{number}")) for number in range(5)]
    closing = threading.Thread(target=commit.close)
    closing.start()
    go()
    closing.join()
    assert [future.done() for future in futures] == [True] * 5
    assert answers(futures) == [f"p{number}" for number in range(5)]
    with pytest.raises(BusyError):
        commit.submit(ann, [], profile("late"))
    with pytest.raises(BusyError):
        commit.run(lambda: None)
    commit.close()


FILL = """
import resource, sys
from concurrent.futures import wait
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from gonk_node.errors import GonkError
from gonk_node.replica.signing.group_commit import GroupCommit
from gonk_node.replica.signing.proposing import Proposer
from kit.local_replica import annotating, author, reopen
replica = reopen(Path(sys.argv[2]))
commit = GroupCommit(replica)
people = [Proposer(author(replica, name)) for name in "abcd"]
limit = (Path(sys.argv[2]) / "log" / "data.mdb").stat().st_size + 4096
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
body = b'{"a": "%s"}' % (b"x" * 100_000)
futures = [commit.submit(people[n % 4].author, [b"%d" % n], annotating(people[n % 4], body=body)) for n in range(40)]
wait(futures)
errors = [future.exception() for future in futures]
print(sum(1 for error in errors if error is None), {type(error).__name__ for error in errors if error is not None})
"""


def test_a_fault_of_the_disk_is_told_to_everybody_who_waits(tmp_path: Path) -> None:
    replica = make(tmp_path)
    furnish(replica)
    replica.close()
    arguments = [sys.executable, "-c", FILL, str(KIT), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    count, _, names = done.stdout.strip().partition(" ")
    assert int(count) < 40, done.stderr
    assert names == "{'DiskFullError'}", done.stderr
    replica = reopen(tmp_path)
    assert len(Queries(replica.db).page(ANNOTATION)) == int(count)
    assert list(replica.log.check()) == []
    replica.close()


def test_a_replica_that_is_closed_is_told_to_everybody_who_waits(replica: Replica, commit: GroupCommit) -> None:
    ann, ben = author(replica, "ann"), author(replica, "ben")
    go = hold(commit)
    futures = [commit.submit(who, [b"%d" % n], profile(f"p{n}")) for n, who in enumerate((ann, ben, ann))]
    replica.log.close()
    go()
    assert all(isinstance(future.exception(PATIENCE_SECONDS), StorageError) for future in futures)


# --- the log itself --------------------------------------------------------------------------------------------------


def test_one_of_a_group_that_cannot_be_built_leaves_the_others_in_the_log(tmp_path: Path) -> None:
    owner = TestAuthor("owner")
    log = LogStore.create(tmp_path / "log", owner.genesis())
    ann, ben = TestAuthor("ann", log.dataset), TestAuthor("ben", log.dataset)
    held, far = ann.sign(None, [Profile("held")]), ben.sign(ben.sign(None, [Profile("not held")]), [Profile("far")])

    def fail(prev: Header | None, prev_id: bytes) -> Entry:
        raise ValueError(f"nothing after {prev} {prev_id!r}")

    places = [
        LocalPlace(ann.author, ann.log_id, lambda *_: held),
        LocalPlace(ben.author, ben.log_id, fail),
        LocalPlace(ben.author, ben.log_id, lambda *_: far),
        LocalPlace(ann.author, ann.log_id, ann.sign_after),
    ]
    first, second, third, fourth = log.append_local_group(places)
    assert isinstance(second, ValueError)
    assert isinstance(third, StorageError)
    assert not isinstance(first, Exception)
    assert not isinstance(fourth, Exception)
    assert fourth[1].header.prev == held.entry_id
    assert log.last_lsn() == 3
    assert [head.seq for head in log.leaves(ann.author, ann.log_id)] == [1]
    assert list(log.check()) == []
    log.close()
