"""What a dataset holds that JSONL and the formats of labels have words for comes back, value by value."""

from __future__ import annotations

import tempfile
import unicodedata
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


def there_and_back(format_name: str, bodies: formats.Bodies, images: str = "") -> tuple[formats.Bodies, Any]:
    """What comes back of one image; and what was lost on the way out."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out"
        loss = formats.export([formats.sample("a.png", bodies)], format_name, target)
        found = formats.bodies(formats.read(format_name, target, target / images if images else None))
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


plain_labels = st.text(st.characters(codec="utf-8", categories=("Ll", "Nd")), min_size=1, max_size=8).map(
    lambda label: unicodedata.normalize("NFC", label)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(plain_labels, min_size=1, max_size=5))
def test_imagefolder_gives_the_label_of_each_image_back(labels: list[str]) -> None:
    wanted = {f"{index}.png": [("classification", {"label": label})] for index, label in enumerate(labels)}
    with tempfile.TemporaryDirectory() as folder:
        samples = [formats.sample(name, bodies) for name, bodies in wanted.items()]
        one, other = Path(folder) / "one", Path(folder) / "other"
        loss = formats.export(samples, "imagefolder", one)
        assert not loss.problems
        told = {kind.what for kind in loss.kinds()}
        found = formats.bodies(formats.read("imagefolder", one))
        if told:  # labels that some system takes for one have their folders' names changed, and stay so
            assert told == {"names of classes that are no safe or unique file names; they were changed"}
            return
        assert found == wanted
        again = formats.samples_of(formats.read("imagefolder", one))
        formats.export(again, "imagefolder", other)
        assert formats.files(one) == formats.files(other)


cells = st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "\n", "'", '"', ",", "＝"]).flatmap(
    lambda start: text.map(lambda rest: start + rest)
)
some_labels = cells.filter(bool)
scores = st.integers(0, 1) | st.floats(0, 1)


@st.composite
def classifications(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        body: dict[str, Any] = {"label": draw(some_labels)}
        return body | ({"score": draw(scores)} if draw(st.booleans()) else {})
    labels = draw(st.lists(some_labels, min_size=1, max_size=3, unique=True))
    return {"labels": labels} | ({"scores": [draw(scores) for _ in labels]} if draw(st.booleans()) else {})


@settings(deadline=None, max_examples=150)
@given(st.lists(classifications().map(lambda body: ("classification", body)), max_size=4))
def test_csv_gives_classifications_back_whatever_their_labels(bodies: formats.Bodies) -> None:
    found, loss = there_and_back("csv", bodies, images="images")
    assert found == bodies
    assert not loss
