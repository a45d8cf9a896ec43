"""Who may touch the outside world: the rules never, the terminal and the environment in one place only.

import-linter forbids modules; these tests find what needs no import of its own or hides behind an
allowed one.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kit.source_tree import PACKAGE, PURE, dotted, package_modules, tree, where

IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint", "__import__"}
IMPURE_ENDINGS = (
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "uuid1",
    "uuid4",
    "utils.random",
    "SigningKey.generate",
    "PrivateKey.generate",
    "urandom",
    "token_bytes",
)
IMPURE_MODULES = {"time", "random", "secrets", "os", "sys", "socket", "threading", "asyncio", "logging"}


def layer(path: Path) -> str:
    """`core` of gonk_node/core/ids.py, `errors` of gonk_node/errors.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_impure(call: ast.Call) -> bool:
    name = dotted(call.func)
    return (
        name in IMPURE_CALLS
        or any(name == ending or name.endswith("." + ending) for ending in IMPURE_ENDINGS)
        or ("." in name and name.partition(".")[0] in IMPURE_MODULES)
    )


def modules_of(*layers: str) -> list[Path]:
    return [path for path in package_modules() if layer(path) in layers]


def modules_outside(*layers: str) -> list[Path]:
    return [path for path in package_modules() if layer(path) not in layers]


@pytest.mark.parametrize("path", modules_of(*PURE, "errors"), ids=where)
def test_pure_rules_read_no_clock_no_file_and_no_randomness(path: Path) -> None:
    calls = [
        f"{where(path, node.lineno)}: {dotted(node.func)}()"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and is_impure(node)
    ]
    assert not calls, "\n".join(calls)


@pytest.mark.parametrize("path", modules_of(*PURE), ids=where)
def test_pure_rules_have_no_changing_globals(path: Path) -> None:
    places = [where(path, node.lineno) for node in ast.walk(tree(path)) if isinstance(node, ast.Global)]
    assert not places, f"`global` in {places}"


@pytest.mark.parametrize("path", modules_outside("cli", "__main__"), ids=where)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [
        where(path, node.lineno)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func) in {"print", "input", "click.echo"}
    ]
    assert not calls, f"prints: {calls}"


@pytest.mark.parametrize("path", modules_outside("cli", "config"), ids=where)
def test_only_command_line_and_config_read_the_environment(path: Path) -> None:
    uses = [
        where(path, node.lineno)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and dotted(node) in {"os.environ", "os.getenv", "os.environb"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and {"environ", "getenv"} & imported(node))
    ]
    assert not uses, f"reads the environment: {uses}"


def imported(node: ast.ImportFrom) -> set[str]:
    return {alias.name for alias in node.names}
