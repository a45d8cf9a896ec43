"""The repository is complete by itself: versions agree, links lead somewhere, nothing points outside."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import gonk_node
from kit.source_tree import ROOT, text, tracked_files, where

# Places on one developer's machine, and names of what never was part of the project. Spelled with a gap, so
# that this file does not find itself.
FOREIGN = re.compile(
    "|".join(
        word.replace("~", "")
        for word in (
            r"(?<![\w.~])/w~ork/",
            r"(?<![\w.])/tm~p/(?:te~am|ve~nv)\b",
            r"(?<![\w/])(?:\.\./)+sha~red/",
            r"\.lib~rary/",
            r"\bfarm-st~udio\b",
            r"\bMEM~O\.md\b",
            r"\bDES~IGN\.md\b",
        )
    )
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()[:8192]


def test_no_file_points_outside_the_project() -> None:
    found = [
        f"{where(path, number)}: {line.strip()[:100]}"
        for path in tracked_files()
        if is_text(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [path for path in tracked_files() if path.suffix == ".md"], ids=where)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    prose = CODE_BLOCK.sub("", text(path))
    targets = [target for target in LINK.findall(prose) if "://" not in target and not target.startswith("mailto:")]
    dead = [target for target in targets if not (path.parent / target).exists()]
    assert not dead, f"{where(path)} links to what is not there: {dead}"


def test_the_changelog_describes_the_current_version() -> None:
    headings = re.findall(r"^## (\S+)", text(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[:1] == [gonk_node.__version__]


def test_the_version_is_written_once() -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    assert "version" in project["dynamic"]
    assert "version" not in project


def test_the_licence_is_the_whole_agpl() -> None:
    licence = text(ROOT / "LICENSE")
    assert licence.lstrip().startswith("GNU AFFERO GENERAL PUBLIC LICENSE\n")
    assert "END OF TERMS AND CONDITIONS" in licence
    assert len(licence.splitlines()) == 661


def test_every_dependency_is_imported_by_the_package() -> None:
    """What is installed on everybody's machine must be used, and what is used must be declared."""
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    declared = {re.split(r"[<>=~!\[; ]", line)[0].lower().replace("_", "-") for line in project["dependencies"]}
    assert _distributions_imported() == declared


def _distributions_imported() -> set[str]:
    source = "\n".join(text(path) for path in (ROOT / "gonk_node").rglob("*.py"))
    roots = set(re.findall(r"^\s*(?:from|import) ([a-zA-Z_]\w*)", source, re.MULTILINE))
    owners = metadata.packages_distributions()
    names = {owner for root in roots - {"gonk_node"} for owner in owners.get(root, [])}
    return {name.lower().replace("_", "-") for name in names}


def test_whole_test_suite_runs_what_continuous_integration_runs() -> None:
    commands = [line for line in text(ROOT / ".ci" / "run").splitlines() if line.strip() and not line.startswith("#")]
    assert len(commands) == 1
    assert commands[0].endswith('scripts/test"')
