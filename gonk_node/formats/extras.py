"""Libraries that gonk does without until somebody asks for what needs them: imported then, and told how to be installed."""

from __future__ import annotations

import importlib
from typing import Any

from gonk_node.errors import MissingExtraError


def library(name: str, extra: str) -> Any:
    """The module of that name.

    Args:
        name: such as "PIL.Image".
        extra: of gonk-node, with which it is installed.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        is_missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == package
        reason = "is not installed" if is_missing else f"cannot be imported: {error}"
        raise MissingExtraError(f"{package} {reason}", hint=f'pip install "gonk-node[{extra}]"') from error
