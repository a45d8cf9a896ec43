"""Whatever a dataset holds that a format has words for comes back from the exported files, value by value."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.formats import rle
from gonk_node.formats.sample import ImportedAnnotation
from kit import formats

WIDTH, HEIGHT = 640, 480
PIXEL = 1e-5  # what YOLO's fractions are rounded to, in pixels of such an image

labels = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)
flags = st.sampled_from(["occluded", "truncated", "iscrowd"])
whole = st.integers(0, 400)
parts_of_pixels = st.integers(0, 400_000).map(lambda n: n / 1000)
pixels = whole | parts_of_pixels


@st.composite
def boxes(draw: st.DrawFn, numbers: st.SearchStrategy[float] = pixels) -> dict[str, Any]:
    x, y = draw(numbers), draw(numbers)
    return {"label": draw(labels), "x": x, "y": y, "w": draw(numbers) + 2, "h": min(draw(numbers) + 2, HEIGHT - y)}


@st.composite
def outlines(draw: st.DrawFn, parts_max: int = 3) -> dict[str, Any]:
    parts = []
    for _ in range(draw(st.integers(1, parts_max))):
        x, y, w, h = draw(pixels), draw(whole), draw(st.integers(1, 80)), draw(st.integers(1, 80))
        ring = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]][: draw(st.integers(3, 4))]
        parts.append({"outer": ring, "holes": []})
    return {"label": draw(labels), "parts": parts}


@st.composite
def masks(draw: st.DrawFn) -> dict[str, Any]:
    cuts = sorted(draw(st.sets(st.integers(0, WIDTH * HEIGHT), max_size=9)))
    ends = [*cuts, WIDTH * HEIGHT]
    runs = [end - start for start, end in zip([0, *cuts], ends, strict=True)]
    return {"label": draw(labels), "size": [HEIGHT, WIDTH], "counts": draw(st.sampled_from([runs, rle.encode(runs)]))}


@st.composite
def poses(draw: st.DrawFn, names: tuple[str, ...] = ("nose", "left eye", "right eye")) -> dict[str, Any]:
    points: list[dict[str, Any]] = []
    for name in names:
        v = draw(st.sampled_from([0, 1, 2]))
        points.append({"name": name, "v": v} if not v else {"name": name, "x": draw(pixels), "y": draw(pixels), "v": v})
    box = draw(boxes())
    return {"label": "person", "points": points, "box": {side: box[side] for side in "xywh"}}


@st.composite
def flagged(draw: st.DrawFn, body: st.SearchStrategy[dict[str, Any]], extra: tuple[str, ...] = ()) -> dict[str, Any]:
    found = draw(body)
    for flag in draw(st.sets(flags | st.sampled_from(extra) if extra else flags)):
        found[flag] = draw(st.booleans())
    if draw(st.booleans()):
        found["score"] = draw(st.integers(0, 1000)) / 1000
    return found


def of(schema: str, body: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return body.map(lambda each: (schema, each))


coco_bodies = st.lists(
    of("bounding-box", flagged(boxes(), ("difficult",)))
    | of("polygon", flagged(outlines()))
    | of("mask", flagged(masks()))
    | of("keypoints", flagged(poses()))
    | of("caption", st.fixed_dictionaries({"text": labels})),
    max_size=6,
)


def there_and_back(
    format_name: str, bodies: formats.Bodies, places: Callable[[Path], list[tuple[Path, Path | None]]]
) -> Any:
    """What comes back of one image, by all files that were written; and what was lost."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out"
        loss = formats.export([formats.sample("a.png", bodies, data=formats.png(WIDTH, HEIGHT))], format_name, target)
        found: formats.Bodies = []
        for source, images in places(target):
            found += formats.bodies(formats.read(format_name, source, images))["a.png"]
        return found, loss


def plain(found: formats.Bodies) -> list[str]:
    return sorted(json.dumps([schema, body], sort_keys=True) for schema, body in found)


