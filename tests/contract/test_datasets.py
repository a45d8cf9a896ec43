"""GET /, and datasets as a whole, as the contract of Gonk's HTTP API has them."""

from __future__ import annotations

import pytest

from kit.http_api import Api

pytestmark = pytest.mark.processes


def test_a_key_is_greeted(api: Api) -> None:
    assert api.bob.call("GET", "/").text == '{"message":"hello"}\n'


def test_a_dataset_is_founded_and_listed_and_its_creator_is_the_owner(api: Api) -> None:
    assert api.bob.ok("POST", "/datasets", {"name": "Bobs-2"}) == {"dataset": "Bobs-2"}
    assert "Bobs-2" in api.alice.ok("GET", "/datasets")


@pytest.mark.parametrize("name", ["", "-a", "a/b", "a b", "..", "%2e", "ä", "a" * 101, "\ud800"])
def test_a_name_that_cannot_be_is_refused(api: Api, name: str) -> None:
    api.alice.refused(400, "POST", "/datasets", {"name": name})


def test_a_dataset_that_exists_is_refused(api: Api) -> None:
    assert "cells" in api.bob.refused(400, "POST", "/datasets", {"name": "cells"})


@pytest.mark.parametrize("body", [None, [], "x", 5, {}, {"name": 5}, {"name": None}, {"name": ["a"]}])
def test_a_body_of_another_form_is_refused(api: Api, body: object) -> None:
    api.alice.refused(400, "POST", "/datasets", data=repr(body), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("path", ["/datasets/%2e%2e/objects", "/datasets/nothing/objects", "/datasets/%2e/owners"])
def test_a_dataset_that_is_not_here_is_not_found(api: Api, path: str) -> None:
    assert api.alice.call("GET", path).status_code == 404


def test_a_request_without_a_key_or_with_a_wrong_one_is_refused(api: Api) -> None:
    api.nobody.refused(400, "GET", "/datasets")
    api.nobody.refused(400, "GET", "/datasets", headers={"x-api-key": ""})
    api.nobody.refused(401, "GET", "/datasets", headers={"x-api-key": "gk_" + "a" * 32})


def test_the_content_type_is_looked_at_before_the_key(api: Api) -> None:
    error = api.nobody.refused(400, "POST", "/datasets", data="{}", headers={"Content-Type": "text/plain"})
    assert "Content-Type" in error


def test_a_content_type_may_have_parameters(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert api.alice.call("POST", "/datasets", data='{"name":"two"}', headers=headers).status_code == 200


def test_an_unknown_path_or_method_is_told(api: Api) -> None:
    assert "NotFound" in api.alice.refused(404, "GET", "/nothing")
    assert "MethodNotAllowed" in api.alice.refused(405, "PATCH", "/datasets")
    assert api.nobody.call("OPTIONS", "/datasets").status_code == 200
    assert api.alice.call("HEAD", "/datasets").status_code == 200
