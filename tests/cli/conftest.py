"""A node with a dataset `cells`, whose person is its owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.command_line import Gonk


@pytest.fixture
def gonk(tmp_path: Path) -> Gonk:
    return Gonk(tmp_path, "ada").with_dataset()


@pytest.fixture
def stranger(tmp_path: Path) -> Gonk:
    other = Gonk(tmp_path, "eve")
    other.ok("init", "--name", "Eve")
    return other
