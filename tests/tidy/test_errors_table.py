"""The errors are a table that people and scripts rely on: complete, unambiguous and shown as it is."""

from __future__ import annotations

import ast
import re
from collections import Counter

from gonk_node import errors
from gonk_node.errors import GonkError
from kit.source_tree import dotted, package_modules, tree, where

EXIT_CODES = {1, 2, 3, 4, 5, 6}  # as documented for the command line; 0 is no error
FAULTS = {"you", "gonk", "author", "peer", "disk", "nobody"}


def classes(base: type[GonkError] = GonkError, depth: int = 0) -> list[tuple[int, type[GonkError]]]:
    """Every error class with its depth, parents before children, as declared."""
    found = [(depth, base)]
    for child in base.__subclasses__():
        if child.__module__ == errors.__name__:
            found += classes(child, depth + 1)
    return found


def drawn() -> list[tuple[int, str]]:
    """The tree that the module's docstring draws, as (depth, name)."""
    lines = re.findall(r"^ {4}([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    return [(len(branch) // 4, name) for branch, name in lines]


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    assert drawn() == [(depth, error.__name__) for depth, error in classes()]


def test_all_error_classes_are_in_the_one_tree() -> None:
    declared = {
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, BaseException)
    }
    assert declared == {error for _, error in classes()}


def test_each_error_is_described_in_words_of_its_own() -> None:
    assert [error.__name__ for _, error in classes() if not vars(error).get("__doc__")] == []


def test_each_error_has_a_code_of_its_own() -> None:
    assert [error.__name__ for _, error in classes() if "code" not in vars(error)] == []
    counts = Counter(error.code for _, error in classes())
    assert [code for code, count in counts.items() if count > 1] == []
    assert [code for code in counts if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_exit_codes_statuses_and_faults_are_of_the_documented_kinds() -> None:
    for _, error in classes():
        assert error.exit_code in EXIT_CODES, error
        assert 400 <= error.http_status <= 599, error
        assert error.fault in FAULTS, error


def test_no_other_module_declares_an_error_for_people() -> None:
    tree_names = {error.__name__ for _, error in classes()}
    outside = [
        f"{where(path, node.lineno)}: {node.name}"
        for path in package_modules()
        if path.name != "errors.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and tree_names & {dotted(base).rpartition(".")[2] for base in node.bases}
    ]
    assert not outside, "belongs into gonk_node/errors.py:\n" + "\n".join(outside)
