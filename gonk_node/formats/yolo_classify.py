"""YOLO classify in: a folder for each class, in `train`, `val` and `test` or directly in the source; images in it.

Format: https://docs.ultralytics.com/datasets/classify; it is also what torchvision calls an ImageFolder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gonk_node.errors import InputFileError
from gonk_node.formats.images import check_name, find, media_type
from gonk_node.formats.sample import ImportedImage, Record, annotation
from gonk_node.formats.yolo_folder import image_files
from gonk_node.state.strict_json import Json, Problem

_FORMAT = "yolo"
_SPLITS = ("train", "val", "test")


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a folder of images by class, `images` if it is given, else `source`; see `sample.Importer`."""
    source = images or source
    if not source.is_dir():
        raise InputFileError("is no folder with a folder for each class", where=str(source))
    root = source.resolve()
    splits = [name for name in _SPLITS if (root / name).is_dir()]
    folders = [(split, folder) for split in splits or [""] for folder in _folders(root / split)]
    if not folders:
        raise InputFileError("holds no folder for a class", where=str(source))
    names: dict[str, Path] = {}
    for split, folder in folders:
        for file in image_files(folder):
            yield from _image(root, split, folder, file, names)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def _image(root: Path, split: str, folder: Path, file: Path, names: dict[str, Path]) -> Iterator[Record]:
    where = file.relative_to(root).as_posix()
    try:
        plain = file.relative_to(folder).as_posix()
        name = check_name(where if plain in names else plain)
        path = find(root, where)
        kind = media_type(name, path)
    except InputFileError as error:
        yield Problem(str(file), f"{error.what}; left out")
        return
    names[name] = file
    yield ImportedImage(name, path, kind)
    origin: dict[str, Json] = {"file": where} | ({"split": split} if split else {})
    body: dict[str, Json] = {"label": folder.name, "attributes": {_FORMAT: origin}}
    yield annotation(name, "classification", body, format_name=_FORMAT, source_id=where, place=str(file))
