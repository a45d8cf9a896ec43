"""Whatever the OpenAPI document allows, and much that it does not, is answered as it promises, never by a fault.

schemathesis makes the requests of the document itself; `--requests N` says how many, `--first-seed` replays.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.schemas import APIOperation

from gonk_node.api.app import every_route
from gonk_node.api.openapi import document
from kit.command_line import BOX
from kit.http_api import Api, Client, b64

pytestmark = [pytest.mark.processes, pytest.mark.slow]

PROMISES = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.response_schema_conformance,
    checks.content_type_conformance,
]
OPEN = {plain["operationId"] for path in document(every_route())["paths"].values() for plain in path.values()} - {
    operation["operationId"]
    for path in document(every_route())["paths"].values()
    for operation in path.values()
    if "security" in operation
}


@pytest.fixture(scope="module")
def things(api: Api) -> dict[str, list[str]]:
    """Something of everything in `cells`, by the part of a path that names it."""
    alice, bob = api.alice, api.bob
    alice.new_schema()
    objects = [alice.new_object(), alice.new_object(), bob.new_object()]
    annotations = [alice.new_annotation(objects[0]), bob.new_annotation(objects[1], objects[2])]
    alice.accept(f"objects/{objects[0]['uuid']}/0")
    events = [each["uuid"] for each in alice.ok("GET", "events")]
    return {
        "dataset": ["cells"],
        "uuid": [each["uuid"] for each in objects + annotations] + events,
        "version": ["0", "1"],
        "name": ["schema-box"],
        "user": ["alice", "bob", "carol", "0" * 64],
    }


def operations(url: str) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """All operations but the stream, which does not end."""
    for result in schemathesis.openapi.from_url(url + "/openapi.json").get_all_operations():
        operation = result.ok()
        if not operation.path.endswith("/live"):
            yield operation


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["proper", "improper"])
@pytest.mark.parametrize("with_key", [True, False], ids=["with a key", "without"])
def test_every_promise_of_the_description_is_kept(
    api: Api, things: dict[str, list[str]], pytestconfig: pytest.Config, mode: GenerationMode, with_key: bool
) -> None:
    every = list(operations(api.url))
    each_time = -(-pytestconfig.getoption("--requests") // (4 * len(every)))
    first_seed = pytestconfig.getoption("--first-seed")
    print(f"{len(every)} operations, {each_time} requests each, seed {first_seed}")
    for operation in every:
        _ask(api, operation, things, mode, each_time, first_seed, api.keys["alice"] if with_key else None)
    assert api.server.is_up


def _ask(
    api: Api,
    operation: APIOperation[Any, Any, Any, Any],
    things: dict[str, list[str]],
    mode: GenerationMode,
    count: int,
    first_seed: int,
    key: str | None,
) -> None:
    rng = random.Random(first_seed)
    headers = {} if key is None else {"x-api-key": key}

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @seed(first_seed)
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        for part in case.path_parameters or {}:
            if rng.random() < 0.8:  # what exists; the rest stays as it was made
                case.path_parameters[part] = rng.choice(things[part])
        if mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
            _make_sense(case.body, things, rng)
        answer = case.call(headers=headers, allow_redirects=False, timeout=60)
        case.validate_response(answer, checks=PROMISES)
        if key is None and operation.definition.raw["operationId"] not in OPEN:
            assert not 200 <= answer.status_code < 300, (operation.label, answer.text)

    try:
        run()
    except Unsatisfiable:  # nothing about a request without parts, query and body can be improper
        assert mode is GenerationMode.NEGATIVE, operation.label


def _make_sense(body: dict[str, Any], things: dict[str, list[str]], rng: random.Random) -> None:
    """Put real values into a body here and there, so that more than the first check is reached."""
    real: dict[str, Any] = {
        "annotation": b64(json.dumps(BOX)),
        "schema": rng.choice([{"name": "schema-box", "version": 0}, body.get("schema")]),
        "object_identifiers": [{"uuid": rng.choice(things["uuid"]), "version": 0}],
        "object": b64(f"random {rng.random()}"),
        "events": [rng.choice(things["uuid"])],
    }
    for name, value in real.items():
        if name in body and rng.random() < 0.7:
            body[name] = value


def test_an_ordinary_client_still_works_after_all_that(api: Api, things: dict[str, list[str]]) -> None:
    client: Client = api.client("alice")
    made = client.new_object(b"after all that")
    assert made in client.ok("GET", "objects/pending?limit=1000")
    assert things["uuid"][0] in {each["uuid"] for each in client.ok("GET", "objects?limit=1000")}
