"""COCO: one JSON file of images, categories and annotations; boxes, polygons, masks, keypoints and captions are read.

Format: https://cocodataset.org/#format-data. What one annotation of the file says becomes an annotation for each schema
that has a part of it (see `bodies`). Of the file, ids are held in memory; image files are not opened beyond their first
bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from gonk_node.core.plural import with_its
from gonk_node.errors import InputFileError
from gonk_node.formats.coco.bodies import OWN_FIELDS, bodies, said_by_the_body, short_text
from gonk_node.formats.coco.categories import declared_labels, survey_category
from gonk_node.formats.coco.known import Id, Known, id_of, number_of, with_ids
from gonk_node.formats.compact import NamedTexts
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.json_stream import read_members
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Record, annotation, whole
from gonk_node.formats.source_files import good_files
from gonk_node.state.strict_json import Json, Problem

_FORMAT = "coco"
_LISTS = frozenset({"images", "annotations", "categories"})
_IMAGE_FIELDS = frozenset({"id", "file_name", "width", "height"})


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a COCO file; see `sample.Importer`.

    A folder stands for the JSON files in its `annotations`, or for those in it where there are none. Ids and all fields
    that gonk has no word for are kept under `attributes.coco`. A file is gone through three times: to see that it is one
    and what its categories are, for the images, and for the annotations.
    """
    check_folder(images)
    if source.is_dir():
        files = _json_files(source / "annotations") or _json_files(source)
        if not files:
            raise InputFileError("holds no .json file", where=str(source), hint="give the file with the annotations")
        yield from _read_files(files, images)
    else:
        yield from _read_file(source, images, NamedTexts())


def _json_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json")


def _read_files(files: Sequence[Path], images: Path | None) -> Iterator[Record]:
    """Read all of them that are COCO files; a single bad one among good ones is a Problem."""
    folders = NamedTexts()
    for found in good_files(files, lambda file: _begun(_read_file(file, images, folders))):
        if isinstance(found, Problem):
            yield found
        else:
            yield from found[1]


def _begun(records: Iterator[Record]) -> Iterator[Record]:
    """The same records, the first of which was read: with it the file was gone through once."""
    first = list(islice(records, 1))
    return chain(first, records)


def _read_file(source: Path, images: Path | None, folders: NamedTexts) -> Iterator[Record]:
    known = Known(str(source), folders)
    yield from _survey(source, known)
    for index, item in _elements(source, "images"):
        record = _image(item, index, images, known)
        yield record
        if isinstance(record, ImportedImage):
            yield from _lost_of_image(item, known.at("images", index), known.uses)
    for index, item in _elements(source, "annotations"):
        yield from _annotations(item, index, known)
    yield from declared_labels(known)


def _elements(source: Path, name: str) -> Iterator[tuple[int, Json]]:
    """The elements of a list at the top; nothing behind it is read."""
    index = 0
    for member in read_members(source, _LISTS):
        if member.name == name and member.position is not None:
            index = member.position
            yield index, member.value
        elif index:
            return


def _survey(source: Path, known: Known) -> Iterator[Record]:
    """Go through the whole file, so that one that is no COCO file is refused before anything is taken of it."""
    found: set[str] = set()
    problems: list[Record] = []
    for member in read_members(source, _LISTS):
        name, index, item = member
        if name not in _LISTS:
            if item:
                problems.append(NotCarried(known.at(name), f"{name[:40]!r} of the file"))
        elif index is None or (index == 0 and name in found):
            what = "there is twice" if name in found else "is not a list"
            raise InputFileError(f'is no COCO file: "{name}" {what}', where=str(source))
        elif name == "annotations":
            if isinstance(item, dict):
                _survey_annotation(item, known)
        elif name == "categories":
            problems += survey_category(item, index, known)
        found.add(name)
    if "images" not in found:
        raise InputFileError(
            'is no COCO file: it has no list "images" at the top, or none in it',
            where=str(source),
            hint="a file of results (detections) is not a dataset; give the one that has images and annotations",
        )
    yield from problems


def _survey_annotation(item: dict[str, Json], known: Known) -> None:
    image, source_id = id_of(item.get("image_id")), id_of(item.get("id"))
    if image is not None:
        known.uses[image] += 1
    if source_id is not None:
        known.annotations.add(number_of(source_id))


