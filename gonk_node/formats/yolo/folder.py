"""Where a YOLO dataset has its images and labels, and what its classes are: from `data.yaml`, or `classes.txt`.

All folders are below that of `data.yaml`; a path that leads out of it is not followed. No label file is read here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

from gonk_node.core.limits import EXPORT_LABELS_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.images import check_folder
from gonk_node.formats.yolo import data_yaml
from gonk_node.state.strict_json import Problem

_YAML = ("data.yaml", "data.yml", "dataset.yaml")
_CLASSES = ("classes.txt", "labels/classes.txt", "obj.names")
_SPLITS = ("train", "val", "test")
_SUFFIXES = frozenset((".avif", ".bmp", ".gif", ".heic", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
_POINTS_MAX = 4096


class Split(NamedTuple):
    """A folder of images, and that of their labels; both resolved.

    Attributes:
        name: `train`, `val`, `test`, or `images`.
        images: where the images are, at any depth.
        labels: where their labels are, each at the same place.
        listed: only these of the images; None for all.
    """

    name: str
    images: Path
    labels: Path
    listed: frozenset[Path] | None = None

    def files(self) -> Iterator[Path]:
        """The images, in order of their names; links to folders are not followed."""
        return (path for path in image_files(self.images) if self.listed is None or path in self.listed)


@dataclass(slots=True)
class Source:
    """What is known before the first label.

    Attributes:
        place: the file that names the classes.
        classes: their names, by number.
        splits: where the images are.
        keypoint_shape: how many keypoints, and how many numbers each; (0, 3) without any.
        keypoint_names: of each class.
        problems: what could not be used.
    """

    place: str
    classes: dict[int, str]
    splits: list[Split]
    keypoint_shape: tuple[int, int] = (0, 3)
    keypoint_names: dict[int, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def open(cls, source: Path, images: Path | None) -> Source:
        """Find everything.

        Args:
            source: the folder of the dataset, or its data.yaml.
            images: the folder with the images, if it is not where data.yaml says; its labels are in `labels` beside, else
                where those of a split would be.

        Raises:
            InputFileError: it is no YOLO dataset.
        """
        check_folder(images)
        file = next((source / name for name in _YAML if (source / name).is_file()), None) if source.is_dir() else source
        root = source.resolve() if source.is_dir() else source.resolve().parent
        document = {} if file is None else data_yaml.load(file)
        place = file or next((root / name for name in _CLASSES if (root / name).is_file()), None)
        if place is None:
            raise InputFileError(
                "is no YOLO dataset: it has neither data.yaml nor classes.txt",
                where=str(source),
                hint="give the folder that has data.yaml, or that file itself",
            )
        classes = _names(document.get("names")) if file is not None else _lines(place)
        if not classes and document.get("names") not in ({}, []):  # a dataset without annotations may say so
            raise InputFileError("names no classes", where=str(place))
        found = cls(str(place), classes, [])
        found._read_keypoints(document)
        found._find_splits(document, root, images)
        return found

    def point_names(self, number: int) -> list[str]:
        """The names of the keypoints of a class; their positions where data.yaml does not name them."""
        return self.keypoint_names.get(number) or [str(index) for index in range(self.keypoint_shape[0])]

    def _read_keypoints(self, document: dict[str, Any]) -> None:
        shape = document.get("kpt_shape")
        if shape is None:
            return
        good = isinstance(shape, list) and len(shape) == 2 and all(isinstance(each, int) for each in shape)
        if not good or not 0 <= shape[0] <= _POINTS_MAX or shape[1] not in (2, 3):
            raise InputFileError("kpt_shape is not [number of points, 2 or 3]", where=self.place)
        self.keypoint_shape = (shape[0], shape[1])
        names = document.get("kpt_names")
        for number, own in names.items() if isinstance(names, dict) else ():
            texts = [str(name) for name in own] if isinstance(own, list) else []
            if len(texts) <= shape[0] and len(set(texts)) == len(texts) and all(texts):
                self.keypoint_names[number] = texts

    def _find_splits(self, document: dict[str, Any], root: Path, images: Path | None) -> None:
        if images is not None:
            folder = images.resolve()
            beside = folder.parent / "labels"
            self.splits.append(Split("images", folder, beside if beside.is_dir() else _labels_of(folder)))
            return
        base = root / str(document.get("path") or ".")
        seen: set[Path] = set()
        for name in _SPLITS:
            given = document.get(name)
            for text in given if isinstance(given, list) else [] if given is None else [given]:
                folder_ = _inside(root, [base, root], str(text))
                if folder_ is None:
                    what = f"{str(text)[:80]!r} of {name} is no folder or list of images below {root}; left out"
                    self.problems.append(Problem(self.place, what))
                elif folder_.is_file():
                    self._read_list(name, folder_, root, base)
                elif folder_ not in seen:
                    seen.add(folder_)
                    self.splits.append(Split(name, folder_, _labels_of(folder_)))
        if not self.splits and not self.problems:
            folder_ = root / "images" if (root / "images").is_dir() else root
            self.splits.append(Split("images", folder_, _labels_of(folder_)))

    def _read_list(self, name: str, file: Path, root: Path, base: Path) -> None:
        """A text file that names the images of a split, a line each."""
        folders: dict[Path, set[Path]] = {}
        for number, line in enumerate(_text_lines(file), 1):
            candidates = _candidates(root, [file.parent, base], line.strip()) if line.strip() else ()
            path = next((path for path in candidates if is_image_file(path) and path.is_file()), None)
            if path is not None:
                folders.setdefault(_images_folder_of(path), set()).add(path)
            elif line.strip():
                what = f"{line.strip()[:80]!r} is no image below {root}; left out"
                self.problems.append(Problem(f"{file}: line {number}", what))
        for folder, listed in sorted(folders.items()):
            self.splits.append(Split(name, folder, _labels_of(folder), frozenset(listed)))


def _inside(root: Path, bases: list[Path], text: str) -> Path | None:
    """The folder, or the list of images, of that relative path; None if there is none below the root."""
    candidates = _candidates(root, bases, text)
    return next((path for path in candidates if path.is_dir() or (path.suffix == ".txt" and path.is_file())), None)


def _candidates(root: Path, bases: list[Path], text: str) -> Iterator[Path]:
    """What a path can mean, below the root; also without the ".." that some tools put before it."""
    parts = PurePosixPath(text.replace("\\", "/")).parts
    bare = PurePosixPath(*(part for part in parts if part not in ("..", "/")))
    for path in (*(base / text for base in bases), root / bare):
        try:
            found = path.resolve()
        except (OSError, RuntimeError, ValueError):  # RuntimeError: a circle of links; ValueError: a NUL
            continue
        if found.is_relative_to(root):
            yield found


def _images_folder_of(image: Path) -> Path:
    """The last folder `images` above an image; without one, the folder that it is in."""
    return next((folder for folder in image.parents if folder.name == "images"), image.parent)


def _labels_of(images: Path) -> Path:
    """The last `images` of the path becomes `labels`; without one, labels are beside the images."""
    parts = list(images.parts)
    for at in range(len(parts) - 1, -1, -1):
        if parts[at] == "images":
            return Path(*parts[:at], "labels", *parts[at + 1 :])
    return images


def image_files(folder: Path) -> Iterator[Path]:
    """The image files below a folder, by their ending, in order of their names; links to folders are not followed."""
    return filter(is_image_file, all_files(folder))


def all_files(folder: Path) -> Iterator[Path]:
    """The files below a folder, in order of their names; links to folders are not followed."""
    return (at / name for at, names in files_by_folder(folder) for name in names)


def files_by_folder(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """(a folder, the names of its files) of it and all below it, in order of their names; no link is followed.

    Raises:
        InputFileError: a folder below it cannot be read: what is in it would be missing without a word.
    """
    for at, folders, files in os.walk(folder, onerror=_refuse):
        folders.sort()
        yield Path(at), sorted(files)


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # labels need not be there
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(error.filename)) from error


def is_image_file(path: PurePath) -> bool:
    """Whether it is one by its ending."""
    return path.suffix.lower() in _SUFFIXES


def _names(value: Any) -> dict[int, str]:
    """Classes by number, of a list or a mapping; those without a text are left out."""
    pairs = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    texts = ((number, str(name)) for number, name in pairs if name is not None)
    return {number: text for number, text in texts if isinstance(number, int) and text}


def _lines(file: Path) -> dict[int, str]:
    return _names([line.strip() or None for line in _text_lines(file)[:EXPORT_LABELS_MAX]])


def _text_lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"cannot be read: {error}", where=str(file)) from error
