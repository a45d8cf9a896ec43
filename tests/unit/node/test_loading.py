"""Samples of a dataset: which, in what order, with what on them; now, as of a release and as of a time."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gonk_node import Annotation, Dataset, open_dataset
from gonk_node.core.entry import read_stored
from gonk_node.core.events import ACCEPT, AnnotationCreate, Review
from gonk_node.errors import InputFileError, MissingExtraError, NotFoundError, UsageError
from gonk_node.formats.extras import library
from gonk_node.node.loading.annotations import BoundingBox
from gonk_node.replica.folding.projection import Projection
from gonk_node.replica.reading.queries import Queries
from gonk_node.store.state_db import StateDb
from kit import sample_dataset
from kit.command_line import Gonk, exchange
from kit.sample_dataset import IMAGES, all_told, png

BOX = {"label": "WBC", "x": 1, "y": 2, "w": 30, "h": 40}


@pytest.fixture
def gonk(tmp_path: Path) -> Gonk:
    return sample_dataset.make(tmp_path)


@pytest.fixture
def cells(gonk: Gonk) -> Dataset:
    return open_dataset("cells", gonk.home)


def test_samples_come_in_the_order_of_their_uuids(cells: Dataset) -> None:
    with cells:
        uuids = [sample.uuid for sample in cells]
        assert uuids == sorted(uuids)
        assert len(uuids) == len(cells) == IMAGES
        assert [cells[index].uuid for index in range(-IMAGES, IMAGES)] == uuids * 2
        assert [sample.uuid for sample in cells[1:4]] == uuids[1:4]
        assert cells.sample("3.png").uuid == cells.sample(str(cells.object("3.png").uuid)).uuid
        with pytest.raises(IndexError, match=f"no sample {IMAGES}: the dataset has {IMAGES}"):
            cells[IMAGES]
        for wrong in ("3.png", None, 1.0, [1, 2]):
            with pytest.raises(TypeError, match=r"sample\(name\) finds one by name"):
                cells[wrong]  # type: ignore[call-overload]


def test_a_sample_is_found_among_the_others(gonk: Gonk) -> None:
    """Equal are the same version of one object of one dataset, read as of the same release or as it is now."""
    with open_dataset("cells", gonk.home) as cells:
        first, old = cells[0], cells.at("v1.0")[0]
        assert first == cells[0] == pickle.loads(pickle.dumps(first))
        assert first in cells
        assert (cells.index(cells[3]), cells.count(cells[3])) == (3, 1)
        assert len({first, cells[0], *cells}) == IMAGES
        assert first != cells[1]
        assert first != old
        assert first != first.object
        assert old == cells.at("v1.0").sample(first.name)
    gonk.ok("update", "cells", first.name, gonk.file("new.png", png(3, 3)))
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        assert first not in cells
        assert first.uuid == cells[0].uuid
        assert old in cells.at("v1.0")


def test_a_sample_is_named_by_its_uuid_and_what_names_none_is_told(gonk: Gonk) -> None:
    with open_dataset("cells", gonk.home) as cells:
        first = cells[0]
        assert cells.sample(first.uuid) == cells.sample(str(first.uuid)) == cells.sample(first.uuid.hex) == first
        assert cells.object(first.uuid) == first.object
        for nothing in (UUID(int=0), "half a character: \ud800"):
            with pytest.raises(NotFoundError, match="no object"):
                cells.sample(nothing)
        with pytest.raises(UsageError, match="a text or a UUID, not by int"):
            cells.sample(0)  # type: ignore[arg-type]


def test_a_release_has_all_its_samples_also_where_a_shard_is_asked_for_it(gonk: Gonk) -> None:
    with open_dataset("cells", gonk.home) as cells:
        assert list(cells.shard(0, 2).at("v1.0")) == list(cells[:1].at("v1.0")) == list(cells.at("v1.0"))


def test_another_node_has_the_same_samples_in_the_same_order(gonk: Gonk, tmp_path: Path) -> None:
    other = Gonk(tmp_path, "other")
    other.ok("init", "--name", "Bob")
    exchange(gonk, other)
    with open_dataset("cells", gonk.home) as mine, open_dataset("cells", other.home) as theirs:
        here, there = mine.at("v1.0"), theirs.at("v1.0")
        assert [(s.uuid, s.annotations) for s in here] == [(s.uuid, s.annotations) for s in there]
        assert here.state_digest == there.state_digest


def test_annotations_are_objects_of_their_schemas(cells: Dataset) -> None:
    with cells:
        (box,) = cells.sample("1.png").annotations
        assert cells.sample("4.png").annotations == ()
    assert type(box) is BoundingBox
    assert (box.label, box.x, box.y, box.w, box.h, box.score, box.truncated) == ("WBC", 1, 2, 3, 4.5, None, None)
    assert (box.schema, box.schema_version, box.version) == ("schema-bounding-box", 0, 0)
    assert repr(box) == "BoundingBox(label='WBC', x=1, y=2, w=3, h=4.5)"
    assert pickle.loads(pickle.dumps(box)) == box
    assert len({box, pickle.loads(pickle.dumps(box))}) == 1
    with pytest.raises(AttributeError):
        box.x = 7  # type: ignore[misc]


def test_annotations_of_a_schema_of_ones_own_are_general(gonk: Gonk) -> None:
    own = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
    gonk.ok("schema", "add", "cells", gonk.file("odd.json", own), "--name", "odd")
    gonk.accept_all()
    gonk.ok("annotate", "cells", "4.png", "odd", gonk.file("body.json", {"uuid": "mine", "deep": [1]}))
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        (odd,) = cells.sample("4.png").annotations
    assert type(odd) is Annotation
    assert odd.body == {"uuid": "mine", "deep": [1]}
    assert isinstance(odd.uuid, UUID)


def test_exactly_what_a_release_lists_is_loaded(gonk: Gonk) -> None:
    """Neither what does not fit its schema, nor what hangs on a replaced object too, nor what waits."""
    gonk.ok("annotate", "cells", "4.png", "bounding-box", gonk.file("b.json", BOX), "--also", "0.png")
    with gonk.node() as node:
        replica = node.replica("cells")
        queries = Queries(replica.db)
        (schema,) = queries.schema("schema-bounding-box")
        (thing,) = queries.find_object("3.png")
        node.author(replica).sign([AnnotationCreate(b"u" * 16, schema.ref, (thing.ref,), b'{"label": 7}')])
        wrong = queries.find(b"u" * 16)[0].ref
        node.author(replica).sign([Review(ACCEPT, (wrong,), (), "")])  # no command would
    gonk.accept_all()
    gonk.ok("update", "cells", "0.png", gonk.file("new.png", png(3, 3)))
    gonk.accept_all()
    gonk.add("waits.png", png(1, 1))
    gonk.ok("release", "create", "cells", "v2.0")
    manifest = gonk.ok("release", "show", "cells", "v2.0", "--manifest", "-").out
    lines = [line.split("\t") for line in manifest.splitlines()]
    assert {line[3] for line in lines if line[0] == "left-out"} == {"nonconforming", "object"}
    with open_dataset("cells", gonk.home) as cells:
        for dataset in (cells, cells.at("v2.0")):
            assert [str(s.uuid) for s in dataset] == [line[1] for line in lines if line[0] == "object"]
            found = sorted(str(each.uuid) for sample in dataset for each in sample.annotations)
            assert found == [line[1] for line in lines if line[0] == "annotation"]


def test_labels_are_no_samples_and_number_classes_as_of_a_release(gonk: Gonk) -> None:
    own = {"schema": "schema-bounding-box", "labels": [{"id": "RBC", "name": "Red"}, {"id": "WBC", "name": "White"}]}
    gonk.ok("labels", "cells", "set", gonk.file("labels.json", own))
    gonk.accept_all()
    gonk.ok("release", "create", "cells", "v1.1")
    gonk.ok("labels", "cells", "rename", "bounding-box", "WBC", "White blood cell")
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        assert len(cells) == len(cells.at("v1.1")) == IMAGES
        assert {sample.media_type for sample in cells} == {"image/png"}
        assert cells.labels("bounding-box").indices(["WBC", "RBC", "other"]) == {"RBC": 0, "WBC": 1, "other": 2}
        names = [dataset.labels("bounding-box").name_of("WBC") for dataset in (cells, cells.at("v1.1"))]
        assert names == ["White blood cell", "White"]
        assert not cells.labels("caption").labels and not cells.at("v1.0").labels("bounding-box").labels


def test_a_release_stays_as_it_was(gonk: Gonk) -> None:
    with open_dataset("cells", gonk.home) as cells:
        before = all_told(cells)
    gonk.add("late.png", png(2, 2))
    gonk.annotate("4.png")
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        release = cells.at("v1.0")
        assert len(cells) == IMAGES + 1
        assert all_told(release) == before != all_told(cells)
        assert all_told(release.at("v1.0")) == before
        assert repr(release) == "Dataset('cells', 5 samples, at v1.0)"
        assert release.state_digest != cells.state_digest
        assert [s.name for s in release.objects()] == [name for name, _, _ in before]
        assert "late.png" in {sample.name for sample in cells}
        with pytest.raises(NotFoundError):
            release.sample("late.png")


def test_a_release_of_an_owner_of_whom_another_process_has_learnt_meanwhile_is_read(gonk: Gonk, tmp_path: Path) -> None:
    bob, earlier = Gonk(tmp_path, "bob"), tmp_path / "earlier"
    bob.ok("init", "--name", "Bob")
    shutil.copytree(gonk.home, earlier)
    gonk.ok("owner", "add", "cells", bob.key())
    exchange(gonk, bob)
    bob.ok("release", "create", "cells", "bobs")
    with bob.node() as node:
        records = [record for _, record in node.replica("cells").log.scan(0, count_max=10**6, bytes_max=10**9)]
    with open_dataset("cells", earlier) as cells:
        with cells._source.opening.lease() as opened:
            replica = opened.replica(cells.id)
            replica.log.append(
                [entry for each in records if not replica.log.has((entry := read_stored(each)).entry_id)]
            )
            there = StateDb(replica.db.path, replica.dataset)  # as the other process has it
            Projection(replica.log, there).catch_up()
            there.close()
        assert all_told(cells.at("bobs")) == all_told(cells)


def test_a_time_is_as_authors_state_it(cells: Dataset) -> None:
    with cells:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert all_told(cells.at(tomorrow)) == all_told(cells.at(tomorrow.isoformat())) == all_told(cells)
        with pytest.raises(NotFoundError, match="did not exist"):
            cells.at("2001-01-01")
        with pytest.raises(NotFoundError, match=r"no release 'v9' \(gonk release list cells\)"):
            cells.at("v9")
        with pytest.raises(UsageError, match="zone"):
            cells.at(datetime(2026, 1, 31))  # noqa: DTZ001 - that is the mistake
        with pytest.raises(NotFoundError, match=r"2001-01-01T00:00:00.000Z: .* did not exist"):
            cells.at(date(2001, 1, 1))
        assert all_told(cells.at(tomorrow.date() + timedelta(days=1))) == all_told(cells)


@pytest.mark.parametrize("when", [None, 5, 1.5, b"v1.0", ["v1.0"]])
def test_what_is_neither_a_release_nor_a_time_is_refused(cells: Dataset, when: Any) -> None:
    with cells, pytest.raises(UsageError, match=f"a release's tag or a time is wanted, not {type(when).__name__}"):
        cells.at(when)


@pytest.mark.parametrize("world_size", [1, 2, 3, 5, 8])
def test_shards_have_everything_once(cells: Dataset, world_size: int) -> None:
    with cells:
        shards = [[sample.uuid for sample in cells.shard(rank, world_size)] for rank in range(world_size)]
        assert sorted(uuid for shard in shards for uuid in shard) == [sample.uuid for sample in cells]
        assert max(map(len, shards)) - min(map(len, shards)) <= 1
        for rank in (-1, world_size):
            with pytest.raises(UsageError, match="no rank"):
                cells.shard(rank, world_size)


def test_bytes_are_read_whole_or_in_parts(cells: Dataset) -> None:
    with cells:
        sample = cells.sample("2.png")
        with sample.open() as file:
            file.seek(8)
            assert file.read() == sample.bytes()[8:] == png(12, 10)[8:]


def test_images_are_decoded(gonk: Gonk) -> None:
    pytest.importorskip("PIL.Image", reason="extra images")
    gonk.add("text.png", "no image")
    gonk.add("cut.png", png(300, 300)[:-40])
    gonk.add("no.png", b"")
    gonk.add("run.eps", "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        assert cells.sample("3.png").image().size == (13, 10)
        assert cells.sample("3.png").image().getpixel((0, 0)) == 0x80
        reasons = {"text.png": "8 bytes of image/png", "cut.png": "trunc", "run.eps": "bytes of", "no.png": "no bytes"}
        for name, what in reasons.items():
            with pytest.raises(InputFileError, match=f"{name}: cannot be decoded as an image: .*{what}") as refused:
                cells.sample(name).image()
            assert "object at 0x" not in str(refused.value)


def test_what_notebooks_show_is_escaped(gonk: Gonk) -> None:
    gonk.add("<img src=x onerror=alert(1)>.png", png(1, 1))
    gonk.accept_all()
    gonk.annotate("<img src=x onerror=alert(1)>.png", BOX | {"label": "<script>"})
    gonk.accept_all()
    with open_dataset("cells", gonk.home) as cells:
        shown = cells._repr_html_() + "".join(sample._repr_html_() for sample in cells)
        assert repr(cells.sample("0.png")) == "Sample('0.png', image/png, 71 bytes, 1 annotation)"
    assert "&lt;script&gt;" in shown
    assert "&lt;img src=x" in shown
    assert "<img" not in shown
    assert "<script" not in shown


def test_a_dataset_that_was_closed_says_so(cells: Dataset, gonk: Gonk) -> None:
    sample, release = cells[0], cells.at("v1.0")
    cells.close()
    cells.close()
    for read in (sample.bytes, lambda: cells[0], lambda: release[0], lambda: cells.at("v1.0")):
        with pytest.raises(UsageError, match="the dataset is closed"):
            read()
    gonk.ok("status")  # nothing is open any more in this process


def test_what_is_closed_is_shown_without_an_error(cells: Dataset) -> None:
    read, unread = cells.sample("0.png"), cells.sample("1.png")
    assert "1 annotation)" in repr(read)
    cells.close()
    assert "1 annotation)" in repr(read)
    assert repr(unread).endswith("bytes, the dataset is closed)")
    assert unread._repr_html_().endswith("<p>the dataset is closed</p>")
    assert repr(cells) == "Dataset('cells', 5 samples, now)"
    assert cells._repr_html_().endswith("</tr></table><p>the dataset is closed</p>")


def test_what_was_unpickled_reads_until_it_is_dropped(cells: Dataset, gonk: Gonk) -> None:
    with cells:
        before = all_told(cells)
        copy, sample = pickle.loads(pickle.dumps((cells, cells[0])))
    assert all_told(copy) == before
    assert sample.bytes() == before[0][1]
    again = pickle.loads(pickle.dumps(copy))
    copy.close()
    closed = pickle.loads(pickle.dumps(copy))  # as for a worker that is forked
    assert len(closed) == IMAGES
    with pytest.raises(UsageError, match="the dataset is closed"):
        closed[0]
    del copy, again, closed, sample
    with open_dataset("cells", gonk.home):
        pass  # settles what was dropped
    gonk.ok("status")


@pytest.mark.parametrize(
    ("extra", "module", "call"),
    [
        ("images", "PIL.Image", lambda cells: cells[0].image()),
        ("torch", "torch", lambda cells: cells.to_torch()),
        ("pandas", "pandas", lambda cells: cells.to_pandas()),
        ("parquet", "pyarrow", lambda cells: cells.to_parquet("/nowhere/x.parquet")),
        ("hf", "datasets", lambda cells: cells.to_hf()),
    ],
)
def test_a_missing_library_is_told_with_what_installs_it(
    cells: Dataset, monkeypatch: pytest.MonkeyPatch, extra: str, module: str, call: object
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with cells, pytest.raises(MissingExtraError, match="is not installed") as caught:
        call(cells)  # type: ignore[operator]
    assert caught.value.hint == f'pip install "gonk-node[{extra}]"'


def test_a_library_that_lacks_another_one_is_not_told_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_installed.py").write_text("import something_that_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"cannot be imported: No module named 'something_that_it_needs'"):
        library("half_installed", "hf")


def test_opening_a_dataset_imports_no_extra(gonk: Gonk) -> None:
    program = (
        f"import sys; from gonk_node import open_dataset\nwith open_dataset('cells', {str(gonk.home)!r}) as d:\n"
        "    [(s.bytes(), s.annotations, repr(s)) for s in d]\n"
        "print(sorted({'PIL', 'torch', 'pandas', 'numpy', 'pyarrow', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
