"""Label Studio: what a dataset holds comes back from its tasks, what people said there comes back from a dataset, and nothing
that strangers write does harm."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.core.ids import uuid_text
from gonk_node.errors import InputFileError
from gonk_node.formats import IMPORTERS, rle
from gonk_node.formats.label_studio import brush as label_studio_brush
from gonk_node.formats.sample import ImportedAnnotation
from gonk_node.state.strict_json import Problem
from kit import formats, label_studio
from kit.label_studio import said, whole

WIDTH, HEIGHT = 200, 100
text = st.text(st.characters(codec="utf-8"), max_size=8)
names = text.filter(bool)
labels = names.filter(lambda name: not name.startswith("$"))
scores = st.integers(0, 1000).map(lambda number: number / 1000)
pixels = st.integers(0, 10_000).map(lambda number: number / 100)
sides = st.integers(1, 5_000).map(lambda number: number / 100)
point = st.tuples(pixels, pixels).map(list)


def of(schema: str, **members: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.fixed_dictionaries(members, optional={"score": scores}).map(lambda body: (schema, body))


box = {"x": pixels, "y": pixels, "w": sides, "h": sides}
things = st.lists(names, min_size=1, max_size=3, unique=True).flatmap(
    lambda found: st.tuples(
        *(
            st.fixed_dictionaries({"name": st.just(name), "x": pixels, "y": pixels, "v": st.sampled_from([1, 2])})
            for name in found
        )
    ).map(list)
)


@st.composite
def masks(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    cuts = sorted(draw(st.sets(st.integers(1, WIDTH * HEIGHT - 1), max_size=9)))
    first = [0] * draw(st.integers(0, 1))  # the first pixel may belong to it
    runs = first + [end - start for start, end in zip([0, *cuts], [*cuts, WIDTH * HEIGHT], strict=True)]
    return "mask", {"label": draw(labels), "size": [HEIGHT, WIDTH], "counts": rle.encode(runs)}


@st.composite
def ratings(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    low, width = draw(st.integers(-5, 5)), draw(st.integers(1, 30))
    step = {"step": 1} if draw(st.booleans()) else {}
    body = {"value": low + draw(st.integers(0, width)), "min": low, "max": low + width, **step}
    return "rating", body | {"criterion": f"by {low} to {low + width} {'step' * len(step)}"}  # one thing, one scale


lines = st.lists(point, min_size=3, max_size=5) | st.tuples(pixels, pixels, sides, sides).map(
    lambda side: [
        [side[0], side[1]],
        [round(side[0] + side[2], 2), side[1]],
        [round(side[0] + side[2], 2), round(side[1] + side[3], 2)],
        [side[0], round(side[1] + side[3], 2)],
    ]
)
of_images = (
    of("bounding-box", label=labels, **box)
    | of(
        "rotated-box",
        label=labels,
        cx=pixels,
        cy=pixels,
        w=sides,
        h=sides,
        angle=st.integers(1, 359) | st.floats(1, 359),
    )
    | of(
        "polygon",
        label=labels,
        parts=st.lists(point, min_size=3, max_size=6).map(lambda outer: [{"outer": outer, "holes": []}]),
    )
    | of("polyline", label=labels, points=st.lists(point, min_size=2, max_size=6))
    | of("keypoints", label=labels, points=things, box=st.fixed_dictionaries(box))
    | st.tuples(names, pixels, pixels).map(
        lambda drawn: (
            "keypoints",
            {"label": drawn[0], "points": [{"name": drawn[0], "x": drawn[1], "y": drawn[2], "v": 2}]},
        )
    )
    | masks()
    | of("ocr-line", label=labels, text=names, outline=lines)
    | of("ocr-line", text=names, outline=lines)
)
of_objects = (
    of("classification", label=labels)
    | st.lists(labels, min_size=1, max_size=3, unique=True).map(lambda found: ("multi-label", {"labels": found}))
    | of("caption", text=names)
    | ratings()
)
times = st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)).map(lambda ends: [end / 100 for end in sorted(ends)])
of_sounds = st.tuples(
    times,
    st.fixed_dictionaries({"label": labels}, optional={"text": names, "channel": st.integers(1, 3), "score": scores}),
).map(lambda drawn: ("audio-segment", {"start_s": drawn[0][0], "end_s": drawn[0][1], **drawn[1]}))


def there_and_back(bodies: formats.Bodies, data: bytes, media_type: str) -> formats.Bodies:
    """What comes back of one object, from a folder without images: sizes are in the tasks, and texts too."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out"
        loss = formats.export([formats.sample("a", bodies, data=data, media_type=media_type)], "label-studio", target)
        told = {kind.what for kind in loss.kinds()}
        assert told <= {"labels in the config that begin with $ or have control characters"}
        assert not loss.problems
        records = formats.read("label-studio", target)
        assert [each for each in records if isinstance(each, Problem)] == []
        found = formats.bodies(records)
        assert len(found) == 1
        return next(iter(found.values()))


