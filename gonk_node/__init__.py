"""gonk-node: build and version deep-learning datasets between peers, with a signed history and change approval."""

from __future__ import annotations

__version__ = "0.1.0"
