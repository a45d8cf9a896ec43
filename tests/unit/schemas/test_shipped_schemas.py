"""The schemas that ship: each is a good document, takes its own examples, and refuses plain mistakes."""

import json

import pytest

from gonk_node import schemas
from gonk_node.errors import NotFoundError
from gonk_node.state.conformance import Conformance, check_schema, compile_schema


def test_the_four_of_the_main_job_ship() -> None:
    assert {"bounding-box", "caption", "classification", "polygon"} <= set(schemas.names())


@pytest.mark.parametrize("name", schemas.names())
def test_each_is_an_acceptable_2020_12_document_that_describes_itself(name: str) -> None:
    document = schemas.load(name)
    check_schema(document)
    schema = json.loads(document)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://gonk.dev/schemas/{name}/1"
    assert schema["title"] and schema["description"]


@pytest.mark.parametrize("name", schemas.names())
def test_its_examples_fit(name: str) -> None:
    document = schemas.load(name)
    examples = json.loads(document)["examples"]
    assert examples
    for example in examples:
        assert compile_schema(document).explain(json.dumps(example).encode()) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("bounding-box", '{"label":"a","x":0,"y":0,"w":0,"h":1}'),
        ("bounding-box", '{"label":"a","x":0,"y":0,"w":1,"h":-1}'),
        ("bounding-box", '{"label":"","x":0,"y":0,"w":1,"h":1}'),
        ("bounding-box", '{"x":0,"y":0,"w":1,"h":1}'),
        ("bounding-box", '{"label":"a","x":0,"y":0,"width":1,"height":1}'),
        ("bounding-box", '{"label":"a","x":0,"y":0,"w":1,"h":NaN}'),
        ("bounding-box", '{"label":"a","x":0,"y":0,"w":1,"h":1e999}'),
        ("polygon", '{"label":"a","parts":[]}'),
        ("polygon", '{"label":"a","parts":[{"outer":[[0,0],[1,1]]}]}'),
        ("polygon", '{"label":"a","parts":[{"outer":[[0,0],[1,1],[2]]}]}'),
        ("polygon", '{"label":"a","parts":[{"holes":[]}]}'),
        ("classification", '{"labels":["a","a"]}'),
        ("classification", '{"label":"a","labels":["a"]}'),
        ("classification", '{"labels":["a"],"score":0.5}'),
        ("classification", "{}"),
        ("caption", '{"text":""}'),
        ("caption", '{"text":"a","lang":"not a tag"}'),
        ("caption", '"a"'),
    ],
)
def test_mistakes_are_refused(name: str, body: str) -> None:
    assert compile_schema(schemas.load(name)).verdict(body.encode()) is Conformance.INVALID


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="bounding-box, caption"):
        schemas.load("../bounding-box")
