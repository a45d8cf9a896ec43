"""Compiled schemas: shared by all who ask, and so many at most, since strangers may propose as many as they like."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.errors import NonconformingError
from gonk_node.replica.reading import bodies
from gonk_node.replica.reading.bodies import Bodies
from gonk_node.replica.signing.proposing import Proposer
from kit.history import schema_create
from kit.local_replica import author, furnish, make


def test_the_oldest_give_way_and_are_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[bytes] = []
    compile_schema = bodies.compile_schema
    monkeypatch.setattr(bodies, "SCHEMAS_COMPILED_MAX", 2)
    monkeypatch.setattr(bodies, "compile_schema", lambda body: compiled.append(body) or compile_schema(body))
    replica = make(tmp_path)
    furnish(replica)
    owner = author(replica, "owner")
    types = ("array", "string", "null")
    owner.sign([schema_create(f"schema-{each}", b'{"type": "%s"}' % each.encode()) for each in types])
    shared = Bodies(owner.queries)
    people = [Proposer(author(replica, name), shared) for name in ("ann", "ben")]
    for name, body in (("array", b"[]"), ("string", b'""'), ("array", b"[]"), ("null", b"null"), ("array", b"[]")):
        for proposer in people:
            proposer.bodies.check(proposer.usable_schema(name), body)
            with pytest.raises(NonconformingError):
                proposer.bodies.check(proposer.usable_schema(name), b"{}")
    assert [body.split(b'"')[3].decode() for body in compiled] == ["array", "string", "null", "array"]
    replica.close()
