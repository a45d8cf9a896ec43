"""CVAT for images: what each shape becomes, what is kept of it, what is left out and told, and files that attack."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from gonk_node.core.limits import CVAT_POINTS_MAX, CVAT_TEXT_CHARS_MAX, IMPORTED_BODY_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats import IMPORTERS, rle
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage
from kit import cvat, formats
from kit.cvat import Cvat, box, document, image, label

MANY = "".join(f'<points label="{at}" points="1,2"/>' for at in range(CVAT_POINTS_MAX + 1))


@pytest.fixture
def files(tmp_path: Path) -> Cvat:
    return Cvat(tmp_path)


def one(files: Cvat, shape: str) -> tuple[str, dict[str, Any]]:
    """The schema and body, without attributes, that a shape makes."""
    [(schema, body)] = cvat.said(files.read(document(image(shape))))
    del body["attributes"]
    return schema, body


def refused(files: Cvat, shape: str) -> str:
    [problem] = cvat.problems(files.read(document(image(shape))))
    return problem


# --- shapes -------------------------------------------------------------------------------------------------


def test_a_box_is_given_by_its_corners_and_sides_are_what_the_decimals_say(files: Cvat) -> None:
    schema, body = one(files, box('label="c" occluded="1"', ("10.10", "0.1", "20.35", "0.3")))
    assert schema == "bounding-box"
    assert body == {"label": "c", "occluded": True, "x": 10.1, "y": 0.1, "w": 10.25, "h": 0.2}


def test_a_rotated_box_turns_around_its_middle(files: Cvat) -> None:
    schema, body = one(files, box('label="c" rotation="30.50"', ("10", "20", "20.5", "40")))
    assert schema == "rotated-box"
    assert body == {"label": "c", "cx": 15.25, "cy": 30, "w": 10.5, "h": 20, "angle": 30.5}


def test_outlines_and_lines(files: Cvat) -> None:
    assert one(files, '<polygon label="c" points="0,0;4.50,0;4,3"/>') == (
        "polygon",
        {"label": "c", "parts": [{"outer": [[0, 0], [4.5, 0], [4, 3]], "holes": []}]},
    )
    assert one(files, '<polyline label="c" points="0,0;4.5,0"/>') == (
        "polyline",
        {"label": "c", "points": [[0, 0], [4.5, 0]]},
    )


def test_points_are_named_by_their_positions(files: Cvat) -> None:
    schema, body = one(files, '<points label="c" points="1,2;3,4" occluded="0"/>')
    assert schema == "keypoints"
    assert body["points"] == [{"name": "0", "x": 1, "y": 2, "v": 2}, {"name": "1", "x": 3, "y": 4, "v": 2}]


def test_a_skeleton_is_named_by_its_sublabels_and_says_what_is_seen(files: Cvat) -> None:
    points = [("nose", 0, 0, "1,2"), ("ear", 0, 1, "3,4"), ("tail", 1, 0, "5,6"), ("paw", 1, 0, "0,0")]
    content = "".join(
        f'<points label="{name}" outside="{outside}" occluded="{occluded}" points="{at}"/>'
        for name, outside, occluded, at in points
    )
    schema, body = one(files, f'<skeleton label="cat">{content}</skeleton>')
    assert schema == "keypoints"
    assert body["points"] == [
        {"name": "nose", "x": 1, "y": 2, "v": 2},
        {"name": "ear", "x": 3, "y": 4, "v": 1},
        {"name": "tail", "x": 5, "y": 6, "v": 0},
        {"name": "paw", "v": 0},
    ]


def test_a_mask_is_read_by_rows_within_its_box(files: Cvat) -> None:
    schema, body = one(files, '<mask label="c" rle="1, 2, 1, 2" left="10" top="20" width="3" height="2"/>')
    assert schema == "mask"
    assert body["size"] == [48, 64]
    # rows .##, .## -> columns 11 and 12, rows 20 and 21
    assert rle.decode(body["counts"]) == [11 * 48 + 20, 2, 46, 2, 64 * 48 - (12 * 48 + 22)]


def test_a_mask_takes_the_size_of_the_image_file_where_the_file_says_none(files: Cvat) -> None:
    mask = '<mask label="c" rle="0,1" left="63" top="47" width="1" height="1"/>'
    text = document(f'<image id="0" name="a.png">{mask}</image>')
    [(_, body)] = cvat.said(files.read(text))
    assert body["size"] == [48, 64]
    assert cvat.problems(files.without_images(text)) == [
        "line 5: <mask>: a mask needs the width and height of its image, which the file does not say; left out"
    ]


def test_tags_are_classifications(files: Cvat) -> None:
    records = files.read(document(image('<tag label="good"/><tag label="sharp"/>')))
    assert [(schema, body["label"]) for schema, body in cvat.said(records)] == [
        ("classification", "good"),
        ("classification", "sharp"),
    ]


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ("<box/>", "<box>: has no label; left out"),
        ('<box label="c" xtl="1" ytl="2" xbr="3"/>', "<box>: lacks a coordinate; left out"),
        (box('label="c"', ("1", "2", "nan", "4")), "<box>: 'nan' is no number; left out"),
        (box('label="c"', ("1_0", "2", "30", "4")), "<box>: '1_0' is no number; left out"),
        (box('label="c"', ("1", "2", "1e999", "4")), "<box>: has a coordinate that is too large; left out"),
        (box('label="c"', ("4", "2", "1", "4")), "<box>: the box is degenerate: -3 wide, 2 high; left out"),
        ('<polygon label="c" points="1,2;3,4"/>', "<polygon>: makes no polygon:"),
        ('<polygon label="c" points=""/>', "<polygon>: '' is no point; left out"),
        ('<polyline label="c" points="1;2"/>', "<polyline>: '1' is no point; left out"),
        ('<points label="c" points="1,x"/>', "<points>: 'x' is no number; left out"),
        ('<ellipse label="c" cx="1" cy="2" rx="3" ry="4"/>', "<ellipse>: ellipses have no schema in gonk; left out"),
        ('<cuboid label="c" xtl1="1"/>', "<cuboid>: cuboids drawn in an image have no schema in gonk; left out"),
        ('<blob label="c"/>', "<blob>: <blob> is no shape that is read; left out"),
        ('<skeleton label="c"/>', "<skeleton>: the skeleton has 0 points, not 1 to 4,096; left out"),
        (
            '<skeleton label="c"><points points="1,2"/></skeleton>',
            "<skeleton>: the skeleton has an element that is not",
        ),
        ('<skeleton label="c"><points label="a" points="1,2;3,4"/></skeleton>', "<skeleton>: the skeleton has an"),
        (f'<skeleton label="c">{MANY}</skeleton>', "<skeleton>: the skeleton has 4,097 points"),
        ('<skeleton label="c"><box label="a"/></skeleton>', "<skeleton>: the skeleton has an element that is not one"),
        ('<mask label="c" rle="1" left="0" top="0" width="0" height="1"/>', "<mask>: a mask needs left, top, width"),
        ('<mask label="c" rle="1" left="-1" top="0" width="1" height="1"/>', "<mask>: a mask needs left, top, width"),
        ('<mask label="c" rle="0,2" left="63" top="0" width="2" height="1"/>', "<mask>: the mask reaches beyond its"),
        ('<mask label="c" rle="0,3" left="0" top="0" width="2" height="1"/>', "<mask>: the mask covers 3 pixels"),
        ('<mask label="c" rle="3,-1" left="0" top="0" width="2" height="1"/>', "<mask>: the mask has a run below zero"),
        (
            '<mask label="c" rle="x" left="0" top="0" width="2" height="1"/>',
            "<mask>: the runs of the mask are no whole",
        ),
        (f'<tag label="{"x" * 257}"/>', "<tag>: makes no classification: /label"),
    ],
)
def test_what_makes_no_annotation_is_told_with_its_line(files: Cvat, shape: str, what: str) -> None:
    assert refused(files, shape).startswith(f"line 6: {what}")


def test_more_points_than_an_annotation_holds_are_refused_before_they_are_made(files: Cvat) -> None:
    points = ";".join(["1,2"] * (IMPORTED_BODY_BYTES_MAX // 6 + 2))
    assert refused(files, f'<polygon label="c" points="{points}"/>').startswith("line 6: <polygon>: has 174,")


# --- what is kept -------------------------------------------------------------------------------------------


def test_what_gonk_has_no_word_for_is_kept(files: Cvat) -> None:
    attributes = '<attribute name="q">good\n one </attribute><attribute name="empty"></attribute>'
    more = 'label="c" source="auto" z_order="-2" group_id="9" annotation_type="x" outside="0" keyframe="0"'
    records = files.read(document(image(box(more, content=attributes), more=' subset="train"')))
    assert cvat.kept(records) == [
        {
            "source": "auto",
            "z_order": -2,
            "group_id": 9,
            "annotation_type": "x",
            "attributes": {"q": "good\n one ", "empty": ""},
            "image_id": 7,
            "subset": "train",
            "task": {"id": 4, "name": "cells", "owner": "ada", "created": "2024-01-02", "updated": "2024-01-03"},
        }
    ]


def test_no_address_of_e_mail_is_kept(files: Cvat) -> None:
    task = "<id>1</id><owner><username>bob@example.org</username></owner><assignee><username>eve</username></assignee>"
    records = files.read(document(image(box('label="c"')), task=task))
    assert cvat.kept(records) == [{"image_id": 7, "task": {"id": 1, "assignee": "eve"}}]
    assert "@" not in repr([each.body for each in records if isinstance(each, ImportedAnnotation)])
    assert "addresses of e-mail" in cvat.lost(records)


def test_what_all_annotations_of_a_task_would_hold_is_bounded(files: Cvat) -> None:
    task = f"<id>1</id><name>{'x' * (CVAT_TEXT_CHARS_MAX + 1)}</name>"
    records = files.read(document(image(box('label="c"')), task=task))
    assert cvat.kept(records) == [{"image_id": 7, "task": {"id": 1}}]
    assert "<name> of tasks, where it is longer than 1,024 characters" in cvat.lost(records)


def test_attributes_of_the_points_of_a_skeleton_are_kept_by_their_names(files: Cvat) -> None:
    content = (
        '<points label="a" points="1,2" source="manual"><attribute name="k">v</attribute></points>'
        '<points label="b" points="3,4" source="auto"/><attribute name="of">all</attribute>'
    )
    records = files.read(document(image(f'<skeleton label="c" source="manual">{content}</skeleton>')))
    [kept] = cvat.kept(records)
    assert kept["attributes"] == {"of": "all"}
    assert kept["elements"] == {"a": {"attributes": {"k": "v"}}, "b": {"source": "auto"}}


def test_a_job_and_a_project_say_what_they_are(files: Cvat) -> None:
    job = files.read(document(image(box('label="c"')), task="<id>9</id><created>then</created>", kind="job"))
    assert cvat.kept(job) == [{"image_id": 7, "job": {"id": 9, "created": "then"}}]
    tasks = "<tasks><task><id>1</id><name>one</name></task><task><id>2</id><subset>val</subset></task></tasks>"
    text = document(
        image(box('label="c"'), more=' task_id="2"'), task=f"<id>8</id><name>p</name>{tasks}", kind="project"
    )
    assert cvat.kept(files.read(text)) == [
        {"image_id": 7, "subset": "val", "task": {"id": 2}, "project": {"id": 8, "name": "p"}}
    ]


def test_a_later_export_of_a_task_adds_only_what_is_new_in_it(files: Cvat) -> None:
    first, second = box('label="c"'), box('label="d"')
    before = files.read(document(image(first + first + second)))
    later = document(image(second + first + box('label="new"') + first), task=cvat.TASK.replace("01-03", "05-06"))
    keys = [
        {each.key for each in found if isinstance(each, ImportedAnnotation)} for found in (before, files.read(later))
    ]
    assert len(keys[0]) == 3
    assert len(keys[1] - keys[0]) == 1


def test_what_has_no_place_is_told(files: Cvat) -> None:
    task = f"{cvat.TASK}<bugtracker>http://b</bugtracker><overlap></overlap>"
    twice = '<attribute name="a">1</attribute><attribute name="a">2</attribute><note/>'
    text = document(image(box('label="c"', content=twice), more=' colour="red"') + "<extra/>", task=task)
    assert sorted(cvat.lost(files.read(text))) == [
        "'colour' of images",
        "<bugtracker> of tasks",
        "<extra> of the file",
        "<note> in <box>",
        "addresses of e-mail",
        "all but the last of several attributes with one name",
    ]
    assert "ids of images that have no annotation" in cvat.lost(files.read(document(image())))


# --- images -------------------------------------------------------------------------------------------------


def test_images_of_a_subset_are_found_in_its_folder_and_called_so_where_the_name_is_taken(files: Cvat) -> None:
    files.add("train/b.png", formats.png(salt=b"1"))
    files.add("val/b.png", formats.png(salt=b"2"))
    images = [image(name="b.png", more=f' subset="{subset}"') for subset in ("train", "val")]
    found = [each for each in files.read(document("".join(images))) if isinstance(each, ImportedImage)]
    assert [each.name for each in found] == ["b.png", "val/b.png"]
    assert [each.path.parent.name for each in found if each.path] == ["train", "val"]


def test_so_are_those_of_the_subsets_of_several_files(files: Cvat) -> None:
    for subset in ("train", "val"):
        files.add(f"{subset}/b.png", formats.png(salt=subset.encode()))
        shown = image(box(f'label="{subset}"'), name="b.png", more=f' subset="{subset}"')
        (files.folder / f"{subset}.xml").write_text(document(shown))
    records = formats.read("cvat", files.folder, files.images)
    assert [each.name for each in records if isinstance(each, ImportedImage)] == ["b.png", "val/b.png"]
    said = {each.image_name: json.loads(each.body)["label"] for each in records if isinstance(each, ImportedAnnotation)}
    assert said == {"b.png": "train", "val/b.png": "val"}


def test_frames_of_a_video_are_found_although_their_format_is_not_said(files: Cvat) -> None:
    files.add("frame_000012.PNG", formats.png())
    [found] = (each for each in files.read(document(image(name="frame_000012"))) if isinstance(each, ImportedImage))
    assert found.name == "frame_000012.PNG"


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "none.png", "", "schema-x", "a&#9;b", "x" * 300, "a.png/b"])
def test_an_image_that_cannot_be_had_is_told_with_what_it_costs(files: Cvat, name: str) -> None:
    [problem] = cvat.problems(files.read(document(image(box('label="c"') * 2, name=name))))
    assert problem.startswith("line 5: <image>: ")
    assert problem.endswith("; left out, with its 2 annotations")


def test_a_link_out_of_the_folder_is_not_followed(files: Cvat, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(formats.png())
    (files.images / "link.png").symlink_to(tmp_path / "secret.png")
    [problem] = cvat.problems(files.read(document(image(name="link.png"))))
    assert "leads out of" in problem


def test_two_images_of_one_name_are_one_too_many(files: Cvat) -> None:
    records = files.read(document(image() + image(box('label="c"'))))
    assert cvat.problems(records) == [
        "line 7: <image>: the file name 'a.png' is taken by the image of line 5; left out, with its annotation"
    ]


def test_without_a_folder_annotations_go_to_objects_of_the_name(files: Cvat) -> None:
    records = files.without_images(document(image(box('label="c"'))))
    [found] = (each for each in records if isinstance(each, ImportedImage))
    assert (found.name, found.path, found.width, found.height) == ("a.png", None, 64, 48)


# --- labels -------------------------------------------------------------------------------------------------


def test_labels_come_with_colours_attributes_and_types_for_the_schemas_that_they_fit(files: Cvat) -> None:
    attribute = (
        "<attribute><name>q</name><mutable>False</mutable><input_type>select</input_type>"
        "<default_value>good</default_value><values>good\nbad</values></attribute>"
    )
    declared = (
        label("car", f"<color>#FA3253</color><type>rectangle</type><attributes>{attribute}</attributes>")
        + label("tree", "<type>any</type>")
        + label("good", "<type>tag</type>")
        + label("eye", "<type>ellipse</type>")
        + label("car")
        + label("x" * 257)
    )
    records = files.read(document(image(box('label="car"') + '<tag label="good"/>'), labels=declared))
    found = cvat.labels(records)
    assert {schema: [each.id for each in own.labels] for schema, own in found.items()} == {
        "bounding-box": ["car", "tree"],
        "classification": ["tree", "good"],
    }
    car = found["bounding-box"].labels[0]
    assert (car.name, car.colour) == ("car", "#fa3253")
    assert car.attributes == {
        "cvat": {
            "type": "rectangle",
            "attributes": [
                {
                    "name": "q",
                    "mutable": False,
                    "input_type": "select",
                    "default_value": "good",
                    "values": ["good", "bad"],
                }
            ],
        }
    }
    assert {"that several labels have one name", "names of labels that no label can have"} < set(cvat.lost(records))
    assert "labels of ellipses and cuboids" in cvat.lost(records)


SKELETON = (
    label(
        "cat",
        '<type>skeleton</type><svg>&lt;line data-node-from="1" data-node-to="2"&gt;&lt;/line&gt;'
        '&lt;circle data-node-id="1" data-label-name="nose"/&gt;'
        '&lt;circle data-node-id="2" data-label-name="tail"/&gt;</svg>',
    )
    + label("nose", "<type>points</type><parent>cat</parent>")
    + label("tail", "<type>points</type><color>#000000</color><parent>cat</parent>")
)


def test_a_skeleton_brings_its_points_and_lines(files: Cvat) -> None:
    shape = '<skeleton label="cat"><points label="nose" points="1,2"/></skeleton>'
    found = cvat.labels(files.read(document(image(shape), labels=SKELETON)))
    [cat] = found["keypoints"].labels
    assert (cat.keypoints, cat.skeleton) == (("nose", "tail"), (("nose", "tail"),))
    assert cat.attributes is not None
    assert cat.attributes["cvat"]["points"] == {
        "nose": {"type": "points"},
        "tail": {"type": "points", "color": "#000000"},
    }


def test_a_picture_of_a_skeleton_that_attacks_is_told(files: Cvat) -> None:
    bomb = SKELETON.replace("<svg>", "<svg>&lt;!DOCTYPE a&gt;")
    records = files.read(document(image(), labels=bomb))
    assert "lines of skeletons whose <svg> cannot be read" in cvat.lost(records)


def test_labels_are_declared_also_where_nothing_has_them(files: Cvat) -> None:
    found = cvat.labels(files.read(document(image(), labels=label("car") + label("good", "<type>tag</type>"))))
    assert {schema: [each.id for each in own.labels] for schema, own in found.items()} == {
        "bounding-box": ["car"],
        "classification": ["car", "good"],
    }


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<annotation><filename>a</filename></annotation>", "its top element is <annotation>, not <annotations>"),
        (document(image()).replace("1.1", "2.0"), "is of version '2.0' of CVAT's format, not 1.1"),
        (document(image())[:-10], "is not XML: unclosed token"),
        (document(image()).replace("<annotations>", "<!DOCTYPE a []><annotations>"), "has a document type"),
    ],
)
def test_what_is_no_cvat_file_is_refused_before_anything_is_taken(files: Cvat, text: str, what: str) -> None:
    files.file.write_text(text)
    with pytest.raises(InputFileError) as caught:
        next(iter(IMPORTERS["cvat"](files.file, files.images)))
    assert caught.value.what.startswith(what)


def test_a_folder_stands_for_its_files_and_a_bad_one_among_them_is_told(files: Cvat) -> None:
    (files.folder / "broken.xml").write_text("<annotations>")
    (files.folder / "other.xml").write_text(document(image('<tag label="good"/>')))
    records = files.read(document(image(box('label="c"'))), source=files.folder)
    assert [schema for schema, _ in cvat.said(records)] == ["bounding-box", "classification"]
    assert [what.partition(":")[0] for what in cvat.problems(records)] == [str(files.folder / "broken.xml")]
    for file in files.folder.glob("*.xml"):
        file.unlink()
    with pytest.raises(InputFileError, match=r"holds no \.xml file"):
        formats.read("cvat", files.folder)


def test_an_archive_is_to_be_unpacked(files: Cvat) -> None:
    with pytest.raises(InputFileError, match="is an archive") as caught:
        formats.read("cvat", files.folder / "task.zip", files.images)
    assert caught.value.hint == "unpack it, and give the folder"


def test_reading_twice_gives_the_same_keys(files: Cvat) -> None:
    text = document(image(box('label="c"') * 3))
    keys = [[each.key for each in files.read(text) if isinstance(each, ImportedAnnotation)] for _ in range(2)]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


def test_memory_does_not_grow_with_the_file(files: Cvat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "gonk_node.formats.strict_xml._PIECE_BYTES", 4096
    )  # what is read at a time, so that it is little
    held = [_held(files, count) for count in (50, 350)]
    each = (held[1] - held[0]) / (300 * 10)
    assert each < 30, f"{each:.0f} bytes more for each annotation: {held}"  # an element alone takes five hundred


def _held(files: Cvat, images: int) -> int:
    """The most bytes that are held while a file of so many images with ten boxes each is read."""
    with files.file.open("w") as stream:
        before, after = document("<image/>").split("<image/>")
        stream.write(before)
        for index in range(images):
            stream.write(image(box('label="c" z_order="1"') * 10, name=f"{index}.png"))
        stream.write(after)
    count = 0
    tracemalloc.start()
    try:
        for record in IMPORTERS["cvat"](files.file, None):
            count += isinstance(record, ImportedAnnotation) and bool(json.loads(record.body))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert count == images * 10
