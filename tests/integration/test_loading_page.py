"""The programs in docs/loading.md run as they stand."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from kit import sample_dataset
from kit.source_tree import ROOT, text

BLOCKS = re.findall(r"^```python\n(.*?)^```$", text(ROOT / "docs" / "loading.md"), re.MULTILINE | re.DOTALL)
NEEDS = {"to_torch": "torch", "to_pandas": "pandas", "to_parquet": "pyarrow", "to_hf": "datasets"}


@pytest.mark.parametrize("block", BLOCKS[1:], ids=[block.splitlines()[0][:40] for block in BLOCKS[1:]])
def test_a_program_runs_after_the_first_one(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for word, library in NEEDS.items():
        if word in block and importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    monkeypatch.setenv("GONK_HOME", str(sample_dataset.make(tmp_path).home))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(BLOCKS[0], "docs/loading.md", "exec"), names)
    try:
        exec(compile(block, "docs/loading.md", "exec"), names)
    finally:
        names["cells"].close()
