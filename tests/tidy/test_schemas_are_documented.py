"""docs/schemas.md says what the schemas that ship say, and each field of each says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gonk_node import schemas
from kit.loading import load_script
from kit.source_tree import ROOT, text

ALL = (*schemas.names(), schemas.LABEL_SET)


def test_the_page_is_what_the_schemas_say() -> None:
    page = ROOT / "docs" / "schemas.md"
    hint = "run: python scripts/gen_schema_docs.py --write"
    assert page.exists(), hint
    assert text(page) == load_script("gen_schema_docs").render(), hint


@pytest.mark.parametrize("name", ALL)
def test_each_field_says_what_it_is(name: str) -> None:
    document = schemas.document(name)
    assert [path for path, field in fields(document, document) if not field.get("description")] == []


def fields(document: dict[str, Any], part: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property in a schema with its path, those of objects and items in it too; references resolved."""
    if "$ref" in part:
        part = document["$defs"][part["$ref"].rpartition("/")[2]]
    for name, field in part.get("properties", {}).items():
        target = document["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
        yield f"{path}/{name}", {**target, **field}
        yield from fields(document, field, f"{path}/{name}")
    if isinstance(part.get("items"), dict):
        yield from fields(document, part["items"], f"{path}/items")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ALL
        if {"x", "cx", "points", "outline", "parts", "size"} & schemas.document(name)["properties"].keys()
    ],
)
def test_what_has_coordinates_says_where_they_begin_and_their_unit(name: str) -> None:
    description = schemas.document(name)["description"]
    assert "pixels" in description or "metres" in description
    assert "top left" in description or "frame" in description
