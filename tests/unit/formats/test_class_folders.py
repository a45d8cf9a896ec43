"""ImageFolder, and what it has of YOLO classify: folders by class, in and out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gonk_node.errors import InputFileError, RefusedError
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedAnnotation
from gonk_node.state.strict_json import Problem
from kit import formats


def folder(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(formats.png(salt=path.encode()))
    return root


def labels(root: Path, format_name: str = "imagefolder") -> dict[str, str]:
    """The label of each image, by name."""
    found = formats.read(format_name, root)
    return {each.image_name: json.loads(each.body)["label"] for each in found if isinstance(each, ImportedAnnotation)}


def test_each_folder_is_a_class_also_one_that_is_called_train(tmp_path: Path) -> None:
    folder(tmp_path, "cat/1.png", "cat/sub/2.png", "dog/1.png", "train/3.png")
    assert labels(tmp_path) == {"1.png": "cat", "sub/2.png": "cat", "dog/1.png": "dog", "3.png": "train"}
    with pytest.raises(InputFileError, match="no folder for a class"):
        labels(tmp_path, "yolo-classify")  # there it is a split


def test_where_an_image_was_is_kept(tmp_path: Path) -> None:
    records = formats.read("imagefolder", folder(tmp_path, "cat/1.png"))
    [body] = [json.loads(each.body) for each in records if isinstance(each, ImportedAnnotation)]
    assert body == {"label": "cat", "attributes": {"imagefolder": {"file": "cat/1.png"}}}


def test_what_is_not_taken_is_told(tmp_path: Path) -> None:
    folder(tmp_path, "cat/1.png", "cat/readme.txt", "empty/.keep", "out/a.png")
    (tmp_path / "cat/link.png").symlink_to("/etc/hostname")
    (tmp_path / "elsewhere").symlink_to("/etc")
    records = formats.read("imagefolder", tmp_path)
    told = [(Path(each.place).name, each.what) for each in records if isinstance(each, NotCarried)]
    no_image = "files that are no images by the ends of their names"
    assert told == [
        ("elsewhere", "links to folders, which are not followed"),
        ("readme.txt", no_image),
        (".keep", no_image),
        ("empty", "classes that no image has"),
    ]
    [problem] = [each for each in records if isinstance(each, Problem)]
    assert problem.place.endswith("cat/link.png") and "leads out" in problem.what


def test_images_in_no_folder_of_a_class_are_told(tmp_path: Path) -> None:
    folder(tmp_path, "cat/1.png", "2.png", "readme.txt")
    told = [each for each in formats.read("imagefolder", tmp_path) if isinstance(each, NotCarried)]
    assert [(Path(each.place).name, each.what) for each in told] == [
        ("2.png", "images that are in no folder of a class")
    ]


def test_an_image_never_gets_the_name_of_another_one(tmp_path: Path) -> None:
    folder(tmp_path, "cat/x/1.png", "dog/1.png", "x/1.png")
    records = formats.read("imagefolder", tmp_path)
    assert labels(tmp_path) == {"x/1.png": "cat", "1.png": "dog"}
    [problem] = [each for each in records if isinstance(each, Problem)]
    assert problem.place.endswith("x/1.png") and "is taken by" in problem.what


@pytest.mark.parametrize("called", ["val", "valid", "validation"])
def test_the_split_for_validation_is_known_by_its_other_names(tmp_path: Path, called: str) -> None:
    folder(tmp_path, "train/cat/1.png", f"{called}/cat/1.png", f"{called}/dog/2.png")
    records = formats.read("yolo-classify", tmp_path)
    bodies = [json.loads(each.body) for each in records if isinstance(each, ImportedAnnotation)]
    assert labels(tmp_path, "yolo-classify") == {"1.png": "cat", "val/cat/1.png": "cat", "2.png": "dog"}
    assert [body["attributes"]["yolo"] for body in bodies] == [
        {"file": "train/cat/1.png", "split": "train"},
        {"file": "val/cat/1.png", "split": "val"},
        {"file": "val/dog/2.png", "split": "val"},
    ]


def test_what_is_beside_the_splits_is_told(tmp_path: Path) -> None:
    folder(tmp_path, "train/cat/1.png", "train/2.png", "more/cat/3.png", "4.png")
    told = [each for each in formats.read("yolo-classify", tmp_path) if isinstance(each, NotCarried)]
    assert [(Path(each.place).relative_to(tmp_path.resolve()).as_posix(), each.what) for each in told] == [
        ("more", "folders beside those of the splits"),
        ("4.png", "images that are in no folder of a class"),
        ("train/2.png", "images that are in no folder of a class"),
    ]


def test_what_has_no_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no folder for a class"):
        labels(tmp_path)
    with pytest.raises(InputFileError, match="is no folder"):
        labels(tmp_path / "none")


@pytest.mark.parametrize(("format_name", "folder"), [("imagefolder", "c/"), ("yolo-detect", "images/")])
def test_images_that_are_none_by_their_names_get_an_ending_and_are_read_back(
    tmp_path: Path, format_name: str, folder: str
) -> None:
    names = {"frame_1": "frame_1.png", "a.b": "a.b.png", "x.txt": "x.txt.png", "y.PNG": "y.PNG"}
    said = [("classification", {"label": "c"}), ("bounding-box", {"label": "c", "x": 1, "y": 1, "w": 1, "h": 1})]
    samples = sorted((formats.sample(name, said) for name in names), key=lambda each: each.uuid)
    loss = formats.export(samples, format_name, tmp_path / "out")
    written = formats.files(tmp_path / "out")
    assert {name for name in written if name.startswith(folder)} == {folder + name for name in names.values()}
    assert [each.count for each in loss.kinds() if "they were changed" in each.what] == [3]
    read = formats.read(format_name, tmp_path / "out")
    assert {each.image_name for each in read if isinstance(each, ImportedAnnotation)} == set(names.values())


def test_images_go_into_the_folder_of_their_first_label_and_the_rest_is_told(tmp_path: Path) -> None:
    samples = [
        formats.sample("x/1.png", [("classification", {"labels": ["a/b", "c"], "scores": [0.5, 0.4]})]),
        formats.sample("2.png", [("classification", {"label": "c", "attributes": {"yolo": {"split": "val"}}})]),
        formats.sample("3.png", [("bounding-box", {"label": "c", "x": 1, "y": 1, "w": 1, "h": 1})]),
    ]
    loss = formats.export(samples, "imagefolder", tmp_path / "out")
    assert set(formats.files(tmp_path / "out")) == {"a_b/x_1.png", "c/2.png"}
    assert [each.place for each in loss.problems] == ["object '3.png'"]
    assert [kind.what.split(":")[0] for kind in loss.kinds()] == [
        "annotations of bounding-box",
        "further labels of an image",
        "names of classes that are no safe or unique file names; they were changed",
        "names of images that are no safe or unique file names; they were changed",
        "scores of labels",
        "the attribute 'yolo' of annotations",
    ]
    with pytest.raises(RefusedError):
        formats.export(samples, "imagefolder", tmp_path / "other", images=False)