@settings(deadline=None, max_examples=60)
@given(coco_bodies)
def test_coco_gives_everything_back(bodies: formats.Bodies) -> None:
    found, loss = there_and_back(
        "coco", bodies, lambda out: [(file, out / "images") for file in sorted(out.glob("annotations/*.json"))]
    )
    for schema, body in bodies:
        if schema != "caption":
            body.setdefault("iscrowd", False)  # COCO says it of everything
    wanted = [each for each in bodies if each[0] not in ("polygon", "mask", "keypoints")]
    wanted += [each for each in bodies if each[0] in ("polygon", "mask", "keypoints")]
    shapes = [each for each in found if not _box_of_shape(each, bodies)]
    assert plain(_as_numbers(shapes)) == plain(_as_numbers(wanted))
    assert not loss.problems


def _box_of_shape(each: tuple[str, dict[str, Any]], bodies: formats.Bodies) -> bool:
    """COCO has a box of every shape; those that were none before are told by not being among the boxes."""
    return each[0] == "bounding-box" and plain(_as_numbers([each]))[0] not in plain(
        _as_numbers([body for body in bodies if body[0] == "bounding-box"])
    )


def _as_numbers(found: formats.Bodies) -> formats.Bodies:
    """2.0 and 2 are one number."""
    return json.loads(
        json.dumps(found), parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text)
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(of("bounding-box", boxes()), max_size=6))
def test_voc_gives_boxes_back(bodies: formats.Bodies) -> None:
    for _, body in bodies:
        body |= {"truncated": body["x"] == 0, "difficult": False, "pose": "Left"}
    found, loss = there_and_back("voc", bodies, lambda out: [(out / "Annotations", out / "JPEGImages")])
    assert found == bodies
    assert not loss


@settings(deadline=None, max_examples=60)
@given(st.lists(of("bounding-box", boxes()), max_size=6))
def test_yolo_gives_boxes_back_within_its_rounding(bodies: formats.Bodies) -> None:
    for _, body in bodies:
        body["w"] = min(body["w"], WIDTH - body["x"])
    found, loss = there_and_back("yolo-detect", bodies, lambda out: [(out, None)])
    _close(found, bodies)
    assert not loss


@settings(deadline=None, max_examples=60)
@given(st.lists(of("bounding-box", boxes(whole)), max_size=6))
def test_yolo_gives_boxes_of_whole_pixels_back_exactly(bodies: formats.Bodies) -> None:
    for _, body in bodies:
        body["w"] = min(body["w"], WIDTH - body["x"])
    found, _ = there_and_back("yolo-detect", bodies, lambda out: [(out, None)])
    assert plain(found) == plain(bodies)


@settings(deadline=None, max_examples=60)
@given(st.lists(of("polygon", outlines(parts_max=1)), max_size=4))
def test_yolo_gives_outlines_back_within_its_rounding(bodies: formats.Bodies) -> None:
    found, _ = there_and_back("yolo-segment", bodies, lambda out: [(out, None)])
    inside = [(schema, {**body, "parts": [_inside(part) for part in body["parts"]]}) for schema, body in bodies]
    _close(found, inside)


def _inside(part: dict[str, Any]) -> dict[str, Any]:
    return {"outer": [[x, min(y, HEIGHT)] for x, y in part["outer"]], "holes": []}


@settings(deadline=None, max_examples=60)
@given(st.lists(of("keypoints", poses()), max_size=4))
def test_yolo_gives_poses_back_within_its_rounding(bodies: formats.Bodies) -> None:
    for _, body in bodies:
        body["box"]["w"] = min(body["box"]["w"], WIDTH - body["box"]["x"])
    found, loss = there_and_back("yolo-pose", bodies, lambda out: [(out, None)])
    _close(found, bodies)
    assert not loss


