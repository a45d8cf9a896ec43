"""The HTTP API in tests: a served node and its users, each with a plain `requests` client."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from kit.command_line import BOX, Gonk
from kit.processes import Serving, serving

SECONDS_MAX = 60
BOX_SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["label", "x", "y", "w", "h"],
    "properties": {"label": {"type": "string"}} | {key: {"type": "number"} for key in "xywh"},
}


class Client:
    """One user of a served node. Paths begin with a slash, or are relative to the dataset `cells`."""

    def __init__(self, url: str, key: str | None, name: str) -> None:
        self.url = url
        self.name = name
        self.session = requests.Session()
        if key is not None:
            self.session.headers["x-api-key"] = key
        self.key = key
        self._counter = itertools.count()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request; never redirected."""
        whole = path if path.startswith("/") else f"/datasets/cells/{path}"
        return self.session.request(method, self.url + whole, timeout=SECONDS_MAX, allow_redirects=False, **options)

    def ok(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """A request that must succeed; its JSON."""
        if body is not None:
            options["json"] = body
        answer = self.call(method, path, **options)
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        assert answer.headers["Content-Type"].split(";")[0] == "application/json"
        return answer.json()

    def refused(self, status: int, method: str, path: str, body: object = None, **options: Any) -> Any:
        """A request that must be refused with that status, in Gonk's shape; the error."""
        if body is not None:
            options["json"] = body
        answer = self.call(method, path, **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        error = answer.json()["error"]
        if isinstance(error, dict):
            assert len(error) == 1
        else:
            assert isinstance(error, str)
        return error

    # --- what many tests begin with -------------------------------------------------------------------------

    def new_object(self, data: bytes | None = None, name: str = "a.png", mimetype: str = "image/png") -> dict[str, Any]:
        """Propose an object; its identifier."""
        if data is None:
            data = f"{self.name} {next(self._counter)}".encode()
        body = {"name": name, "object": b64(data), "mimetype": mimetype}
        found: dict[str, Any] = self.ok("POST", "objects", body)
        return found

    def new_schema(self, name: str = "schema-box", document: object = None) -> dict[str, Any]:
        """Propose a schema; its info."""
        text = json.dumps(BOX_SCHEMA if document is None else document)
        found: dict[str, Any] = self.ok("POST", "schemas", {"name": name, "schema": b64(text)})
        return found

    def new_annotation(
        self, *objects: dict[str, Any], body: object = None, schema: str = "schema-box"
    ) -> dict[str, Any]:
        """Propose an annotation; its identifier."""
        found: dict[str, Any] = self.ok(
            "POST",
            "annotations",
            {
                "annotation": b64(json.dumps(BOX if body is None else body)),
                "schema": {"name": schema, "version": 0},
                "object_identifiers": list(objects),
            },
        )
        return found

    def events_of(self, path: str) -> list[dict[str, Any]]:
        """The events in the detail of something."""
        found: list[dict[str, Any]] = self.ok("GET", path)["events"]
        return found

    def accept(self, path: str) -> str:
        """Accept the first pending event of something, such as `objects/UUID/0`; the event's uuid."""
        event: str = next(each["uuid"] for each in self.events_of(path) if each["review"] == "PENDING")
        self.ok("PUT", f"events/{event}/accept")
        return event


class Api:
    """A served node with the dataset `cells`.

    Attributes:
        alice: its root owner.
        bob: a user without a role.
        nobody: no key.
    """

    def __init__(self, gonk: Gonk, server: Serving, keys: dict[str, str]) -> None:
        self.gonk = gonk
        self.server = server
        self.url = server.url
        self.keys = keys
        self.alice = self.client("alice")
        self.bob = self.client("bob")
        self.nobody = Client(server.url, None, "nobody")

    def client(self, name: str) -> Client:
        """A new client of a user."""
        return Client(self.url, self.keys[name], name)

    def add_user(self, name: str) -> Client:
        """A further user."""
        self.keys[name] = new_user(self.gonk, name)
        return self.client(name)


def new_user(gonk: Gonk, name: str) -> str:
    """Make a user; the API key."""
    printed = gonk.ok("users", "add", name).out
    return next(line.removeprefix("KEY: ") for line in printed.splitlines() if line.startswith("KEY: "))


@contextmanager
def served_api(folder: Path, dataset: str | None = "cells", **environ: str) -> Iterator[Api]:
    """Make a node, users and a dataset of Alice's, and serve it."""
    gonk = Gonk(folder)
    gonk.ok("init", "--name", "Node")
    keys = {name: new_user(gonk, name) for name in ("alice", "bob")}
    with serving(gonk, **environ) as server:
        api = Api(gonk, server, keys)
        if dataset is not None:
            api.alice.ok("POST", "/datasets", {"name": dataset})
        yield api


def b64(data: bytes | str) -> str:
    """Base64, as text."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
