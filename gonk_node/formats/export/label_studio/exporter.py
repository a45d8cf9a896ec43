"""Label Studio's tasks out: a task for each object in `tasks.json`, the labelling config beside it, the files in `images`.

Format: https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks, as `formats.label_studio` reads it.
What came from one annotation of Label Studio is one again, with its author and times (`groups`). Objects of
several kinds (images, texts, sounds, films) are in a file for each, since one config shows one of them.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from urllib.parse import quote

from gonk_node.core.limits import LABEL_STUDIO_TEXT_BYTES_MAX
from gonk_node.core.plural import with_its
from gonk_node.errors import InputFileError
from gonk_node.formats.export.job import Job, Sample, image_size, write_image
from gonk_node.formats.export.label_studio.annotations import Target, annotation_of, labels_of_relation
from gonk_node.formats.export.label_studio.config import Config, Control
from gonk_node.formats.export.label_studio.groups import Group, groups_of
from gonk_node.formats.export.label_studio.results import (
    CONTROLS,
    MEMBERS,
    OF_KIND,
    POINTS,
    REGIONS,
    SHAPES,
    parts_of,
)
from gonk_node.formats.export.numbering import Ids, Labels, kept_id
from gonk_node.formats.folder import ExportFile
from gonk_node.formats.label_studio.config import RELATIONS, config_of
from gonk_node.formats.label_studio.data import NAME_OF_TEXT, ORDER, name_of_text
from gonk_node.formats.label_studio.importer import file_of
from gonk_node.formats.label_studio.kept import INDEX
from gonk_node.formats.safe_names import Names, safe_path
from gonk_node.state.strict_json import Json, canonical

_IMAGES = "images/"
_LOCAL = "/data/local-files/?d="  # what Label Studio serves from a folder, as its own converters write it


def write(job: Job) -> None:
    """Write one task an object; see `job.Exporter`."""
    survey = _Survey(job)
    kinds = [kind for kind in ORDER if kind in survey.configs]
    with ExitStack() as stack:
        files = {
            kind: _Tasks(stack.enter_context(job.folder.create(file_of(kind, alone=len(kinds) == 1)))) for kind in kinds
        }
        for sample in job.samples():
            kind = _kind(sample)
            try:
                if not kind:
                    raise InputFileError(f"is {sample.media_type[:60]}, no image, text, sound or film")
                files[kind].add(_task(job, survey, sample, kind))
            except InputFileError as error:
                what = f"{error.what}; left out{with_its(len(sample.annotations), 'annotation')}"
                job.loss.left_out(sample.place, what)
        for file in files.values():
            file.close()
    for kind, config in survey.configs.items():
        name = config_of(file_of(kind, alone=len(kinds) == 1))
        job.folder.write(name, config.document(survey.order, job.loss))


def _kind(sample: Sample) -> str:
    """The kind of data that an object is, "" for one of which Label Studio shows nothing."""
    kind = sample.media_type.partition("/")[0]
    return kind if kind in ORDER else ""


class _Tasks:
    """A file of tasks."""

    def __init__(self, file: ExportFile) -> None:
        self._file = file
        self._before = b"[\n"

    def add(self, task: dict[str, Json]) -> None:
        self._file.write(self._before + canonical(task))
        self._before = b",\n"

    def close(self) -> None:
        self._file.write(b"[\n]\n" if self._before == b"[\n" else b"\n]\n")


class _Survey:
    """The first pass: which ids, names, tags and labels there are."""

    def __init__(self, job: Job) -> None:
        self.names = Names()
        self.tasks = Ids()
        self.annotations = Ids()
        self.configs: dict[str, Config] = {}  # by kind of data
        self.tags: dict[
            tuple[str, str], dict[str, None]
        ] = {}  # names, by kind of data and what they are called by default
        declared = job.labels_of(sorted(MEMBERS))
        labels = Labels(declared)
        self.called = labels.names()
        self.order: dict[str, int] = {}
        for label in declared.values():
            for name in (self.called[label.id], *label.keypoints):
                self.order.setdefault(name, len(self.order))
        for sample in job.samples():
            if kind := _kind(sample):
                self.names.add(sample.name)
                self._add(groups_of(job, sample, kind, again=False), self.configs.setdefault(kind, Config(kind)))
        for config in self.configs.values():
            self._declare(job, config)

    def _add(self, groups: list[Group], config: Config) -> None:
        self.tasks.add(kept_id(_task_fields(groups).get("id")))
        for group in groups:
            self.annotations.add(group.kept_id)
            for item in group.items:
                config.add_data(item.kept.task.get("key"), item.kept.result.get("to_name"))
                for part in parts_of(item.annotation.schema, item.body, item.kept, self.called):
                    with suppress(InputFileError):  # too many tags: told when it is written
                        name = config.control(part.control, part.wanted)
                        self.tags.setdefault((config.kind, part.control.name), {})[name] = None
                        for label in part.labels:
                            config.add_label(name, label)
                config.channels = config.channels or "channel" in item.body
            for item in group.relations:
                for label in labels_of_relation(item, self.called):
                    config.add_label(RELATIONS, label)

    def _declare(self, job: Job, config: Config) -> None:
        """The labels of label sets are there, whether anything has them or not."""
        for schema, labels in sorted(job.labels.items()):
            if schema in REGIONS and schema not in OF_KIND[config.kind]:
                continue
            names = [RELATIONS] if schema == "relation" else self._tags_of(config, CONTROLS.get(schema))
            for label in labels.values():
                for name in names:
                    config.add_label(name, self.called.get(label.id, label.id), label)
                for point in label.keypoints if schema == "keypoints" else ():
                    for name in self._tags_of(config, POINTS):
                        config.add_label(name, point)

    def _tags_of(self, config: Config, control: Control | None) -> list[str]:
        """Names of the tags of that sort; of a new one, if there is none."""
        if control is None:
            return []
        found = [*self.tags.get((config.kind, control.name), ())]
        with suppress(InputFileError):
            return found or [config.control(control)]
        return []


def _task_fields(groups: list[Group]) -> dict[str, Json]:
    """What was kept of the task; of that with the least id, if several show this object."""
    kept = [item.kept.task for group in groups for item in group.items if item.kept.task]
    return min(kept, key=lambda task: (kept_id(task.get("id")) or 0, canonical(task)), default={})


def _task(job: Job, survey: _Survey, sample: Sample, kind: str) -> dict[str, Json]:
    """The task of an object, whose bytes are written.

    Raises:
        InputFileError: it can be none, and why. Errors of `write_image` and of the sample's `open`.
    """
    groups, config = groups_of(job, sample, kind, again=True), survey.configs[kind]
    text = _text(sample) if kind == "text" else ""
    if kind == "text":
        name = safe_path(sample.name)
        named: dict[str, Json] = {} if name == name_of_text(text.encode()) else {NAME_OF_TEXT: name}
        shown: dict[str, Json] = {config.key: text, **named}
    else:
        name = survey.names.path(sample.name, sample.uuid)
        path = safe_path(_IMAGES + name)
        shown = {config.key: _LOCAL + quote(path)}
        write_image(job, sample, path)
    if name != sample.name:
        job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
    shapes = any(item.annotation.schema in SHAPES for group in groups for item in group.items)
    target = Target(config, image_size(sample) if shapes else None, text, survey.called, job.loss)
    annotations = (annotation_of(group, survey.annotations.next(group.kept_id), target) for group in groups)
    kept = _task_fields(groups)
    data = kept.get("data")
    return {
        **{field: value for field, value in kept.items() if field not in ("key", INDEX)},
        "id": survey.tasks.next(kept_id(kept.get("id"))),
        "data": {**(data if isinstance(data, dict) else {}), **shown},
        "annotations": [annotation for annotation in annotations if annotation is not None],
    }


def _text(sample: Sample) -> str:
    """The text that an object is.

    Raises:
        InputFileError: it is too long for a task, or no UTF-8. Errors of the sample's `open`.
    """
    if sample.size > LABEL_STUDIO_TEXT_BYTES_MAX:
        raise InputFileError(f"the text is longer than {LABEL_STUDIO_TEXT_BYTES_MAX:,} bytes")
    with sample.open() as file:
        data = file.read(LABEL_STUDIO_TEXT_BYTES_MAX)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputFileError("the text is no UTF-8") from error
