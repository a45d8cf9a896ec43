"""docs/configuration.md describes every setting of the one table in gonk_node/config.py, and no other."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping

import pytest

from kit.source_tree import PACKAGE, ROOT, text, tracked_files, where

if not (PACKAGE / "config.py").exists():
    pytest.skip("there is no table of settings", allow_module_level=True)

PAGE = ROOT / "docs" / "configuration.md"
VARIABLE = re.compile(r"\bGONK_[A-Z0-9_]+\b")


def variables() -> set[str]:
    """The environment variable of each row of `SETTINGS`."""
    table = importlib.import_module("gonk_node.config").SETTINGS
    rows = table.values() if isinstance(table, Mapping) else table
    return {row.env for row in rows if row.env}


def test_each_setting_is_described() -> None:
    assert PAGE.exists(), "docs/configuration.md is missing"
    missing = variables() - set(VARIABLE.findall(text(PAGE)))
    assert not missing, f"docs/configuration.md does not describe {sorted(missing)}"


def test_documents_name_no_setting_that_does_not_exist() -> None:
    known = variables()
    unknown = [
        f"{where(path)}: {name}"
        for path in tracked_files()
        if path.suffix == ".md"
        for name in VARIABLE.findall(text(path))
        if name not in known
    ]
    assert not unknown, "\n".join(unknown)
