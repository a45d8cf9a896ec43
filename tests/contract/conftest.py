"""A node that is served to all tests of a module; each test makes its own objects, and its own dataset where it counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.http_api import Api, served_api


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A served node with the dataset `cells`, shared by the tests of a module: Alice owns it, Bob has no role in it."""
    with served_api(tmp_path_factory.mktemp("api")) as served:
        yield served


@pytest.fixture
def fresh_api(tmp_path: Path) -> Iterator[Api]:
    """The same for one test alone: `cells` is empty."""
    with served_api(tmp_path) as served:
        yield served
