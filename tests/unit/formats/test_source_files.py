"""The files of a source that is a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gonk_node.formats.source_files import source_files
from gonk_node.state.strict_json import Problem


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "a.tar").touch()
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    file, problem = source_files(tmp_path, [".tar"])
    assert file == tmp_path.resolve() / "a.tar"
    assert problem == Problem(str(tmp_path.resolve() / "locked"), "cannot be read: Permission denied; left out")
