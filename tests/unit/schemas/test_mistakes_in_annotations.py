"""Bodies that look right and are not: each schema that ships refuses them."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node import schemas
from gonk_node.state.conformance import Conformance, compile_schema
from gonk_node.state.strict_json import Json

UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MISTAKES = {
    "audio-segment": (
        '{"start_s":0,"end_s":1}',
        '{"label":"dog","start_s":-1,"end_s":1}',
        '{"label":"dog","start_s":0}',
        '{"label":"dog","start_s":0,"end_s":1,"channel":0.5}',
    ),
    "bounding-box": (
        '{"label":"a","x":0,"y":0,"w":0,"h":1}',
        '{"label":"a","x":0,"y":0,"w":1,"h":-1}',
        '{"label":"","x":0,"y":0,"w":1,"h":1}',
        '{"x":0,"y":0,"w":1,"h":1}',
        '{"label":"a","x":0,"y":0,"width":1,"height":1}',
        '{"label":"a","x":0,"y":0,"w":1,"h":NaN}',
        '{"label":"a","x":0,"y":0,"w":1,"h":1e999}',
    ),
    "caption": ('{"text":""}', '{"text":"a","lang":"not a tag"}', '"a"', '{"text":"a","score":2}'),
    "classification": (
        '{"labels":["a","a"]}',
        '{"label":"a","labels":["a"]}',
        '{"labels":["a"],"score":0.5}',
        "{}",
    ),
    "cuboid-3d": (
        '{"label":"a","center":[0,0],"size":[1,1,1],"quaternion":[1,0,0,0],"frame":"lidar"}',
        '{"label":"a","center":[0,0,0],"size":[1,0,1],"quaternion":[1,0,0,0],"frame":"lidar"}',
        '{"label":"a","center":[0,0,0],"size":[1,1,1],"quaternion":[2,0,0,0],"frame":"lidar"}',
        '{"label":"a","center":[0,0,0],"size":[1,1,1],"quaternion":[1,0,0,0]}',
    ),
    "keypoints": (
        '{"label":"a","points":[]}',
        '{"label":"a","points":[{"name":"nose","v":2}]}',
        '{"label":"a","points":[{"name":"nose","x":1,"y":1,"v":3}]}',
        '{"label":"a","points":[{"name":"nose","x":1,"v":0}]}',
        '{"label":"a","points":[[1,1,2]]}',
    ),
    "label-set": (
        '{"schema":"bounding-box","labels":[]}',
        '{"schema":"schema-a","labels":[{"id":"a"}]}',
        '{"schema":"schema-a","labels":[{"id":"a","name":"A","colour":"red"}]}',
        '{"schema":"schema-a","labels":[{"id":"a","name":"A","colour":"#FF0000"}]}',
        '{"schema":"schema-a","labels":[{"id":"a","name":"A","hotkey":"ctrl+w"}]}',
        '{"schema":"schema-a","labels":[{"id":"a","name":"A","hotkey":"rr"}]}',
        '{"schema":"schema-a","labels":[{"id":"a","name":"A","index":-1}]}',
        '{"schema":"schema-a","labels":[{"id":"a","name":"A","skeleton":[["x","y"]]}]}',
    ),
    "mask": (
        '{"label":"a","size":[3],"counts":[12]}',
        '{"label":"a","size":[3,4],"counts":[]}',
        '{"label":"a","size":[3,4],"counts":[4,-2,10]}',
        '{"label":"a","size":[3,4],"counts":"~~~"}',
        '{"label":"a","size":[0,4],"counts":[0]}',
        '{"label":"a","counts":[12]}',
    ),
    "multi-label": ('{"labels":[]}', '{"labels":["a","a"]}', '{"label":"a"}', '{"labels":["a"],"scores":[1.5]}'),
    "ocr-line": (
        '{"outline":[[0,0],[1,0]],"text":"a"}',
        '{"outline":[[0,0],[1,0],[1,1]],"text":""}',
        '{"outline":[[0,0],[1,0],[1,1]],"text":"","legible":true}',
        '{"outline":[[0,0],[1,0],[1,1]],"text":"a","order":-1}',
    ),
    "polygon": (
        '{"label":"a","parts":[]}',
        '{"label":"a","parts":[{"outer":[[0,0],[1,1]]}]}',
        '{"label":"a","parts":[{"outer":[[0,0],[1,1],[2]]}]}',
        '{"label":"a","parts":[{"holes":[]}]}',
    ),
    "polyline": (
        '{"label":"a","points":[[0,0]]}',
        '{"label":"a","points":[[0,0],[1,1,1]]}',
        '{"points":[[0,0],[1,1]]}',
    ),
    "preference": (
        '{"candidates":["a"],"ranks":[1]}',
        '{"candidates":["a","b"],"ranks":[0,1]}',
        '{"candidates":["a","b"]}',
    ),
    "question-answer": (
        '{"question":"Who?","answers":[]}',
        '{"question":"Who?","answers":[{"text":"a"}],"impossible":true}',
        '{"question":"","answers":[{"text":"a"}]}',
        '{"question":"Who?","answers":[{"text":"a","start":-1}]}',
    ),
    "rating": ('{"value":4}', '{"value":"4","min":1,"max":5}', '{"value":4,"min":1,"max":5,"step":0}'),
    "relation": (
        f'{{"label":"a","head":"{UUID}"}}',
        f'{{"label":"a","head":"{UUID}","tail":"{UUID.upper()}"}}',
        f'{{"label":"a","head":"{UUID}","tail":"the other one"}}',
    ),
    "reviewed-empty": ('{"labels":[]}', '{"schemas":["bounding-box"]}', '{"label":"a"}', "[]", "null"),
    "rotated-box": (
        '{"label":"a","cx":0,"cy":0,"w":1,"h":1}',
        '{"label":"a","cx":0,"cy":0,"w":1,"h":1,"angle":361}',
        '{"label":"a","x":0,"y":0,"w":1,"h":1,"angle":0}',
    ),
    "text-span": (
        '{"label":"a","start":-1,"end":2}',
        '{"label":"a","start":0,"end":0}',
        '{"label":"a","start":0.5,"end":2}',
        '{"label":"a","start":0,"end":2,"exact":""}',
    ),
    "video-track": (
        '{"label":"a","interpolation":"linear","keyframes":[]}',
        '{"label":"a","interpolation":"cubic","keyframes":[{"frame":0,"outside":true}]}',
        '{"label":"a","interpolation":"none","keyframes":[{"frame":0}]}',
        '{"label":"a","interpolation":"none","keyframes":[{"frame":0,"outside":false}]}',
        '{"label":"a","interpolation":"none","keyframes":[{"frame":0,"shape":{}}]}',
        '{"label":"a","interpolation":"none","keyframes":[{"frame":0,"shape":{"points":[[1,1]],"polyline":[[1,1],[2,2]]}}]}',
        '{"label":"a","interpolation":"none","keyframes":[{"frame":-1,"outside":true}]}',
    ),
}


def test_each_schema_has_at_least_two() -> None:
    assert set(MISTAKES) == {*schemas.names(), schemas.LABEL_SET}
    assert all(len(each) >= 2 for each in MISTAKES.values())


@pytest.mark.parametrize(("name", "body"), [(name, body) for name, bodies in MISTAKES.items() for body in bodies])
def test_mistakes_are_refused(name: str, body: str) -> None:
    assert compile_schema(schemas.load(name)).verdict(body.encode()) is Conformance.INVALID


def places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a JSON value, itself included."""
    yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from places(each, (*path, at))


def replaced(value: Json, path: tuple[str | int, ...], new: Json) -> Json:
    """A copy with another value at a path."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    holder: Any = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = new
    return changed


OTHER_VALUES = st.one_of(
    st.sampled_from([None, True, False, "", "a", [], {}, -1, 0, 1, 0.5, 2, 400, [[0, 0]], {"a": [1]}]),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=5),
)


@pytest.mark.parametrize("name", [*schemas.names(), schemas.LABEL_SET])
@given(data=st.data())
def test_examples_with_one_value_changed_are_judged_as_an_independent_validator_does(
    name: str, data: st.DataObject
) -> None:
    document = schemas.document(name)
    example = data.draw(st.sampled_from(document["examples"]))
    changed = replaced(example, data.draw(st.sampled_from(list(places(example)))), data.draw(OTHER_VALUES))
    verdict = compile_schema(schemas.load(name)).verdict(json.dumps(changed).encode())
    assert (verdict is Conformance.VALID) == jsonschema.Draft202012Validator(document).is_valid(changed)
