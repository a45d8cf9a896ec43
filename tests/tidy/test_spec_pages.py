"""The spec says what the code does: limits, hash contexts, and links to sections that exist."""

from __future__ import annotations

import re

from gonk_node.core import entry
from kit.loading import load_script
from kit.source_tree import PACKAGE, ROOT, text

SPEC = ROOT / "docs" / "spec"
CONTEXT = re.compile(r"gonk-node 2026 v1 [a-z ]+")
SECTION = re.compile(r"^\| (?:\[)?(\d+) ", re.MULTILINE)
IN_CODE = re.compile(r"\bspec(?:,| \w+,)? section (\d+)")


def test_the_page_of_limits_is_what_the_constants_say() -> None:
    hint = "run: python scripts/gen_limits_docs.py --write"
    assert text(SPEC / "11-limits.md") == load_script("gen_limits_docs").render(), hint


def test_the_spec_lists_every_hash_context_of_the_rules() -> None:
    listed = set(CONTEXT.findall(text(SPEC / "01-identity.md")))
    used = {
        context
        for folder in ("core", "state", "sync")
        for path in (PACKAGE / folder).rglob("*.py")
        for context in CONTEXT.findall(text(path))
    }
    assert listed == used


def test_other_pages_of_the_spec_name_no_other_context() -> None:
    listed = set(CONTEXT.findall(text(SPEC / "01-identity.md")))
    for path in SPEC.glob("*.md"):
        assert set(CONTEXT.findall(text(path))) <= listed, path.name


def test_the_spec_names_the_domain_of_signatures() -> None:
    domain = entry.SIGNATURE_DOMAIN.removesuffix(b"\0").decode()
    for name in ("01-identity.md", "03-entry.md", "05-verification.md"):
        assert domain in text(SPEC / name)


def test_the_code_cites_sections_that_the_spec_has() -> None:
    sections = set(SECTION.findall(text(SPEC / "README.md")))
    cited = {number for path in PACKAGE.rglob("*.py") for number in IN_CODE.findall(text(path))}
    assert cited <= sections
    pages = {str(int(path.name[:2])) for path in SPEC.glob("[0-9]*.md")}
    assert pages <= sections
