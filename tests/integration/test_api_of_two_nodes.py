"""What is written through the HTTP API of one node is answered by that of another after a sync, and means the same there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kit.command_line import BOX
from kit.http_api import Client, new_user, served_api
from kit.processes import person, serving, until

pytestmark = pytest.mark.processes


def everything(client: Client) -> dict[str, Any]:
    """All that the API tells of `cells`, but for names of local users and the order of arrival."""
    found: dict[str, Any] = {}
    for info in client.ok("GET", "objects?limit=1000"):
        for version in range(info["versions"]):
            path = f"objects/{info['uuid']}/{version}"
            found[path] = client.ok("GET", path)
    for info in client.ok("GET", "annotations?limit=1000"):
        for version in range(info["versions"]):
            path = f"annotations/{info['uuid']}/{version}"
            found[path] = client.ok("GET", path)
    for info in client.ok("GET", "schemas"):
        for version in range(info["versions"]):
            path = f"schemas/{info['name']}/{version}"
            found[path] = client.ok("GET", path)
    for kind in ("objects", "annotations"):
        for status in ("accepted", "pending", "deleted", "rejected"):
            rows = client.ok("GET", f"{kind}/{status}?limit=1000")
            found[f"{kind} {status}"] = sorted((row["uuid"], row["version"]) for row in rows)
    keep = ("uuid", "timestamp", "integrity", "type")
    found["events"] = sorted(tuple(each[key] for key in keep) for each in client.ok("GET", "events?limit=1000"))
    for value in found.values():
        if isinstance(value, dict):
            value["events"].sort(key=lambda each: each["uuid"])
            for rows in (value.get("annotations", []), value.get("objects", [])):
                rows.sort(key=lambda each: each["uuid"])
    return found


def digest(client: Client) -> str:
    return str(client.ok("GET", "status")["state_digest"])


def test_two_nodes_answer_alike_and_a_stranger_waits_for_an_owner(tmp_path: Path) -> None:
    with served_api(tmp_path / "one", GONK_CONTENT_POLICY="all") as one:
        alice = one.alice
        alice.new_schema()
        first, second = alice.new_object(b"first"), alice.new_object(b"second")
        box = alice.new_annotation(first, second)
        alice.accept("schemas/schema-box/0")
        alice.accept(f"objects/{first['uuid']}/0")
        other = person(tmp_path / "two", "Node")
        link = one.gonk.ok("share", "cells").out.split()[0].replace(":7475/", f":{one.server.port}/")
        other.ok("clone", link)
        bea_key = new_user(other, "bea")
        with serving(other, GONK_CONTENT_POLICY="all") as server:
            bea = Client(server.url, bea_key, "bea")
            until(lambda: everything(bea) == everything(alice), "equal answers", server)

            proposed = bea.new_object(b"of a stranger")
            note = bea.new_annotation(first, body={**BOX, "label": "bea"})
            bea.refused(403, "PUT", f"events/{bea.events_of('objects/' + proposed['uuid'] + '/0')[0]['uuid']}/accept")

            def has_come() -> bool:
                return note["uuid"] in {each["uuid"] for each in alice.ok("GET", "annotations/pending")}

            until(has_come, "the stranger's proposals", server, one.server)
            assert proposed["uuid"] in {each["uuid"] for each in alice.ok("GET", "objects/pending")}
            assert digest(alice) == digest(bea)
            assert len(alice.ok("GET", "events?limit=1000")[-1]["author"]) == 64, "who is no user here is known by key"
            assert bea.ok("GET", "events?limit=1000")[-1]["author"] == "bea"

            path = f"objects/{proposed['uuid']}/0"
            until(lambda: alice.call("GET", path).status_code == 200, "the stranger's file", server, one.server)
            accepted = alice.accept(path)
            alice.accept(f"annotations/{box['uuid']}/0")

            def is_accepted() -> bool:
                return proposed["uuid"] in {each["uuid"] for each in bea.ok("GET", "objects/accepted")}

            until(is_accepted, "the acceptance", server, one.server)
            until(lambda: digest(alice) == digest(bea), "one State", server, one.server)
            assert {"uuid": accepted, "type": "ObjectCreateEvent", "review": "ACCEPTED"} in bea.events_of(path)
            until(lambda: everything(bea) == everything(alice), "equal answers", server, one.server)
