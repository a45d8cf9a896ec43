"""gonk-node: deep-learning datasets that peers build and version together, signed, offline and reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Dataset", "__version__", "open_dataset"]

if TYPE_CHECKING:
    from gonk_node.node.reading import Dataset, open_dataset


def __getattr__(name: str) -> object:
    """Load what programs import from here when they do: the command line must not wait for it."""
    if name not in ("Dataset", "open_dataset"):
        raise AttributeError(f"module 'gonk_node' has no attribute {name!r}")
    from gonk_node.node import reading  # lazy: loads the stores

    return getattr(reading, name)