@settings(max_examples=120)
@given(st.lists(of_images | of_objects, max_size=5))
def test_images_give_everything_back_within_the_rounding(bodies: formats.Bodies) -> None:
    found = there_and_back(bodies, formats.png(WIDTH, HEIGHT), "image/png")
    for (schema, one), (other_schema, other) in zip(found, bodies, strict=True):
        assert schema == other_schema
        if schema == "rotated-box":  # its middle is turned to its corner and back
            assert one == pytest.approx(other, abs=2e-6)
        else:
            assert one == other


@settings(max_examples=200)
@given(names, st.data())
def test_texts_give_spans_back_whatever_their_characters(content: str, data: st.DataObject) -> None:
    bodies: formats.Bodies = data.draw(st.lists(of_objects, max_size=2))
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(content) - 1))
        end = data.draw(st.integers(start + 1, len(content)))
        bodies.append(
            ("text-span", {"label": data.draw(labels), "start": start, "end": end, "exact": content[start:end]})
        )
    assert there_and_back(bodies, content.encode(), "text/plain") == bodies


@settings(max_examples=100)
@given(st.lists(of_sounds | of_objects, max_size=4))
def test_sounds_give_segments_back(bodies: formats.Bodies) -> None:
    assert there_and_back(bodies, b"RIFF", "audio/wav") == bodies


@settings(max_examples=100)
@given(st.lists(of_images, min_size=2, max_size=4), st.data())
def test_relations_come_back_between_what_they_joined(bodies: formats.Bodies, data: st.DataObject) -> None:
    uuids = [
        uuid_text(each.uuid) for each in formats.sample("a.png", bodies, data=formats.png(WIDTH, HEIGHT)).annotations
    ]
    joined = data.draw(st.lists(st.tuples(*[st.integers(0, len(bodies) - 1)] * 2), min_size=1, max_size=3))
    relations = [
        ("relation", {"label": data.draw(labels), "head": uuids[head], "tail": uuids[tail], **data.draw(directed)})
        for head, tail in joined
    ]
    sample = formats.sample("a.png", [*bodies, *relations], data=formats.png(WIDTH, HEIGHT))
    with tempfile.TemporaryDirectory() as folder:
        assert not formats.export([sample], "label-studio", Path(folder) / "out").problems
        records = formats.read("label-studio", Path(folder) / "out")
    found = [each for each in records if isinstance(each, ImportedAnnotation)]
    keys = [each.key for each in found]
    for each, (head, tail), (_, body) in zip(found[len(bodies) :], joined, relations, strict=True):
        assert (each.refers["head"], each.refers["tail"]) == (keys[head], keys[tail])
        back = json.loads(each.body)
        assert (back["label"], back.get("directed", True)) == (body["label"], body.get("directed", True))


directed = st.sampled_from([{}, {"directed": False}])


# --- what people said there -----------------------------------------------------------------------------------

percents = st.integers(0, 8_000_000).map(lambda number: number / 100_000)
extents = st.integers(1_000, 2_000_000).map(lambda number: number / 100_000)
LABELLED = {"brushlabels": "mask", "polygonlabels": "outline", "rectanglelabels": "box", "keypointlabels": "point"}


@st.composite
def regions(draw: st.DrawFn, region: str) -> list[dict[str, Any]]:
    """The results of one region of an image, as Label Studio writes them."""
    kind = draw(st.sampled_from(sorted(LABELLED)))
    value: dict[str, Any]
    if kind == "rectanglelabels":
        rotation = draw(st.sampled_from([0, 0, 30, 90, 271.5]))
        value = {name: draw(percents) for name in "xy"} | {name: draw(extents) for name in ("width", "height")}
        value["rotation"] = rotation
    elif kind == "polygonlabels":
        value = {
            "points": draw(st.lists(st.tuples(percents, percents).map(list), min_size=3, max_size=5)),
            "closed": True,
        }
    elif kind == "keypointlabels":
        value = {"x": draw(percents), "y": draw(percents), "width": draw(extents)}
    else:
        _, mask = draw(masks())
        value = {"format": "rle", "rle": label_studio_brush.encode(rle.decode(mask["counts"]), WIDTH, HEIGHT)}
    more = draw(st.fixed_dictionaries({}, optional={"score": scores, "readonly": st.just(True), "meta": meta}))
    value |= {kind: draw(st.lists(names, min_size=1, max_size=2))}
    found = [label_studio.result(kind, value, region, from_name=LABELLED[kind], **more)]
    if draw(st.booleans()) and kind != "keypointlabels":
        geometry = {name: member for name, member in value.items() if name != kind}
        tag = draw(st.sampled_from(["remark", "transcription"]))
        found.append(label_studio.result("textarea", {**geometry, "text": [draw(names)]}, region, from_name=tag))
    return found


