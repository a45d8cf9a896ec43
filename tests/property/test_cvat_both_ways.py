"""Whatever a dataset holds that CVAT has words for comes back from the exported files, value by value."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.formats import rle
from gonk_node.formats.label_set import Label, LabelSet, declared_label
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, Record
from kit import cvat, formats

WIDTH, HEIGHT = 64, 48

POINTS = ["nose", "left eye", "<&>"]

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=8)
values = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")) | st.sampled_from("\n\r\t"), max_size=8
)
floats = st.floats(-1e9, 1e9).map(lambda x: x if abs(x) > 1e-9 else 0)  # within the 60 digits that are counted with
numbers = st.integers(-1000, 1000) | st.integers(-(10**5), 10**5).map(lambda n: n / 100) | floats
lengths = st.integers(1, 1000) | st.integers(1, 10**5).map(lambda n: n / 100)
angles = st.integers(0, 359) | st.integers(0, 35_999).map(lambda n: n / 100)
points = st.lists(numbers, min_size=2, max_size=2)
small = st.integers(-(2**31) + 1, 2**31 - 1)


@st.composite
def kept(draw: st.DrawFn) -> dict[str, Any]:
    """What an import of CVAT keeps of a shape."""
    found: dict[str, Any] = {}
    if draw(st.booleans()):
        found["attributes"] = draw(st.dictionaries(texts, values, min_size=1, max_size=3))
    if draw(st.booleans()):
        found["source"] = draw(st.sampled_from(["manual", "auto", "semi-auto", "file"]))
    for name in draw(st.sets(st.sampled_from(["z_order", "group_id"]))):
        found[name] = draw(small.filter(bool))
    return found


def a(schema: str, **members: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A body of those members, with what CVAT says of it."""
    cvat_ = kept().map(lambda found: {"cvat": {**found, "image_id": 7}})
    return st.fixed_dictionaries({"label": texts, "attributes": cvat_, **members}).map(lambda body: (schema, body))


