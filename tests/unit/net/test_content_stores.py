"""Fetching content from and into the stores that nodes have, across restarts."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

from gonk_node.core.limits import CHUNK_BYTES, MIB
from gonk_node.errors import ContentMismatchError
from gonk_node.net.content_client import FetchReport, Wanted, fetch
from gonk_node.store.content import ContentStore
from kit.content import file_bytes, serving

MAP_BYTES = 128 * MIB


def transfer(folder: Path, wanted: list[Wanted], theirs: ContentStore, ours: ContentStore) -> FetchReport:
    async def run() -> FetchReport:
        async with serving(folder / "server", theirs) as served:
            return await fetch(wanted, [served.source()], ours)

    return asyncio.run(run())


def test_files_pass_from_store_to_store_and_stay(tmp_path: Path) -> None:
    theirs = ContentStore.create(tmp_path / "theirs", map_bytes=MAP_BYTES)
    ours = ContentStore.create(tmp_path / "ours", map_bytes=MAP_BYTES)
    files = [file_bytes(seed, size) for seed, size in enumerate([0, 1, MIB, MIB + 1, 9 * MIB, *range(1000, 1200)])]
    infos = theirs.put_files(io.BytesIO(data) for data in files)
    wanted = [Wanted(info.content_id, info.size) for info in infos]
    report = transfer(tmp_path, wanted, theirs, ours)
    assert report == (len(files), 0, sum(map(len, files)), [], {})
    ours.close()
    ours = ContentStore.open(tmp_path / "ours", map_bytes=MAP_BYTES)
    assert [b"".join(ours.read(file.content_id)) for file in wanted] == files
    assert list(ours.check()) == []
    assert transfer(tmp_path, wanted, theirs, ours) == (0, len(files), 0, [], {})
    ours.close()
    theirs.close()


def test_a_file_that_was_begun_before_a_restart_is_completed(tmp_path: Path) -> None:
    theirs = ContentStore.create(tmp_path / "theirs", map_bytes=MAP_BYTES)
    ours = ContentStore.create(tmp_path / "ours", map_bytes=MAP_BYTES)
    data = file_bytes(1, 8 * CHUNK_BYTES)
    info = theirs.put_file(io.BytesIO(data))
    ours.put_list(info.content_id, info.size, theirs.chunk_list(info.content_id) or b"")
    ours.put_chunks(
        [(part, theirs.chunk(part) or b"") for _, part in ours.missing_chunks(info.content_id, info.size)[:5]]
    )
    ours.close()
    ours = ContentStore.open(tmp_path / "ours", map_bytes=MAP_BYTES)
    report = transfer(tmp_path, [Wanted(info.content_id, info.size)], theirs, ours)
    assert (report.fetched, report.bytes) == (1, 3 * CHUNK_BYTES)
    assert b"".join(ours.read(info.content_id)) == data
    ours.close()
    theirs.close()


def test_a_wrong_size_for_a_list_that_is_held_fails_that_file_alone(tmp_path: Path) -> None:
    theirs = ContentStore.create(tmp_path / "theirs", map_bytes=MAP_BYTES)
    ours = ContentStore.create(tmp_path / "ours", map_bytes=MAP_BYTES)
    large = theirs.put_file(io.BytesIO(file_bytes(1, 2 * CHUNK_BYTES)))
    small = theirs.put_file(io.BytesIO(b"small"))
    ours.put_list(large.content_id, large.size, theirs.chunk_list(large.content_id) or b"")
    wanted = [Wanted(large.content_id, large.size + 1), Wanted(small.content_id, small.size)]
    report = transfer(tmp_path, wanted, theirs, ours)
    assert report.fetched == 1
    assert [type(failure.error) for failure in report.failed] == [ContentMismatchError]
    ours.close()
    theirs.close()
