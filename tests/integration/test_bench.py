"""The benchmark runs end to end. What it measures is not judged: a timing never decides a test."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.source_tree import ROOT


def bench(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run what `scripts/bench` runs, in the environment of the tests."""
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *options, "--folder", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.slow
@pytest.mark.processes
def test_a_quick_benchmark_fills_every_row_of_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = bench(tmp_path, "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = {figure["name"]: figure for figure in json.loads(done.stdout)["figures"]}
    monkeypatch.syspath_prepend(ROOT / "scripts")
    assert list(found) == [figure.name for figure in importlib.import_module("benchmarks.figures").FIGURES]
    assert all(figure["figure"] > 0 and figure["baseline"] > 0 for figure in found.values())
    assert list(tmp_path.iterdir()) == [], "it left something behind"


@pytest.mark.slow
@pytest.mark.processes
def test_a_quick_benchmark_of_the_api_fills_its_tables_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = bench(tmp_path, "api", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    monkeypatch.syspath_prepend(ROOT / "scripts")
    assert [figure["name"] for figure in found["figures"]] == [
        figure.name for figure in importlib.import_module("benchmarks.http_results").HTTP_FIGURES
    ]
    assert all(figure["figure"] > 0 for figure in found["figures"])
    measured = [case for case in found["details"] if not case["what"].startswith("Gonk")]
    assert [case for case in measured if case["runs"][0]["failed"] or not case["runs"][0]["rate"]] == []
    assert not found["gonk_was_run"]
    assert list(tmp_path.iterdir()) == [], "it left something behind"


def test_one_measurement_can_be_chosen_and_is_shown_as_a_table(tmp_path: Path) -> None:
    done = bench(tmp_path, "--quick", "--only", "append-grouped")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| append")]
    assert len(rows) == 1
    assert "LMDB" in rows[0]


def test_an_unknown_measurement_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    done = bench(tmp_path, "--only", "nothing")
    assert done.returncode == 2
    assert "clone-1000" in done.stderr


@pytest.mark.slow
@pytest.mark.processes
def test_a_quick_benchmark_of_a_format_fills_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = bench(tmp_path, "formats", "--quick", "--only", "coco", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["figures"]
    monkeypatch.syspath_prepend(ROOT / "scripts")
    assert [figure["name"] for figure in found] == [
        figure.name for figure in importlib.import_module("benchmarks.formats_results").FORMATS_FIGURES
    ]
    assert all(figure["figure"] > 0 and figure["baseline"] > 0 for figure in found)
    assert list(tmp_path.iterdir()) == [], "it left something behind"