turned = st.fixed_dictionaries(
    {
        "label": labels,
        "cx": st.integers(250, 350),
        "cy": st.integers(210, 270),
        "w": st.integers(1, 280),
        "h": st.integers(1, 280),
        "angle": st.integers(-179, 180) | st.floats(-179, 180),
    }
)


@settings(deadline=None, max_examples=100)
@given(st.lists(of("rotated-box", turned), max_size=4))
def test_yolo_gives_turned_boxes_back_within_its_rounding(bodies: formats.Bodies) -> None:
    found, loss = there_and_back("yolo-obb", bodies, lambda out: [(out, None)])
    assert not loss
    for (_, one), (_, other) in zip(found, bodies, strict=True):
        turn = (one.pop("angle") - other.pop("angle") + 180) % 360 - 180
        assert abs(math.radians(turn)) * max(one["w"], one["h"]) < 1e-3
    _close(found, bodies, 1e-4)


def _close(found: formats.Bodies, wanted: formats.Bodies, pixel: float = PIXEL) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        _alike(one, other, pixel)


def _alike(one: Any, other: Any, pixel: float) -> None:
    if isinstance(other, dict):
        assert one.keys() == other.keys()
        for name in other:
            _alike(one[name], other[name], pixel)
    elif isinstance(other, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            _alike(left, right, pixel)
    elif isinstance(other, str):
        assert one == other
    else:
        assert one == pytest.approx(other, abs=pixel)


fractions = st.integers(1, 999_999).map(lambda n: n / 1_000_000)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(fractions, fractions, fractions, fractions), min_size=1, max_size=5))
def test_yolo_of_others_comes_back_as_it_was(rows: list[tuple[float, ...]]) -> None:
    inside = [(cx, cy, min(w, 2 * cx, 2 - 2 * cx), min(h, 2 * cy, 2 - 2 * cy)) for cx, cy, w, h in rows]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        for name, data in {
            "images/a.png": formats.png(WIDTH, HEIGHT),
            "labels/a.txt": "".join(f"0 {cx:.6f} {cy:.6f} {w:.6f} {h:.6f}\n" for cx, cy, w, h in inside).encode(),
            "data.yaml": b"train: images\nnames: [thing]\n",
        }.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        formats.export(formats.samples_of(formats.read("yolo-detect", source)), "yolo-detect", target)
        before, after = ((where / "labels/a.txt").read_text().split() for where in (source, target))
        assert list(map(float, after)) == pytest.approx(list(map(float, before)), abs=2e-8)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_compressed_runs_come_back(runs: list[int]) -> None:
    assert rle.decode(rle.encode(runs)) == runs


@settings(deadline=None, max_examples=40)
@given(coco_bodies, st.randoms(use_true_random=False))
def test_two_exports_are_the_same_bytes_whatever_the_order_of_arrival(bodies: formats.Bodies, random: Any) -> None:
    samples = [formats.sample(f"{index}.png", [body]) for index, body in enumerate(bodies)]
    shuffled = random.sample(samples, len(samples))
    with tempfile.TemporaryDirectory() as folder:
        for format_name in ("coco", "label-studio", "voc", "yolo-detect", "yolo-segment", "yolo-pose"):
            one, other = Path(folder) / f"{format_name}1", Path(folder) / f"{format_name}2"
            formats.export(samples, format_name, one)
            formats.export(shuffled, format_name, other)
            assert formats.files(one) == formats.files(other)


def test_an_importer_reads_every_annotation_twice_with_the_same_key(tmp_path: Path) -> None:
    formats.export(
        [formats.sample("a.png", [("polygon", {"label": "a", "parts": [{"outer": [[0, 0], [9, 0], [9, 9]]}]})])],
        "yolo-segment",
        tmp_path / "out",
    )
    keys = [
        [
            record.key
            for record in formats.read("yolo-segment", tmp_path / "out")
            if isinstance(record, ImportedAnnotation)
        ]
        for _ in range(2)
    ]
    assert keys[0] == keys[1] and keys[0]
