"""What a dataset holds that JSONL and the formats of labels have words for comes back, value by value."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kit import formats

text = st.text(st.characters(codec="utf-8"), max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | finite | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


def there_and_back(format_name: str, bodies: formats.Bodies, name: str = "a.png") -> tuple[formats.Bodies, Any]:
    """What comes back of one image; and what was lost on the way out."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out"
        loss = formats.export([formats.sample(name, bodies)], format_name, target)
        found = formats.bodies(formats.read(format_name, target))
        assert len(found) == 1
        return next(iter(found.values())), loss


schema_names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12)
any_bodies = st.dictionaries(text.filter(lambda name: name != "attributes"), json_values, max_size=4)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(schema_names, any_bodies), max_size=4))
def test_jsonl_gives_every_body_of_every_schema_back(bodies: formats.Bodies) -> None:
    found, loss = there_and_back("jsonl", bodies)
    assert found == bodies
    assert [[type(value) for value in body.values()] for _, body in found] == [
        [type(body[name]) for name in sorted(body)] for _, body in bodies
    ]
    assert not loss
