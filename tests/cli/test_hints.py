"""What gonk says to do next can be typed as it stands: the dataset is named in it."""

from __future__ import annotations

import sqlite3

import pytest

from gonk_node.home import Home
from kit.command_line import Gonk, exchange

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("command", "code", "hint"),
    [
        (["annotate", "cells", "nothing.png", "bounding-box", "-"], 1, "gonk list cells objects shows all"),
        (["annotate", "cells", "a.png", "polygon", "-"], 1, "gonk schema list cells shows all"),
        (["review", "cells", "accept", NOBODY], 1, "gonk review cells list shows those that wait"),
        (["review", "cells", "accept"], 2, "gonk review cells list"),
    ],
)
def test_the_dataset_is_named(gonk: Gonk, command: list[str], code: int, hint: str) -> None:
    gonk.add()
    gonk.ok("schema", "add", "cells", "bounding-box")
    gonk.accept_all()
    assert gonk.refused(*command, code=code, stdin="{}").err.splitlines()[-1] == f"  next: {hint}"


def test_it_is_named_as_it_is_called_here_however_it_was_given(gonk: Gonk) -> None:
    dataset = gonk.json("dataset", "list")[0]["id"]
    result = gonk.run("review", dataset[:12], "accept", NOBODY, "--json")
    assert result.error()["hint"] == "gonk review cells list shows those that wait"


def test_a_body_that_does_not_fit_names_the_schema_to_look_at(gonk: Gonk) -> None:
    gonk.add()
    gonk.ok("schema", "add", "cells", "bounding-box")
    result = gonk.refused("annotate", "cells", "a.png", "bounding-box", "-", stdin="{}")
    assert "next: gonk show cells " in result.err


def test_a_stranger_is_told_what_an_owner_can_type_whatever_the_dataset_is_called_there(
    gonk: Gonk, stranger: Gonk
) -> None:
    gonk.add()
    exchange(gonk, stranger)
    hint = stranger.refused("review", "cells", "accept", "--all").err.splitlines()[-1].split("gonk ", 1)[1]
    gonk.ok(*hint.split())
    assert [each["key"] for each in gonk.json("reviewer", "list", "cells")] == [stranger.key()]


def _damage(gonk: Gonk, table: str) -> None:
    """Overwrite a table's first page in the State."""
    path = next(Home(gonk.home).dataset(each).state_db for each in Home(gonk.home).dataset_ids())
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def test_status_of_a_damaged_state_says_how_to_make_it_anew(gonk: Gonk) -> None:
    gonk.add()
    before = gonk.state()
    _damage(gonk, "conflicts")
    result = gonk.run("status", "cells")
    assert result.code == 4
    command = "gonk rebuild cells"
    assert result.err.splitlines()[-1] == f"  next: {command} makes it anew"
    assert gonk.json("status")[0]["error"]["hint"] == f"{command} makes it anew"
    assert gonk.ok("status").err.splitlines()[-1] == f"  next: {command} makes it anew"
    gonk.ok(*command.split()[1:])
    assert gonk.json("status", "cells")["conflicts"] == 0
    assert gonk.state() == before