@st.composite
def masks(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    cuts = sorted(draw(st.sets(st.integers(0, WIDTH * HEIGHT), min_size=2, max_size=9)))
    ends = [*cuts, WIDTH * HEIGHT]
    runs = [end - start for start, end in zip([0, *cuts], ends, strict=True)]
    schema, body = draw(a("mask", occluded=st.booleans()))
    counts = rle.encode([runs[0], *(run for run in runs[1:] if run)])
    return schema, {**body, "size": [HEIGHT, WIDTH], "counts": counts}


@st.composite
def skeletons(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    seen = []
    for name in POINTS:
        v, (x, y) = draw(st.integers(0, 2)), draw(points)
        seen.append({"name": name, "v": v} if not v and not x and not y else {"name": name, "x": x, "y": y, "v": v})
    schema, body = draw(a("keypoints"))
    return schema, {**body, "label": "cat", "points": seen}


def named(places: list[list[float]]) -> list[dict[str, Any]]:
    return [{"name": str(at), "x": x, "y": y, "v": 2} for at, (x, y) in enumerate(places)]


flag = st.booleans()
shapes = (
    a("bounding-box", x=numbers, y=numbers, w=lengths, h=lengths, occluded=flag)
    | a("rotated-box", cx=numbers, cy=numbers, w=lengths, h=lengths, angle=angles, occluded=flag)
    | a(
        "polygon",
        parts=st.lists(points, min_size=3, max_size=5).map(lambda ring: [{"outer": ring, "holes": []}]),
        occluded=flag,
    )
    | a("polyline", points=st.lists(points, min_size=2, max_size=5), occluded=flag)
    | a("keypoints", points=st.lists(points, min_size=1, max_size=4).map(named), occluded=flag)
    | a("classification")
    | masks()
    | skeletons()
)


def plain(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return sorted(json.dumps([schema, _shortest(body)], sort_keys=True) for schema, body in found)


def _shortest(value: Any) -> Any:
    """2.0 and 2 are one number, and so are 0 and -0."""
    if isinstance(value, dict):
        return {name: _shortest(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shortest(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read(out: Path) -> list[Record]:
    return formats.read("cvat", out, out / "images")


@settings(deadline=None, max_examples=80)
@given(st.lists(shapes, max_size=5))
def test_every_shape_comes_back_with_what_cvat_says_of_it(bodies: formats.Bodies) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        sample = formats.sample("a.png", bodies, data=formats.png(WIDTH, HEIGHT))
        loss = formats.export([sample], "cvat", out)
        assert not loss.problems
        assert {kind.what for kind in loss.kinds()} <= {
            "that a label of skeletons is one of other shapes, too: CVAT has two labels for that"
        }
        records = read(out)
        assert not cvat.problems(records)
        assert plain(cvat.said(records)) == plain(bodies)


@st.composite
def tracks(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["box", "turned", "polygon", "polyline", "points", "skeleton"]))
    frames = list(accumulate(draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))))
    count = draw(st.integers(3, 5)) if kind != "skeleton" else len(POINTS)
    keyframes: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    angle = 0
    for at, frame in enumerate(frames):
        each: dict[str, Any] = {"frame": frame - 1}
        if kind in ("box", "turned"):
            box = {name: draw(numbers) for name in "xy"} | {name: draw(lengths) for name in "wh"}
            if kind == "turned":
                box["angle"] = angle + draw(st.integers(max(-170, -360 - angle), min(170, 360 - angle)))
            shape = {"box": box}
        else:
            shape = {kind.replace("skeleton", "points"): draw(st.lists(points, min_size=count, max_size=count))}
        now: dict[str, Any] = {}
        if draw(st.booleans()):
            now["attributes"] = draw(st.dictionaries(texts, values, min_size=1, max_size=2))
        seen = [draw(st.integers(0, 2)) for _ in POINTS] if kind == "skeleton" else [2]
        if set(seen) != {2}:
            now["visibility"] = seen
        if now != before:
            each["attributes"] = {"cvat": now}
        before = now
        if (at and kind != "skeleton" and draw(st.booleans())) or not any(seen):
            each["outside"] = True
        if not at or "outside" not in each:  # the first one is somewhere, even if it is outside
            each["shape"] = shape
            angle = shape.get("box", {}).get("angle", 0)
        if draw(st.booleans()) if kind != "skeleton" else any(seen) and 2 not in seen:
            each["occluded"] = True
        keyframes.append(each)
    said = {name: value for name, value in draw(kept()).items() if name in ("source", "group_id")}
    if kind == "skeleton":
        said["elements"] = POINTS
    return {
        "label": "cat" if kind == "skeleton" else draw(texts),
        "interpolation": "none" if kind == "points" else "linear",
        "keyframes": keyframes,
        "attributes": {"cvat": said},
    }


@settings(deadline=None, max_examples=80)
@given(st.lists(tracks(), max_size=3))
def test_every_track_comes_back(bodies: list[dict[str, Any]]) -> None:
    for number, body in enumerate(bodies):
        body["attributes"]["cvat"]["track_id"] = number
    sample = formats.sample("clip.mp4", [("video-track", body) for body in bodies], data=b"v", media_type="video/mp4")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        loss = formats.export([sample], "cvat", out)
        assert {kind.what for kind in loss.kinds()} <= {"width and height of videos, which gonk does not read"}
        records = read(out)
        assert [each.name for each in records if isinstance(each, ImportedImage)] == ["clip.mp4"]
        assert plain(_without_turns(cvat.said(records))) == plain(
            _without_turns([("video-track", body) for body in bodies])
        )


def _without_turns(found: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Angles from 0 to 360: CVAT has no full turns."""
    for _, body in found:
        for each in body["keyframes"]:
            box = each.get("shape", {}).get("box", {})
            if "angle" in box:
                box["angle"] %= 360
    return found


@st.composite
def label_sets(draw: st.DrawFn) -> tuple[Label, ...]:
    names = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    found = []
    for name in names:
        colour = draw(st.none() | st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}"))
        definitions = draw(st.lists(texts, max_size=2, unique=True))
        attributes = [
            {"name": each, "mutable": draw(flag), "input_type": "select", "default_value": "x", "values": ["x", "<y>"]}
            for each in definitions
        ]
        keypoints = tuple(draw(st.lists(texts, max_size=4, unique=True)))
        pairs = [(one, other) for one in keypoints for other in keypoints if one < other]
        skeleton = tuple(draw(st.lists(st.sampled_from(pairs), unique=True, max_size=3))) if pairs else ()
        said: dict[str, Any] = {"type": "skeleton" if keypoints else "any"}
        said |= {"attributes": attributes} if attributes else {}
        label = declared_label(name, {"cvat": said}, colour=colour, keypoints=keypoints, skeleton=skeleton)
        assert label is not None
        found.append(label)
    return LabelSet("schema-keypoints", tuple(found)).labels


@settings(deadline=None, max_examples=80)
@given(label_sets())
def test_labels_come_back_with_colours_attributes_and_skeletons(labels: tuple[Label, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        points = [{"name": name, "x": 1, "y": 2, "v": 2} for name in labels[0].keypoints or ("0",)]
        sample = formats.sample("a.png", [("keypoints", {"label": labels[0].id, "points": points})])
        formats.export([sample], "cvat", out, labels={"keypoints": {each.id: each for each in labels}})
        [declared] = (each for each in read(out) if isinstance(each, ImportedLabels))
        assert [_said(each) for each in declared.labels] == [_said(each) for each in labels]


def _said(label: Label) -> tuple[Any, ...]:
    """Without what CVAT needs besides: a picture, and the types of points."""
    own = {name: each for name, each in (label.attributes or {})["cvat"].items() if name not in ("svg", "points")}
    return label.id, label.name, label.colour, label.keypoints, label.skeleton, own


@settings(deadline=None, max_examples=80)
@given(st.lists(shapes, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_what_was_exported_twice_and_read_between_is_the_same_bytes(bodies: formats.Bodies, random: Any) -> None:
    samples = [
        formats.sample(f"{at}.png", [body], data=formats.png(WIDTH, HEIGHT, bytes([at])))
        for at, body in enumerate(bodies)
    ]
    with tempfile.TemporaryDirectory() as folder:
        first, second, third = (Path(folder) / name for name in ("1", "2", "3"))
        formats.export(samples, "cvat", first)
        formats.export(random.sample(samples, len(samples)), "cvat", second)
        assert formats.files(first) == formats.files(second)
        again = read(first)
        by_name = {each.name: each.uuid for each in samples}
        formats.export(_with_uuids(again, by_name, samples), "cvat", third)
        assert formats.files(third) == formats.files(first)


def _with_uuids(records: list[Record], uuids: dict[str, bytes], samples: list[Any]) -> Iterator[Any]:
    """What was read, as the same objects again."""
    data = {each.name: each.open().read() for each in samples}
    for name, uuid in uuids.items():
        found = [
            (each.schema, json.loads(each.body))
            for each in records
            if isinstance(each, ImportedAnnotation) and each.image_name == name
        ]
        yield formats.sample(name, found, data=data[name], uuid=uuid)
