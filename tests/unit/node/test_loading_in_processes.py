"""Loaders work in several processes: forked and spawned workers, threads beside a fork, and PyTorch's loader."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gonk_node import Dataset, open_dataset
from gonk_node.errors import UsageError
from kit import sample_dataset
from kit.command_line import Gonk
from kit.sample_dataset import IMAGES, all_told, told, unchanged

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed (extra torch)"
)
each_method = pytest.mark.parametrize("method", ["fork", "spawn"])


@pytest.fixture
def gonk(tmp_path: Path) -> Gonk:
    return sample_dataset.make(tmp_path)


@pytest.fixture
def cells(gonk: Gonk) -> Iterator[Dataset]:
    with open_dataset("cells", gonk.home) as opened:
        yield opened


@each_method
def test_processes_read_what_this_one_has_open(cells: Dataset, method: str) -> None:
    release = cells.at("v1.0")
    everything = all_told(cells)
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        shards = [cells.shard(rank, 2) for rank in range(2)] + [release.shard(rank, 2) for rank in range(2)]
        found = pool.map(all_told, shards, chunksize=1)
        samples = pool.map(told, list(cells), chunksize=1)
    assert sorted(found[0] + found[1]) == sorted(found[2] + found[3]) == sorted(everything)
    assert samples == all_told(cells) == everything


def test_a_fork_waits_for_reads_and_harms_none(cells: Dataset) -> None:
    """Threads read on while the process forks again and again; children read with handles of their own."""
    expected = all_told(cells)
    ended = threading.Event()
    rounds = [0, 0]

    def read(thread: int) -> None:
        while not ended.is_set():
            assert all_told(cells) == expected
            rounds[thread] += 1

    with ThreadPoolExecutor(2) as threads:
        reading = [threads.submit(read, thread) for thread in range(2)]
        try:
            for _ in range(10):
                before = list(rounds)
                child = os.fork()
                if child == 0:
                    signal.alarm(60)  # ends it, should it wait for what no thread gives back
                    os._exit(0 if all_told(cells) == expected else 3)
                assert os.waitpid(child, 0)[1] == 0
                while not reading[0].done() and rounds[0] == before[0]:
                    ended.wait(0.01)  # they go on after each fork
        finally:
            ended.set()
        for each in reading:
            each.result()
    assert all(rounds)


def test_a_child_that_closes_leaves_the_parent_its_own(cells: Dataset, gonk: Gonk) -> None:
    expected = all_told(cells)
    with cells[0].open() as file:
        start = file.read(4)
        child = os.fork()
        if child == 0:
            cells.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert start + file.read() == expected[0][1]
    assert all_told(cells) == expected
    cells.close()
    gonk.ok("status")  # this process has nothing open any more


@needs_torch
@each_method
@pytest.mark.slow
def test_a_data_loader_with_workers_gives_every_sample_once(cells: Dataset, method: str) -> None:
    loader_class = _loader()
    for dataset in (cells, cells.at("v1.0")):
        loader = loader_class(
            dataset.to_torch(told),
            batch_size=2,
            num_workers=2,
            multiprocessing_context=method,
            collate_fn=unchanged,
        )
        assert [item for batch in loader for item in batch] == all_told(dataset)
        assert all_told(dataset) == all_told(cells)


@needs_torch
def test_ranks_train_on_disjoint_shards(cells: Dataset) -> None:
    whole = cells.to_torch(told)
    loader_class = _loader()
    shards = [list(loader_class(whole.shard(rank, 3), batch_size=None)) for rank in range(3)]
    assert sorted(tuple(item[:1]) for shard in shards for item in shard) == sorted((told(s)[0],) for s in cells)
    assert [len(shard) for shard in shards] == [2, 2, 1]
    assert len(whole) == IMAGES


@each_method
def test_a_worker_that_begins_after_the_dataset_was_closed_is_told_so(cells: Dataset, method: str) -> None:
    cells.close()
    with multiprocessing.get_context(method).Pool(1) as pool, pytest.raises(UsageError, match="the dataset is closed"):
        pool.apply(all_told, (cells,))


@needs_torch
def test_a_torch_dataset_is_sliced_and_refuses_what_is_no_number(cells: Dataset) -> None:
    whole = cells.to_torch(told)
    part = whole[1:4]
    assert [part[at] for at in range(len(part))] == all_told(cells)[1:4]
    assert whole[-1] == told(cells[-1])
    assert repr(part).startswith("TorchDataset(Dataset('cells', 3 samples, now), <function told")
    for wrong in ("a", 1.5, None):
        with pytest.raises(TypeError):
            whole[wrong]
    with pytest.raises(IndexError, match="no sample 5"):
        whole[IMAGES]


@needs_torch
def test_without_a_transform_items_are_samples(cells: Dataset) -> None:
    loader = _loader()(cells.to_torch(), batch_size=3, shuffle=True, num_workers=2, collate_fn=unchanged)
    found = [sample for batch in loader for sample in batch]
    assert sorted(map(told, found)) == sorted(all_told(cells))


def _loader() -> Any:
    import torch.utils.data

    return torch.utils.data.DataLoader
