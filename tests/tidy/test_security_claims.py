"""docs/security.md claims nothing that no test shows: each thing that an attacker cannot do names tests that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kit.source_tree import ROOT, text

PAGE = ROOT / "docs" / "security.md"
REFERENCE = re.compile(r"`(test_\w+\.py)::(test_\w+)`")
ITEM = re.compile(r"^\d+\. .*?(?=^\d+\. |^$)", re.MULTILINE | re.DOTALL)


def claims() -> Iterator[tuple[str, str]]:
    """(attacker, what he cannot do) for each item of a list that follows "Cannot:"."""
    for section in text(PAGE).split("\n## ")[1:]:
        attacker = section.splitlines()[0]
        _, _, cannot = section.partition("\nCannot:\n")
        for item in ITEM.findall(cannot):
            yield attacker, item


def test_each_thing_that_an_attacker_cannot_do_names_a_test() -> None:
    found = list(claims())
    assert len(found) > 40
    unshown = [f"{attacker}: {item}" for attacker, item in found if not REFERENCE.search(item)]
    assert not unshown, "\n".join(unshown)


def test_each_test_that_it_names_exists() -> None:
    files = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    missing = [
        f"{file}::{name}"
        for file, name in REFERENCE.findall(text(PAGE))
        if file not in files or not re.search(rf"^(async )?def {name}\(", text(files[file]), re.MULTILINE)
    ]
    assert not missing, "\n".join(missing)


def test_each_attacker_is_told_what_he_can_do_as_well() -> None:
    sections = [section for section in text(PAGE).split("\n## ")[1:] if "\nCannot:\n" in section]
    assert all("\nCan:\n" in section for section in sections)
