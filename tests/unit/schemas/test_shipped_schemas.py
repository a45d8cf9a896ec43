"""The schemas that ship: each is a good document, takes its own examples, and refuses plain mistakes."""

import json

import jsonschema
import pytest

from gonk_node import schemas
from gonk_node.errors import NotFoundError
from gonk_node.state.conformance import Conformance, check_schema, compile_schema

ALL = (*schemas.names(), schemas.LABEL_SET)
FIRST = ("bounding-box", "caption", "classification", "polygon")  # their attributes take anything


def test_there_is_one_for_each_sort_of_annotation() -> None:
    assert schemas.names() == (
        *(
            "audio-segment",
            "bounding-box",
            "caption",
            "classification",
            "cuboid-3d",
            "keypoints",
            "mask",
            "multi-label",
        ),
        *("ocr-line", "polygon", "polyline", "preference", "question-answer", "rating", "relation", "reviewed-empty"),
        *("rotated-box", "text-span", "video-track"),
    )


@pytest.mark.parametrize("name", ALL)
def test_each_is_an_acceptable_2020_12_document_that_describes_itself(name: str) -> None:
    document = schemas.load(name)
    check_schema(document)
    schema = json.loads(document)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://gonk.dev/schemas/{name}/1"
    assert schema["title"] and schema["description"]
    assert schema["additionalProperties"] is False


def test_no_two_have_the_same_id_or_title() -> None:
    documents = [schemas.document(name) for name in ALL]
    assert len({each["$id"] for each in documents}) == len({each["title"] for each in documents}) == len(ALL)


@pytest.mark.parametrize("name", ALL)
def test_its_examples_fit(name: str) -> None:
    examples = schemas.document(name)["examples"]
    assert examples
    oracle = jsonschema.Draft202012Validator(schemas.document(name))
    for example in examples:
        assert compile_schema(schemas.load(name)).explain(json.dumps(example).encode()) == []
        assert oracle.is_valid(example)


@pytest.mark.parametrize("name", schemas.names())
def test_people_may_add_attributes_and_imports_their_source_and_nothing_else(name: str) -> None:
    validator = compile_schema(schemas.load(name))
    first = schemas.document(name)["examples"][0]
    added = {
        "attributes": {
            "stain": "blue",
            "level": 2.5,
            "checked": True,
            "nothing": None,
            "coco": {"id": 2, "tags": ["a"]},
        },
        "source": {"format": "coco", "id": 17, "author": "Ada", "time": "2026-05-01T12:00:00.250+02:00"},
    }
    assert validator.explain(json.dumps(first | added).encode()) == []
    for wrong in (
        {"unheard of": 1},
        {"attributes": "blue"},
        {"source": {}},
        {"source": {"url": "https://example.org"}},
        {"source": {"time": "yesterday"}},
        {"source": {"time": "2026-05-01T12:00:00"}},
    ):
        assert validator.verdict(json.dumps(first | wrong).encode()) is Conformance.INVALID, wrong
    listed = json.dumps(first | {"attributes": {"levels": [1, 2]}}).encode()
    assert (validator.verdict(listed) is Conformance.VALID) == (name in FIRST)


@pytest.mark.parametrize("name", schemas.names())
def test_what_several_share_is_the_same_in_each(name: str) -> None:
    properties = schemas.document(name)["properties"]
    model = schemas.document("rotated-box")["properties"]
    assert properties["source"] == model["source"]
    if name not in FIRST:
        assert properties["attributes"] == model["attributes"]
    for shared in {"label", "score"} & properties.keys():
        rules = [
            {key: value for key, value in each.items() if key != "description"}
            for each in (properties[shared], model[shared])
        ]
        assert rules[0] == rules[1]


@pytest.mark.parametrize("name", schemas.names())
def test_the_longest_body_that_an_event_holds_is_judged(name: str) -> None:
    validator = compile_schema(schemas.load(name))
    first = schemas.document(name)["examples"][0]
    long = json.dumps(first | {"attributes": {"note": "a" * 1_000_000}}).encode()
    assert validator.verdict(long) is Conformance.VALID


def test_both_forms_of_run_lengths_in_the_examples_of_a_mask_are_the_same_pixels() -> None:
    plain, compressed = (example["counts"] for example in schemas.document("mask")["examples"])
    assert plain == _runs(compressed)
    assert sum(plain) == 3 * 4


def _runs(text: str) -> list[int]:
    """The runs of COCO's compressed form: five bits a character, the lowest first; from the fourth on, differences."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (bits & 0x10) and 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="bounding-box, caption"):
        schemas.load("../bounding-box")
