"""Tables on a terminal: what is too wide goes on below, whole and in columns."""

from __future__ import annotations

import pytest

from gonk_node.cli import output
from gonk_node.cli.output import Output

COLUMNS = ("uuid", "version", "name", "time (UTC)")
ROWS = (
    ("c45da376-c741-839e-af20-5c196c64df1e", "0", "BloodImage_00000.jpg", "2026-11-30 21:11:04"),
    ("6f6f26b0-8ec6-881c-9d19-4a04a3a036a6", "12", "血球.jpg", "2026-11-30 21:11:05"),
)


def _shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int) -> list[str]:
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    Output(as_json=False).table(COLUMNS, ROWS)
    return capsys.readouterr().out.splitlines()


def test_a_table_that_fits_the_terminal_has_a_line_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _shown(monkeypatch, capsys, 120) == [
        "uuid                                  version  name                  time (UTC)",
        "c45da376-c741-839e-af20-5c196c64df1e  0        BloodImage_00000.jpg  2026-11-30 21:11:04",
        "6f6f26b0-8ec6-881c-9d19-4a04a3a036a6  12       血球.jpg              2026-11-30 21:11:05",
    ]


def test_on_a_narrow_terminal_rows_go_on_below_in_columns_and_no_cell_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _shown(monkeypatch, capsys, 48) == [
        "uuid                                  version",
        "    name                  time (UTC)",
        "c45da376-c741-839e-af20-5c196c64df1e  0",
        "    BloodImage_00000.jpg  2026-11-30 21:11:04",
        "6f6f26b0-8ec6-881c-9d19-4a04a3a036a6  12",
        "    血球.jpg              2026-11-30 21:11:05",
    ]


def test_a_cell_wider_than_the_terminal_stands_alone_and_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = _shown(monkeypatch, capsys, 20)
    assert shown[:4] == ["uuid", "    version", "    name", "    time (UTC)"]
    assert shown[4:6] == ["c45da376-c741-839e-af20-5c196c64df1e", "    0"]
