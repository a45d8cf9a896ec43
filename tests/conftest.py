"""What all tests share: how many random histories and simulated networks to run, and how to replay one.

Randomised tests take the fixture `history_batch` or `seed_batch`: a `range` of seeds. The seeds of a run are
split into such batches, so that several workers share them and a failure names a small range. Helpers that
build things (keys, entries, histories, networks) live in tests/kit.
"""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, settings

SEEDS_PER_BATCH = 50

settings.register_profile(
    "gonk",
    deadline=None,  # a timing never decides a test
    print_blob=True,  # a failure prints what replays it
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gonk")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gonk", "randomised tests")
    group.addoption("--histories", type=int, default=2000, help="random histories for tests/property [2000]")
    group.addoption("--seeds", type=int, default=500, help="simulated networks for tests/simulation [500]")
    group.addoption("--requests", type=int, default=500, help="requests of any form for tests/contract [500]")
    group.addoption("--first-seed", type=int, default=0, help="first seed of these; a count of 1 replays it [0]")


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among the thousands of tests: a tenth of the time of a run."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, option in (("history_batch", "--histories"), ("seed_batch", "--seeds")):
        if fixture in metafunc.fixturenames:
            first = metafunc.config.getoption("--first-seed")
            batches = _batches(first, metafunc.config.getoption(option))
            metafunc.parametrize(fixture, batches, ids=[f"{b.start}-{b.stop - 1}" for b in batches])


def _batches(first: int, count: int) -> list[range]:
    end = first + count
    return [range(start, min(start + SEEDS_PER_BATCH, end)) for start in range(first, end, SEEDS_PER_BATCH)]
