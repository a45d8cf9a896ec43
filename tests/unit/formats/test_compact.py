"""Names in little memory say what a dict of them would say."""

from __future__ import annotations

import random
import sys

from hypothesis import given
from hypothesis import strategies as st

from gonk_node.formats.compact import NamedTexts, NameTable


@given(st.lists(st.text(st.characters(), max_size=4), max_size=60))
def test_names_are_numbered_as_they_come_and_known_again(names: list[str]) -> None:
    table, texts = NameTable(), NamedTexts()
    expected: dict[str, int] = {}
    for at, name in enumerate(names):
        assert (name in table) is (name in texts) is (name in expected)
        assert table.add(name) == expected.setdefault(name, len(expected))
        texts.add(name, f"{at} {name}")
    assert len(table) == len(expected)
    assert {name: table.get(name) for name in names} == expected
    first = {name: f"{names.index(name)} {name}" for name in names}
    assert {name: texts.get(name) for name in names} == first


def test_what_was_not_added_has_neither_number_nor_text() -> None:
    table, texts = NameTable(), NamedTexts()
    table.add("a")
    texts.add("a", "")
    assert (table.get("b"), texts.get("b"), texts.get("a")) == (None, None, "")


def test_names_that_no_utf8_has_are_names_too() -> None:
    table = NameTable()
    assert [table.add("\udcff"), table.add("\udcfe"), table.add("\udcff")] == [0, 1, 0]


def test_a_hundred_thousand_names_take_thirty_bytes_each() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    names = [f"{seed} {number}" for number in range(100_000)]
    table = NameTable()
    assert [table.add(name) for name in names] == list(range(len(names)))
    assert [table.get(name) for name in names] == list(range(len(names)))
    held = sys.getsizeof(table._digests) + sys.getsizeof(table._slots)
    assert held / len(names) < 36
