"""Somebody who asks very much at one time keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from gonk_node.api.desk import Desk
from gonk_node.core.limits import API_READERS, MIB
from gonk_node.store.content import ContentStore
from gonk_node.store.state_db import StateDb
from kit.local_replica import author, furnish, make


def test_a_question_is_answered_while_another_user_has_many_long_ones(tmp_path: Path) -> None:
    replica = make(tmp_path)
    furnish(replica)
    readers = [StateDb(tmp_path / "state.db", replica.dataset) for _ in range(API_READERS)]
    content = ContentStore.create(tmp_path / "content", map_bytes=MIB)
    desk = Desk("x", replica, readers, content, lambda _: author(replica, "owner"))
    may_end = threading.Event()

    async def run() -> None:
        long = [asyncio.create_task(desk.read_db("ada", lambda _: may_end.wait(60))) for _ in range(64)]
        await asyncio.sleep(0.1)
        try:
            async with asyncio.timeout(30):
                assert await desk.read_db("bob", lambda db: db.one("SELECT 1")) == (1,)
                assert await asyncio.to_thread(lambda: 2) == 2  # nor do they take the threads of everything else
        finally:
            may_end.set()
        assert all(await asyncio.gather(*long))

    try:
        asyncio.run(run())
    finally:
        may_end.set()
        desk.close()
        replica.close()
