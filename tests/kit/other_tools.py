"""Programs of others, in an environment of their own: they read what gonk wrote, and write what gonk is to read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kit.source_tree import ROOT

_PYTHON = ROOT / ".venv-other-tools" / "bin" / "python"
_PROGRAMS = ROOT / "tests" / "other_tools"
_SECONDS_MAX = 240


def run(program: str, *arguments: str | Path, cwd: Path | None = None) -> Any:
    """What tests/other_tools/`program`.py prints as the last line of its output, which is JSON.

    Skips the test where these programs are not installed: scripts/test installs them.
    """
    if not (_PYTHON.parents[1] / "installed").is_file():
        pytest.skip("the programs of tests/other_tools/requirements.txt are not installed; scripts/test does that")
    words = [str(_PYTHON), "-W", "ignore", str(_PROGRAMS / f"{program}.py"), *map(str, arguments)]
    environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=_SECONDS_MAX, env=environment, cwd=cwd, check=False
    )
    assert done.returncode == 0, f"{program} failed:\n{done.stderr[-4000:]}"
    return json.loads(done.stdout.splitlines()[-1])
