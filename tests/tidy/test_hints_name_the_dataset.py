"""Hints can be typed as they stand: where a module knows what the dataset is called here, it says so.

The layers below the node do not know it and write DATASET; the command line and loaders put the name in its place.
"""

from __future__ import annotations

import ast

import pytest

from gonk_node.errors import NotFoundError
from kit.source_tree import PACKAGE, package_modules, tree, where

KNOW_THE_NAME = ("cli", "node", "api")


def hints(module: ast.Module) -> list[tuple[int, str]]:
    """Line and constant text of each `hint=` in a module."""
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg == "hint":
            parts = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            found.append((node.value.lineno, "".join(part for part in parts if isinstance(part, str))))
    return found


def test_no_module_that_knows_the_name_leaves_it_to_the_reader() -> None:
    bare = [
        where(path, line)
        for path in package_modules()
        if path.relative_to(PACKAGE).parts[0] in KNOW_THE_NAME
        for line, hint in hints(tree(path))
        if "DATASET" in hint
    ]
    assert bare == []


def test_commands_in_hints_that_need_a_dataset_have_a_place_for_it() -> None:
    lacking = [
        where(path, line)
        for path in package_modules()
        for line, hint in hints(tree(path))
        if "gonk rebuild " in hint and "DATASET" not in hint and path.relative_to(PACKAGE).parts[0] not in KNOW_THE_NAME
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("hint", "shown"),
    [("gonk list DATASET objects", "gonk list cells objects"), ("MYDATASETS", "MYDATASETS"), (None, None)],
)
def test_the_name_is_put_in_its_place(hint: str | None, shown: str | None) -> None:
    assert NotFoundError("what", hint=hint).in_dataset("cells").hint == shown


def test_a_name_is_put_there_as_it_is() -> None:
    assert NotFoundError("what", hint="gonk sync DATASET").in_dataset(r"a\q\1").hint == r"gonk sync a\q\1"
