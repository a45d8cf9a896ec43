"""`gonk fsck`: everything on this node looked at anew, each problem with its place. It repairs nothing.

Logs: every signature, chain and index. State: derived once more and compared. Content: every chunk, and what objects say of
it. Keys: the files. It opens the stores itself, because a damaged one must not keep the others from being checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from gonk_node.core.ids import uuid_text
from gonk_node.errors import (
    ContentMismatchError,
    DamagedStoreError,
    GonkError,
    NotFoundError,
    VerificationError,
)
from gonk_node.home import Home
from gonk_node.net.tls import ensure_certificate
from gonk_node.node.datasets import DatasetInfo, Datasets
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.reading.queries import Queries
from gonk_node.store.content import ContentStore
from gonk_node.store.keyring import public_key
from gonk_node.store.log import LogStore
from gonk_node.store.state_compare import differing_tables
from gonk_node.store.state_db import StateDb, delete_state
from gonk_node.store.state_schema import OBJECT

Step = Callable[[str], None]  # told what is looked at now


def check_node(home: Home, on_step: Step = lambda _: None) -> Iterator[GonkError]:
    """Check a whole node; yields each problem found. Nothing is changed but what opening a store changes."""
    on_step("keys")
    yield from _check_keys(home)
    content: ContentStore | None = None
    on_step("content")
    try:
        content = ContentStore.open(home.content)
        yield from content.check()
    except NotFoundError:
        pass  # no content at all is a node that has fetched nothing yet
    except GonkError as error:
        yield error
    try:
        for info in Datasets(home).all():
            on_step(info.name)
            for problem in _check_dataset(info, content):
                problem.where = info.name if problem.where is None else f"{info.name}: {problem.where}"
                yield problem
    finally:
        if content is not None:
            content.close()


def _check_keys(home: Home) -> Iterator[GonkError]:
    checks: list[tuple[Callable[[Path], object], Path]] = [
        (public_key, home.author_key),
        (public_key, home.node_key),
        (ensure_certificate, home.tls_certificate),
    ]
    for check, path in checks:
        try:
            check(path)
        except GonkError as error:
            yield error


def _check_dataset(info: DatasetInfo, content: ContentStore | None) -> Iterator[GonkError]:
    if info.problem is not None:
        yield info.problem
    try:
        log = LogStore.open(info.folder.log)
    except NotFoundError:
        return  # it is the problem that `info` tells
    except GonkError as error:
        yield error
        return
    try:
        damaged = False
        for problem in log.check():
            damaged = True
            yield problem
        if log.dataset != info.dataset:
            damaged = True
            yield DamagedStoreError("the log is another dataset's", where=str(info.folder.root))
        if not damaged:  # a State cannot be derived from a damaged log
            yield from _check_state(info, log)
            if content is not None:
                yield from _check_objects(info, content)
    finally:
        log.close()


def _check_state(info: DatasetInfo, log: LogStore) -> Iterator[GonkError]:
    """Derive the State anew beside the present one, and compare."""
    path = info.folder.root / f"state.{os.getpid()}.fsck"
    present = StateDb(info.folder.state_db, log.dataset)
    fresh = StateDb(path, log.dataset)
    try:
        for line in present.damage():
            yield _bad_state(info, line)
        for table in _differences(log, present, fresh):
            yield _bad_state(info, f"the State differs from what the log says: {table}")
    except GonkError as error:
        yield error
    finally:
        present.close()
        fresh.close()
        if fresh.path is not None:  # else it was made elsewhere, since the folder is read-only
            delete_state(path)


def _differences(log: LogStore, present: StateDb, fresh: StateDb) -> list[str]:
    """The tables in which they differ, once both have caught up; again where another process wrote meanwhile."""
    while True:
        lsn = log.last_lsn()
        for db in (fresh, present):
            Projection(log, db).catch_up(recheck_withheld=True)
        found = list(differing_tables(present, fresh))
        if not found or log.last_lsn() == lsn:
            return found


def _bad_state(info: DatasetInfo, what: str) -> DamagedStoreError:
    return DamagedStoreError(what, where=str(info.folder.state_db), hint=f"gonk rebuild {info.name} makes it anew")


def _check_objects(info: DatasetInfo, content: ContentStore) -> Iterator[VerificationError]:
    """What objects say of content that is held: size and SHA-256."""
    db = StateDb(info.folder.state_db, info.dataset)
    try:
        for revision in Queries(db).iterate(OBJECT):
            content_id = revision.content_id or b""
            if not content.has(content_id):
                continue
            where = f"object {uuid_text(revision.uuid)} version {revision.version}"
            try:
                if content.size(content_id) != revision.size or content.sha256(content_id) != revision.sha256:
                    yield ContentMismatchError(
                        "its author states another size or SHA-256 than its content has",
                        where=where,
                        hint=f"gonk review {info.name} reject {revision.event}",
                    )
            except DamagedStoreError:
                pass  # told by the check of the content
    finally:
        db.close()
