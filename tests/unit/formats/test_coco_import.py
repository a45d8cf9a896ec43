"""COCO files, good and bad: what is read, what is left out, and where the message points."""

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats import IMPORTERS
from gonk_node.formats.label_set import LabelSet
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, ImportedLabels, Record
from gonk_node.state.strict_json import Problem

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


class Coco:
    """A COCO file under construction, with its images folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = folder / "images"
        self.images.mkdir()
        self.file = folder / "instances.json"
        self.document: dict[str, Any] = {
            "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48, "license": 3}],
            "categories": [{"id": 7, "name": "RBC", "supercategory": "cell"}],
            "annotations": [],
        }
        (self.images / "a.png").write_bytes(PNG)

    def add(self, **fields: Any) -> None:
        number = len(self.document["annotations"]) + 1
        base = {"id": number, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}
        self.document["annotations"].append({**base, **fields})

    def read(self, *, with_images: bool = True) -> list[Record]:
        self.file.write_text(json.dumps(self.document))
        return list(IMPORTERS["coco"](self.file, self.images if with_images else None))


@pytest.fixture
def coco(tmp_path: Path) -> Coco:
    return Coco(tmp_path)


def annotations(records: list[Record]) -> list[ImportedAnnotation]:
    return [record for record in records if isinstance(record, ImportedAnnotation)]


def bodies(records: list[Record]) -> list[dict[str, Any]]:
    return [json.loads(record.body) for record in annotations(records)]


def problems(records: list[Record]) -> list[tuple[str, str]]:
    """(place without the file, what)"""
    found = [record for record in records if isinstance(record, Problem)]
    assert all("instances.json: " in problem.place for problem in found)
    return [(problem.place.split("instances.json: ")[1], problem.what) for problem in found]


def test_an_image_comes_with_its_file_size_and_ids(coco: Coco) -> None:
    [image] = [record for record in coco.read() if isinstance(record, ImportedImage)]
    assert image == ImportedImage(
        "a.png",
        (coco.images / "a.png").resolve(),
        "image/png",
        64,
        48,
        {"coco": {"id": 1, "license": 3}},
    )


def test_a_box_becomes_a_bounding_box_that_keeps_its_ids(coco: Coco) -> None:
    coco.add(bbox=[1, 2.5, 3.0, 4], iscrowd=1, area=12, attributes={"occluded": False})
    [found] = annotations(coco.read())
    assert (found.image_name, found.schema) == ("a.png", "bounding-box")
    kept = {"id": 1, "image_id": 1, "category_id": 7, "area": 12, "attributes": {"occluded": False}}
    kept["supercategory"] = "cell"
    assert json.loads(found.body) == {
        "label": "RBC",
        "x": 1,
        "y": 2.5,
        "w": 3,
        "h": 4,
        "iscrowd": True,
        "attributes": {"coco": kept},
    }
    assert b'"w":3,' in found.body
    assert found.place.endswith("/annotations/0/bbox")


def test_polygons_become_parts_beside_the_box(coco: Coco) -> None:
    coco.add(segmentation=[[0, 0, 10, 0, 10, 10], [20, 20, 30, 20, 30, 30, 20.5, 30]])
    box, polygon = annotations(coco.read())
    assert (box.schema, polygon.schema) == ("bounding-box", "polygon")
    assert json.loads(polygon.body)["parts"] == [
        {"outer": [[0, 0], [10, 0], [10, 10]], "holes": []},
        {"outer": [[20, 20], [30, 20], [30, 30], [20.5, 30]], "holes": []},
    ]
    assert box.key != polygon.key


def test_captions_need_no_category(coco: Coco) -> None:
    coco.document["annotations"] = [{"id": 5, "image_id": 1, "caption": "Cells."}]
    del coco.document["categories"]
    [found] = annotations(coco.read())
    assert found.schema == "caption"
    assert json.loads(found.body)["text"] == "Cells."


@pytest.mark.parametrize("counts", [[52, 3, 3017], "d13Yn2"])
def test_a_run_length_mask_becomes_a_mask_beside_the_box(coco: Coco, counts: Any) -> None:
    coco.add(iscrowd=1, segmentation={"size": [48, 64], "counts": counts})
    box, mask = annotations(coco.read())
    assert (box.schema, mask.schema) == ("bounding-box", "mask")
    found = json.loads(mask.body)
    assert (found["size"], found["counts"], found["iscrowd"]) == ([48, 64], counts, True)


@pytest.mark.parametrize(
    "outline",
    [
        {"size": [48, 64], "counts": [1, 2]},
        {"size": [48, 64], "counts": [4000, -928]},
        {"size": [48, 64], "counts": [True, 3071]},
        {"size": [48, 64], "counts": "d13Yn~"},
        {"size": [48, 64], "counts": "d13Y"},
        {"size": [48, 64], "counts": None},
        {"size": [48], "counts": [1, 2]},
        {"size": [0, 64], "counts": []},
        {"counts": [1, 2]},
    ],
)
def test_a_bad_mask_is_reported_and_the_box_kept(coco: Coco, outline: Any) -> None:
    coco.add(iscrowd=1, segmentation=outline)
    records = coco.read()
    assert [found.schema for found in annotations(records)] == ["bounding-box"]
    [(place, what)] = problems(records)
    assert place == "/annotations/0/segmentation"
    assert "left out" in what


def test_keypoints_get_the_names_of_their_category_and_hold_the_box(coco: Coco) -> None:
    coco.document["categories"][0]["keypoints"] = ["nose", "tail"]
    coco.add(keypoints=[5, 6.5, 2, 0, 0, 0], num_keypoints=1)
    [found] = annotations(coco.read())
    assert found.schema == "keypoints"
    body = json.loads(found.body)
    assert body["points"] == [{"name": "nose", "x": 5, "y": 6.5, "v": 2}, {"name": "tail", "v": 0}]
    assert body["box"] == {"x": 1, "y": 2, "w": 3, "h": 4}


@pytest.mark.parametrize("flat", [[5, 6, 2], [5, 6, 2, 0, 0, 3], [5, 6, 2, 0, 0, None], "5 6 2 0 0 0"])
def test_bad_keypoints_are_reported_and_the_box_kept(coco: Coco, flat: Any) -> None:
    coco.document["categories"][0]["keypoints"] = ["nose", "tail"]
    coco.add(keypoints=flat)
    records = coco.read()
    assert [found.schema for found in annotations(records)] == ["bounding-box"]
    assert [place for place, _ in problems(records)] == ["/annotations/0/keypoints"]


def test_what_has_no_place_here_is_told_by_kind(coco: Coco) -> None:
    coco.document |= {"info": {"year": 2017}, "licenses": []}
    coco.document["categories"].append({"id": 8, "name": "RBC"})
    coco.add()
    told = {record.what for record in coco.read() if isinstance(record, NotCarried)}
    assert told == {
        "'license' of images",
        "that several categories have one name",
        "'info' of the file",
    }


@pytest.mark.parametrize(
    "box",
    [
        [1, 2, 0, 4],
        [1, 2, 3, -4],
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [1, 2, 3, float("nan")],
        [float("inf"), 2, 3, 4],
        [1, 2, 3, 10**400],
        [1, 2, "3", 4],
        [1, 2, True, 4],
        [None, 2, 3, 4],
        "1 2 3 4",
        {"x": 1},
    ],
)
def test_a_bad_box_is_a_problem_at_its_place_and_the_rest_is_read(coco: Coco, box: Any) -> None:
    coco.add()
    coco.add(bbox=box)
    coco.add()
    records = coco.read()
    assert [body["attributes"]["coco"]["id"] for body in bodies(records)] == [1, 3]
    [(place, what)] = problems(records)
    assert place == "/annotations/1/bbox"
    assert "left out" in what


@pytest.mark.parametrize(
    "outline",
    [
        [[0, 0, 10, 0]],
        [[0, 0, 10, 0, 10]],
        [[0, 0, 10, 10, 20, 20]],
        [[0, 0, 10, 0, 10, float("nan")]],
        [[0, 0, 10, 0, 10, 10], [1]],
        [0, 0, 10, 0, 10, 10],
        "M0 0",
    ],
)
def test_a_bad_polygon_is_a_problem_and_its_box_is_kept(coco: Coco, outline: Any) -> None:
    coco.add(segmentation=outline)
    records = coco.read()
    assert [found.schema for found in annotations(records)] == ["bounding-box"]
    assert [place for place, _ in problems(records)] == ["/annotations/0/segmentation"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"category_id": 8}, "/annotations/1/category_id"),
        ({"category_id": None}, "/annotations/1/category_id"),
        ({"category_id": [7]}, "/annotations/1/category_id"),
        ({"image_id": 2}, "/annotations/1/image_id"),
        ({"image_id": {}}, "/annotations/1/image_id"),
        ({"id": 1}, "/annotations/1/id"),
        ({"id": []}, "/annotations/1/id"),
        ({"bbox": []}, "/annotations/1"),
        ({"area": float("nan")}, "/annotations/1/bbox"),
        ({"area": 10**400}, "/annotations/1/bbox"),
        ({"note": "\ud800"}, "/annotations/1/bbox"),
        ({"note": "x" * 2**20}, "/annotations/1/bbox"),
    ],
)
def test_a_bad_annotation_is_a_problem_at_its_place_and_the_rest_is_read(
    coco: Coco, fields: dict[str, Any], place: str
) -> None:
    coco.add()
    coco.add(**fields)
    coco.add()
    records = coco.read()
    assert [body["attributes"]["coco"]["id"] for body in bodies(records)] == [1, 3]
    assert [found for found, _ in problems(records)] == [place]


def test_an_annotation_that_is_no_object_is_a_problem(coco: Coco) -> None:
    coco.document["annotations"] = [5]
    assert [place for place, _ in problems(coco.read())] == ["/annotations/0"]


def test_a_label_that_fits_no_schema_is_a_problem(coco: Coco) -> None:
    coco.document["categories"][0]["name"] = "x" * 300
    coco.add()
    [(place, what)] = problems(coco.read())
    assert place == "/annotations/0/bbox"
    assert "makes no bounding-box: /label" in what


@pytest.mark.parametrize(
    "category", [{"id": 7, "name": "again"}, {"name": "no id"}, {"id": 9}, {"id": 9, "name": ""}, 5]
)
def test_a_bad_category_is_a_problem_and_the_first_of_an_id_counts(coco: Coco, category: Any) -> None:
    coco.document["categories"].append(category)
    coco.add()
    records = coco.read()
    assert [body["label"] for body in bodies(records)] == ["RBC"]
    [(place, _)] = problems(records)
    assert place.startswith("/categories/1")


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ({"id": 2, "file_name": "missing.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "a.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "../instances.json"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "sub/../../instances.json"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "/etc/hostname"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "C:\\a.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "C:a.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "leads-out.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "circle.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "a.png\x00"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "a\n.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "\ud800.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "schema-a.png"}, "/images/1/file_name"),
        ({"id": 2, "file_name": "x" * 2000}, "/images/1/file_name"),
        ({"id": 2, "file_name": ""}, "/images/1/file_name"),
        ({"id": 2, "file_name": "."}, "/images/1/file_name"),
        ({"id": 2}, "/images/1/file_name"),
    ],
)
def test_a_bad_image_is_one_problem_that_counts_its_annotations(
    coco: Coco, tmp_path: Path, image: dict[str, Any], place: str
) -> None:
    (coco.images / "leads-out.png").symlink_to(tmp_path / "instances.json")
    (coco.images / "circle.png").symlink_to(coco.images / "circle.png")
    (coco.images / "schema-a.png").write_bytes(PNG)
    coco.document["images"].append(image)
    coco.add()
    coco.add(image_id=2)
    coco.add(image_id=2)
    records = coco.read()
    assert [body["attributes"]["coco"]["id"] for body in bodies(records)] == [1]
    assert sum(isinstance(record, ImportedImage) for record in records) == 1
    [(found, what)] = problems(records)
    assert found == place
    assert "its 2 annotations" in what


@pytest.mark.parametrize("image", [{"id": 1, "file_name": "b.png"}, {"file_name": "b.png"}, {"id": True}, None])
def test_an_image_whose_id_is_taken_or_none_is_a_problem(coco: Coco, image: Any) -> None:
    coco.document["images"].append(image)
    coco.add()
    records = coco.read()
    assert len(bodies(records)) == 1
    assert len(problems(records)) == 1


def test_images_in_subfolders_and_links_that_stay_inside_are_read(coco: Coco) -> None:
    (coco.images / "sub").mkdir()
    (coco.images / "sub" / "b.png").symlink_to(coco.images / "a.png")
    coco.document["images"].append({"id": "x", "file_name": "sub/b.png"})
    coco.add(image_id="x")
    records = coco.read()
    assert [found.image_name for found in annotations(records)] == ["sub/b.png"]
    assert problems(records) == []


def test_without_an_images_folder_no_file_is_looked_for(coco: Coco) -> None:
    coco.document["images"].append({"id": 2, "file_name": "missing.jpg"})
    coco.add(image_id=2)
    records = coco.read(with_images=False)
    assert [(record.path, record.media_type) for record in records if isinstance(record, ImportedImage)] == [
        (None, "image/png"),
        (None, "image/jpeg"),
    ]
    assert len(annotations(records)) == 1


def test_reading_twice_gives_the_same_keys_and_each_annotation_its_own(coco: Coco) -> None:
    coco.add()
    coco.add()
    coco.document["annotations"].append({"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]})
    once, again = annotations(coco.read()), annotations(coco.read(with_images=False))
    assert [found.key for found in once] == [found.key for found in again]
    assert len({found.key for found in once}) == 3
    assert {len(found.key) for found in once} == {16}


def test_a_corrected_box_has_another_key(coco: Coco) -> None:
    coco.add()
    [before] = annotations(coco.read())
    coco.document["annotations"][0]["bbox"][0] = 1.5
    [after] = annotations(coco.read())
    assert before.key != after.key


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b'[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":0.5}]',
        b"{}",
        b'{"images":{}}',
        b'{"images":[],"annotations":{}}',
        b'{"images":[],"categories":5}',
        b"[" * 200_000,
        b"<annotation/>",
    ],
)
def test_what_is_no_coco_file_is_refused_as_a_whole(coco: Coco, text: bytes) -> None:
    coco.file.write_bytes(text)
    with pytest.raises(InputFileError, match="instances"):
        list(IMPORTERS["coco"](coco.file, coco.images))


def test_a_missing_file_and_a_missing_images_folder_are_refused(coco: Coco) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        list(IMPORTERS["coco"](coco.folder / "none.json", None))
    coco.read()
    with pytest.raises(InputFileError, match="no folder"):
        list(IMPORTERS["coco"](coco.file, coco.folder / "none"))


def labels(records: list[Record]) -> list[ImportedLabels]:
    return [record for record in records if isinstance(record, ImportedLabels)]


def test_categories_become_labels_of_each_schema_that_is_used(coco: Coco) -> None:
    coco.document["categories"] += [{"id": 9, "name": "WBC", "color": [1, 2, 3]}, {"id": 8, "name": ""}]
    coco.add(segmentation=[[0, 0, 5, 0, 5, 5]])
    found = labels(coco.read())
    assert [each.schema for each in found] == ["bounding-box", "polygon"]
    assert [(each.id, each.name, each.index, each.attributes) for each in found[0].labels] == [
        ("RBC", "RBC", None, {"coco": {"id": 7, "supercategory": "cell"}}),
        ("WBC", "WBC", None, {"coco": {"id": 9, "color": [1, 2, 3]}}),
    ]


@pytest.mark.parametrize(("points", "schema"), [([], "bounding-box"), (["nose", "tail"], "keypoints")])
def test_a_file_without_annotations_still_says_what_its_labels_are(coco: Coco, points: list[str], schema: str) -> None:
    coco.document["categories"][0]["keypoints"] = points
    (found,) = labels(coco.read())
    assert (found.schema, [each.id for each in found.labels]) == (schema, ["RBC"])


def test_points_and_skeleton_of_a_category_are_its_labels(coco: Coco) -> None:
    coco.document["categories"][0] |= {
        "keypoints": ["nose", "tail", "paw"],
        "skeleton": [[1, 2], [3, 2], [1, 4], [0, 1], "x"],
    }
    coco.add(keypoints=[5, 6, 2, 0, 0, 0, 1, 1, 1])
    (label,) = next(each for each in labels(coco.read()) if each.schema == "keypoints").labels
    assert label.keypoints == ("nose", "tail", "paw")
    assert label.skeleton == (("nose", "tail"), ("paw", "tail"))
    assert label.attributes == {"coco": {"id": 7, "supercategory": "cell"}}


def test_lines_of_a_skeleton_that_join_nothing_are_told(coco: Coco) -> None:
    coco.document["categories"] = [{"id": 7, "name": "p", "keypoints": ["a", "b", "c"], "skeleton": [[0, 1], [1, 2]]}]
    coco.add(keypoints=[1, 2, 2, 3, 4, 2, 5, 6, 2])
    records = coco.read()
    [labels] = [each for each in records if isinstance(each, ImportedLabels)]
    assert labels.labels[0].skeleton == (("a", "b"),)
    told = [(each.place.split(": ")[1], each.what) for each in records if isinstance(each, NotCarried)]
    assert ("/categories/0/skeleton", "lines of skeletons that join no two keypoints") in told


def test_what_no_label_can_have_is_told_and_the_other_labels_are_declared(coco: Coco) -> None:
    coco.document["categories"] += [
        {"id": 8, "name": "half \ud800"},
        {"id": 9, "name": "n" * 5000},
        {"id": 10, "name": "WBC", "x": float("nan"), "y": 1},
        {"id": 11, "name": "p", "keypoints": ["\udc00"]},
    ]
    records = coco.read()
    told = [(each.place.split(": ")[1], each.what) for each in records if isinstance(each, NotCarried)]
    assert [each for each in told if "categories" in each[0]] == [
        ("/categories/1", "names of categories that no label can have"),
        ("/categories/2", "names of categories that no label can have"),
        ("/categories/3", "fields of categories that JSON cannot hold (NaN, Infinity)"),
        ("/categories/4", "fields of categories that JSON cannot hold (NaN, Infinity)"),
    ]
    [declared] = [each for each in records if isinstance(each, ImportedLabels)]
    assert [label.name for label in declared.labels] == ["RBC", "WBC", "p"]
    assert declared.labels[1].attributes == {"coco": {"id": 10, "y": 1}}
    LabelSet("schema-keypoints").with_more(declared.labels)


def test_whole_numbers_with_a_fraction_are_ids(coco: Coco) -> None:
    coco.document["images"][0]["id"] = 1.0
    coco.document["categories"][0]["id"] = 7.0
    coco.add(id=5.0, category_id=7)
    coco.add(id=5, image_id=1.0)
    records = coco.read()
    [body] = bodies(records)
    assert {name: type(body["attributes"]["coco"][name]) for name in ("id", "image_id", "category_id")} == {
        "id": int,
        "image_id": int,
        "category_id": int,
    }
    assert problems(records) == [("/annotations/1/id", "annotation id 5 is taken or no id; left out")]
    [labels] = [each for each in records if isinstance(each, ImportedLabels)]
    assert labels.labels[0].attributes["coco"]["id"] == 7


def test_annotations_whose_id_is_null_are_read_as_those_without(coco: Coco) -> None:
    coco.add(id=None)
    coco.add(id=None)
    records = coco.read()
    assert len(bodies(records)) == 2
    assert problems(records) == []


@pytest.mark.parametrize("crowd", ["1", 2, [1]])
def test_an_iscrowd_that_is_none_is_told(coco: Coco, crowd: Any) -> None:
    coco.add(iscrowd=crowd)
    coco.add(iscrowd=1)
    coco.add(iscrowd=None)
    records = coco.read()
    assert [body.get("iscrowd") for body in bodies(records)] == [None, True, None]
    [told] = [each for each in records if isinstance(each, NotCarried) and "iscrowd" in each.what]
    assert told.place.endswith("/annotations/0")


def test_images_may_be_in_folders_of_their_subsets(coco: Coco) -> None:
    coco.file.unlink(missing_ok=True)
    (coco.images / "a.png").unlink()
    for number, subset in enumerate(("train", "val"), 1):
        (coco.images / subset).mkdir()
        (coco.images / subset / "a.png").write_bytes(PNG + subset.encode())
        coco.document["annotations"] = []
        coco.add(id=number, bbox=[number, 1, 1, 1])
        coco.file = coco.folder / f"instances_{subset}.json"
        coco.read()
    records = list(IMPORTERS["coco"](coco.folder, coco.images))
    assert problems(records) == []
    found = {each.name: each.path for each in records if isinstance(each, ImportedImage)}
    assert found == {
        "a.png": (coco.images / "train/a.png").resolve(),
        "val/a.png": (coco.images / "val/a.png").resolve(),
    }
    said = {each.image_name: json.loads(each.body)["x"] for each in annotations(records)}
    assert said == {"a.png": 1, "val/a.png": 2}


def test_a_file_in_a_folder_that_is_no_coco_file_is_a_problem_and_the_others_are_read(coco: Coco) -> None:
    coco.add()
    coco.read()
    (coco.folder / "a.json").write_text('{"x": 1}')
    (coco.folder / "z.json").write_text("[")
    records = list(IMPORTERS["coco"](coco.folder, coco.images))
    assert len(bodies(records)) == 1
    assert [Path(each.place).name for each in records if isinstance(each, Problem)] == ["a.json", "z.json"]
    coco.file.unlink()
    with pytest.raises(InputFileError, match=r"a\.json: is no COCO file"):
        list(IMPORTERS["coco"](coco.folder, coco.images))


def test_lists_in_any_order_are_read_alike(coco: Coco) -> None:
    coco.document["categories"].append({"id": 9, "name": "WBC"})
    for number in range(3):
        coco.add(category_id=7 + 2 * (number % 2))
    before = [record for record in coco.read() if not isinstance(record, NotCarried)]
    coco.document = dict(reversed(coco.document.items()))
    assert [record for record in coco.read() if not isinstance(record, NotCarried)] == before


def test_a_list_that_is_there_twice_is_refused(coco: Coco) -> None:
    coco.file.write_text('{"images": [{"id": 1}], "images": [{"id": 1}]}')
    with pytest.raises(InputFileError, match="twice"):
        list(IMPORTERS["coco"](coco.file, None))


def test_a_file_that_breaks_off_is_refused_before_anything_is_taken(coco: Coco) -> None:
    coco.add()
    coco.read()
    coco.file.write_bytes(coco.file.read_bytes()[:-3])
    with pytest.raises(InputFileError):
        next(IMPORTERS["coco"](coco.file, coco.images))
