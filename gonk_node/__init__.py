"""gonk-node: deep-learning datasets that peers build and version together, signed, offline and reviewed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Annotation", "Dataset", "Sample", "__version__", "open_dataset"]

if TYPE_CHECKING:
    from gonk_node.node.loading.annotations import Annotation
    from gonk_node.node.loading.dataset import Dataset, open_dataset
    from gonk_node.node.loading.sample import Sample

_PLACES = {"Annotation": "annotations", "Dataset": "dataset", "Sample": "sample", "open_dataset": "dataset"}


def __getattr__(name: str) -> object:
    """Load what programs import from here when they do: the command line must not wait for it."""
    if name not in _PLACES:
        raise AttributeError(f"module 'gonk_node' has no attribute {name!r}")
    return getattr(importlib.import_module(f"gonk_node.node.loading.{_PLACES[name]}"), name)
