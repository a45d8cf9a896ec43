"""The project's own files as text and syntax trees, for tests that read source. Imports no gonk_node."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "gonk_node"
PURE = ("core", "state", "sync")  # packages whose result depends on their arguments and on nothing else
RULE_ID = re.compile(r"\b[VA]\d{1,2}\b")  # a verification or an authority rule of docs/spec


def package_modules() -> list[Path]:
    """Every Python file of the package, sorted."""
    return sorted(PACKAGE.rglob("*.py"))


def tracked_files() -> list[Path]:
    """Every file under version control, and every new one that is not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def where(path: Path, line: int | None = None) -> str:
    """The place as editors open it: `gonk_node/core/ids.py:12`."""
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"


@functools.cache
def text(path: Path) -> str:
    """The file as text."""
    return path.read_text(encoding="utf-8")


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(path), filename=str(path))


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute expression; an empty string for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def rule_ids(folder: Path, pattern: str) -> set[str]:
    """Every V- and A-rule that the files of a folder name; empty where the folder is missing."""
    return {rule for path in sorted(folder.rglob(pattern)) for rule in RULE_ID.findall(text(path))}
