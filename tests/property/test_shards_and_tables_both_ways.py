"""Whatever a dataset holds comes back from shards and tables, and so does what others put into theirs."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.formats.export import OF_ANY_SCHEMA
from gonk_node.formats.export.job import Sample
from gonk_node.formats.file_part import FilePart, read_part
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, Record
from gonk_node.state.strict_json import Problem
from kit import formats
from kit.tars import tar

texts = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
schema_names = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=9)
any_bodies = st.lists(
    st.tuples(schema_names, values)
    | st.just(("classification", {"label": "a"}))
    | st.tuples(st.just("classification"), st.fixed_dictionaries({"labels": st.lists(texts, max_size=3)}))
    | st.tuples(st.just("caption"), st.fixed_dictionaries({"text": texts})),
    max_size=4,
)
media_types = st.sampled_from(["image/png", "text/plain", "application/json", "a/b", "video/mp4"])
names = texts.filter(lambda text: text != "") | st.sampled_from(
    ["a.png", "a.PNG", "a.json", "x/a.cls", "../a", "a.txt"]
)


@st.composite
def datasets(draw: st.DrawFn) -> list[Sample]:
    many = draw(st.lists(st.tuples(names, any_bodies, st.binary(max_size=1500), media_types), max_size=5))
    return [
        formats.sample(name, bodies, data=data, media_type=kind, uuid=bytes([number]) * 16)
        for number, (name, bodies, data, kind) in enumerate(many)
    ]


def back(records: list[Record]) -> list[tuple[str, str, bytes, list[tuple[str, Any]]]]:
    """Name, media type, bytes and bodies of each object that was read."""
    found: dict[str, tuple[str, str, bytes, list[tuple[str, Any]]]] = {}
    for each in records:
        if isinstance(each, ImportedImage):
            assert isinstance(each.path, FilePart)
            found[each.name] = (each.object_name, each.media_type, read_part(each.path), [])
        elif isinstance(each, ImportedAnnotation):
            found[each.image_name][3].append((each.schema, json.loads(each.body)))
    return list(found.values())


@pytest.mark.parametrize("format_name", ["parquet", "webdataset"])
@settings(deadline=None, max_examples=60)
@given(datasets())
def test_any_object_with_anything_on_it_comes_back(format_name: str, samples: list[Sample]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        loss = formats.export(samples, format_name, Path(folder) / "out")
        if not samples and format_name == "webdataset":
            return  # no shard at all
        records = formats.read(format_name, Path(folder) / "out")
        found = back(records)
    assert not loss.problems
    assert [each for each in records if isinstance(each, Problem)] == []
    assert found == [
        (
            each.name,
            each.media_type,
            each.open().read(),
            [(item.schema, json.loads(item.body)) for item in each.annotations],
        )
        for each in samples
    ]


@settings(deadline=None, max_examples=30)
@given(datasets().filter(bool))
def test_all_formats_of_any_schema_say_the_same(samples: list[Sample]) -> None:
    said = []
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(OF_ANY_SCHEMA):
            formats.export(samples, name, Path(folder) / name)
            records = formats.read(name, Path(folder) / name)
            annotations = [each for each in records if isinstance(each, ImportedAnnotation)]
            said.append([(each.schema, each.body, each.key, each.uuid) for each in annotations])
    assert all(each == said[0] for each in said)


keys = st.text(
    st.characters(codec="utf-8", categories=("L", "N"), include_characters="-_/ "), min_size=1, max_size=20
).filter(lambda key: not key.startswith("/") and not key.endswith("/") and "//" not in key)
extensions = st.sampled_from(["jpg", "png", "seg.png", "wav", "npy", "mp4", "bin.gz"])


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(
        keys,
        st.tuples(
            st.dictionaries(extensions, st.binary(max_size=600), min_size=1, max_size=3),
            st.none() | texts,
            st.none() | st.integers(0, 99),
        ),
        max_size=5,
    ),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_shards_of_others_come_with_every_file_class_and_text(
    samples: dict[str, tuple[dict[str, bytes], str | None, int | None]], kind: int
) -> None:
    items = []
    for key, (files, text, number) in samples.items():
        items += [(f"{key}.{extension}", data) for extension, data in files.items()]
        items += [] if text is None else [(f"{key}.txt", text.encode())]
        items += [] if number is None else [(f"{key}.cls", b"%d" % number)]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.tar").write_bytes(tar(items, kind))
        records = formats.read("webdataset", Path(folder))
        found = back(records)
    assert all(isinstance(each, NotCarried) for each in records if isinstance(each, Problem | NotCarried))
    wanted = {f"{key}.{extension}": data for key, (files, _, _) in samples.items() for extension, data in files.items()}
    assert {name: data for name, _, data, _ in found} == wanted
    said = sorted(
        (name.partition(".")[0], schema, body.get("text", body.get("label")))
        for name, _, _, on in found
        for schema, body in on
    )
    assert said == sorted(
        (key, schema, value)
        for key, (_, text, number) in samples.items()
        for schema, value in (("caption", text or None), ("classification", None if number is None else str(number)))
        if value is not None
    )


rows = st.lists(
    st.tuples(st.binary(max_size=300), st.none() | keys, st.integers(-1, 1), st.none() | texts, st.none() | numbers),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(rows)
def test_tables_of_hugging_face_come_through_gonk_as_they_were(of: list[tuple[Any, ...]]) -> None:
    arrow = pytest.importorskip("pyarrow", reason="extra parquet")
    parquet = pytest.importorskip("pyarrow.parquet", reason="extra parquet")
    file = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    data, paths, labels, captions, more = zip(*of, strict=True) if of else [()] * 5
    columns = {
        "image": arrow.array([{"bytes": each, "path": path} for each, path in zip(data, paths, strict=True)], file),
        "label": arrow.array(labels, arrow.int64()),
        "text": arrow.array(captions, arrow.string()),
        "more": arrow.array([None if each is None else float(each) for each in more], arrow.float64()),
    }
    features = {"label": {"_type": "ClassLabel", "names": ["ä", "b"]}}
    said = json.dumps({"info": {"features": features}})
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.parquet"
        parquet.write_table(arrow.table(columns).replace_schema_metadata({"huggingface": said}), source)
        once = back(formats.read("parquet", source))
        again = formats.export(
            [as_sample(*each, number) for number, each in enumerate(once)], "parquet", Path(folder) / "out"
        )
        assert not again.problems
        assert back(formats.read("parquet", Path(folder) / "out")) == once
    assert [each[2] for each in once] == list(data)
    for (_, _, _, on), label, caption, extra in zip(once, labels, captions, more, strict=True):
        wanted = [] if label == -1 else [("classification", "äb"[label])]
        wanted += [("caption", caption)] if caption else []
        assert [(schema, body.get("label", body.get("text"))) for schema, body in on] == wanted
        kept = [body["attributes"]["parquet"].get("row", {}).get("more") for _, body in on]
        assert kept == [None if extra is None else float(extra), None][: len(on)]


def as_sample(name: str, kind: str, data: bytes, bodies: formats.Bodies, number: int) -> Sample:
    return formats.sample(name, bodies, data=data, media_type=kind, uuid=bytes([number]) * 16)


@pytest.mark.parametrize("format_name", ["parquet", "webdataset"])
@settings(deadline=None, max_examples=20)
@given(datasets(), st.randoms(use_true_random=False))
def test_two_exports_are_the_same_bytes_whatever_the_order_of_arrival(
    format_name: str, samples: list[Sample], random: Any
) -> None:
    written = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(2):
            random.shuffle(samples)
            formats.export(samples, format_name, Path(folder) / str(number))
            written.append(formats.files(Path(folder) / str(number)))
    assert written[0] == written[1]
    for name, data in written[0].items():
        if name.endswith(".tar"):
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                assert {each.mtime for each in archive} == {0}
