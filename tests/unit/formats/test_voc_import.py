"""Pascal VOC folders, good and bad; XML that attacks its reader."""

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats import IMPORTERS
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, Record
from gonk_node.formats.strict_xml import parse
from gonk_node.state.strict_json import Problem
from kit import formats

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
BOMB = '<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


def voc_object(box: str = "1 2 10 20", name: str = "RBC", more: str = "") -> str:
    corners = "".join(
        f"<{corner}>{value}</{corner}>"
        for corner, value in zip(("xmin", "ymin", "xmax", "ymax"), box.split(), strict=False)
    )
    return f"<object><name>{name}</name>{more}<bndbox>{corners}</bndbox></object>"


class Voc:
    """A folder of VOC files with its images."""

    def __init__(self, folder: Path) -> None:
        self.images = folder / "JPEGImages"
        self.annotations = folder / "Annotations"
        self.images.mkdir()
        self.annotations.mkdir()

    def add(self, stem: str, *objects: str, filename: str | None = None, head: str = "") -> None:
        name = f"{stem}.jpg" if filename is None else filename
        (self.images / f"{stem}.jpg").write_bytes(JPEG)
        (self.annotations / f"{stem}.xml").write_text(
            f"{head}<annotation><folder>VOC</folder><filename>{name}</filename><source><database>D</database></source>"
            f"<size><width>640</width><height>480</height><depth>3</depth></size>{''.join(objects)}</annotation>"
        )

    def read(self) -> list[Record]:
        return list(IMPORTERS["voc"](self.annotations, self.images))


@pytest.fixture
def voc(tmp_path: Path) -> Voc:
    return Voc(tmp_path)


def bodies(records: list[Record]) -> list[dict[str, Any]]:
    return [json.loads(record.body) for record in records if isinstance(record, ImportedAnnotation)]


def problems(records: list[Record]) -> list[tuple[str, str]]:
    found = [record for record in records if isinstance(record, Problem)]
    return [(problem.place.rsplit("/Annotations/", 1)[1], problem.what) for problem in found]


def test_an_image_comes_with_its_file_and_size(voc: Voc) -> None:
    voc.add("a")
    assert [record for record in voc.read() if isinstance(record, ImportedImage)] == [
        ImportedImage(
            "a.jpg",
            (voc.images / "a.jpg").resolve(),
            "image/jpeg",
            640,
            480,
            {"voc": {"file": "a.xml", "folder": "VOC", "database": "D"}},
        )
    ]


def test_corners_count_pixels_from_one_and_include_the_last(voc: Voc) -> None:
    voc.add("a", voc_object("1 1 640 480"), voc_object("2.5 1 3.5 2"))
    whole, part = bodies(voc.read())
    assert [whole[side] for side in "xywh"] == [0, 0, 640, 480]
    assert [part[side] for side in "xywh"] == [1.5, 0, 2, 2]


def test_fractions_are_those_of_the_file(voc: Voc) -> None:
    voc.add("a", voc_object("259.15 1.1 300.3 20.35"))
    [body] = [json.loads(each.body) for each in voc.read() if isinstance(each, ImportedAnnotation)]
    assert [body[name] for name in "xywh"] == [258.15, 0.1, 42.15, 20.25]


def test_labels_that_xml_or_readers_change_are_told(tmp_path: Path) -> None:
    names = [" a", "a\x0bb", "a b"]
    bodies = [("bounding-box", {"label": name, "x": 1, "y": 1, "w": 5, "h": 5}) for name in names]
    loss = formats.export([formats.sample("a.png", bodies)], "voc", tmp_path / "out")
    assert [(each.what, each.count) for each in loss.kinds()] == [
        ("characters that no XML can hold, in labels, and blanks around them", 2)
    ]


def test_objects_are_known_by_what_they_say_wherever_they_stand(voc: Voc) -> None:
    boxes = [voc_object(), voc_object("5 5 9 9"), voc_object(), voc_object("6 6 9 9")]
    voc.add("a", *boxes)
    before = [each.key for each in voc.read() if isinstance(each, ImportedAnnotation)]
    voc.add("a", *boxes[1:])
    after = [each.key for each in voc.read() if isinstance(each, ImportedAnnotation)]
    assert len(set(before)) == 4
    assert set(after) == set(before) - {before[2]}, "of two that are equal, the second is gone"


def test_what_is_there_twice_and_what_is_in_folders_below_is_told(voc: Voc) -> None:
    voc.add("a", voc_object(more="<bndbox><xmin>1</xmin></bndbox><name>other</name>"), voc_object())
    (voc.annotations / "more").mkdir()
    (voc.annotations / "more/b.xml").write_text("<annotation/>")
    (voc.annotations / "images").mkdir()
    told = [(Path(each.place).name, each.what) for each in voc.read() if isinstance(each, NotCarried)]
    assert told[-3:] == [
        ("object[1]", "all but the first <bndbox> of objects"),
        ("object[1]", "all but the first <name> of objects"),
        ("more", "folders of files below that of the annotations: import each by itself"),
    ]


def test_a_flag_that_says_something_else_is_told(voc: Voc) -> None:
    said = "<truncated>true</truncated><difficult>Unspecified</difficult><occluded></occluded>"
    voc.add("a", voc_object(more=said))
    records = voc.read()
    [told] = [each for each in records if isinstance(each, NotCarried) and "neither" in each.what]
    assert told.place.endswith("a.xml: /annotation/object[1]")
    assert told.what == "<truncated> of objects that is neither 0 nor 1"
    [body] = [json.loads(each.body) for each in records if isinstance(each, ImportedAnnotation)]
    assert "truncated" not in body


