"""What `<meta>` of a CVAT file says: of the tasks, what annotations keep of them, and their labels. It reads no files.

A file is of a task, of a job (a part of a task), or of a project with several tasks; labels are those of what it is of.
Addresses of e-mail are not taken from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from gonk_node.core.limits import CVAT_TEXT_CHARS_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.cvat.shapes import FORMAT, whole_of
from gonk_node.formats.label_set import Label, declared_label
from gonk_node.formats.strict_xml import parse
from gonk_node.state.strict_json import Json

_KINDS = ("task", "job", "project")
_KEPT = ("name", "created", "updated", "frame_filter")
_PEOPLE = ("owner", "assignee")
_SAID = frozenset(  # children that are used, or are said by what is in the file
    (
        "id",
        "labels",
        "mode",
        "original_size",
        "size",
        "source",
        "start_frame",
        "stop_frame",
        "subset",
        "subsets",
        "tasks",
    )
)
_KNOWN = _SAID | {*_KEPT, *_PEOPLE, "z_order"}
_STEP = re.compile(r"\s*step\s*=\s*([1-9][0-9]{0,8})\s*", re.ASCII)
_SCHEMAS = {  # that a label of this type is for; any other type is for all
    "rectangle": ("bounding-box", "rotated-box", "video-track"),
    "bbox": ("bounding-box", "rotated-box", "video-track"),
    "polygon": ("polygon", "video-track"),
    "polyline": ("polyline", "video-track"),
    "points": ("keypoints", "video-track"),
    "skeleton": ("keypoints", "video-track"),
    "mask": ("mask",),
    "tag": ("classification",),
    "ellipse": (),
    "cuboid": (),
}


@dataclass(slots=True)
class Task:
    """One task, or the job that the file is of.

    Attributes:
        kept: what annotations keep of it: `id`, `name`, `owner`, `assignee`, `created`, `updated`, …
        subset: that it is in; "" for none.
        source: the file name of its video; "" for none.
        size: height and width of its frames in pixels, if it says so.
        frame_shift: what its frames are shifted by in the file, so that all frames of a subset have numbers of their own.
    """

    kept: dict[str, Json] = field(default_factory=dict)
    subset: str = ""
    source: str = ""
    size: tuple[int, int] | None = None
    frame_shift: int = 0


@dataclass(slots=True)
class Meta:
    """All of it.

    Attributes:
        kind: "task", "job" or "project": what the file is of.
        tasks: by their ids; the only one, of a file that is of a task or a job, by "".
        project: what annotations keep of the project.
        labels: by name, in order; a label of a point of a skeleton is in that of the skeleton.
        lost: kinds of things that have no place.
    """

    kind: str = "task"
    tasks: dict[str, Task] = field(default_factory=dict)
    project: dict[str, Json] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def task(self, task_id: str | None) -> Task:
        """The task of that id, or the only one; an unknown one says nothing."""
        return self.tasks.get("") or self.tasks.get(task_id or "") or Task()

    def aside(self, task: Task) -> dict[str, Json]:
        """What annotations of a task keep of it and its project."""
        found: dict[str, Json] = {"job" if self.kind == "job" else "task": task.kept} if task.kept else {}
        return found | ({"project": self.project} if self.project else {})


def read(element: Element) -> Meta:
    """All that is used of a `<meta>`."""
    top = next((each for each in element if each.tag in _KINDS), None)
    if top is None:
        return Meta(lost=["what <meta> says, which is of no task, job or project"])
    meta = Meta(top.tag)
    sizes = element.find("original_size")  # of a job it is not in <job>
    if top.tag != "project":
        meta.tasks[""] = _task(top, meta.lost, sizes)
    else:
        meta.project = _kept(top, meta.lost)
        shift, subset = 0, None
        for each in top.iterfind("tasks/task"):
            task = _task(each, meta.lost, None)
            shift = shift if task.subset == subset else 0
            subset, task.frame_shift = task.subset, shift
            shift += _frames(each)
            meta.tasks.setdefault(_text(each, "id"), task)
    meta.labels = _labels(top, meta.lost)
    meta.lost += [f"<{each.tag[:40]}> of the file" for each in element if each is not top and each is not sizes]
    return meta


def schemas_of(label: Label) -> tuple[str, ...] | None:
    """The schemas that a declared label is for; None for all."""
    return _SCHEMAS.get(str((label.attributes or {}).get(FORMAT, {}).get("type")))


def _task(element: Element, lost: list[str], size: Element | None) -> Task:
    found = element.find("original_size")
    size = size if found is None else found
    height, width = (None if size is None else whole_of(_text(size, side)) for side in ("height", "width"))
    source = (element.findtext("source") or "").strip()
    sides = (height, width) if height and width and min(height, width) > 0 else None
    return Task(_kept(element, lost), _text(element, "subset"), source, sides)


def _kept(element: Element, lost: list[str]) -> dict[str, Json]:
    texts = {name: _text(element, name) for name in _KEPT}
    texts |= {name: _text(element, f"{name}/username") for name in _PEOPLE}
    kept: dict[str, Json] = {}
    for name, text in texts.items():
        if len(text) > CVAT_TEXT_CHARS_MAX:
            lost.append(f"<{name}> of {element.tag}s, where it is longer than {CVAT_TEXT_CHARS_MAX:,} characters")
        elif text and not ("@" in text and name in _PEOPLE):
            kept[name] = text
    if any(_text(element, f"{name}/email") or "@" in texts[name] for name in _PEOPLE):
        lost.append("addresses of e-mail")
    for name, from_0 in (("id", False), ("start_frame", True)):
        number = whole_of(_text(element, name))
        if number or (number == 0 and not from_0):
            kept[name] = number
    said = (each for each in element if len(each) or (each.text or "").strip())
    lost += [f"<{each.tag[:40]}> of {element.tag}s" for each in said if each.tag not in _KNOWN]
    return kept


def _frames(task: Element) -> int:
    """How many numbers of frames a task takes in the file of its project."""
    step = _STEP.fullmatch(_text(task, "frame_filter"))
    start, size = (whole_of(_text(task, name)) or 0 for name in ("start_frame", "size"))
    return start + size * (int(step[1]) if step else 1)


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


# --- labels -------------------------------------------------------------------------------------------------


def _labels(top: Element, lost: list[str]) -> dict[str, Label]:
    labels: dict[str, Label] = {}
    points: dict[str, list[Element]] = {}
    for each in top.iterfind("labels/label"):
        if parent := each.findtext("parent"):
            points.setdefault(parent, []).append(each)
    for each in top.iterfind("labels/label"):
        if each.findtext("parent"):
            continue
        name = each.findtext("name") or ""
        label = _label(name, each, points.get(name, []), lost)
        if label is None or name in labels:
            lost.append("that several labels have one name" if label else "names of labels that no label can have")
            continue
        labels[name] = label
        if schemas_of(label) == ():
            lost.append("labels of ellipses and cuboids")
    return labels


def _label(name: str, element: Element, points: list[Element], lost: list[str]) -> Label | None:
    kept = _definition(element)
    if points:
        kept["points"] = {each.findtext("name") or "": _point(each) for each in points}
    names = tuple(dict.fromkeys(each.findtext("name") or "" for each in points))
    svg = element.findtext("svg") or ""
    if svg:
        kept["svg"] = svg
    pairs = pairs_of(svg, names)
    if pairs is None:
        lost.append("lines of skeletons whose <svg> cannot be read")
    colour = element.findtext("color")
    return declared_label(name, {FORMAT: kept} if kept else None, colour=colour, keypoints=names, skeleton=pairs or ())


def _point(element: Element) -> dict[str, Any]:
    colour = element.findtext("color")
    return _definition(element) | ({"color": colour} if colour else {})


def _definition(element: Element) -> dict[str, Any]:
    """Type and attributes of a label."""
    found: dict[str, Any] = {name: text for name in ("type",) if (text := element.findtext(name))}
    attributes = [_attribute(each) for each in element.iterfind("attributes/attribute")]
    return found | ({"attributes": attributes} if attributes else {})


def _attribute(element: Element) -> dict[str, Json]:
    found: dict[str, Json] = {"name": element.findtext("name") or (element.text or "").strip()}  # in 1.0 it is a text
    mutable = _text(element, "mutable").lower()
    if mutable in ("true", "false"):
        found["mutable"] = mutable == "true"
    for name in ("input_type", "default_value"):
        if text := element.findtext(name):
            found[name] = text
    values = element.findtext("values")
    return found | ({"values": values.split("\n")} if values else {})


def pairs_of(svg: str, names: tuple[str, ...]) -> tuple[tuple[str, str], ...] | None:
    """The names of the points that are joined by lines in the picture of a skeleton; None if it cannot be read."""
    try:
        picture = parse(b"<svg>" + svg.encode() + b"</svg>")
    except (InputFileError, UnicodeEncodeError):
        return None
    known = set(names)
    nodes = {each.get("data-node-id"): each.get("data-label-name") for each in picture.iterfind("circle")}
    found: list[tuple[str, str]] = []
    for line in picture.iterfind("line"):
        one, other = (nodes.get(line.get(f"data-node-{end}")) for end in ("from", "to"))
        if one in known and other in known and one is not None and other is not None:
            found.append((one, other))
    return tuple(found)