def _image(item: Json, index: int, images: Path | None, known: Known) -> ImportedImage | Problem:
    image_id = id_of(item.get("id")) if isinstance(item, dict) else None
    if image_id is None:
        return Problem(known.at("images", index), "an image needs an id and a file_name; left out")
    if image_id in known.images:
        return Problem(known.at("images", index, "id"), f"image id {image_id!r} is taken; left out")
    known.images[image_id] = None
    consequence = f"; left out{with_its(known.uses[image_id], 'annotation')}"
    try:
        name = check_name(item.get("file_name"))
        if name in known.names:
            raise InputFileError(f"the file name {name!r} is taken by {known.names.get(name)}")
        path, folder = (None, "") if images is None else _find(images, name, _subset(known.file))
        called = name if known.folders.add(name, folder) == folder else check_name(f"{_subset(known.file)}/{name}")
        if called != name and known.folders.add(called, folder) != folder:
            raise InputFileError(f"the file names {name!r} and {called!r} are taken by other files")
        kind = media_type(name, path)
    except InputFileError as error:
        return Problem(known.at("images", index, "file_name"), error.what + consequence)
    known.images[image_id] = called
    known.names.add(name, f"/images/{index}")
    attributes = {key: value for key, value in item.items() if key not in ("file_name", "width", "height")}
    return ImportedImage(called, path, kind, whole(item.get("width")), whole(item.get("height")), {_FORMAT: attributes})


def _subset(file: str) -> str:
    """What `instances_train.json` is the subset of; "" for a name that says none."""
    return Path(file).stem.rpartition("_")[2] if "_" in Path(file).stem else ""


def _find(images: Path, name: str, subset: str) -> tuple[Path, str]:
    """(an image file, the folder that it is in): directly in the images, or as datumaro and CVAT have it in `SUBSET`."""
    try:
        return find(images, name), ""
    except InputFileError as error:
        if not subset:
            raise
        try:
            return find(images, f"{subset}/{name}"), subset
        except InputFileError:
            raise error from None


def _lost_of_image(item: dict[str, Json], place: str, uses: Counter[Id]) -> Iterator[NotCarried]:
    for name in sorted(item.keys() - _IMAGE_FIELDS):
        if item[name] is not None:
            yield NotCarried(place, f"{name[:40]!r} of images")
    if not uses[item["id"]]:
        yield NotCarried(place, "ids of images that have no annotation")


def _annotations(item: Json, index: int, known: Known) -> Iterator[Record]:
    """What one COCO annotation says, a record for each schema that has a part of it."""
    here = known.at("annotations", index)
    if not isinstance(item, dict):
        yield Problem(here, "an annotation must be an object; left out")
        return
    source_id = f"#{index}" if item.get("id") is None else id_of(item["id"])
    if source_id is None or known.is_taken(source_id):
        yield Problem(f"{here}/id", f"annotation id {short_text(item['id'])} is taken or no id; left out")
        return
    image_id = id_of(item.get("image_id"))
    if image_id is None or image_id not in known.images:
        yield Problem(f"{here}/image_id", f"there is no image of id {short_text(item.get('image_id'))}; left out")
        return
    image_name = known.images[image_id]
    if image_name is None:  # its image was left out, and the problem there counts this annotation
        return
    category = id_of(item.get("category_id"))
    if item.get("iscrowd") not in (None, 0, 1):
        yield NotCarried(here, "'iscrowd' of annotations that is neither 0 nor 1")
    kept = with_ids({key: value for key, value in item.items() if key not in OWN_FIELDS})
    found = known.categories.get(category) if category is not None else None
    if found is not None and found.supercategory:
        kept.setdefault("supercategory", found.supercategory)
    for schema, body, place in bodies(item, found):
        if isinstance(body, str):
            yield Problem(here + place, body)
        else:
            members, rest = said_by_the_body(schema, kept)
            body |= members
            identity = {name: value for name, value in body.items() if name != "iscrowd" or value}
            body["attributes"] = {_FORMAT: rest}
            if schema != "caption":
                known.schemas.add(schema)
            yield annotation(
                image_name,
                schema,
                body,
                format_name=_FORMAT,
                source_id=repr(source_id),
                place=here + place,
                identity=identity,
            )
