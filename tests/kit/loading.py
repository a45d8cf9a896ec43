"""Loads the Python scripts of scripts/, which are in no package, so that tests can call their functions."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from kit.source_tree import ROOT


def load_script(name: str) -> ModuleType:
    """The module of scripts/`name`.py, loaded once; `main` is not run."""
    if str(ROOT / "scripts") not in sys.path:
        sys.path.append(str(ROOT / "scripts"))  # as for a script that is run: some share `generated_page`
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"scripts/{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
