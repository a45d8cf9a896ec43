"""There is a class for each schema that ships, and it has what bodies of that schema have."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

import pytest

from gonk_node import schemas
from gonk_node.core.ids import EventRef
from gonk_node.node.loading.annotations import TYPES, Annotation
from gonk_node.node.loading.typed import typed
from gonk_node.replica.reading.queries import Revision
from gonk_node.store.state_schema import ANNOTATION, SCHEMA

COMPANIONS = {"label-set"}  # ship beside the schemas, but no annotation has them
COMMON = {field.name for field in fields(Annotation)}
OF_ALL = {"score", "attributes", "source"}


def revision(kind: int, body: bytes, name: str | None = None) -> Revision:
    ref = EventRef(bytes(32), 0)
    return Revision(1, kind, b"u" * 16, 2, 0, True, True, True, None, 1, ref, bytes(32), 0, name=name, body=body)


def made(document: bytes, body: Any) -> Annotation:
    data = json.dumps(body).encode()
    return typed(revision(ANNOTATION, data), revision(SCHEMA, document, "schema-of-mine"))


def test_every_schema_that_ships_has_a_class() -> None:
    assert set(schemas.names()) - COMPANIONS == set(TYPES)
    assert len({kind.__name__ for kind in TYPES.values()}) == len(TYPES)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_class_has_the_fields_of_its_schema(name: str) -> None:
    schema = json.loads(schemas.load(name))
    own = {field.name: field for field in fields(TYPES[name]) if field.name not in COMMON}
    assert set(schema["properties"]) | OF_ALL == set(own)
    assert set(schema.get("required", ())) == {key for key, field in own.items() if field.default is MISSING}


@pytest.mark.parametrize("name", sorted(TYPES))
def test_the_examples_of_a_schema_become_objects_of_its_class(name: str) -> None:
    document = schemas.load(name)
    for example in json.loads(document)["examples"]:
        annotation = made(document, example)
        assert type(annotation) is TYPES[name]
        assert annotation.body == example
        assert (annotation.schema, annotation.version) == ("schema-of-mine", 2)
        for key in fields(annotation):
            if key.name not in COMMON:
                assert getattr(annotation, key.name) == example.get(key.name)


@pytest.mark.parametrize(
    "body",
    [{"label": "x"}, {"label": "x", "x": 1, "y": 1, "w": 1, "h": 1, "more": 1}, [1], "text", None, {"uuid": "other"}],
)
def test_what_does_not_have_the_fields_is_general(body: Any) -> None:
    annotation = made(schemas.load("bounding-box"), body)
    assert type(annotation) is Annotation
    assert annotation.body == body


@pytest.mark.parametrize("document", [b"true", b"{}", b'{"$id": 7}', b'{"$id": "https://gonk.dev/schemas/none/1"}'])
def test_what_is_of_another_schema_is_general(document: bytes) -> None:
    assert type(made(document, {"label": "x", "x": 1, "y": 1, "w": 1, "h": 1})) is Annotation
