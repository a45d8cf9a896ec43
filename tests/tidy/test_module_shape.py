"""Modules and functions stay small, public things are described, and imports stand at the top."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.source_tree import PACKAGE, package_modules, text, tree, where

MODULE_LINES_MAX = 350
FUNCTION_LINES_MAX = 60

LAYERS = sorted(path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py")
NAMED = re.compile(rf"`(?:gonk_node\.)?((?:{'|'.join(LAYERS)}|export)(?:\.\w+)+)")  # in words: `replica.signing.labels`
FILES = {"state.db", "schemas.jsonl"}  # called as if they were in a package

Function = ast.FunctionDef | ast.AsyncFunctionDef

each_module = pytest.mark.parametrize("path", package_modules(), ids=where)


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def public_things(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Public classes, functions and methods at their own level; not what is local to a function."""
    for child in node.body:
        if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_"):
            yield prefix + child.name, child
            if isinstance(child, ast.ClassDef):
                yield from public_things(child, f"{prefix}{child.name}.")


def overrides(function: ast.AST) -> bool:
    """Whether a method says that it is described where it is first declared, or is only a typing overload."""
    names = {ast.unparse(decorator) for decorator in getattr(function, "decorator_list", [])}
    return bool(names & {"override", "typing.override", "overload", "typing.overload"})


@each_module
def test_a_module_is_short_enough_to_be_read(path: Path) -> None:
    count = len(text(path).splitlines())
    assert count <= MODULE_LINES_MAX, f"{where(path)}: {count} lines; split it by what its parts are for"


@each_module
def test_a_function_fits_a_screen(path: Path) -> None:
    long = [
        f"{where(path, node.lineno)}: {node.name} has {lines} lines"
        for node in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long, "\n".join(long)


@each_module
def test_everything_public_has_a_docstring(path: Path) -> None:
    module = tree(path)
    silent = [] if ast.get_docstring(module) else [f"{where(path, 1)}: the module"]
    silent += [
        f"{where(path, node.lineno)}: {name}"
        for name, node in public_things(module)
        if not ast.get_docstring(node) and not overrides(node)
    ]
    assert not silent, "no docstring:\n" + "\n".join(silent)


def stands(name: str) -> bool:
    """Whether a dotted name leads to a module, or to something that a module speaks of; `export` is in `formats`."""
    parts = name.split(".")
    at = PACKAGE / "formats" if parts[0] == "export" else PACKAGE
    while parts and (at / parts[0]).is_dir():
        at /= parts.pop(0)
    if parts and at.joinpath(f"{parts[0]}.py").is_file():
        at = at / f"{parts.pop(0)}.py"
    module = at if at.suffix else at / "__init__.py"
    return not parts or re.search(rf"\b{parts[0]}\b", text(module)) is not None


@each_module
def test_modules_that_a_module_speaks_of_are_where_it_says(path: Path) -> None:
    gone = [name for name in NAMED.findall(text(path)) if name not in FILES and not stands(name)]
    assert not gone, f"{where(path)}: {', '.join(gone)}"


@each_module
def test_imports_stand_at_the_top_unless_a_comment_gives_the_reason(path: Path) -> None:
    lines = text(path).splitlines()
    hidden = {
        f"{where(path, node.lineno)}: {lines[node.lineno - 1].strip()}"
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and not any("# lazy:" in line for line in lines[node.lineno - 1 : node.end_lineno])
    }
    assert not hidden, "move up, or say why with `# lazy: reason`:\n" + "\n".join(sorted(hidden))