meta = st.fixed_dictionaries({"text": st.lists(names, max_size=2)})


@st.composite
def annotations(draw: st.DrawFn, number: int) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    for region in range(draw(st.integers(0, 3))):
        results += draw(regions(f"region{region}"))
    if draw(st.booleans()):
        results.append(whole("choices", {"choices": [draw(labels)]}, "whole"))
    if draw(st.booleans()):
        results.append(whole("textarea", {"text": draw(st.lists(names, min_size=1, max_size=3))}, "words"))
    ids = sorted({each["id"] for each in results})
    if len(ids) > 1 and draw(st.booleans()):
        ends = {"from_id": draw(st.sampled_from(ids)), "to_id": draw(st.sampled_from(ids))}
        relation = {"type": "relation", **ends, "direction": draw(st.sampled_from(["left", "right", "bi"]))}
        results.append(
            relation | ({"labels": draw(st.lists(names, min_size=1, max_size=2))} if draw(st.booleans()) else {})
        )
    people = st.fixed_dictionaries(
        {"completed_by": st.integers(1, 9), "lead_time": sides, "ground_truth": st.booleans()}
    )
    return said(number, *results, **draw(people))


@settings(max_examples=100)
@given(st.data())
def test_what_people_said_of_an_image_comes_back_value_by_value(data: st.DataObject) -> None:
    found = [data.draw(annotations(number)) for number in range(3, 3 + data.draw(st.integers(1, 3)))]
    task = {"id": 12, "data": {"image": "/data/local-files/?d=images/a.png"}, "annotations": found}
    with tempfile.TemporaryDirectory() as folder:
        source = label_studio.write(Path(folder), task)
        samples = formats.read_samples("label-studio", source, source / "images")
        formats.export(samples, "label-studio", source / "out")
        [back] = label_studio.tasks_of(source / "out")
        for one, other in zip(_numbers(back), _numbers(task), strict=True):
            assert one == pytest.approx(other, abs=2e-6)
        assert _others(back) == _others(task)
        again = formats.read_samples("label-studio", source / "out", source / "out/images")
        formats.export(again, "label-studio", source / "again")
        [twice] = label_studio.tasks_of(source / "again")
        assert _others(twice) == _others(back)


