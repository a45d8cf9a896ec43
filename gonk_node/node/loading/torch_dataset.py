"""Samples as a map-style dataset of PyTorch. Imported only where PyTorch is installed and asked for."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch.utils.data

from gonk_node.node.loading.sample import Sample


class _Samples(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, index: Any) -> Any: ...
    def shard(self, rank: int, world_size: int) -> Any: ...


class TorchDataset(torch.utils.data.Dataset):  # type: ignore[misc]  # torch is not there where types are checked
    """For a `DataLoader` with any number of workers, forked or spawned: each opens the node for itself.

    Args:
        samples: a dataset, open as long as this is used.
        transform: makes an item of a sample, in the worker that loads it; must be picklable for spawned workers. None: items
            are samples, which the default `collate_fn` does not know.
    """

    def __init__(self, samples: _Samples, transform: Callable[[Sample], Any] | None = None) -> None:
        self.samples = samples
        self.transform = transform

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: Any) -> Any:
        """The item of that number (also a tensor of one number, as samplers give), or those of a slice as a dataset."""
        if isinstance(index, slice):
            return TorchDataset(self.samples[index], self.transform)
        sample = self.samples[operator.index(index)]
        return sample if self.transform is None else self.transform(sample)

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """One batch."""
        return [self[index] for index in indices]

    def __repr__(self) -> str:
        return f"TorchDataset({self.samples!r}, {self.transform!r})"

    def shard(self, rank: int, world_size: int) -> TorchDataset:
        """The part for one of several processes that train together; as `Dataset.shard`."""
        return TorchDataset(self.samples.shard(rank, world_size), self.transform)
