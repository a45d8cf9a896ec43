"""CSV of labels: cells that no spreadsheet evaluates, rows, and rows that are none."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats import csv_labels
from gonk_node.formats.csv_cells import read_cell, write_cell
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, Record
from gonk_node.state.strict_json import Problem
from kit import formats


def rows(folder: Path, text: str | bytes) -> list[Record]:
    (folder / "images").mkdir(exist_ok=True)
    for name in "abc":
        (folder / f"images/{name}.png").write_bytes(formats.png(salt=name.encode()))
    (folder / "annotations.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return formats.read("csv", folder, folder / "images")


def bodies(records: list[Record]) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in records if isinstance(each, ImportedAnnotation)]


def problems(records: list[Record]) -> list[tuple[str, str]]:
    return [(each.place.rpartition(": ")[2], each.what) for each in records if isinstance(each, Problem)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'", "''", "'="])
def test_no_cell_begins_as_a_formula_does_and_all_are_read_back(start: str) -> None:
    text = start + 'cmd|" /C calc"!A0'
    assert write_cell(text) == "'" + text
    assert read_cell(write_cell(text)) == text


@pytest.mark.parametrize("text", ["", "a=1", "1-2", " =1", "it's", "a'"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert write_cell(text) == read_cell(text) == text


def test_a_quote_that_others_wrote_stays() -> None:
    assert read_cell("'hello'") == "'hello'"


def test_the_file_is_what_is_documented(tmp_path: Path) -> None:
    one = formats.sample(
        "-x/a.png",
        [
            ("classification", {"label": "=1+1", "score": 0.5, "attributes": {"csv": {"@who": 'a "b", c'}}}),
            ("classification", {"labels": ["x", "y"], "scores": [1, 0.25]}),
            ("classification", {"labels": ["z"]}),
        ],
    )
    loss = formats.export([one, formats.sample("b.txt", [], uuid=bytes([255] * 16))], "csv", tmp_path / "out")
    assert (tmp_path / "out/annotations.csv").read_bytes().decode() == (
        "file_name,label,score,annotation,'@who\r\n"
        '\'-x/a.png,\'=1+1,0.5,,"a ""b"", c"\r\n'
        "'-x/a.png,x,1,1,\r\n"
        "'-x/a.png,y,0.25,1,\r\n"
        "'-x/a.png,z,,2,\r\n"
        "b.txt,,,,\r\n"
    )
    assert not loss
    assert sorted(formats.files(tmp_path / "out")) == ["annotations.csv", "images/-x/a.png", "images/b.txt"]


def test_what_is_lost_on_the_way_out_is_told(tmp_path: Path) -> None:
    one = formats.sample(
        "a.png",
        [
            ("classification", {"labels": ["x", "y"], "scores": [1], "source": {"format": "x"}}),
            ("classification", {"label": "x", "attributes": {"csv": {"n": 1}, "coco": {}}}),
            ("caption", {"text": "x"}),
            ("classification", {"label": 7}),
        ],
    )
    loss = formats.export([one], "csv", tmp_path / "out")
    assert [kind.what for kind in loss.kinds()] == [
        "annotations of caption",
        "attributes of CSV that are no texts, or more than 256 columns",
        "scores that are not as many as the labels",
        "the attribute 'coco' of annotations",
        "the source of annotations",
    ]
    assert loss.problem_count == 1


def test_rows_become_annotations(tmp_path: Path) -> None:
    records = rows(
        tmp_path,
        "﻿label,file_name,split,score,annotation\n"
        "cat,a.png,train,0.5,\n"
        '"d,""og",a.png,,,\n'
        "x,b.png,val,,1\n"
        "y,b.png,test,,1\n"
        "\n"
        ",c.png,,,\n",
    )
    assert bodies(records) == [
        {"label": "cat", "score": 0.5, "attributes": {"csv": {"split": "train"}}},
        {"label": 'd,"og'},
        {"labels": ["x", "y"], "attributes": {"csv": {"split": "val"}}},
    ]
    assert [each.name for each in records if isinstance(each, ImportedImage)] == ["a.png", "b.png", "c.png"]
    assert [each.what for each in records if isinstance(each, NotCarried)] == [
        "other columns of the further labels of a list"
    ]
    assert problems(records) == []


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("a.png,x", "has 2 cells"),
        ("a.png,x,1,,", "has 5 cells"),
        ("a.png,,0.5,", "no label"),
        ("a.png,x,high,", "no number from 0 to 1"),
        ("a.png,x,nan,", "no number from 0 to 1"),
        ("a.png,x,2,", "no number from 0 to 1"),
        (f"a.png,{'x' * 300},,", "makes no classification"),
        ("a.png,x,0.5,1\na.png,y,,1", "all have a score"),
        ("none.png,x,,", "missing"),
        ("../annotations.csv,x,,", "leads out"),
        (",x,,", "no text"),
        ('a.png,"x"y,,', "is no CSV"),
    ],
)
def test_a_bad_row_is_a_problem_at_its_line_and_the_rest_is_read(tmp_path: Path, row: str, what: str) -> None:
    records = rows(tmp_path, f"file_name,label,score,annotation\nb.png,1,,\n{row}\nc.png,2,,\n")
    assert bodies(records) == [{"label": "1"}, {"label": "2"}]
    [(place, said)] = problems(records)
    assert place == "line 3"
    assert what in said


def test_every_row_of_an_image_that_is_missing_is_told(tmp_path: Path) -> None:
    records = rows(tmp_path, "file_name,label\nnone.png,1\na.png,2\nnone.png,3\n")
    assert [place for place, _ in problems(records)] == ["line 2", "line 4"]


@pytest.mark.parametrize("text", ["", "a,b\n", "label\nx\n", "file_name,label,label\n", b"file_name,label\n\xff\n"])
def test_what_is_none_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(InputFileError):
        rows(tmp_path, text)


def test_long_lines_and_many_columns_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_labels, "CSV_LINE_CHARS_MAX", 100)
    with pytest.raises(InputFileError, match="more than 100 characters"):
        rows(tmp_path, "file_name,label\na.png," + "x" * 100)
    monkeypatch.setattr(csv_labels, "CSV_COLUMNS_MAX", 2)
    with pytest.raises(InputFileError, match="more than 2 columns"):
        rows(tmp_path, "file_name,label,more\n")


def test_a_quote_that_is_left_open_is_a_problem_where_its_row_begins(tmp_path: Path) -> None:
    records = rows(tmp_path, 'file_name,label\na.png,1\na.png,"2\nb.png,3\n')
    assert bodies(records) == [{"label": "1"}]
    [(place, what)] = problems(records)
    assert place == "line 3"
    assert "unexpected end" in what


def test_a_row_of_several_lines_is_told_where_it_begins(tmp_path: Path) -> None:
    records = rows(tmp_path, 'file_name,label,note\na.png,1,"x\ny"\nb.png,,"x\ny\nz"\nnone.png,2,"x\ny"\n')
    assert [place for place, _ in problems(records)] == ["line 4", "line 7"]


@pytest.mark.parametrize("note", ["y" * 200_000, "b.png,no row,\n" * 20_000])
def test_long_cells_come_back_and_what_is_in_them_is_no_row(tmp_path: Path, note: str) -> None:
    body = {"label": "cat", "attributes": {"csv": {"note": note}}}
    formats.export([formats.sample("a.png", [("classification", body)])], "csv", tmp_path / "out")
    limit = csv.field_size_limit()
    records = formats.read("csv", tmp_path / "out", tmp_path / "out/images")
    assert bodies(records) == [body]
    assert problems(records) == []
    assert csv.field_size_limit() == limit  # it is one for the whole process


def test_a_cell_without_an_end_is_refused_and_not_read_on_in_its_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_labels, "CSV_LINE_CHARS_MAX", 100)
    text = 'file_name,label\na.png,1\na.png,"' + "b.png,2\n" * 20 + '"\n'
    with pytest.raises(InputFileError, match="line 3: has a cell of more than 100 characters"):
        rows(tmp_path, text)


def test_equal_rows_have_keys_of_their_own_and_keep_them(tmp_path: Path) -> None:
    text = "file_name,label\na.png,1\na.png,1\nb.png,1\n"
    once, again = (
        [each.key for each in rows(tmp_path, text) if isinstance(each, ImportedAnnotation)] for _ in range(2)
    )
    assert once == again
    assert len(set(once)) == 3


def test_python_reads_what_is_written(tmp_path: Path) -> None:
    formats.export([formats.sample("a.png", [("classification", {"label": "x\r\ny,"})])], "csv", tmp_path / "out")
    with (tmp_path / "out/annotations.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"file_name": "a.png", "label": "x\r\ny,", "score": "", "annotation": ""}]
