"""Label Studio JSON in: a list of tasks with an image each; boxes, polygons, choices and texts are read.

Format: https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks. Coordinates are percentages of the
image's sides; `rotation` turns a box clockwise around its top left corner. Nothing is fetched from addresses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gonk_node.errors import InputFileError
from gonk_node.formats.images import check_folder, check_name, find, media_type
from gonk_node.formats.json_stream import read_array
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import ImportedImage, Record, annotation, number, whole
from gonk_node.state.strict_json import Json, Problem

FORMAT = "label-studio"
DECIMALS = 6  # of pixels
_FILE = "tasks.json"
_TASK_FIELDS = frozenset({"id", "data", "annotations"})


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a file of tasks, or the folder with `tasks.json`; see `sample.Importer`."""
    check_folder(images)
    file = source / _FILE if source.is_dir() else source
    names: set[str] = set()
    for index, task in enumerate(read_array(file)):
        place = f"{file}: /{index}"
        try:
            name = check_name(_name(task.get("data")))
            if name in names:
                raise InputFileError(f"the image {name!r} has a task before")
            path = None if images is None else find(images, name)
            image = ImportedImage(name, path, media_type(name, path))
        except InputFileError as error:
            yield Problem(f"{place}/data", f"{error.what}; left out, with its annotations")
            continue
        names.add(name)
        yield image
        for field in sorted(task.keys() - _TASK_FIELDS):
            if task[field]:
                yield NotCarried(place, f"{field[:40]!r} of tasks")
        for at, each in enumerate(_list(task.get("annotations"))):
            if isinstance(each, dict) and each.get("was_cancelled"):
                yield Problem(f"{place}/annotations/{at}", "was cancelled; left out")
            elif isinstance(each, dict):
                for number_, result in enumerate(_list(each.get("result"))):
                    yield from _result(result, name, task.get("id"), f"{place}/annotations/{at}/result/{number_}")


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _name(data: Json) -> str:
    """The file's name below the folder of images: of a path, an address, or one of Label Studio's local files."""
    value = data.get("image") if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise InputFileError('the task has no text "image" in its data')
    try:
        address = urlsplit(value)
    except ValueError as error:
        raise InputFileError(f"{value[:80]!r} is no address") from error
    if address.path.endswith("/local-files/") and "d" in (query := parse_qs(address.query)):
        value = query["d"][0]
    elif address.scheme or value.startswith("/"):
        value = address.path.rpartition("/")[2]
    return value.removeprefix("images/")


def _result(result: Json, name: str, task: Json, place: str) -> Iterator[Record]:
    if not isinstance(result, dict) or not isinstance(result.get("value"), dict):
        yield Problem(place, "a result needs a value; left out")
        return
    kind, region = result.get("type"), result.get("id")
    try:
        found = _bodies(str(kind), result, result["value"])
    except (InputFileError, TypeError, ValueError, OverflowError) as error:
        what = error.what if isinstance(error, InputFileError) else "its coordinates are no numbers"
        yield Problem(place, f"{what}; left out")
        return
    if result.get("image_rotation"):
        yield NotCarried(place, "the rotation of images")
    if kind in ("rectanglelabels", "polygonlabels") and len(_list(result["value"].get(kind))) > 1:
        yield NotCarried(place, "further labels of a region: the first is taken")
    origin: dict[str, Json] = {"id": region} if isinstance(region, str) else {}
    origin |= {"task": task} if isinstance(task, int) else {}
    for at, (schema, body) in enumerate(found):
        score = number(result.get("score"))
        if score is not None and 0 <= score <= 1 and "labels" not in body:
            body["score"] = score
        body["attributes"] = {FORMAT: origin}
        source_id = f"{origin.get('id', place.partition('/annotations')[2])}#{at}"
        yield annotation(name, schema, body, format_name=FORMAT, source_id=source_id, place=place)


def _bodies(kind: str, result: dict[str, Any], value: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(schema, body) of each annotation that a result makes."""
    if kind == "choices":
        labels = _list(value.get("choices"))
        return [("classification", {"label": labels[0]} if len(labels) == 1 else {"labels": labels})]
    if kind == "textarea":
        texts = value.get("text")
        return [("caption", {"text": text}) for text in ([texts] if isinstance(texts, str) else _list(texts))]
    if kind not in ("rectanglelabels", "polygonlabels"):
        raise InputFileError(f"results of type {kind[:40]!r} are not read")
    width, height = whole(result.get("original_width")), whole(result.get("original_height"))
    labels = _list(value.get(kind))
    if width is None or height is None or not labels:
        raise InputFileError("a region needs a label, original_width and original_height")
    if kind == "polygonlabels":
        outer = [[_pixels(x, width), _pixels(y, height)] for x, y in _list(value.get("points"))]
        return [("polygon", {"label": labels[0], "parts": [{"outer": outer, "holes": []}]})]
    x, y, w, h = (
        float(value.get(side, math.nan)) * whole_side / 100
        for side, whole_side in (("x", width), ("y", height), ("width", width), ("height", height))
    )
    angle = float(value.get("rotation") or 0)
    if not angle:
        return [("bounding-box", {"label": labels[0]} | _rounded(x=x, y=y, w=w, h=h))]
    turn = math.radians(angle)
    cx = x + (w * math.cos(turn) - h * math.sin(turn)) / 2
    cy = y + (w * math.sin(turn) + h * math.cos(turn)) / 2
    return [("rotated-box", {"label": labels[0]} | _rounded(cx=cx, cy=cy, w=w, h=h, angle=angle))]


def _pixels(percent: Any, side: int) -> Json:
    return number(round(float(percent) * side / 100, DECIMALS))


def _rounded(**members: float) -> dict[str, Json]:
    return {name: number(round(value, DECIMALS)) for name, value in members.items()}
