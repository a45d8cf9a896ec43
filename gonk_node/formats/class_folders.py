"""Folders of images by class, in: YOLO classify (in `train`, `val` and `test`, or directly in the source), ImageFolder.

Formats: https://docs.ultralytics.com/datasets/classify; torchvision's ImageFolder, where a folder `train` is a class as any
other. No pixels are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from gonk_node.errors import InputFileError
from gonk_node.formats.compact import NameTable
from gonk_node.formats.images import check_name, find, media_type
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Importer, Record, annotation
from gonk_node.formats.yolo.folder import all_files, is_image_file
from gonk_node.state.strict_json import Json, Problem

SPLITS = ("train", "val", "test")
_CALLED = {"val": ("val", "valid", "validation")}  # what other programs call a split


def reader(format_name: str, splits: Sequence[str]) -> Importer:
    """An importer of folders by class.

    Args:
        format_name: under which attributes are kept.
        splits: folders that are no classes, but hold classes.
    """
    return partial(_read, format_name=format_name, split_names=splits)


def _read(source: Path, images: Path | None, *, format_name: str, split_names: Sequence[str]) -> Iterator[Record]:
    """Read a folder of images by class, `images` if it is given, else `source`; see `sample.Importer`."""
    source = images or source
    if not source.is_dir():
        raise InputFileError("is no folder with a folder for each class", where=str(source))
    root = source.resolve()
    splits = [(split, root / name) for split in split_names for name in _CALLED.get(split, (split,))]
    splits = [(split, folder) for split, folder in splits if folder.is_dir()] or [("", root)]
    folders = [(split, folder) for split, above in splits for folder in _folders(above)]
    if not folders:
        raise InputFileError("holds no folder for a class", where=str(source))
    yield from _beside(root, [above for _, above in splits])
    names = NameTable()
    for split, folder in folders:
        empty = True
        for file in all_files(folder):
            if is_image_file(file):
                empty = False
                yield from _image(root, split, folder, file, names, format_name)
            else:
                yield NotCarried(str(file), "files that are no images by the ends of their names")
        if empty:
            yield NotCarried(str(folder), "classes that no image has")


def _beside(root: Path, above: Sequence[Path]) -> Iterator[NotCarried]:
    """What is in no folder of a class.

    Args:
        root: the top folder.
        above: the folders that hold those of the classes.
    """
    if root not in above:
        for folder in _folders(root):
            if folder not in above:
                yield NotCarried(str(folder), "folders beside those of the splits")
    for each in dict.fromkeys([root, *above]):
        for path in sorted(each.iterdir()):
            if path.is_symlink() and path.is_dir() and path not in above:
                yield NotCarried(str(path), "links to folders, which are not followed")
            elif is_image_file(path) and path.is_file():
                yield NotCarried(str(path), "images that are in no folder of a class")


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def _image(root: Path, split: str, folder: Path, file: Path, names: NameTable, format_name: str) -> Iterator[Record]:
    plain = file.relative_to(folder).as_posix()
    where = "/".join([*([split] if split else []), folder.name, plain])
    try:
        name = check_name(where if plain in names else plain)
        if name in names:
            raise InputFileError(f"the file name {name!r} is taken by an image before it")
        path = find(root, file.relative_to(root).as_posix())
        kind = media_type(name, path)
    except InputFileError as error:
        yield Problem(str(file), f"{error.what}; left out")
        return
    names.add(name)
    yield ImportedImage(name, path, kind)
    origin: dict[str, Json] = {"file": where} | ({"split": split} if split else {})
    said: dict[str, Json] = {"label": folder.name}  # it is known by that, whatever its folder is called by then
    body: dict[str, Json] = {**said, "attributes": {format_name: origin}}
    yield annotation(
        name, "classification", body, format_name=format_name, source_id="", place=str(file), identity=said
    )
