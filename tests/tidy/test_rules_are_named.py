"""Every V- and A-rule of the spec is in the code and in a test, and neither names a rule that the spec lacks.

A rule is defined in docs/spec where a heading, a list item, a table row or a paragraph begins with its id:
`### V3 author key`, `- **A1** …`, `| V3 | …`.
"""

from __future__ import annotations

import re

from kit.source_tree import PACKAGE, ROOT, rule_ids, text

SPEC = ROOT / "docs" / "spec"
DEFINITION = re.compile(r"^\s*(?:#+\s+|[-*]\s+|\|\s*|\d+\.\s+)?[*`]*([VA]\d{1,2})\b", re.MULTILINE)


def defined() -> set[str]:
    """Ids of the rules that docs/spec defines."""
    return {rule for path in sorted(SPEC.rglob("*.md")) for rule in DEFINITION.findall(text(path))}


def in_code() -> set[str]:
    """Ids that the rules' code names: V in core (with the error that carries it), A in state."""
    return rule_ids(PACKAGE / "core", "*.py") | rule_ids(PACKAGE / "state", "*.py")


def in_tests() -> set[str]:
    return rule_ids(ROOT / "tests" / "rules", "*.py")


def in_order(rules: set[str]) -> list[str]:
    return sorted(rules, key=lambda rule: (rule[0], int(rule[1:])))


def test_the_spec_defines_rules_of_both_kinds_without_gaps() -> None:
    rules = defined()
    for kind in "VA":
        numbers = sorted(int(rule[1:]) for rule in rules if rule[0] == kind)
        assert numbers, f"docs/spec defines no {kind}-rule"
        assert numbers == list(range(1, len(numbers) + 1)), f"{kind}-rules are not numbered 1, 2, …: {numbers}"


def test_each_rule_of_the_spec_is_named_in_the_code() -> None:
    missing = in_order(defined() - in_code())
    assert not missing, f"in docs/spec, but named nowhere in gonk_node/core and gonk_node/state: {missing}"


def test_each_rule_of_the_spec_is_named_in_a_test() -> None:
    missing = in_order(defined() - in_tests())
    assert not missing, f"in docs/spec, but named nowhere in tests/rules: {missing}"


def test_code_and_tests_name_no_rule_that_the_spec_lacks() -> None:
    unknown = in_order((in_code() | in_tests()) - defined())
    assert not unknown, f"named in gonk_node/core, gonk_node/state or tests/rules, but not in docs/spec: {unknown}"
