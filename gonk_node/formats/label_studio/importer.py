"""Label Studio's tasks in: a list of them in a JSON file, each with its data and what people said of it.

Format: https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks. Tasks are read one by one. What a task
shows is an object (`data`), its results are annotations of it (`results`); who made them and when
is kept in their attributes (`kept`). Predictions are not taken: nobody has said that they are right.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from gonk_node.errors import InputFileError
from gonk_node.formats.compact import NamedTexts
from gonk_node.formats.file_part import FileOrPart, Spools, open_file
from gonk_node.formats.image_size import ImageSize, read_size
from gonk_node.formats.images import check_folder, media_type
from gonk_node.formats.json_stream import read_array
from gonk_node.formats.label_studio import config as label_studio_config
from gonk_node.formats.label_studio import data as label_studio_data
from gonk_node.formats.label_studio.config import RELATIONS, LabelConfig
from gonk_node.formats.label_studio.data import NAME_OF_TEXT, ORDER, Shown
from gonk_node.formats.label_studio.kept import FORMAT, INDEX, Kept, keep
from gonk_node.formats.label_studio.regions import About, Found
from gonk_node.formats.label_studio.results import Relation, read_results
from gonk_node.formats.label_studio.shapes import Text
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import (
    NO_UUID,
    ImportedAnnotation,
    ImportedImage,
    ImportedLabels,
    Record,
    annotation,
)
from gonk_node.state.strict_json import Json, Problem

FILE = "tasks.json"
UNLABELLED = "relation"
"""The label of a relation that has none in Label Studio."""

_UUID = re.compile("[0-9a-f]{32}")  # of an annotation that was exported from gonk, as the id of its region
_COUNTED = frozenset({"total_annotations", "cancelled_annotations", "total_predictions", "result_count"})  # made anew
_OF_TASK = frozenset({"data", "annotations", "completions", "predictions", "drafts", INDEX}) | _COUNTED
_OF_ANNOTATION = frozenset({"result", "task", INDEX}) | _COUNTED


def file_of(kind: str, *, alone: bool) -> str:
    """The name of the file of tasks in an export.

    Args:
        kind: of what they show.
        alone: whether the export has tasks of that kind only.
    """
    return FILE if alone else f"tasks-{kind}.json"


def read(source: Path, images: Path | None) -> Iterator[Record]:
    """Read a file of tasks, or the folder with `tasks.json` (or one file for each kind of data); see `sample.Importer`."""
    check_folder(images)
    files = [source]
    if source.is_dir():
        several = [source / file_of(kind, alone=False) for kind in ORDER]
        files = [path for path in several if path.is_file()]
        files = [source / FILE] if not files or (source / FILE).is_file() else files
    reader = _Reader(images)
    for file in files:
        yield from reader.file(file)


class _Reader:
    """What is known while files of tasks are read: names and schemas, not what was in the tasks."""

    def __init__(self, images: Path | None) -> None:
        self._images = images
        self._texts = Spools()
        self._config = LabelConfig()
        self._addresses = NamedTexts()  # by the names of objects
        self._repeats: Counter[str] = Counter()  # tasks that show an object again, by its name
        self._tags: dict[str, dict[str, None]] = {}  # that label annotations of each schema

    def file(self, file: Path) -> Iterator[Record]:
        beside = label_studio_config.find(file)
        self._config = LabelConfig() if beside is None else label_studio_config.read(beside)
        self._tags = {}
        for index, task in enumerate(read_array(file)):
            if index == 0 and "data" not in task and ("annotation_id" in task or "annotator" in task):
                raise InputFileError(
                    "is Label Studio's JSON-MIN, which lacks sizes of images, ids and times",
                    where=str(file),
                    hint="export the project as JSON",
                )
            yield from self._task(task, f"{file}: /{index}")
        for schema, names in sorted(self._tags.items()):
            if labels := self._config.labels(names):
                yield ImportedLabels(schema, labels, self._config.place)

    def _task(self, task: dict[str, Any], place: str) -> Iterator[Record]:
        try:
            what = label_studio_data.shown(task.get("data"), self._config)
            image, known = self._object(what, task["data"])
        except InputFileError as error:
            yield Problem(f"{place}/data", f"{error.what}; left out, with its annotations")
            return
        if known:
            self._repeats[image.name] += 1
            yield NotCarried(place, "that several tasks show one thing: it is one object")
        else:
            yield image
        kept, lost = _kept_of_task(task, what, place)
        yield from lost
        about, said = _about(what, image, self._config), _Said(image.name, kept, self._repeats[image.name])
        member = "annotations" if "annotations" in task else "completions"
        for index, fields in enumerate(_list(task.get(member))):
            here = f"{place}/{member}/{index}"
            if not isinstance(fields, dict) or fields.get("was_cancelled") or fields.get("skipped"):
                what_is_wrong = "was cancelled" if isinstance(fields, dict) else "is no object"
                yield Problem(here, f"{what_is_wrong}; left out")
                continue
            for record, tags in said.annotation(fields, index, about, here):
                if (
                    isinstance(record, ImportedAnnotation) and record.schema != "keypoints"
                ):  # that have labels of two tags
                    self._tags.setdefault(record.schema, {}).update(dict.fromkeys(tags))
                yield record
        if kept and not said.keys:
            yield NotCarried(place, "ids and other fields of tasks that nothing was taken of but their data")

    def _object(self, what: Shown, data: dict[str, Any]) -> tuple[ImportedImage, bool]:
        """The object of a task, and whether a task before shows the same."""
        path: FileOrPart | None
        if what.inline:
            content = label_studio_data.encoded(what.value)
            name = label_studio_data.name_of_text(content)
            known = name in self._addresses
            path = None if known else self._texts.part([content])
            image = ImportedImage(name, path, "text/plain", object_name=label_studio_data.said_name(data))
        else:
            name, path = label_studio_data.named_file(what.value, self._images)
            known = self._addresses.get(name) == what.value
            if name in self._addresses and not known:
                raise InputFileError(f"the file {name!r} is that of a task before, which has another address")
            image = ImportedImage(name, path, media_type(name, path))
        self._addresses.add(name, "" if what.inline else what.value)
        return image, known


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _kept_of_task(task: dict[str, Any], what: Shown, place: str) -> tuple[dict[str, Json], list[NotCarried]]:
    kept, lost = keep(task, _OF_TASK, place, "tasks", whole=("meta",))
    own = (what.key, NAME_OF_TEXT) if what.inline and label_studio_data.said_name(task["data"]) else (what.key,)
    data, more = keep(task["data"], own, place, "the data of tasks", whole=task["data"].keys(), people=False)
    if data:
        kept["data"] = data
    if what.key != what.kind:
        kept["key"] = what.key
    if task.get("predictions"):
        more.append(NotCarried(place, "predictions, of which nobody has said that they are right"))
    if task.get("drafts"):
        more.append(NotCarried(place, "drafts of annotations"))
    return kept, [*lost, *more]


def _about(what: Shown, image: ImportedImage, config: LabelConfig) -> About:
    @cache
    def size() -> ImageSize | None:
        if image.path is None:
            return None
        try:
            with open_file(image.path) as file:
                return read_size(file)
        except OSError:
            return None

    @cache
    def found() -> Text | InputFileError:
        try:
            return Text(what.value if what.inline else label_studio_data.text_of(image.path))
        except InputFileError as error:
            return error

    def text() -> Text:
        if isinstance(said := found(), InputFileError):
            raise said
        return said

    return About(what.kind, config, what.tag, size, text)


class _Said:
    """What people said of one object in one task.

    Ids of tasks and annotations, times and people do not tell what they said from other things: Label Studio gives new ones
    when tasks are imported, and every later export has other ones. The ids of regions stay; where two say the same of one
    region, the second is told by being the second.

    Args:
        image: the name of the object.
        task: what is kept of the task.
        repeat: how many tasks before show the same object.
    """

    def __init__(self, image: str, task: dict[str, Json], repeat: int) -> None:
        self._image = image
        self._task = task
        self._repeat = repeat
        self.keys: Counter[bytes] = Counter()

    def annotation(
        self, fields: dict[str, Any], index: int, about: About, place: str
    ) -> Iterator[tuple[Record, tuple[str, ...]]]:
        """What one annotation of Label Studio says: a record for each result, or more, with the tags that label it."""
        kept, lost = keep(fields, _OF_ANNOTATION, place, "annotations")
        for each in lost:
            yield each, ()
        kept[INDEX] = index
        results = _list(fields.get("result"))
        if not results:
            yield self._record(Found("reviewed-empty", {}, {}, "", 0, place), kept), ()
            return
        regions: dict[str, ImportedAnnotation] = {}
        for found in read_results(results, about, f"{place}/result"):
            if isinstance(found, Found):
                record = self._record(found, kept)
                if isinstance(record, ImportedAnnotation) and found.region:
                    regions.setdefault(found.region, record)
                yield record, found.tags
            elif isinstance(found, Relation):
                yield self._relation(found, regions, kept), (RELATIONS,)
            else:
                yield found, ()

    def _record(
        self, found: Found, kept: dict[str, Json], refers: Mapping[str, bytes] | None = None
    ) -> ImportedAnnotation | Problem:
        made = self._made(found, kept, refers, 0)
        if isinstance(made, ImportedAnnotation):
            self.keys[made.key] += 1
            if before := self.keys[made.key] - 1:
                return self._made(found, kept, refers, before)
        return made

    def _made(
        self, found: Found, kept: dict[str, Json], refers: Mapping[str, bytes] | None, before: int
    ) -> ImportedAnnotation | Problem:
        """The annotation, where so many say the same before it."""
        result = {**found.result, **({"id": found.region} if found.region and not refers else {})}
        which = found.region or ("" if refers else found.result.get(INDEX, ""))
        exported = not found.part and not before and _UUID.fullmatch(found.region) is not None
        return annotation(
            self._image,
            found.schema,
            {**found.body, "attributes": Kept(self._task, kept, result).attributes()},
            format_name=FORMAT,
            source_id=json.dumps(
                [self._repeat, which, found.part, before, *(key.hex() for _, key in sorted((refers or {}).items()))]
            ),
            place=found.place,
            uuid=bytes.fromhex(found.region) if exported else b"",
            identity=found.body,
            refers=refers,
        )

    def _relation(
        self, found: Relation, regions: dict[str, ImportedAnnotation], kept: dict[str, Json]
    ) -> ImportedAnnotation | Problem:
        """`right` goes from the first region to the second, `left` the other way, `bi` both ways."""
        ends = [str(found.value.get(end)) for end in ("from_id", "to_id")]
        missing = [end for end in ends if end not in regions]
        if missing:
            what = f"joins the region {missing[0][:80]!r}, which is not there or was left out; left out"
            return Problem(found.place, what)
        direction = found.value.get("direction", "right")
        if direction not in ("right", "left", "bi"):
            return Problem(found.place, f"has the direction {str(direction)[:80]!r}; left out")
        head, tail = (regions[end].key for end in (reversed(ends) if direction == "left" else ends))
        labels = [label for label in _list(found.value.get("labels")) if isinstance(label, str) and label]
        body: dict[str, Json] = {"label": labels[0] if labels else UNLABELLED, "head": NO_UUID, "tail": NO_UUID}
        if direction == "bi":
            body["directed"] = False
        result = found.result if len(labels) == 1 else {**found.result, "labels": [*labels]}
        made = Found("relation", body, result, str(found.value.get("id", "")), 0, found.place)
        return self._record(made, kept, {"head": head, "tail": tail})
