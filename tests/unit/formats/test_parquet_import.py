"""Parquet files that are read: gonk's own come back whole, image datasets of Hugging Face as far as gonk has words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats.file_part import FilePart, read_part
from gonk_node.formats.label_set import Label
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.parquet import hugging_face
from gonk_node.formats.parquet import importer as parquet
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, Record
from gonk_node.state.strict_json import Problem
from kit import formats

pa = pytest.importorskip("pyarrow", reason="extra parquet")
pq = pytest.importorskip("pyarrow.parquet", reason="extra parquet")

PNG = formats.png()
FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
CLASSES = {"names": ["cat", "dog", ""], "_type": "ClassLabel"}


def images(records: list[Record]) -> dict[str, bytes]:
    found = {}
    for each in records:
        if isinstance(each, ImportedImage):
            assert isinstance(each.path, FilePart)
            found[each.object_name] = read_part(each.path)
    return found


def annotations(records: list[Record]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (each.image_name, each.schema, json.loads(each.body))
        for each in records
        if isinstance(each, ImportedAnnotation)
    ]


def told(records: list[Record]) -> list[str]:
    return [each.what for each in records if isinstance(each, Problem | NotCarried)]


# --- gonk's own -----------------------------------------------------------------------------------------------


def own(tmp_path: Path, *, images: bool = True) -> Path:
    """A file as gonk writes it."""
    samples = [
        formats.sample("a.png", [("mine", {"x": [1.5, None, "ä"]}), ("classification", {"label": "y"})]),
        formats.sample("a.png", [("caption", {"text": "z"})], data=PNG),
        formats.sample("notes.txt", [("caption", {"text": "about"})], data=b"text", media_type="text/plain"),
        formats.sample("b", [], data=b"", media_type="a/b"),
    ]
    labels = {"classification": {"y": Label("y", "Y", index=2)}}
    for name in ("jsonl", "parquet"):
        formats.export(samples, name, tmp_path / name, labels=labels, images=images)
    return tmp_path / "parquet/data-00000.parquet"


def shown(record: Record) -> object:
    """All but places, and names in the source, which say where something was."""
    if isinstance(record, ImportedImage):
        return record.object_name, record.media_type, record.path is None
    if isinstance(record, ImportedAnnotation):
        return record.schema, record.body, record.key, record.uuid, record.shipped
    if isinstance(record, ImportedLabels):
        return record.schema, record.labels
    return record.what if isinstance(record, NotCarried | Problem) else record


@pytest.mark.parametrize("with_images", [True, False])
def test_what_gonk_wrote_comes_back_as_from_jsonl(tmp_path: Path, with_images: bool) -> None:
    own(tmp_path, images=with_images)
    found = {name: formats.read(name, tmp_path / name) for name in ("jsonl", "parquet")}
    assert [shown(each) for each in found["parquet"]] == [shown(each) for each in found["jsonl"]]


def test_a_table_that_another_program_wrote_again_is_still_known(tmp_path: Path) -> None:
    table = pq.read_table(own(tmp_path))
    expected = [shown(each) for each in formats.read("parquet", tmp_path / "parquet")]
    kinds = [pa.large_string() if pa.types.is_string(kind) else kind for kind in table.schema.types]
    changed = table.cast(pa.schema(list(zip(table.schema.names, kinds, strict=True))))
    texts = changed.column("media_type").dictionary_encode()
    changed = changed.set_column(changed.schema.get_field_index("media_type"), "media_type", texts)
    changed = changed.append_column("mine", pa.array([1] * len(changed)))
    (tmp_path / "again").mkdir()
    pq.write_table(changed.replace_schema_metadata(None), tmp_path / "again/x.parquet", compression="gzip")
    records = formats.read("parquet", tmp_path / "again")
    assert told(records)[0] == "the column 'mine'"
    without_labels = [
        each for each in expected if not (isinstance(each, tuple) and each[0] == "classification" and len(each) == 2)
    ]
    assert [shown(each) for each in records][1:] == without_labels


def test_files_of_one_export_declare_their_labels_once(tmp_path: Path) -> None:
    first = own(tmp_path)
    (first.parent / "data-00001.parquet").write_bytes(first.read_bytes())
    records = formats.read("parquet", first.parent)
    assert sum(isinstance(each, ImportedLabels) for each in records) == 1
    assert len([each for each in records if isinstance(each, ImportedImage)]) == 8


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("sha256", "00" * 32, "another SHA-256"),
        ("name", "", "needs a name"),
        ("content", b"other", "another SHA-256"),
        ("annotations", [{"uuid": "", "schema": "", "body": "{}"}], "needs a schema and a body"),
        ("annotations", [{"uuid": "", "schema": "schema-x", "body": "{"}], "is not JSON"),
        ("annotations", [{"uuid": "", "schema": "schema-x", "body": '{"a":1,"a":2}'}], "twice"),
        ("annotations", [None], "is not JSON"),
    ],
)
def test_a_bad_row_is_a_problem_at_its_place_and_the_rest_is_read(
    tmp_path: Path, column: str, value: object, what: str
) -> None:
    table = pq.read_table(own(tmp_path))
    rows = table.to_pylist()
    rows[1] |= {column: value}
    nullable = pa.schema([field.with_nullable(True) for field in table.schema])
    pq.write_table(pa.Table.from_pylist(rows, nullable), tmp_path / "a.parquet")
    records = formats.read("parquet", tmp_path / "a.parquet")
    problems = [each for each in records if isinstance(each, Problem)]
    assert [what in each.what for each in problems] == [True]
    assert problems[0].place.startswith(f"{tmp_path}/a.parquet: row 2")
    left_out = column not in ("annotations",)
    assert sum(isinstance(each, ImportedImage) for each in records) == 4 - left_out


def test_an_object_with_annotations_without_end_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(tmp_path)
    monkeypatch.setattr(parquet, "PARQUET_ANNOTATIONS_BYTES_MAX", 450)  # two are 512 and some
    records = formats.read("parquet", tmp_path / "parquet")
    assert ["more than 450 bytes of annotations" in each for each in told(records)].count(True) == 1
    assert sum(isinstance(each, ImportedImage) for each in records) == 3


# --- Hugging Face -----------------------------------------------------------------------------------------------


def hf(path: Path, columns: dict[str, Any], features: dict[str, Any] | None = None) -> list[Record]:
    """All that is read of a table with those columns."""
    table = pa.table(columns)
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)
    return formats.read("parquet", path)


def files(*items: tuple[bytes | None, str | None]) -> Any:
    return pa.array([{"bytes": data, "path": path} for data, path in items], FILE)


def test_images_with_classes_and_captions_are_taken(tmp_path: Path) -> None:
    columns = {
        "image": files((PNG, "a.png"), (b"\xff\xd8\xff", None), (PNG + b"2", "/home/me/c.png")),
        "label": pa.array([1, 0, -1]),
        "text": ["Ein Hund.", None, "x"],
        "license": ["CC0", None, "MIT"],
        "score": [0.5, float("nan"), float("inf")],
        "objects": [[1], [2], []],
    }
    records = hf(tmp_path / "t.parquet", columns, {"label": CLASSES})
    assert images(records) == {"a.png": PNG, "t-000002.jpg": b"\xff\xd8\xff", "c.png": PNG + b"2"}
    of_label = {"column": "label"}
    kept = {"row": {"license": "CC0", "score": 0.5}}
    assert annotations(records) == [
        ("a.png", "classification", {"label": "dog", "attributes": {"parquet": of_label | {"class": 1} | kept}}),
        ("a.png", "caption", {"text": "Ein Hund.", "attributes": {"parquet": {"column": "text"}}}),
        ("t-000002.jpg", "classification", {"label": "cat", "attributes": {"parquet": of_label | {"class": 0}}}),
        ("c.png", "caption", {"text": "x", "attributes": {"parquet": {"column": "text", "row": {"license": "MIT"}}}}),
    ]
    [declared] = [each for each in records if isinstance(each, ImportedLabels)]
    assert [(each.id, each.attributes) for each in declared.labels] == [
        ("cat", {"parquet": {"column": "label", "class": 0}}),
        ("dog", {"parquet": {"column": "label", "class": 1}}),
    ]
    assert told(records) == ["the column 'objects'", "names of classes that no label can have"]


@pytest.mark.parametrize(
    "kind", [{"_type": "Sequence", "feature": CLASSES}, {"_type": "List", "feature": CLASSES}, [CLASSES]]
)
def test_lists_of_classes_are_labels_that_hold_at_once(tmp_path: Path, kind: Any) -> None:
    columns = {"image": files((PNG, "a.png"), (b"2", "b"), (b"3", "c")), "tags": pa.array([[1, 0], [], None])}
    [(_, schema, body)] = annotations(hf(tmp_path / "t.parquet", columns, {"tags": kind}))
    assert (schema, body["labels"]) == ("classification", ["dog", "cat"])
    assert body["attributes"]["parquet"] == {"column": "tags", "class": [1, 0]}


def test_lists_of_captions_are_a_caption_each(tmp_path: Path) -> None:
    columns = {"image": files((PNG, "a.png")), "caption": pa.array([["one", None, "", "two", "one"]])}
    records = hf(tmp_path / "t.parquet", columns)
    assert [body["text"] for _, _, body in annotations(records)] == ["one", "two", "one"]
    assert told(records) == ["texts that are empty"]


@pytest.mark.parametrize("values", [["cat", None], [3, None], pa.array(["cat", None]).dictionary_encode()])
def test_a_column_label_without_names_says_what_the_label_is(tmp_path: Path, values: Any) -> None:
    records = hf(tmp_path / "t.parquet", {"image": files((PNG, "a.png"), (b"", "b")), "label": values})
    assert [body["label"] for _, _, body in annotations(records)] in (["cat"], ["3"])


def test_sounds_are_objects_too_and_of_several_files_the_image(tmp_path: Path) -> None:
    records = hf(tmp_path / "t.parquet", {"audio": files((b"RIFF", "a.wav"))})
    assert images(records) == {"a.wav": b"RIFF"}
    both = {"mask": files((b"m", "m.png")), "image": files((PNG, "a.png"))}
    records = hf(tmp_path / "t.parquet", both)
    assert images(records) == {"a.png": PNG}
    assert told(records) == ["the column 'mask'"]


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"a": [1], "b": ["x"]}, "neither gonk's columns nor one column of files .* but 'a', 'b'"),
        ({"image": [PNG]}, "neither gonk's columns"),
        ({"left": files((b"", "")), "right": files((b"", ""))}, "several columns of files"),
    ],
)
def test_any_other_table_is_refused_with_what_it_has(tmp_path: Path, columns: dict[str, Any], what: str) -> None:
    with pytest.raises(InputFileError, match=what):
        hf(tmp_path / "t.parquet", columns)
    assert ["what follows there is left out" in each for each in told(formats.read("parquet", tmp_path))] == [True]


@pytest.mark.parametrize(
    ("image", "label", "what"),
    [
        ((None, "/data/a.png"), 0, "has no bytes"),
        ((PNG, "a\nb.png"), 0, "control characters"),
        ((PNG, ".."), 0, "leads out"),
        ((PNG, "schema-a"), 0, "kept for schemas"),
        ((PNG, "a.png"), 7, "there is no class 7"),
        ((PNG, "a.png"), -2, "there is no class -2"),
        ((PNG, "a.png"), 2, "makes no classification"),
    ],
)
def test_a_bad_row_of_others_is_a_problem_too(
    tmp_path: Path, image: tuple[bytes | None, str], label: int, what: str
) -> None:
    columns = {"image": files(image, (b"2", "b.png")), "label": pa.array([label, 1])}
    records = hf(tmp_path / "t.parquet", columns, {"label": CLASSES})
    assert "b.png" in images(records)
    assert [what in each for each in told(records) if "no label can have" not in each] == [True]
    assert [name for name, _, _ in annotations(records)] == ["b.png"]


def test_what_is_too_long_to_be_kept_is_told(tmp_path: Path) -> None:
    columns = {"image": files((PNG, "a.png"), (b"2", "b")), "text": ["x", None], "more": ["y" * 20_000, "z"]}
    records = hf(tmp_path / "t.parquet", columns)
    assert [body["attributes"] for _, _, body in annotations(records)] == [{"parquet": {"column": "text"}}]
    assert ["too long, or without" in each for each in told(records)] == [True, True]


def test_annotations_are_the_same_wherever_their_row_is(tmp_path: Path) -> None:
    def keys(*names: str | None) -> list[bytes]:
        columns = {
            "image": files(*((name.encode() if name else PNG, name) for name in names)),
            "label": ["x"] * len(names),
        }
        records = hf(tmp_path / f"{len(names)}.parquet", columns)
        return [each.key for each in records if isinstance(each, ImportedAnnotation)]

    assert keys("a", "b", "a")[1:] == keys("b", "a")


def test_rows_of_one_name_stay_apart(tmp_path: Path) -> None:
    columns = {"image": files((b"1", "a"), (b"2", "a")), "text": ["one", "two"]}
    records = hf(tmp_path / "t.parquet", columns)
    by_name = {each.name: read_part(each.path) for each in records if isinstance(each, ImportedImage)}  # type: ignore[arg-type]
    texts = {name: body["text"] for name, _, body in annotations(records)}
    assert {by_name[name]: text for name, text in texts.items()} == {b"1": "one", b"2": "two"}


@pytest.mark.parametrize(
    "said", [b"{", b"[]", b'{"info":[]}', b'{"info":{"features":{"label":{"_type":"ClassLabel","names":1}}}}']
)
def test_odd_metadata_names_no_classes(tmp_path: Path, said: bytes) -> None:
    table = pa.table({"image": files((PNG, "a.png")), "label": pa.array([1])}).replace_schema_metadata(
        {"huggingface": said}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    [(_, _, body)] = annotations(formats.read("parquet", tmp_path))
    assert body["label"] == "1"


def test_a_text_that_is_no_unicode_costs_its_cell_only(tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"ok"]).buffers())
    columns = {"image": files((PNG, "a.png"), (b"2", "b")), "text": bad, "more": bad, "label": ["x", "y"]}
    records = hf(tmp_path / "t.parquet", columns)
    found = [(name, schema, body["attributes"]["parquet"].get("row")) for name, schema, body in annotations(records)]
    label, text = "classification", "caption"
    assert found == [("a.png", label, None), ("b", label, {"more": "ok"}), ("b", text, None)]
    rows = pq.read_table(own(tmp_path)).slice(0, 2)
    pq.write_table(rows.set_column(2, "name", bad), tmp_path / "own.parquet")
    records = formats.read("parquet", tmp_path / "own.parquet")
    assert [each.object_name for each in records if isinstance(each, ImportedImage)] == ["ok"]


def test_a_list_without_end_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hugging_face, "_LIST_MAX", 3)
    columns = {"image": files((PNG, "a.png")), "captions": [["x"] * 4], "label": ["y"]}
    records = hf(tmp_path / "t.parquet", columns)
    assert [schema for _, schema, _ in annotations(records)] == ["classification"]
    assert ["has more than 3 values" in each for each in told(records)] == [True]


def test_a_folder_of_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="have the bytes of their objects themselves"):
        formats.read("parquet", own(tmp_path), tmp_path)
    with pytest.raises(InputFileError, match=r"holds no \.parquet"):
        formats.read("parquet", tmp_path / "jsonl")
