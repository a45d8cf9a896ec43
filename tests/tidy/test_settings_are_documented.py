"""docs/configuration.md says what the one table of settings says, and nothing names a setting beside it."""

from __future__ import annotations

import re

from gonk_node.config import SETTINGS
from kit.loading import load_script
from kit.source_tree import PACKAGE, ROOT, package_modules, text, tracked_files, where

VARIABLE = re.compile(r"\bGONK_[A-Z0-9_]+\b")


def test_the_page_is_what_the_table_says() -> None:
    page = ROOT / "docs" / "configuration.md"
    hint = "run: python scripts/gen_config_docs.py --write"
    assert page.exists(), hint
    assert text(page) == load_script("gen_config_docs").render(SETTINGS), hint


def test_each_setting_says_what_it_is_for() -> None:
    assert [setting.name for setting in SETTINGS if not setting.help.strip()] == []


def test_no_variable_is_named_that_is_not_in_the_table() -> None:
    known = {setting.env for setting in SETTINGS}
    unknown = [
        f"{where(path)}: {name}"
        for path in [*package_modules(), *(path for path in tracked_files() if path.suffix == ".md")]
        for name in VARIABLE.findall(text(path))
        if name not in known
    ]
    assert not unknown, "\n".join(unknown)


def test_variables_are_written_out_in_one_place_only() -> None:
    """A second spelling in the code would be a second table; `Setting.env` gives the name."""
    literal = re.compile(r"""["']GONK_[A-Z0-9_]+["']""")
    elsewhere = [
        where(path)
        for path in package_modules()
        if path.relative_to(PACKAGE).as_posix() != "config.py" and literal.search(text(path))
    ]
    assert not elsewhere, f"take it from config.SETTINGS: {elsewhere}"
