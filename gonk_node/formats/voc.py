"""Pascal VOC: a folder with one XML file for each image; bounding boxes are read.

Format: the VOC2012 development kit, section 4. A box is given by the first and the last pixel in it, counted from 1:
xmin 1, xmax 640 is the whole width of an image of 640 pixels. Hence x = xmin - 1 and w = xmax - xmin + 1. A box whose
last pixel is not beyond its first one, in either direction, is a slip of the hand and counts as degenerate. Boxes of
parts (head, hand, foot) and segmentation masks are not read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from gonk_node.core.limits import VOC_FILE_BYTES_MAX
from gonk_node.core.plural import with_its
from gonk_node.errors import InputFileError
from gonk_node.formats.compact import NamedTexts
from gonk_node.formats.decimals import EXACT, plain
from gonk_node.formats.decimals import read as read_number
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Record, annotation, number, whole
from gonk_node.formats.source_files import good_files
from gonk_node.formats.strict_xml import parse
from gonk_node.state.strict_json import Json, Problem, canonical

_FORMAT = "voc"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_FLAGS = ("truncated", "difficult", "occluded")
_UNSAID = ("", "unspecified")
_IMAGE_TAGS = frozenset({"filename", "size", "object", "segmented"})
_MANY = frozenset({"object"})
_OBJECT_TAGS = frozenset({"name", "bndbox", "pose", *_FLAGS})


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a folder of VOC files (those directly in it, or in its `Annotations`), or a single one; see `sample.Importer`."""
    if not source.is_dir():
        yield from read_files([source], images)
        return
    source = source / "Annotations" if (source / "Annotations").is_dir() else source
    try:
        files = _xml_in(source)
        below = [path for path in sorted(source.iterdir()) if _holds_xml(path)]
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(source)) from error
    if not files:
        raise InputFileError("holds no .xml file", where=str(source), hint="give the folder with the annotations")
    yield from read_files(files, images)
    for path in below:
        yield NotCarried(str(path), "folders of files below that of the annotations: import each by itself")


def _holds_xml(path: Path) -> bool:
    try:
        return path.is_dir() and bool(_xml_in(path))
    except OSError:  # nothing that can be read is passed over there
        return False


def _xml_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".xml")


def read_files(files: Sequence[Path], images: Path | None) -> Iterator[Record]:
    """Read VOC files in the order given; see `sample.Importer`.

    Raises:
        InputFileError: none of them is a VOC file; a single bad one among good ones is a Problem.
    """
    check_folder(images)
    names = NamedTexts()
    for found in good_files(files, _load):
        if isinstance(found, Problem):
            yield found
        else:
            file, root = found
            yield from _read_image(root, file, images, names)


def _load(file: Path) -> Element:
    try:
        with file.open("rb") as stream:
            text = stream.read(VOC_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}") from error
    if len(text) > VOC_FILE_BYTES_MAX:
        raise InputFileError(f"is larger than {VOC_FILE_BYTES_MAX:,} bytes")
    root = parse(text)
    if root.tag != "annotation":
        raise InputFileError(f"is no Pascal VOC file: its top element is <{root.tag[:40]}>, not <annotation>")
    return root


def _read_image(root: Element, file: Path, images: Path | None, names: NamedTexts) -> Iterator[Record]:
    objects = root.findall("object")
    consequence = f"; left out{with_its(len(objects), 'annotation')}"
    try:
        name = check_name(_text(root, "filename"))
        if name in names:
            raise InputFileError(f"the file name {name!r} is taken by {names.get(name)}")
        path = None if images is None else find(images, name)
        kind = media_type(name, path)
    except InputFileError as error:
        yield Problem(f"{file}: /annotation/filename", error.what + consequence)
        return
    names.add(name, str(file))
    width, height = (whole(_number(_text(root, f"size/{side}"))) for side in ("width", "height"))
    said = {key: _text(root, where) for key, where in (("folder", "folder"), ("database", "source/database"))}
    attributes = {"file": file.name, **{key: value for key, value in said.items() if value}}
    yield ImportedImage(name, path, kind, width, height, {_FORMAT: attributes})
    yield from _lost(root, _IMAGE_TAGS, f"{file}: /annotation", "images")
    equal: Counter[bytes] = Counter()  # objects have no ids: they are known by what they say, wherever they stand
    for index, element in enumerate(objects, start=1):
        place = f"{file}: /annotation/object[{index}]"
        body = _box(element)
        if isinstance(body, Problem):
            yield Problem(place + body.place, body.what)
            continue
        yield from _lost(element, _OBJECT_TAGS, place, "objects")
        for flag in _FLAGS:
            if flag not in body and _text(element, flag).lower() not in _UNSAID:
                yield NotCarried(place, f"<{flag}> of objects that is neither 0 nor 1")
        text = canonical(body)
        equal[text] += 1
        whole_body = {**body, "attributes": {_FORMAT: {"file": file.name, "object": index}}}
        source_id = f"#{equal[text]}"
        yield annotation(
            name, "bounding-box", whole_body, format_name=_FORMAT, source_id=source_id, place=place, identity=body
        )


def _lost(element: Element, known: frozenset[str], place: str, of: str) -> Iterator[NotCarried]:
    """The elements that say something and have no place here, once each."""
    said = Counter(child.tag for child in element if len(child) or (child.text or "").strip())
    for tag in sorted(said.keys() - known):
        yield NotCarried(place, f"<{tag[:40]}> of {of}")
    for tag in sorted(said.keys() & known - _MANY):
        if said[tag] > 1:
            yield NotCarried(place, f"all but the first <{tag}> of {of}")


def _box(element: Element) -> dict[str, Json] | Problem:
    """The body of one <object>, or a Problem whose place is relative to it."""
    label = _text(element, "name")
    if not label:
        return Problem("/name", "an object needs a name; left out")
    texts = [_text(element, f"bndbox/{corner}") for corner in _CORNERS]
    corners = [corner for text in texts if (corner := read_number(text)) is not None and math.isfinite(float(corner))]
    if len(corners) < len(_CORNERS):
        return Problem("/bndbox", f"a box must be four finite numbers, not {', '.join(texts)[:60]!r}; left out")
    xmin, ymin, xmax, ymax = corners
    if xmax <= xmin or ymax <= ymin:
        first, last = (f"({plain(x)}, {plain(y)})" for x, y in ((xmin, ymin), (xmax, ymax)))
        return Problem("/bndbox", f"the box is degenerate: from {first} to {last}; left out")
    left, top = EXACT.subtract(xmin, 1), EXACT.subtract(ymin, 1)
    sides = {"x": left, "y": top, "w": EXACT.subtract(xmax, left), "h": EXACT.subtract(ymax, top)}
    body: dict[str, Json] = {"label": label, **{name: number(float(value)) for name, value in sides.items()}}
    for flag in _FLAGS:
        said = _text(element, flag)
        if said in ("0", "1"):
            body[flag] = said == "1"
    pose = _text(element, "pose")
    if pose.lower() not in _UNSAID:
        body["pose"] = pose
    return body


def _text(element: Element, path: str) -> str:
    """The text of the first element at a path, without blanks around it; "" if there is none."""
    return (element.findtext(path) or "").strip()


def _number(text: str) -> int | float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return number(value) if math.isfinite(value) else None
