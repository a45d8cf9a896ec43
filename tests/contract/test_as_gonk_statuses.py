"""The nine sets that a version may have in Gonk, how each is come by, and in which lists it then shows.

Written from Gonk's contract alone, with plain requests; nothing here knows how the node is made.
"""

from __future__ import annotations

from uuid import uuid4

import pytest

from kit.http_api import Api, Client, b64

pytestmark = pytest.mark.processes

# what is done, in order; the lists that then have the version
SETS = {
    "accepted": (["accept create"], "accepted"),
    "create pending": ([], "pending"),
    "create rejected": (["reject create"], "rejected"),
    "accepted, delete pending": (["accept create", "delete"], "accepted pending"),
    "deleted": (["accept create", "delete", "accept delete"], "deleted"),
    "create and delete pending": (["delete"], "pending"),
    "create pending, deleted": (["delete", "accept delete"], "pending deleted"),
    "create rejected, delete pending": (["delete", "reject create"], "pending rejected"),
    "create rejected, deleted": (["delete", "accept delete", "reject create"], "deleted rejected"),
    # other ways to the same sets
    "deleted before the create was accepted": (["delete", "accept delete", "accept create"], "deleted"),
    "delete rejected": (["accept create", "delete", "reject delete"], "accepted"),
    "delete rejected, create pending": (["delete", "reject delete"], "pending"),
    "delete rejected, create rejected": (["delete", "reject create", "reject delete"], "rejected"),
    "delete accepted, create rejected": (["delete", "reject create", "accept delete"], "deleted rejected"),
    "deleted at the second request": (
        ["accept create", "delete", "reject delete", "delete", "accept delete"],
        "deleted",
    ),
}


def new(client: Client, what: str, version: int) -> str:
    """Make something with that many versions; its path."""
    name = f"schema-{uuid4()}"
    client.new_schema(name, {"title": name})
    schema = {"name": name, "version": 0}
    data = {"name": "a", "mimetype": "text/plain"}
    made = client.ok("POST", "objects", data | {"object": b64(uuid4().bytes)})
    body: dict[str, object] = {"annotation": b64("{}"), "schema": schema}
    hung = client.ok("POST", "annotations", body | {"object_identifiers": [made]})
    path = {"objects": made["uuid"], "annotations": hung["uuid"], "schemas": name}[what]
    for _ in range(version):
        if what == "objects":
            body = data | {"object": b64(uuid4().bytes)}
        elif what == "schemas":
            body = {"schema": b64(f'{{"title": "{uuid4()}"}}')}
        client.ok("PATCH", f"{what}/{path}", body)
    return f"{what}/{path}"


def bring(client: Client, path: str, step: str) -> None:
    """Ask for the deletion, or review the creation or the deletion."""
    if step == "delete":
        client.ok("DELETE", path)
        return
    decision, of = step.split()
    kinds = ("DeleteEvent",) if of == "delete" else ("CreateEvent", "UpdateEvent")
    waiting = [
        each["uuid"] for each in client.events_of(path) if each["review"] == "PENDING" and each["type"].endswith(kinds)
    ]
    assert len(waiting) == 1
    client.ok("PUT", f"events/{waiting[0]}/{decision}")


@pytest.mark.parametrize("what", ["objects", "annotations", "schemas"])
@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("case", SETS)
def test_a_version_shows_in_the_lists_of_its_set(api: Api, what: str, version: int, case: str) -> None:
    steps, lists = SETS[case]
    path = new(api.alice, what, version)
    for step in steps:
        bring(api.alice, f"{path}/{version}", step)
    gone = "deprecated" if what == "schemas" else "deleted"
    wanted = {gone if status == "deleted" else status for status in lists.split()}
    info = api.bob.ok("GET", path)
    row = {"uuid": info["uuid"], "version": version}
    if what == "schemas":
        row["name"] = info["name"]
    everything = ["accepted", "pending", gone, "rejected"]
    assert {each for each in everything if row in api.bob.ok("GET", f"{what}/{each}?limit=1000")} == wanted
    assert info["versions"] == version + 1
    assert api.bob.ok("GET", f"{path}/{version}")["bytes"]  # of any status
    if what == "schemas":
        for status in ("accepted", "pending", "deleted", "rejected"):
            assert info["uuid"] not in str(api.bob.ok("GET", f"objects/{status}?limit=1000"))
