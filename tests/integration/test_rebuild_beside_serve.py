"""`gonk rebuild` beside a running `gonk serve`: the server goes on, and both have the same State afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.command_line import Gonk
from kit.processes import PATIENCE_SECONDS, digest, person, serving, start, status, sync, until

pytestmark = pytest.mark.processes


@pytest.fixture
def owner(tmp_path: Path) -> Gonk:
    gonk = Gonk(tmp_path, "owner").with_dataset()
    for name in "abc":
        gonk.add(f"{name}.png", f"pixels of {name}".encode())
    gonk.accept_all()
    return gonk


def test_the_server_goes_on_and_both_end_with_the_same_state(owner: Gonk) -> None:
    before = digest(owner)
    with serving(owner) as server:
        annotator = person(owner.home.parent, "annotator")
        annotator.ok("clone", server.link)
        with serving(annotator) as other:
            until(lambda: "in sync" in other.log, "the two are connected", server, other)
            assert owner.json("rebuild", "cells")["state_digest"] == before
            assert digest(owner) == before

            rebuilds = [start(owner, "rebuild", "cells", log=owner.files / "rebuild.log") for _ in range(3)]
            annotator.annotate("a.png")
            assert [each.wait(PATIENCE_SECONDS) for each in rebuilds] == [0] * 3
            for each in rebuilds:
                assert each.stdout is not None
                each.stdout.close()

            until(lambda: _agree(owner, annotator), "the annotation gets there", server, other)
            owner.ok("review", "cells", "accept", "--all", "--author", annotator.key())
            until(lambda: digest(owner) == digest(annotator) != before, "the decision is in both", server, other)
            assert server.is_up and other.is_up
        assert "another State" not in server.log + other.log
        _assert_the_server_has_it_too(annotator, server.link)
    assert owner.json("fsck")["problems"] == []


def _agree(*people: Gonk) -> bool:
    return len({status(each)["heads_digest"] for each in people}) == 1


def _assert_the_server_has_it_too(annotator: Gonk, link: str) -> None:
    """What the server makes of the log in its own memory is compared with the annotator's by a session of the two."""
    outcome = sync(annotator, link)
    assert outcome["error"] is None
    assert outcome["same_state"] is True