def test_flags_and_pose_are_kept_where_they_say_something(voc: Voc) -> None:
    said = "<pose>Left</pose><truncated>1</truncated><difficult>0</difficult><occluded>1</occluded>"
    unsaid = "<pose>Unspecified</pose><truncated>Unspecified</truncated>"
    voc.add("a", voc_object(more=said), voc_object(more=unsaid))
    first, second = bodies(voc.read())
    assert {key: first[key] for key in ("pose", "truncated", "difficult", "occluded")} == {
        "pose": "Left",
        "truncated": True,
        "difficult": False,
        "occluded": True,
    }
    assert set(second) == {"label", "x", "y", "w", "h", "attributes"}
    assert second["attributes"] == {"voc": {"file": "a.xml", "object": 2}}


@pytest.mark.parametrize(
    "box", ["5 5 5 5", "5 5 5 9", "9 5 5 9", "nan 1 2 3", "1 1 inf 3", "1 2 3", "one 2 3 4", "1e999 1 2 3", ""]
)
def test_a_bad_box_is_a_problem_at_its_place_and_the_rest_is_read(voc: Voc, box: str) -> None:
    voc.add("a", voc_object(), voc_object(box), voc_object())
    voc.add("b", voc_object())
    records = voc.read()
    assert len(bodies(records)) == 3
    [(place, what)] = problems(records)
    assert place == "a.xml: /annotation/object[2]/bndbox"
    assert "left out" in what


def test_an_object_without_a_name_is_a_problem(voc: Voc) -> None:
    voc.add("a", voc_object(name=" "), voc_object())
    records = voc.read()
    assert len(bodies(records)) == 1
    assert [place for place, _ in problems(records)] == ["a.xml: /annotation/object[1]/name"]


@pytest.mark.parametrize(
    "filename", ["", "missing.jpg", "../a.xml", "../Annotations/b.xml", "/etc/hostname", "a.jpg", "leads-out.jpg"]
)
def test_a_bad_file_name_is_one_problem_that_counts_its_annotations(voc: Voc, filename: str) -> None:
    (voc.images / "leads-out.jpg").symlink_to(voc.annotations)
    voc.add("a", voc_object())
    voc.add("b", voc_object(), voc_object(), filename=filename)
    records = voc.read()
    assert len(bodies(records)) == 1
    [(place, what)] = problems(records)
    assert place == "b.xml: /annotation/filename"
    assert "its 2 annotations" in what


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<annotation>",
        b"<annotation></object></annotation>",
        b"<html/>",
        b"{}",
        b"\xff\xff",
        b'<?xml version="1.0" encoding="no-such"?><annotation/>',
        b"<a>" * 40 + b"</a>" * 40,
        b"<a>" * 100_000,
        BOMB.encode() + b"<annotation>&b;</annotation>",
        b'<!DOCTYPE annotation SYSTEM "file:///etc/passwd"><annotation/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>',
        b"<!DOCTYPE annotation><annotation/>",
        b"<annotation>&undeclared;</annotation>",
    ],
)
def test_a_file_that_is_none_is_a_problem_among_good_ones_and_refused_alone(voc: Voc, text: bytes) -> None:
    voc.add("b", voc_object())
    for name in ("a.xml", "c.xml"):
        (voc.annotations / name).write_bytes(text)
    records = voc.read()
    assert len(bodies(records)) == 1
    assert [place for place, _ in problems(records)] == [
        str(voc.annotations / "a.xml").rsplit("/", 1)[1],
        "c.xml",
    ]
    with pytest.raises(InputFileError, match=r"a\.xml"):
        list(IMPORTERS["voc"](voc.annotations / "a.xml", voc.images))


def test_a_single_file_can_be_read(voc: Voc) -> None:
    voc.add("a", voc_object())
    voc.add("b", voc_object())
    assert len(bodies(list(IMPORTERS["voc"](voc.annotations / "b.xml", None)))) == 1


def test_what_holds_no_voc_files_is_refused(voc: Voc, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"no \.xml file"):
        voc.read()
    with pytest.raises(InputFileError, match="cannot be read"):
        list(IMPORTERS["voc"](tmp_path / "none", None))
    voc.add("a")
    with pytest.raises(InputFileError, match="no folder"):
        list(IMPORTERS["voc"](voc.annotations, tmp_path / "none"))


def test_equal_boxes_have_keys_of_their_own_and_keep_them(voc: Voc) -> None:
    voc.add("a", voc_object(), voc_object())
    voc.add("b", voc_object(), voc_object())
    once, again = ([r.key for r in voc.read() if isinstance(r, ImportedAnnotation)] for _ in range(2))
    assert once == again
    assert len(set(once)) == 4


def test_xml_of_other_encodings_is_read() -> None:
    assert parse('<?xml version="1.0" encoding="latin-1"?><a>é</a>'.encode("latin-1")).text == "é"
    assert parse("<a>é</a>".encode("utf-16")).text == "é"


def test_what_has_no_place_here_is_told_by_kind(voc: Voc) -> None:
    voc.add("a")
    told = {record.what for record in voc.read() if isinstance(record, NotCarried)}
    assert told == {"<folder> of images", "<source> of images"}
