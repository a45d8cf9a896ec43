"""gonk-node: deep-learning datasets that peers build and version together, signed, offline and reviewed."""

from __future__ import annotations

__version__ = "0.1.0"