def _numbers(value: Any) -> list[float]:
    """All numbers in a value, in order."""
    if isinstance(value, dict):
        return [number for name in sorted(value) for number in _numbers(value[name])]
    if isinstance(value, list):
        return [number for each in value for number in _numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _others(value: Any) -> Any:
    """The value with 0 for each number."""
    if isinstance(value, dict):
        return {name: _others(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_others(each) for each in value]
    return 0 if isinstance(value, int | float) and not isinstance(value, bool) else value


# --- strangers ------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
TASKS: list[dict[str, Any]] = [
    {"id": 7, "data": {"image": "a.png"}, "annotations": [said(1, *label_studio.IMAGE_RESULTS)]},
    {
        "id": 8,
        "data": {"text": "Ada and Bob"},
        "annotations": [said(1, whole("labels", {"start": 0, "end": 3, "text": "Ada", "labels": ["x"]}, "a"))],
    },
    {
        "id": 9,
        "data": {"audio": "a.wav"},
        "annotations": [said(1, whole("labels", {"start": 0, "end": 3, "channel": 0, "labels": ["x"]}, "a"))],
    },
]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, name or position) in a value."""
    found: list[tuple[Any, Any]] = []
    for step in (
        list(value) if isinstance(value, dict) else range(min(len(value), 12)) if isinstance(value, list) else ()
    ):
        found += [(value, step), *_places(value[step])]
    return found


@settings(max_examples=200)
@given(st.data())
def test_tasks_in_which_anything_may_stand_are_read_or_told(data: st.DataObject) -> None:
    tasks = copy.deepcopy([data.draw(st.sampled_from(TASKS))])
    for _ in range(data.draw(st.integers(1, 4))):
        places = _places(tasks[0])
        container, step = places[data.draw(st.integers(0, len(places) - 1))] if places else (tasks, 0)
        container[step] = data.draw(json_values)
    with tempfile.TemporaryDirectory() as folder:
        source = label_studio.write(Path(folder), *tasks, files={"a.wav": b"RIFF"})
        try:
            samples = formats.samples_of(IMPORTERS["label-studio"](source, source / "images"))
        except InputFileError:
            return
        formats.export(samples, "label-studio", source / "out")
        json.loads((source / "out/tasks.json").read_text() if samples else "[]")


@settings(max_examples=120)
@given(
    st.lists(of_images | of_objects, min_size=1, max_size=3), st.lists(json_values, min_size=3, max_size=3), st.data()
)
def test_attributes_in_which_anything_may_stand_are_written_or_told(
    bodies: formats.Bodies, kept: list[Any], data: st.DataObject
) -> None:
    names_kept = [
        "id",
        "index",
        "from_name",
        "labels",
        "points",
        "of_region",
        "part",
        "rotation",
        "type",
        "transcription",
    ]
    for _, body in bodies:
        result = {name: data.draw(json_values) for name in data.draw(st.lists(st.sampled_from(names_kept), max_size=4))}
        parts = {"task": kept[0], "annotation": kept[1], "result": data.draw(st.sampled_from([kept[2], result]))}
        body["attributes"] = json.loads(json.dumps({"label-studio": parts}), parse_constant=lambda _: 0)
    with tempfile.TemporaryDirectory() as folder:
        sample = formats.sample("a.png", bodies, data=formats.png(WIDTH, HEIGHT))
        formats.export([sample], "label-studio", Path(folder) / "out")
        [task] = label_studio.tasks_of(Path(folder) / "out")
        assert (
            task["data"] == {**task["data"], "image": "/data/local-files/?d=images/a.png"}
            or "image" not in task["data"]
        )
        formats.read("label-studio", Path(folder) / "out")


# --- brush regions --------------------------------------------------------------------------------------------


@st.composite
def pieces(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """(the RGBA bytes of an image of 6 x 4, the same encoded with any widths and any cuts)."""
    widths = [draw(st.integers(1, 16)) for _ in range(4)]
    total, values = 4 * 24, list[int]()
    bits = f"{total:032b}{7:05b}" + "".join(f"{width - 1:04b}" for width in widths)
    while len(values) < total:
        chosen = draw(st.integers(0, 3))
        count = draw(st.integers(1, min(1 << widths[chosen], total - len(values))))
        repeated = draw(st.booleans())
        bits += f"{int(repeated)}{chosen:02b}{count - 1:0{widths[chosen]}b}"
        new = [draw(st.sampled_from([0, 0, 1, 255])) for _ in range(1 if repeated else count)]
        bits += "".join(f"{value:08b}" for value in new)
        values += new * count if repeated else new
    bits += "0" * (-len(bits) % 8)
    return values, [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]


@settings(max_examples=200)
@given(pieces())
def test_brush_regions_are_decoded_however_they_were_encoded(drawn: tuple[list[int], list[int]]) -> None:
    values, encoded = drawn
    runs = label_studio_brush.decode(encoded, 6, 4)
    columns = [index % 2 for index, run in enumerate(runs) for _ in range(run)]
    assert [columns[x * 4 + y] for y in range(4) for x in range(6)] == [int(alpha > 0) for alpha in values[3::4]]


@given(masks())
def test_brush_regions_come_back(drawn: tuple[str, dict[str, Any]]) -> None:
    runs = rle.decode(drawn[1]["counts"])
    assert label_studio_brush.decode(label_studio_brush.encode(runs, WIDTH, HEIGHT), WIDTH, HEIGHT) == runs


@settings(max_examples=120)
@given(st.lists(st.integers(0, 255), max_size=60), st.integers(1, 9), st.integers(1, 9))
def test_any_bytes_are_a_brush_region_or_refused(encoded: list[int], width: int, height: int) -> None:
    right = list((4 * width * height).to_bytes(4, "big"))
    for each in (
        encoded,
        right + encoded,
        [*right, 0b00111000, 0b10001101, 0b11111110 | encoded[0] % 2, *encoded[1:]] if encoded else [],
    ):
        try:
            runs = label_studio_brush.decode(each, width, height)
        except InputFileError:
            continue
        assert sum(runs) == width * height
