"""gonk dataset create, list, show."""

from __future__ import annotations

import pytest

from kit.command_line import Gonk


def test_a_dataset_is_founded_with_its_maker_as_root_owner(gonk: Gonk) -> None:
    words = ("--description", "Blood cells", "--approvals", "2", "--private")
    made = gonk.json("dataset", "create", "blood", *words)
    shown = gonk.json("dataset", "show", "blood")
    assert shown["id"] == made["id"]
    assert (shown["description"], shown["approvals"], shown["visibility"]) == ("Blood cells", 2, "private")
    assert shown["root"] == {"key": gonk.key(), "name": "Ada", "role": "owner"}
    assert "root owner" in gonk.ok("dataset", "show", "blood").out


def test_a_dataset_is_named_by_its_name_or_the_beginning_of_its_id(gonk: Gonk) -> None:
    found = gonk.json("dataset", "show", "cells")
    assert gonk.json("dataset", "show", found["id"][:10]) == found
    assert [each["name"] for each in gonk.json("dataset", "list")] == ["cells"]
    assert found["id"][:16] in gonk.ok("dataset", "list").out


@pytest.mark.parametrize("name", ["", "-cells", "two words", "../up", "käse", "a/b", "x" * 101, "cells\n"])
def test_a_name_that_cannot_be_a_datasets_is_refused(gonk: Gonk, name: str) -> None:
    result = gonk.run("dataset", "create", "--", name)
    assert result.code == 2
    assert "cannot be a dataset's name" in result.err
    assert len(gonk.json("dataset", "list")) == 1


def test_a_name_that_is_taken_is_refused_and_no_folder_is_left(gonk: Gonk) -> None:
    result = gonk.refused("dataset", "create", "cells")
    assert "on this node already" in result.err
    assert len(list((gonk.home / "datasets").iterdir())) == 1


def test_a_description_that_is_too_long_is_refused(gonk: Gonk) -> None:
    gonk.refused("dataset", "create", "blood", "--description", "x" * 5000, code=2)
    assert len(gonk.json("dataset", "list")) == 1


def test_a_dataset_that_is_not_here_is_named_with_one_that_is_near(gonk: Gonk) -> None:
    assert "did you mean cells?" in gonk.refused("status", "cell").err
    assert "gonk dataset list" in gonk.refused("status", "qqqqqq").err


def test_a_dataset_whose_log_is_gone_is_told_and_hides_no_other(gonk: Gonk) -> None:
    gonk.ok("dataset", "create", "blood")
    folder = gonk.json("dataset", "show", "blood")["folder"]
    (gonk.home / "datasets" / folder.rsplit("/", 1)[1] / "log" / "data.mdb").unlink()
    listed = {each["name"]: each["problem"] for each in gonk.json("dataset", "list")}
    assert listed["cells"] is None
    assert listed["blood"]["code"] == "damaged-store"
    result = gonk.run("status", "blood")
    assert result.code == 4
    assert "the log of this dataset is missing" in result.err
    assert [each["name"] for each in gonk.json("status") if "error" not in each] == ["cells"]


def test_a_lost_dataset_json_costs_the_name_only(gonk: Gonk) -> None:
    found = gonk.json("dataset", "show", "cells")
    (gonk.home / "datasets" / found["id"] / "dataset.json").unlink()
    assert gonk.run("status", "cells").code == 1
    assert gonk.json("status", found["id"][:12])["id"] == found["id"]
    assert "dataset.json" in gonk.json("dataset", "list")[0]["problem"]["where"]
