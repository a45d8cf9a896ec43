"""The command line `gonk`: what a person types, turned into calls of the node, and what comes back, into text or JSON.

No rule of a dataset is decided here. Start-up must be quick, so this imports no command before it is called for.
"""

from __future__ import annotations

from gonk_node.cli.root import main

__all__ = ["main"]
