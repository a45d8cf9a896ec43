"""What the API says of itself: /openapi.json and /docs come from the table of routes, and need no key and no other host."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from gonk_node.api.app import ROUTES
from gonk_node.api.openapi import document, plain_path
from gonk_node.api.shapes import COMPONENTS
from kit.http_api import Api


def test_every_route_is_described_once_with_a_summary_and_a_description() -> None:
    described = document(ROUTES)
    seen = [
        (path, method, operation["operationId"], operation["summary"], operation["description"])
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(seen) == len(ROUTES)
    assert len({operation for _, _, operation, *_ in seen}) == len(seen)
    assert all(summary and text for *_, summary, text in seen)


def test_every_reference_names_a_shape_and_every_shape_is_a_json_schema() -> None:
    text = str(document(ROUTES))
    named = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert named <= COMPONENTS.keys()
    assert set(COMPONENTS) <= named | {"Error"}, "a shape that nothing uses"
    for shape in COMPONENTS.values():
        jsonschema.Draft202012Validator.check_schema(shape)


def test_no_two_paths_differ_in_the_names_of_their_parts_only() -> None:
    shapes: dict[str, str] = {}
    for route in ROUTES:
        path = plain_path(route)
        shape = re.sub(r"\{\w+\}", "{}", path)
        assert shapes.setdefault(shape, path) == path


def test_only_what_tells_nothing_of_datasets_needs_no_key() -> None:
    assert {route.path for route in ROUTES if not route.needs_key} == {"/healthz", "/readyz"}


@pytest.mark.processes
def test_description_page_and_counts_need_no_key_and_no_other_host(api: Api) -> None:
    described: Any = api.nobody.ok("GET", "/openapi.json")
    assert described["openapi"] == "3.1.0"
    page = api.nobody.call("GET", "/docs").text
    for path in described["paths"]:
        assert path in page
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "<script" not in page
    assert api.nobody.ok("GET", "/healthz") == {"status": "ok"}
    assert api.nobody.ok("GET", "/readyz") == {"ready": True}
    api.alice.ok("GET", "/datasets")
    counted = api.nobody.call("GET", "/metrics").text
    assert re.search(r'^gonk_http_requests_total\{method="GET",route="/datasets",status="200"\} [1-9]', counted, re.M)
    assert "cells" not in counted
