"""CVAT's XML in, version 1.1: "CVAT for images" and "CVAT for video", a part at a time.

Format: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ and https://docs.cvat.ai/docs/other/xml_format/.
Shapes become bodies in `shapes`, tracks in `tracks`; `meta` reads the tasks and labels. A file is gone through
twice: to see that it is well-formed and CVAT's, and to read it. Of images and videos only the first bytes are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gonk_node.errors import InputFileError
from gonk_node.formats import strict_xml
from gonk_node.formats.compact import NamedTexts
from gonk_node.formats.cvat.file import CvatFile
from gonk_node.formats.cvat.meta import schemas_of
from gonk_node.formats.cvat.shapes import FORMAT
from gonk_node.formats.images import check_folder
from gonk_node.formats.label_set import Label
from gonk_node.formats.sample import ImportedLabels, Record
from gonk_node.formats.source_files import good_files
from gonk_node.formats.strict_xml import Whole
from gonk_node.state.strict_json import Problem

_OPENED = (("annotations",), ("image", "track"))
_TRACKS = "tracks"  # the folder where an export puts the files of videos
_VERSIONS = ("1.0", "1.1")
_POINTED = ("keypoints", "video-track")  # schemas whose labels have points


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a CVAT file, or those in a folder and in its `tracks`; see `sample.Importer`.

    Raises:
        InputFileError: none of them is a CVAT file; a single bad one among good ones is a Problem.
    """
    check_folder(images)
    files = _files(source)
    labels = _Labels()
    paths = NamedTexts()
    for found in good_files(files, _check):
        if isinstance(found, Problem):
            yield found
            continue
        one = CvatFile(found[0], images, paths)
        yield from one.records(strict_xml.read(found[0], _OPENED))
        labels.add(one)
    yield from labels.records()


def _files(source: Path) -> list[Path]:
    if source.suffix.lower() == ".zip":
        raise InputFileError("is an archive", where=str(source), hint="unpack it, and give the folder")
    if not source.is_dir():
        return [source]
    try:
        files = [sorted(_xml_in(folder)) for folder in (source, source / _TRACKS) if folder.is_dir()]
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(source)) from error
    found = [file for each in files for file in each]
    if not found:
        raise InputFileError("holds no .xml file", where=str(source), hint="give the file with the annotations")
    return found


def _xml_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() == ".xml" and path.is_file())


def _check(file: Path) -> None:
    """InputFileError where a file is none of CVAT's, or breaks off: before anything is taken of it."""
    for part in strict_xml.read(file, _OPENED):
        if isinstance(part, Whole) and part.element.tag == "version":
            version = (part.element.text or "").strip()
            if version not in _VERSIONS:
                raise InputFileError(f"is of version {version[:20]!r} of CVAT's format, not 1.1", where=str(file))


class _Labels:
    """The labels that all files declare, by schema."""

    def __init__(self) -> None:
        self._place = ""
        self._labels: dict[str, Label] = {}
        self._schemas: set[str] = set()  # that annotations have

    def add(self, file: CvatFile) -> None:
        """Take note of those of one file that was read; what was said of a name before stays."""
        self._place = self._place or f"{file.place}: <labels>"
        for name, label in file.meta.labels.items():
            self._labels.setdefault(name, label)
        self._schemas |= file.annotations.schemas

    def records(self) -> Iterator[Record]:
        """The labels of each schema that annotations have; without any, of the first for each type of label."""
        own = {label.id: schemas_of(label) for label in self._labels.values()}
        first = {("bounding-box" if schemas is None else schemas[0]) for schemas in own.values() if schemas != ()}
        for schema in sorted(self._schemas or first):
            fitting = (label for label in self._labels.values() if _fits(schema, own[label.id]))
            found = tuple(label if schema in _POINTED else _flat(label) for label in fitting)
            if found:
                yield ImportedLabels(schema, found, self._place)


def _fits(schema: str, schemas: tuple[str, ...] | None) -> bool:
    return schemas is None or schema in schemas


def _flat(label: Label) -> Label:
    """Without the points of a skeleton, of a schema that has none."""
    rest = {name: value for name, value in (label.attributes or {}).get(FORMAT, {}).items() if name != "points"}
    return replace(label, keypoints=(), skeleton=(), attributes={FORMAT: rest} if rest else None)
