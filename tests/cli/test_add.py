"""gonk add: files become objects; what cannot is told, and the rest goes on."""

from __future__ import annotations

import hashlib
import os
import shlex

import pytest

from kit.command_line import Gonk


def test_a_file_becomes_a_pending_object_with_its_bytes_kept(gonk: Gonk) -> None:
    data = b"\x89PNG\r\n\x1a\n and so on"
    added = gonk.add("a.bin", data)
    assert added["media_type"] == "image/png"  # of the bytes, not the name
    assert added["sha256"] == hashlib.sha256(data).hexdigest()
    shown = gonk.json("show", "cells", added["uuid"])
    assert shown["content_here"] is True
    assert (shown["versions"][0]["name"], shown["versions"][0]["status"]) == ("a.bin", ["pending"])
    assert shown["versions"][0]["event"] == added["event"]


def test_an_empty_file_and_one_of_several_chunks_are_taken(gonk: Gonk) -> None:
    large = os.urandom(3 << 20)
    files = [gonk.file("empty", b""), gonk.file("large", large)]
    assert [each["size"] for each in gonk.json("add", "cells", *files)["added"]] == [0, 3 << 20]
    gonk.ok("show", "cells", "large", "--save", gonk.files / "copy")
    assert (gonk.files / "copy").read_bytes() == large


def test_a_successful_add_says_what_comes_next(gonk: Gonk) -> None:
    result = gonk.ok("add", "cells", gonk.file("a.png", "x"), gonk.file("b.png", "y"))
    assert "  next: gonk review cells accept --all" in result.err
    assert len(result.out.splitlines()) == 2


def test_an_object_that_exists_is_refused_and_named(gonk: Gonk) -> None:
    added = gonk.add("a.png", b"pixels")
    result = gonk.refused("add", "cells", gonk.file("b.png", b"pixels"))
    assert "is here already, as 'a.png' (pending)" in result.err
    assert added["uuid"] in result.err


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_content_that_was_decided_on_is_refused_too(gonk: Gonk, decision: str) -> None:
    gonk.add("a.png", b"pixels")
    gonk.ok("review", "cells", decision, "--all")
    gonk.refused("add", "cells", gonk.file("b.png", b"pixels"))


def test_content_that_another_object_was_updated_to_is_refused(gonk: Gonk) -> None:
    gonk.add("a.png", b"one")
    gonk.ok("update", "cells", "a.png", gonk.file("new", b"two"))
    assert "as 'a.png'" in gonk.refused("add", "cells", gonk.file("b.png", b"two")).err


def test_a_new_id_makes_a_second_object_of_the_same_content(gonk: Gonk) -> None:
    first = gonk.add("a.png", b"pixels")
    second = gonk.json("add", "cells", gonk.file("b.png", b"pixels"), "--new-id")["added"][0]
    assert first["uuid"] != second["uuid"]
    assert first["content_id"] == second["content_id"]


def test_of_many_files_those_that_can_be_added_are(gonk: Gonk) -> None:
    gonk.add("a.png", b"pixels")
    good, twice = gonk.file("b.png", b"new"), gonk.file("c.png", b"new")
    again, missing = gonk.files / "a.png", gonk.files / "missing.png"
    result = gonk.run("add", "cells", again, good, twice, missing, gonk.files, "--json")
    assert result.code == 6
    assert [each["name"] for each in result.json()["added"]] == ["b.png"]
    reasons = {each["name"]: each["error"]["code"] for each in result.json()["refused"]}
    folder = gonk.files.name
    assert reasons == {"a.png": "exists", "c.png": "exists", "missing.png": "input-file", folder: "input-file"}
    result = gonk.run("add", "cells", again, good, missing)
    assert result.code == 1
    assert "left out 3 files" in result.err


def test_a_name_that_begins_with_schema_is_refused(gonk: Gonk) -> None:
    assert "must not begin with 'schema-'" in gonk.refused("add", "cells", gonk.file("schema-x", "x"), code=2).err
    gonk.refused("add", "cells", gonk.file("x", "x"), "--name", "schema-x", code=2)
    gonk.ok("add", "cells", gonk.files / "schema-x", "--name", "x-schema-x")


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\u202eb", "a\nb", "x" * 1025])
def test_a_name_that_could_deceive_or_is_too_long_is_refused(gonk: Gonk, name: str) -> None:
    result = gonk.refused("add", "cells", gonk.file("x", "x"), "--name", name, code=2)
    assert "\x1b" not in result.err
    assert "\u202e" not in result.err


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "unreadable"])
def test_what_cannot_be_read_is_named(gonk: Gonk, kind: str) -> None:
    path = gonk.files / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
        path.write_bytes(b"x")
        path.chmod(0)
    told = gonk.refused("add", "cells", path).err
    assert str(path) in told
    assert kind != "folder" or f"next: give the files in it: {shlex.quote(str(path))}/*" in told  # it has a blank


def test_one_name_fits_one_file(gonk: Gonk) -> None:
    gonk.refused("add", "cells", gonk.file("a", "a"), gonk.file("b", "b"), "--name", "c", code=2)


def test_more_files_than_fit_one_entry_are_added_in_several(gonk: Gonk) -> None:
    files = [gonk.file(f"{number}.txt", str(number)) for number in range(1003)]
    before = gonk.state()[1]
    assert len(gonk.json("add", "cells", *files)["added"]) == 1003
    assert gonk.state()[1] == before + 2
