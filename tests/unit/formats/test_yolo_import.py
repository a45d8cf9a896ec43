"""YOLO datasets of other tools, good and bad: where things are found, what is read, and where messages point."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, Record
from gonk_node.formats.yolo import data_yaml as yolo_yaml
from gonk_node.state.strict_json import Problem
from kit import formats


def dataset(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def one(folder: Path, labels: str, yaml: str = "train: images\nnames: [cat, dog]\n") -> Path:
    return dataset(folder, {"data.yaml": yaml, "images/a.png": formats.png(100, 50), "labels/a.txt": labels})


def bodies(records: list[Record]) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in records if isinstance(each, ImportedAnnotation)]


def keys(records: list[Record]) -> list[bytes]:
    return [each.key for each in records if isinstance(each, ImportedAnnotation)]


def problems(records: list[Record]) -> list[str]:
    return [f"{each.place}: {each.what}" for each in records if isinstance(each, Problem)]


def test_a_box_is_read_with_its_place(tmp_path: Path) -> None:
    [body] = bodies(formats.read("yolo-detect", one(tmp_path, "1 0.5 0.5 0.2 0.4\n")))
    assert body == {
        "label": "dog",
        "x": 40,
        "y": 15,
        "w": 20,
        "h": 20,
        "attributes": {"yolo": {"file": "train/a.txt", "line": 1, "class": 1}},
    }


def test_blanks_around_a_name_in_quotes_are_part_of_it(tmp_path: Path) -> None:
    folder = one(tmp_path, "0 0.5 0.5 0.2 0.4\n1 0.5 0.5 0.1 0.1\n", 'train: images\nnames: ["cat", "cat "]\n')
    assert [body["label"] for body in bodies(formats.read("yolo-detect", folder))] == ["cat", "cat "]


def test_a_byte_order_mark_and_classes_as_decimals_are_read(tmp_path: Path) -> None:
    folder = one(tmp_path, "\ufeff0 0.5 0.5 0.2 0.4\r\n1.000 0.5 0.5 0.1 0.1\r\n1.5 0.5 0.5 0.1 0.1\r\n")
    records = formats.read("yolo-detect", folder)
    assert [body["label"] for body in bodies(records)] == ["cat", "dog"]
    assert [body["attributes"]["yolo"]["class"] for body in bodies(records)] == [0, 1]
    [problem] = problems(records)
    assert "line 3: there is no class '1.5'" in problem


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("pictures/a.png", "labels/a.txt"),
        ("images/train/a.png", "labels/train/a.txt"),
        ("train/images/a.png", "train/labels/a.txt"),
        ("pictures/a.png", "pictures/a.txt"),
    ],
)
def test_labels_of_a_folder_that_is_named_are_found_where_yolo_has_them(tmp_path: Path, image: str, label: str) -> None:
    files = {"data.yaml": "names: [cat]\n", image: formats.png(), label: "0 0.5 0.5 0.2 0.4\n"}
    dataset(tmp_path, files)
    assert len(bodies(formats.read("yolo-detect", tmp_path, (tmp_path / image).parent))) == 1


@pytest.mark.parametrize("splits", ["train: images\nval: images/val", "train: all.txt\nval: all.txt"])
def test_an_image_that_is_in_two_splits_is_read_once(tmp_path: Path, splits: str) -> None:
    line = "0 0.5 0.5 0.2 0.4\n"
    files = {"data.yaml": f"{splits}\nnames: [cat]\n", "images/val/a.png": formats.png(), "labels/val/a.txt": line}
    files |= {"all.txt": "images/val/a.png\n", "labels/val/b.txt": line}
    records = formats.read("yolo-detect", dataset(tmp_path, files))
    assert len(bodies(records)) == 1
    assert ["b.txt: there is no image 'b'" in each for each in problems(records)] == [True]


def test_labels_without_an_image_and_files_that_are_no_images_are_told(tmp_path: Path) -> None:
    line = "0 0.5 0.5 0.2 0.4\n"
    files: dict[str, str | bytes] = {f"labels/{name}.txt": 2 * line for name in ("b", "sub/c", "d")}
    files |= {"labels/a.TXT": line, "labels/classes.txt": "cat\ndog\n", "labels/empty.txt": "", "images/d.jfif": b"x"}
    dataset(one(tmp_path, line), files)
    records = formats.read("yolo-detect", tmp_path)
    told = [each for each in records if isinstance(each, Problem)]
    assert [Path(each.place).relative_to(tmp_path.resolve()).as_posix() for each in told] == [
        "labels/a.TXT",
        "labels/b.txt",
        "labels/d.txt",
        "labels/sub/c.txt",
    ]
    assert told[1].what.startswith("there is no image 'b' with a known ending in ")
    assert told[1].what.endswith("; left out, with its 2 annotations")
    assert [Path(each.place).name for each in records if isinstance(each, NotCarried)] == ["d.jfif"]


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset(one(tmp_path, ""), {"images/locked/b.png": formats.png()})
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputFileError, match="locked: cannot be read: Permission denied"):
        formats.read("yolo-detect", tmp_path)


def test_lines_are_known_by_what_they_say_wherever_they_stand(tmp_path: Path) -> None:
    lines = ["0 0.5 0.5 0.2 0.4\n", "1 0.5 0.5 0.2 0.4\n", "0 0.5 0.5 0.2 0.4\n", "1 0.5 0.5 0.1 0.1\n"]
    before = keys(formats.read("yolo-detect", one(tmp_path, "".join(lines))))
    after = keys(formats.read("yolo-detect", one(tmp_path, "".join(lines[1:]))))
    assert len(set(before)) == 4
    assert set(after) == set(before) - {before[2]}, "of two that are equal, the second is gone"
    emptied = [
        keys(formats.read("yolo-detect", one(tmp_path, "", f"{split}: images\nnames: [a]\n")))
        for split in ("train", "val")
    ]
    assert emptied[0] == emptied[1]


def test_a_picture_that_is_shown_turned_is_told(tmp_path: Path) -> None:
    orientation = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    frame = b"\xff\xc0\x00\x11\x08\x00\x32\x00\x64\x03" + bytes(9)
    files = {"data.yaml": "train: images\nnames: [a]\n", "images/a.jpg": b"\xff\xd8" + orientation + frame}
    records = formats.read("yolo-detect", dataset(tmp_path, files | {"labels/a.txt": "0 0.5 0.5 0.2 0.4\n"}))
    [told] = [each for each in records if isinstance(each, NotCarried)]
    assert told.place.endswith("a.jpg") and "EXIF" in told.what
    assert [(body["x"], body["w"]) for body in bodies(records)] == [(40, 20)]


def test_labels_beside_images_are_told_apart_from_other_texts(tmp_path: Path) -> None:
    line = "0 0.5 0.5 0.2 0.4\n"
    files = {"classes.txt": "cat\n", "a.png": formats.png(), "a.txt": line, "b.txt": line, "notes.txt": "0 x\n"}
    records = formats.read("yolo-detect", dataset(tmp_path, files))
    assert len(bodies(records)) == 1
    [problem] = problems(records)
    assert "b.txt: there is no image 'b'" in problem


def test_the_score_of_a_prediction_is_kept(tmp_path: Path) -> None:
    [body] = bodies(formats.read("yolo-detect", one(tmp_path, "1 0.5 0.5 0.2 0.4 0.75\n")))
    assert body["score"] == 0.75


@pytest.mark.parametrize("folder", ["", "data.yaml"])
def test_the_folder_or_its_yaml_may_be_given(tmp_path: Path, folder: str) -> None:
    one(tmp_path, "0 0.5 0.5 0.2 0.4\n")
    assert len(bodies(formats.read("yolo-detect", tmp_path / folder))) == 1


def test_splits_are_read_also_where_a_tool_wrote_dots_before_them(tmp_path: Path) -> None:
    names = {f"{split}/images/a.png": formats.png(salt=split.encode()) for split in ("train", "valid")}
    labels = {f"{split}/labels/a.txt": "0 0.5 0.5 0.2 0.4\n" for split in ("train", "valid")}
    yaml = "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['cat', 'dog']\n"
    records = formats.read("yolo-detect", dataset(tmp_path, {"data.yaml": yaml, **names, **labels}))
    assert [each.name for each in records if isinstance(each, ImportedImage)] == ["a.png", "val/a.png"]
    assert len(bodies(records)) == 2
    assert problems(records) == []


def test_images_in_folders_have_their_labels_in_the_same_folders(tmp_path: Path) -> None:
    files = {"data.yaml": "train: images/train\nnames:\n  0: cat\n"}
    files |= {"images/train/x/a.png": formats.png(), "labels/train/x/a.txt": "0 0.5 0.5 0.2 0.4"}
    records = formats.read("yolo-detect", dataset(tmp_path, files))
    assert [each.name for each in records if isinstance(each, ImportedImage)] == ["x/a.png"]
    assert len(bodies(records)) == 1


def test_an_empty_label_file_says_that_somebody_looked(tmp_path: Path) -> None:
    records = formats.read("yolo-detect", one(tmp_path, "\n"))
    [found] = [each for each in records if isinstance(each, ImportedAnnotation)]
    assert found.schema == "reviewed-empty"
    assert json.loads(found.body)["schemas"] == ["schema-bounding-box"]
    formats.export(formats.samples_of(records), "yolo-detect", tmp_path / "out")
    assert (tmp_path / "out/labels/a.txt").read_bytes() == b""


def test_no_label_file_says_nothing(tmp_path: Path) -> None:
    source = one(tmp_path, "")
    (source / "labels/a.txt").unlink()
    records = formats.read("yolo-detect", source)
    assert bodies(records) == []
    formats.export(formats.samples_of(records), "yolo-detect", tmp_path / "out")
    assert not (tmp_path / "out/labels").exists()


@pytest.mark.parametrize(
    ("format_name", "line"),
    [
        ("yolo-detect", "0 0.5 0.5 0.2"),
        ("yolo-detect", "0 0.5 0.5 0.2 0.4 0.5 0.5"),
        ("yolo-detect", "7 0.5 0.5 0.2 0.4"),
        ("yolo-detect", "-1 0.5 0.5 0.2 0.4"),
        ("yolo-detect", "cat 0.5 0.5 0.2 0.4"),
        ("yolo-detect", "99999999999999999999 0.5 0.5 0.2 0.4"),
        ("yolo-detect", "0 50 25 20 20"),
        ("yolo-detect", "0 nan 0.5 0.2 0.4"),
        ("yolo-detect", "0 inf 0.5 0.2 0.4"),
        ("yolo-detect", "0 0.5 0.5 0 0.4"),
        ("yolo-detect", "0 0.5 0.5 -0.001 0.4"),
        ("yolo-detect", "0 0.5 0.5 0.2 0.4 7"),
        ("yolo-detect", "0 0.5 ü 0.2 0.4"),
        ("yolo-segment", "0 0.1 0.1 0.2 0.2 0.3"),
        ("yolo-segment", "0 0.1 0.1"),
        ("yolo-obb", "0 0.1 0.1 0.2 0.2"),
        ("yolo-obb", "0 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1"),
        ("yolo-pose", "0 0.5 0.5 0.2 0.4 0.1 0.1 2"),
        ("yolo-pose", "0 0.5 0.5 0.2 0.4 0.1 0.1 3 0 0 0"),
    ],
)
def test_a_bad_line_is_a_problem_at_its_place_and_the_rest_is_read(tmp_path: Path, format_name: str, line: str) -> None:
    good = {
        "yolo-detect": "0 0.5 0.5 0.2 0.4",
        "yolo-segment": "0 0.1 0.1 0.2 0.1 0.2 0.2",
        "yolo-obb": "0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2",
        "yolo-pose": "0 0.5 0.5 0.2 0.4 0.1 0.1 2 0 0 0",
    }[format_name]
    yaml = "train: images\nnames: [cat, dog]\nkpt_shape: [2, 3]\n"
    records = formats.read(format_name, one(tmp_path, f"{good}\n{line}\n{good}\n", yaml))
    assert len(bodies(records)) == 2
    [problem] = problems(records)
    assert "a.txt: line 2: " in problem
    assert "left out" in problem


def test_keypoints_have_the_names_of_the_yaml_or_their_positions(tmp_path: Path) -> None:
    line = "0 0.5 0.5 0.2 0.4 0.1 0.2 0.3 0.4\n"
    for names, wanted in (("", ["0", "1"]), ("kpt_names:\n  0: [nose, tail]\n", ["nose", "tail"])):
        yaml = f"train: images\nnames: [cat]\nkpt_shape: [2, 2]\n{names}"
        [body] = bodies(formats.read("yolo-pose", one(tmp_path, line, yaml)))
        assert [point["name"] for point in body["points"]] == wanted
        assert body["points"][1] == {"name": wanted[1], "x": 30, "y": 20, "v": 2}


def test_corners_that_make_no_rectangle_are_told(tmp_path: Path) -> None:
    records = formats.read("yolo-obb", one(tmp_path, "0 0.1 0.1 0.3 0.1 0.4 0.4 0.1 0.3\n"))
    assert len(bodies(records)) == 1
    assert any("no rectangle" in each.what for each in records if isinstance(each, NotCarried))


def test_boxes_among_outlines_are_boxes(tmp_path: Path) -> None:
    records = formats.read("yolo-segment", one(tmp_path, "0 0.5 0.5 0.2 0.4\n"))
    assert [each.schema for each in records if isinstance(each, ImportedAnnotation)] == ["bounding-box"]


@pytest.mark.parametrize("given", ["/etc", "../..", "outside", "nothing"])
def test_folders_that_lead_out_are_not_followed(tmp_path: Path, given: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.png").write_bytes(formats.png())
    source = one(tmp_path / "in", "", f"train: {given}\nnames: [cat]\n")
    (source / "outside").symlink_to(tmp_path / "secret")
    records = formats.read("yolo-detect", source)
    assert not any(isinstance(each, ImportedImage) and each.name == "s.png" for each in records)
    assert problems(records) or given == "../.."


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(formats.png())
    (tmp_path / "secret.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    source = one(tmp_path / "in", "0 0.5 0.5 0.2 0.4\n")
    (source / "images/b.png").symlink_to(tmp_path / "secret.png")
    (source / "labels/a.txt").unlink()
    (source / "labels/a.txt").symlink_to(tmp_path / "secret.txt")
    records = formats.read("yolo-detect", source)
    assert [each.name for each in records if isinstance(each, ImportedImage)] == ["a.png"]
    assert bodies(records) == []
    assert len(problems(records)) == 2


def test_an_image_without_a_size_is_left_out(tmp_path: Path) -> None:
    source = one(tmp_path, "0 0.5 0.5 0.2 0.4\n")
    (source / "images/a.png").write_bytes(b"no image")
    records = formats.read("yolo-detect", source)
    assert bodies(records) == []
    assert "size of the image" in problems(records)[0]


@pytest.mark.parametrize(
    "yaml",
    [
        "",
        "names: 7\n",
        "names: &a [x]\n",
        "\tnames: [x]\n",
        "names: [x\n",
        "names:\n  - a\n  b: c\n",
        "names: [cat]\nkpt_shape: [a, 3]\n",
        "names: [cat]\nkpt_shape: [999999, 3]\n",
    ],
)
def test_what_is_no_such_dataset_is_refused(tmp_path: Path, yaml: str) -> None:
    with pytest.raises(InputFileError):
        formats.read("yolo-detect", one(tmp_path, "", yaml))


def test_a_folder_without_yaml_or_classes_is_refused_and_one_with_classes_read(tmp_path: Path) -> None:
    source = one(tmp_path, "1 0.5 0.5 0.2 0.4\n")
    (source / "data.yaml").unlink()
    with pytest.raises(InputFileError, match=r"data\.yaml"):
        formats.read("yolo-detect", source)
    (source / "classes.txt").write_text("cat\ndog\n")
    assert [body["label"] for body in bodies(formats.read("yolo-detect", source))] == ["dog"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("names: ['it''s', \"a \\\"b\\\"\", plain text]  # three", {"names": ["it's", 'a "b"', "plain text"]}),
        ("names: {0: cat, 1: 'dog, big'}", {"names": {0: "cat", 1: "dog, big"}}),
        ("names:\n- cat\n- 7\n- ~", {"names": ["cat", 7, None]}),
        ("path: C:/data # here\nnc: 2\n# all\n", {"path": "C:/data", "nc": 2}),
        ('names:\n  0: "\\u00e9\\U0001F600"\n', {"names": {0: "é😀"}}),
        ("a: b#c\n", {"a": "b#c"}),
    ],
)
def test_yaml_of_common_tools_is_read(text: str, wanted: dict[str, Any]) -> None:
    assert yolo_yaml.parse(text) == wanted


@pytest.mark.parametrize(
    "name", ["cat", "a: b", "- x", "#1", '"quoted"', "back\\slash", "é😀", "\x85\u2028\x1b", "yes", "0", "~"]
)
def test_names_of_classes_come_back_from_yaml(name: str) -> None:
    text = yolo_yaml.dump({"train": "images"}, {0: name}, {0: [name]})
    assert yolo_yaml.parse(text) == {"train": "images", "names": {0: name}, "kpt_names": {0: [name]}}
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert yaml.safe_load(text)["names"] == {0: name}


def test_a_split_may_be_a_list_of_images(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "data.yaml": "train: train.txt\nnames: [cat]\n",
        "train.txt": "./images/train/a.png\nimages/train/none.png\n\n../outside.png\n/images/b.png\n",
        "labels/train/a.txt": "0 0.5 0.5 0.2 0.4\n",
        "labels/b.txt": "0 0.5 0.5 0.2 0.4\n",
    }
    files |= {
        f"images/{name}.png": formats.png(100, 50, name.encode()) for name in ("train/a", "train/not listed", "b")
    }
    (tmp_path / "outside.png").write_bytes(formats.png())
    records = formats.read("yolo-detect", dataset(tmp_path / "in", files))
    assert sorted(each.image_name for each in records if isinstance(each, ImportedAnnotation)) == [
        "b.png",
        "train/a.png",
    ]
    assert [told.split("train.txt: ")[1].split(" is no")[0] for told in problems(records)] == [
        "line 2: 'images/train/none.png'",
        "line 4: '../outside.png'",
    ]
