"""Label Studio: what tasks become, what is refused and where, and long arrays of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, Record
from gonk_node.state.strict_json import Problem
from kit import formats, label_studio
from kit.label_studio import BOX, result, said, whole


def tasks(folder: Path, *results: Any, data: Any = None, config: str = "", **more: Any) -> list[Record]:
    """What is read of one task with those results."""
    task = {"id": 7, "data": data or {"image": "images/a.png"}, "annotations": [said(1, *results)], **more}
    label_studio.write(folder, task, config=config, files={"a.wav": b"RIFF", "a.txt": "Ünï".encode(), "b.txt": b"\xff"})
    return formats.read("label-studio", folder, folder / "images")


def read_one(folder: Path, *results: Any, **more: Any) -> formats.Bodies:
    [found] = formats.bodies(tasks(folder, *results, **more)).values()
    return found


def of_control(kind: str, value: Any, folder: Path, control: str = "") -> tuple[str, dict[str, Any]]:
    """The body that a result about a whole image makes; `control`: its tag in the config."""
    config = f'<View><Image name="img" value="$image"/>{control}</View>' if control else ""
    [found] = read_one(folder, whole(kind, value, "r", from_name="q"), config=config)
    return found


def problems(records: list[Record]) -> list[Problem]:
    return [each for each in records if isinstance(each, Problem)]


def lost(records: list[Record]) -> list[str]:
    return [each.what for each in records if isinstance(each, NotCarried)]


def attributes(records: list[Record]) -> list[dict[str, Any]]:
    return [
        json.loads(each.body)["attributes"]["label-studio"] for each in records if isinstance(each, ImportedAnnotation)
    ]


# --- images -----------------------------------------------------------------------------------------------------


def test_percentages_become_pixels(tmp_path: Path) -> None:
    box = result("rectanglelabels", {**BOX, "rectanglelabels": ["car"]}, "a", score=0.5)
    outline = result("polygonlabels", {"points": [[0, 0], [50, 0], [25, 33.3]], "polygonlabels": ["tree"]}, "b")
    parts = [{"outer": [[0, 0], [100, 0], [50, 33.3]], "holes": []}]
    assert read_one(tmp_path, box, outline) == [
        ("bounding-box", {"label": "car", "x": 20, "y": 20, "w": 100, "h": 30, "score": 0.5}),
        ("polygon", {"label": "tree", "parts": parts}),
    ]


def test_a_box_is_turned_clockwise_around_its_top_left_corner(tmp_path: Path) -> None:
    [(schema, body)] = read_one(
        tmp_path, result("rectanglelabels", {**BOX, "rotation": 90, "rectanglelabels": ["car"]})
    )
    assert schema == "rotated-box"
    assert body == {"label": "car", "cx": 5, "cy": 70, "w": 100, "h": 30, "angle": 90}


def test_a_shape_has_the_labels_that_another_result_of_its_id_has(tmp_path: Path) -> None:
    labels = result("labels", {**BOX, "labels": ["car"]}, "a")
    boxes = read_one(tmp_path, result("rectangle", BOX, "a"), labels, result("rectangle", BOX, "b"))
    assert boxes == [("bounding-box", {"label": "car", "x": 20, "y": 20, "w": 100, "h": 30})]


def test_an_open_outline_is_a_line(tmp_path: Path) -> None:
    line = result("polygonlabels", {"points": [[0, 0], [50, 50]], "closed": False, "polygonlabels": ["lane"]})
    assert read_one(tmp_path, line) == [("polyline", {"label": "lane", "points": [[0, 0], [100, 50]]})]


def test_keypoints_are_those_of_the_rectangle_above_them(tmp_path: Path) -> None:
    def point(region: str, name: str, **more: Any) -> dict[str, Any]:
        value = {"x": 10, "y": 10, "width": 1, "keypointlabels": [name], **more.pop("value", {})}
        return result("keypointlabels", value, region, **more)

    found = read_one(
        tmp_path,
        point("a", "nose", parentID="thing"),
        result("rectanglelabels", {**BOX, "rectanglelabels": ["person"]}, "thing"),
        point("b", "ear", parentID="thing", value={"hidden": True}),
        point("c", "nose", parentID="thing"),
        point("d", "mark"),
        point("e", "lost", parentID="nowhere"),
    )
    there = {"x": 20, "y": 10}
    body = {
        "label": "person",
        "points": [{"name": "nose", **there, "v": 2}, {"name": "ear", **there, "v": 1}],
        "box": {"x": 20, "y": 20, "w": 100, "h": 30},
    }
    assert found == [
        ("keypoints", body),
        ("keypoints", {"label": "mark", "points": [{"name": "mark", **there, "v": 2}]}),
        ("keypoints", {"label": "lost", "points": [{"name": "lost", **there, "v": 2}]}),
    ]
    [problem] = problems(formats.read("label-studio", tmp_path, tmp_path / "images"))
    assert problem.what == "the thing has another keypoint 'nose'; left out"


def test_a_transcription_of_a_region_is_a_line_of_text_and_any_other_remark_an_attribute(tmp_path: Path) -> None:
    region = result("rectanglelabels", {**BOX, "rectanglelabels": ["sign"]}, "a")
    text = result("textarea", {**BOX, "text": ["STOP"]}, "a", from_name="transcription")
    line = {"label": "sign", "text": "STOP", "outline": [[20, 20], [120, 20], [120, 50], [20, 50]]}
    assert read_one(tmp_path, region, text) == [("ocr-line", line)]
    records = tasks(tmp_path, region, {**text, "from_name": "remark"})
    assert formats.bodies(records)["a.png"][0][0] == "bounding-box"
    [kept] = attributes(records)
    assert kept["result"]["of_region"][0]["value"] == {"text": ["STOP"]}
    assert lost(records) == ["choices, texts and numbers about a region, which are in its attributes only"]


def test_sizes_that_are_not_those_of_the_image_file_are_refused(tmp_path: Path) -> None:
    box = {**BOX, "rectanglelabels": ["car"]}
    other, turned = ({"original_width": w, "original_height": h} for w, h in ((20, 10), (100, 200)))
    records = tasks(tmp_path, result("rectanglelabels", box, **other), result("rectanglelabels", box, "b", **turned))
    assert [each.what for each in problems(records)] == [
        "is of an image of 20 x 10, and the image file has 200 x 100 pixels; left out",
        "is of an image of 100 x 200, and the image file has 200 x 100 pixels: browsers turn it, as its EXIF orientation"
        " says; left out",
    ]
    without_files = formats.read("label-studio", tmp_path, None)
    assert len(attributes(without_files)) == 2


# --- whole objects ----------------------------------------------------------------------------------------------


def test_choices_and_texts(tmp_path: Path) -> None:
    assert of_control("choices", {"choices": ["a"]}, tmp_path) == ("classification", {"label": "a"})
    assert of_control("choices", {"choices": ["a", "b"]}, tmp_path) == ("multi-label", {"labels": ["a", "b"]})
    several = '<Choices name="q" toName="img" choice="multiple"><Choice value="a"/></Choices>'
    assert of_control("choices", {"choices": ["a"]}, tmp_path, several) == ("multi-label", {"labels": ["a"]})
    assert of_control("textarea", {"text": "x"}, tmp_path) == ("caption", {"text": "x"})
    captions = read_one(tmp_path, whole("textarea", {"text": ["x", "y"]}, "r"))
    assert captions == [("caption", {"text": "x"}), ("caption", {"text": "y"})]


def test_ratings_and_numbers_have_the_scale_of_the_config(tmp_path: Path) -> None:
    scale = {"min": 1, "max": 5, "step": 1, "criterion": "q"}
    assert of_control("rating", {"rating": 4}, tmp_path) == ("rating", {"value": 4, **scale})
    ten = '<Rating name="q" toName="img" maxRating="10"/>'
    assert of_control("rating", {"rating": 7}, tmp_path, ten) == ("rating", {"value": 7, **scale, "max": 10})
    number = '<Number name="q" toName="img" min="0" max="1"/>'
    wanted = {"value": 0.25, "min": 0, "max": 1, "criterion": "q"}
    assert of_control("number", {"number": 0.25}, tmp_path, number) == ("rating", wanted)


def test_an_annotation_without_results_says_that_nothing_is_there(tmp_path: Path) -> None:
    records = tasks(tmp_path)
    assert formats.bodies(records) == {"a.png": [("reviewed-empty", {})]}
    assert attributes(records)[0]["annotation"]["completed_by"] == 3


# --- texts, sounds, films --------------------------------------------------------------------------------------


def span(start: int, end: int, text: str | None = None, region: str = "a") -> dict[str, Any]:
    return whole("labels", {"start": start, "end": end, "labels": ["x"], **({"text": text} if text else {})}, region)


def test_a_text_in_a_task_is_an_object_of_its_bytes(tmp_path: Path) -> None:
    text = "Grüße 👋\r\nan alle"
    folder = label_studio.write(tmp_path, {"data": {"text": text}}, {"data": {"text": text}})
    [sample] = formats.read_samples("label-studio", folder, None)
    with sample.open() as file:
        assert file.read() == text.encode()
    assert (sample.name, sample.media_type) == ("text-9685b68d8d7b3d77.txt", "text/plain")
    named = label_studio.write(tmp_path / "named", {"data": {"text": text, "file_name": "notes/a.txt"}})
    assert [each.name for each in formats.read_samples("label-studio", named, None)] == ["notes/a.txt"]


def test_offsets_in_texts_are_code_points_or_where_the_text_says_so_utf_16(tmp_path: Path) -> None:
    data = {"text": "👋👋 Ada and Bob"}
    ada = ("text-span", {"label": "x", "start": 3, "end": 6, "exact": "Ada"})
    assert read_one(tmp_path, span(3, 6), data=data) == [ada]
    assert read_one(tmp_path, span(3, 6, "Ada"), data=data) == [ada]
    assert read_one(tmp_path, span(5, 8, "Ada"), data=data) == [ada]
    lines = ("text-span", {"label": "x", "start": 0, "end": 5, "exact": "a\r\nb\t"})
    assert read_one(tmp_path, span(0, 5, "a\\n\\nb "), data={"text": "a\r\nb\tc"}) == [lines]


def test_a_text_in_a_file_is_labelled_too(tmp_path: Path) -> None:
    body = ("text-span", {"label": "x", "start": 1, "end": 3, "exact": "nï"})
    assert read_one(tmp_path, span(1, 3), data={"text": "/data/upload/1/a.txt"}) == [body]


def test_regions_of_sounds_are_segments(tmp_path: Path) -> None:
    def region(start: float, end: float, **more: Any) -> dict[str, Any]:
        return {"start": start, "end": end, **more}

    data = {"audio": "a.wav"}
    one = whole("labels", region(0.5, 2, channel=0, labels=["A"]), "a")
    text = whole("textarea", region(0.5, 2, channel=0, text=["Hi."]), "a", from_name="transcription")
    body = {"label": "A", "start_s": 0.5, "end_s": 2, "text": "Hi."}
    assert read_one(tmp_path, one, text, data=data) == [("audio-segment", body)]
    two = whole("labels", region(3, 4, channel=1, labels=["B"]), "b")
    channels = [each[1].get("channel") for each in read_one(tmp_path, one, two, data=data)]
    assert channels == [0, 1]  # where one is not the first, 0 is one too


# --- relations -----------------------------------------------------------------------------------------------


def test_relations_refer_to_the_annotations_that_regions_become(tmp_path: Path) -> None:
    boxes = [result("rectanglelabels", {**BOX, "rectanglelabels": [label]}, label) for label in "ab"]
    ends = {"type": "relation", "from_id": "a", "to_id": "b"}
    records = tasks(
        tmp_path,
        {**ends, "direction": "left", "labels": ["on", "near"]},
        {**ends, "direction": "bi"},
        *boxes,
        {**ends, "to_id": "c", "direction": "right"},
        {**ends, "direction": "up"},
    )
    found = [each for each in records if isinstance(each, ImportedAnnotation)]
    a, b, left, both = found
    assert [each.schema for each in found] == ["bounding-box", "bounding-box", "relation", "relation"]
    assert (left.refers, both.refers) == ({"head": b.key, "tail": a.key}, {"head": a.key, "tail": b.key})
    assert [json.loads(each.body)["label"] for each in (left, both)] == ["on", "relation"]
    assert json.loads(both.body)["directed"] is False
    assert [each.place.rpartition("/")[2] for each in problems(records)] == ["4", "5"]


# --- who and when ------------------------------------------------------------------------------------------------


def test_who_said_it_and_when_is_kept_without_addresses(tmp_path: Path) -> None:
    box = result("rectanglelabels", {**BOX, "rectanglelabels": ["car"]}, "r1", meta={"text": ["sure"]}, readonly=True)
    person = {"id": 5, "email": "ada@example.org", "first_name": "Ada"}
    annotation = {**said(1, box, completed_by=person, last_action="submitted"), "reviews": [{"by": 1}]}
    task = {"id": 7, "created_at": "2024", "data": {"image": "a.png", "city": "Ulm"}, "annotations": [annotation]}
    other = {
        "id": 8,
        "updated_by": "ada@example.org",
        "data": {"image": "b.png"},
        "annotations": [{"completed_by": {"email": "ada@example.org"}, "result": [box]}],
    }
    folder = label_studio.write(tmp_path, task, other, files={"b.png": formats.png(200, 100)})
    records = formats.read("label-studio", folder, folder / "images")
    one, two = attributes(records)
    assert one == {
        "task": {"id": 7, "created_at": "2024", "data": {"city": "Ulm"}},
        "annotation": {
            "id": 1,
            "index": 0,
            "completed_by": 5,
            "ground_truth": False,
            "was_cancelled": False,
            "last_action": "submitted",
            **label_studio.PERSON,
        },
        "result": {
            "id": "r1",
            "index": 0,
            "from_name": "rectanglelabels-tag",
            "to_name": "img",
            "origin": "manual",
            "meta": {"text": ["sure"]},
            "readonly": True,
        },
    }
    assert two["annotation"] == {"index": 0}
    assert sorted(lost(records)) == [
        "'completed_by' of annotations",
        "'reviews' of annotations",
        "e-mail addresses, which are not taken into datasets",
    ]
    assert "@" not in json.dumps([one, two])


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    records = tasks(
        tmp_path, whole("choices", {"choices": ["a"]}, "r"), data={"image": "a.png", "long": "x" * 9000, "deep": deep}
    )
    assert "data" not in attributes(records)[0]["task"]
    assert set(lost(records)) == {"fields of the data of tasks beyond 4,096 bytes"}


def keys(folder: Path, *annotations: Any, task: int = 7, repeats: int = 1) -> list[bytes]:
    found = {"id": task, "data": {"image": "a.png"}, "annotations": list(annotations)}
    records = formats.read("label-studio", label_studio.write(folder, *[found] * repeats), None)
    return [each.key for each in records if isinstance(each, ImportedAnnotation)]


def test_a_later_export_of_the_same_annotations_has_the_same_keys(tmp_path: Path) -> None:
    box = result("rectanglelabels", {**BOX, "rectanglelabels": ["car"]})
    more = result("rectanglelabels", {**BOX, "rectanglelabels": ["bus"]}, "r0")
    near = {"type": "relation", "from_id": "r1", "to_id": "r1", "direction": "bi"}
    once = keys(tmp_path, said(1, box, near))
    later = keys(tmp_path, said(5, more, box, near, completed_by=8, updated_at="2025", lead_time=99), task=900)
    assert later[1:] == once
    assert later[0] not in once
    changed = {**box, "value": {**BOX, "x": 11, "rectanglelabels": ["car"]}}
    assert not set(keys(tmp_path, said(1, changed, near))) & set(once)


def test_what_two_people_say_of_one_region_are_two_annotations(tmp_path: Path) -> None:
    box = result("rectanglelabels", {**BOX, "rectanglelabels": ["car"]})
    near = {"type": "relation", "from_id": "r1", "to_id": "r1", "direction": "bi"}
    found = keys(tmp_path, said(1, box, near), said(2, box, near), said(3), said(4))
    assert len(set(found)) == 6
    assert found == keys(tmp_path, said(8, box, near), said(9, box, near), said(3), said(5))
    assert len(set(keys(tmp_path, said(1, box), said(2, box), repeats=2))) == 4


def test_predictions_drafts_and_cancelled_annotations_are_not_taken(tmp_path: Path) -> None:
    box = result("rectanglelabels", {**BOX, "rectanglelabels": ["car"]})
    task = {
        "data": {"image": "a.png"},
        "annotations": [said(1, box, was_cancelled=True)],
        "predictions": [{"result": [box], "model_version": "m1"}],
        "drafts": [{"result": [box]}],
    }
    records = formats.read("label-studio", label_studio.write(tmp_path, task), None)
    assert attributes(records) == []
    assert [each.place.rpartition("/")[2] for each in problems(records)] == ["0"]
    assert [each.split(",")[0] for each in lost(records)] == ["predictions", "drafts of annotations"]


# --- tasks and files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        "a.png",
        "images/a.png",
        "/data/upload/3/a.png",
        "/data/upload/3/0123abcd-a.png",
        "https://x.org/y/a.png?z=1",
        "https://x.org/y/%61.png",
        "/data/local-files/?d=images/a.png",
    ],
)
def test_where_the_image_is(tmp_path: Path, image: str) -> None:
    assert [each.name for each in tasks(tmp_path, data={"image": image}) if isinstance(each, ImportedImage)] == [
        "a.png"
    ]


@pytest.mark.parametrize(
    "data",
    [
        7,
        {"image": None},
        {"image": ["a.png", "b.png"], "text": "a remark"},
        {"image": ""},
        {"image": "none.png"},
        {"image": "/data/upload/3/0123abcd-none.png"},
        {"image": "../tasks.json"},
        {"image": "/data/local-files/?d=../tasks.json"},
        {"image": "http://[x/a.png"},
        {"one": "a.png", "other": "b.png"},
        {"remark": "no file"},
        {"text": ""},
        {"text": "\ud800"},
    ],
)
def test_a_task_without_its_object_is_a_problem(tmp_path: Path, data: object) -> None:
    records = tasks(tmp_path, data=data)
    [problem] = problems(records)
    assert problem.place.endswith("tasks.json: /0/data")
    assert not any(isinstance(each, ImportedImage) for each in records)


def test_the_config_says_which_part_of_the_data_is_labelled(tmp_path: Path) -> None:
    config = """<View><Header value="$title"/>
        <View><Text name="words" value="$title"/></View>
        <Image name="img" value="$picture"/><Choices name="q" toName="img"><Choice value="a"/></Choices></View>"""
    data = {"title": "A Title", "picture": "a.png"}
    records = tasks(tmp_path, whole("choices", {"choices": ["a"]}, "r"), data=data, config=config)
    assert [each.media_type for each in records if isinstance(each, ImportedImage)] == ["text/plain"]
    assert problems(records)[0].what == "is about 'img', another part of the task; left out"
    only = config.replace('<Text name="words" value="$title"/>', "")
    records = tasks(tmp_path, whole("choices", {"choices": ["a"]}, "r"), data=data, config=only)
    assert [each.name for each in records if isinstance(each, ImportedImage)] == ["a.png"]
    assert attributes(records)[0]["task"]["key"] == "picture"
    html = '<View><HyperText name="h" value="$title"/></View>'
    assert "not clear which part" in problems(tasks(tmp_path, data=data, config=html))[0].what


def test_the_config_declares_the_labels_of_what_is_labelled_by_it(tmp_path: Path) -> None:
    config = """<View><Image name="img" value="$image"/>
        <RectangleLabels name="boxes" toName="img"><Label value="car" background="rgba(255, 0, 16, 1)" hotkey="c"/>
          <Label value="Bus!" alias="bus" background="#00FF00" hotkey="c"/><Label value=""/></RectangleLabels>
        <BrushLabels name="unused" toName="img"><Label value="grass"/></BrushLabels></View>"""
    box = result("rectanglelabels", {**BOX, "rectanglelabels": ["car"]}, from_name="boxes")
    [declared] = [each for each in tasks(tmp_path, box, config=config) if isinstance(each, ImportedLabels)]
    assert declared.schema == "bounding-box"
    assert [(each.id, each.colour, each.hotkey) for each in declared.labels] == [
        ("car", "#ff0010", "c"),
        ("bus", "#00ff00", None),
    ]


@pytest.mark.parametrize(
    "config", ["<View>", '<!DOCTYPE a [<!ENTITY b "c">]><View>&b;</View>', "<View>" * 99 + "</View>" * 99]
)
def test_a_config_that_is_none_is_refused_before_anything_is_taken(tmp_path: Path, config: str) -> None:
    with pytest.raises(InputFileError) as error:
        tasks(tmp_path, config=config)
    assert str(error.value).startswith(str(tmp_path / "label_config.xml"))


def test_two_addresses_of_one_file_name_are_not_taken_for_one(tmp_path: Path) -> None:
    found = [{"data": {"image": f"/data/upload/3/{prefix}-a.png"}} for prefix in ("01234567", "89abcdef")]
    records = formats.read("label-studio", label_studio.write(tmp_path, *found), tmp_path / "images")
    [problem] = problems(records)
    assert problem.place.endswith("/1/data")


def test_json_min_and_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tasks.json").write_text('[{"image": "a.png", "id": 1, "annotator": 1, "annotation_id": 1}]')
    with pytest.raises(InputFileError, match="JSON-MIN") as error:
        formats.read("label-studio", tmp_path)
    assert error.value.hint == "export the project as JSON"
    (tmp_path / "tasks.json").write_text('{"image": "a.png"}')
    with pytest.raises(InputFileError, match="no JSON array"):
        formats.read("label-studio", tmp_path)


# --- bad results -------------------------------------------------------------------------------------------------

CAR = {"rectanglelabels": ["car"]}
IMAGE: list[Any] = [
    7,
    {},
    result("ellipselabels", {"x": 1, "y": 1, "radiusX": 1, "radiusY": 1, "ellipselabels": ["x"]}),
    result("brushlabels", {"rle": [], "brushlabels": ["x"]}),
    result("brushlabels", {"rle": [256], "brushlabels": ["x"]}),
    result("brushlabels", {"rle": 10**9, "brushlabels": ["x"]}),
    result("brushlabels", {"rle": [0, 0, 0, 4], "format": "png", "brushlabels": ["x"]}),
    result("rectanglelabels", {**BOX, "rectanglelabels": []}),
    result("rectanglelabels", {**BOX, **CAR}, original_width=0),
    result("rectanglelabels", {**BOX, **CAR, "x": "wide"}),
    result("rectanglelabels", {**BOX, **CAR, "x": None}),
    result("rectanglelabels", {**BOX, **CAR, "x": 10**400}),
    result("rectanglelabels", {**BOX, **CAR, "width": 0}),
    result("rectanglelabels", {**BOX, **CAR, "rotation": float("inf")}),
    result("rectanglelabels", {**BOX, "rectanglelabels": ["x" * 300]}),
    result("rectanglelabels", {**BOX, "rectanglelabels": ["\ud800"]}),
    result("polygonlabels", {"points": [[1, 2, 3]], "polygonlabels": ["x"]}),
    result("polygonlabels", {"points": [[1, 2]], "polygonlabels": ["x"]}),
    result("polygonlabels", {"points": 7, "polygonlabels": ["x"]}),
    result("labels", {"start": 0, "end": 1, "labels": ["x"]}),
    whole("choices", {"choices": []}, "r1"),
    whole("choices", {"choices": [["a", "b"]]}, "r1"),
    whole("choices", {"choices": ["a", "a"]}, "r1"),
    whole("textarea", {"text": [7]}, "r1"),
    whole("textarea", {"text": []}, "r1"),
    whole("rating", {"rating": 6}, "r1"),
    whole("rating", {"rating": 0}, "r1"),
    whole("number", {"number": 6}, "r1"),
    whole("taxonomy", {"taxonomy": [["a"]]}, "r1"),
    whole("datetime", {"datetime": "2024"}, "r1"),
    whole("pairwise", {"selected": "left"}, "r1"),
    whole("nonsense", {}, "r1"),
]
TEXT = [
    span(2, 2),
    span(-1, 2),
    span(0, 99),
    span(2, 1),
    span(0, 1, "no"),
    whole("hypertextlabels", {"start": "/p"}, "r1"),
]
TEXT += [
    whole("labels", {"start": "0", "end": "1", "labels": ["x"]}, "r1"),
    whole("labels", {"start": 0, "end": 1}, "r1"),
]
AUDIO = [
    whole("labels", {"start": start, "end": end, "labels": ["x"]}, "r1") for start, end in ((2, 1), ("a", 2), (-1, 2))
]
VIDEO = [
    whole("videorectangle", {"sequence": [], "labels": ["x"]}, "r1"),
    whole("timelinelabels", {"ranges": []}, "r1"),
]
OF = {"image": "a.png", "text": "a text", "audio": "a.wav", "video": "a.wav"}


@pytest.mark.parametrize(
    ("kind", "bad"),
    [(kind, bad) for kind, bads in zip(OF, (IMAGE, TEXT, AUDIO, VIDEO), strict=True) for bad in bads],
)
def test_a_bad_result_is_a_problem_at_its_place_and_the_rest_is_read(tmp_path: Path, kind: str, bad: Any) -> None:
    records = tasks(tmp_path, whole("choices", {"choices": ["a"]}, "good"), bad, data={kind: OF[kind]})
    assert len(attributes(records)) == 1
    [problem] = problems(records)
    assert problem.place.endswith("/0/annotations/0/result/1")
    assert problem.what.endswith("left out")


@pytest.mark.parametrize("text", ["/data/upload/1/b.txt", "/data/upload/1/a.wav?x"])
def test_spans_of_a_text_that_is_none_are_problems(tmp_path: Path, text: str) -> None:
    records = tasks(tmp_path, span(0, 1), span(0, 2, region="b"), data={"text": text})
    if "b.txt" in text:
        assert [each.what for each in problems(records)] == ["the text is no UTF-8; left out"] * 2
    else:
        assert len(attributes(records)) == 2  # whatever is UTF-8 is a text


def test_annotations_that_are_none_are_problems(tmp_path: Path) -> None:
    task = {"id": 1, "data": {"image": "a.png"}, "annotations": [7, {"result": "x"}]}
    records = formats.read("label-studio", label_studio.write(tmp_path, task), None)
    assert [each.place.rpartition(": ")[2] for each in problems(records)] == ["/0/annotations/0"]
    assert formats.bodies(records) == {"a.png": [("reviewed-empty", {})]}
    old = {"data": {"image": "a.png"}, "completions": [{"result": [whole("choices", {"choices": ["a"]}, "r")]}]}
    assert read_one_of(label_studio.write(tmp_path, old)) == [("classification", {"label": "a"})]


def read_one_of(folder: Path) -> formats.Bodies:
    return formats.bodies(formats.read("label-studio", folder, folder / "images"))["a.png"]
