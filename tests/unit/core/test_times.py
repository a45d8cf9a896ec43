"""Times as text, also those that no calendar has."""

from __future__ import annotations

import pytest

from gonk_node.core.limits import INT_MAX
from gonk_node.core.times import LAST, is_time, parse_time, time_json
from gonk_node.errors import UsageError

MOMENT_MS = 1_767_225_600_123  # 2026-01-01, and 123 ms


def test_a_time_is_told_with_so_many_digits() -> None:
    assert time_json(MOMENT_MS) == "2026-01-01T00:00:00.123Z"
    assert time_json(MOMENT_MS, "microseconds") == "2026-01-01T00:00:00.123000Z"
    assert time_json(0) == "1970-01-01T00:00:00.000Z"


def test_a_time_that_no_calendar_has_is_none() -> None:
    assert time_json(INT_MAX) is None
    assert time_json(parse_time(LAST), "microseconds") == "9999-12-31T23:59:59.999000Z"


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2026-01-01", MOMENT_MS - 123),
        ("2026-01-01T00:00:00.123Z", MOMENT_MS),
        ("2026-01-01T00:00:00.123", MOMENT_MS),
        ("2026-01-01T02:00:00.123+02:00", MOMENT_MS),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_a_time_is_read_in_utc_unless_it_says_otherwise(text: str, time_ms: int) -> None:
    assert parse_time(text) == time_ms


@pytest.mark.parametrize(
    "text",
    [
        "20260101",
        "2026-W01-4",
        "2026W014",
        "2026-01-01 00",
        "20260101T0000",
        "2026-01-01t00:00:00,0",
        "20260101T000000+00",
    ],
)
def test_the_same_moment_is_read_in_every_form_of_iso_8601(text: str) -> None:
    assert parse_time(text) == MOMENT_MS - 123


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T24",  # the day's end, which only some versions of Python take
        "2026-01-01T24:00",
        "2026-01-01T123Z",  # Python reads 12:00, and drops the 3
        "2026-01-01T12:00:00.Z",
        "2026-01-01T12:00 Z",
        "2026-01-01x12",
        "2026010112015",
        "20260101-12",
        "2026-01-01T12:00:00Z\n",
        "\uff12\uff10\uff12\uff16-01-01",
    ],
)
def test_what_only_some_version_of_python_reads_is_no_time_on_any(text: str) -> None:
    assert not is_time(text)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "0000-01-01", "1767225600", "2026-01-01T00:00:00 02:00"]
)
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_time(text)
