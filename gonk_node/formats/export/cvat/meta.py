"""`<meta>` of the CVAT files that are written: the task, and the labels with their colours, attributes and skeletons.

`formats.cvat.meta` reads what is made here. There is no time of writing in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gonk_node.core.limits import CVAT_POINTS_MAX
from gonk_node.formats.cvat.meta import pairs_of
from gonk_node.formats.cvat.shapes import FORMAT
from gonk_node.formats.export.job import kept_of_label
from gonk_node.formats.export.xml_lines import Xml, begin
from gonk_node.formats.label_set import Label
from gonk_node.state.strict_json import Json

_TEXTS = ("name", "created", "updated", "frame_filter")
_PEOPLE = ("owner", "assignee")
_NODE_RADIUS = "0.75"  # in a picture of 100 x 100, as CVAT draws them


@dataclass(slots=True)
class CvatLabel:
    """What a file says of one label.

    Attributes:
        name: in files.
        said: the label in a label set; None if there is none.
        kinds: types of CVAT that it is used as, or is in a label set for.
        attributes: names of attributes that are used with it.
        is_skeleton: whether its points have names.
        keypoints: names of its points, in order.
    """

    name: str
    said: Label | None = None
    kinds: set[str] = field(default_factory=set)
    attributes: dict[str, None] = field(default_factory=dict)
    is_skeleton: bool = False
    keypoints: dict[str, None] = field(default_factory=dict)

    @property
    def points(self) -> list[str]:
        """The names of the points of its skeleton, in order; empty if it has none."""
        return list(self.keypoints) if self.is_skeleton else []

    def add_points(self, names: Iterable[str]) -> None:
        """Take note of points, of CVAT_POINTS_MAX at most."""
        for name in names:
            if len(self.keypoints) < CVAT_POINTS_MAX:
                self.keypoints.setdefault(name)

    @property
    def type(self) -> str:
        """The type that CVAT is told."""
        if self.points:
            return "skeleton"
        before = self._kept.get("type")
        if isinstance(before, str) and (before == "any" or self.kinds <= {before}) and before != "skeleton":
            return before
        return next(iter(self.kinds)) if len(self.kinds) == 1 else "any"

    @property
    def _kept(self) -> dict[str, Json]:
        return {} if self.said is None else kept_of_label(self.said, FORMAT)

    def elements(self) -> list[Xml]:
        """The label, and those of its points."""
        head = [Xml("name", text=self.name)]
        if self.said is not None and self.said.colour is not None:
            head.append(Xml("color", text=self.said.colour))
        attributes = Xml("attributes", children=_definitions(self._kept.get("attributes"), self.attributes))
        found = [Xml("label", children=[*head, Xml("type", text=self.type), attributes])]
        if self.points:
            found[0].children.append(Xml("svg", text=self._svg()))
        own = self._kept.get("points")
        for name in self.points:
            found.append(_point(name, own.get(name) if isinstance(own, dict) else None, self.name))
        return found

    def _svg(self) -> str:
        names = tuple(self.points)
        pairs = self.said.skeleton if self.said is not None else ()
        before = self._kept.get("svg")
        same = isinstance(before, str) and self.said is not None and self.said.keypoints == names
        return str(before) if same and pairs_of(str(before), names) == pairs else _picture(names, pairs)


def _point(name: str, kept: Any, parent: str) -> Xml:
    kept = kept if isinstance(kept, dict) else {}
    head = [Xml("name", text=name)]
    if isinstance(kept.get("color"), str):
        head.append(Xml("color", text=kept["color"]))
    head += [Xml("type", text="points"), Xml("attributes", children=_definitions(kept.get("attributes"), ()))]
    return Xml("label", children=[*head, Xml("parent", text=parent)])


def _definitions(kept: Any, used: Iterable[str]) -> list[Xml]:
    """Attributes as an import kept them, and as texts those that are used beside."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in kept if isinstance(kept, list) else ():
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            continue
        values = each.get("values")
        texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
        plain = {name: each.get(name) for name in ("input_type", "default_value")}
        known = {name: value if isinstance(value, str) else "" for name, value in plain.items()}
        found[each["name"]] = [
            ("mutable", str(bool(each.get("mutable")))),
            ("input_type", known["input_type"] or "text"),
            ("default_value", known["default_value"]),
            ("values", "\n".join(texts)),
        ]
    for name in sorted(used):
        values_of_text = [("mutable", "True"), ("input_type", "text"), ("default_value", ""), ("values", "")]
        found.setdefault(name, values_of_text)
    return [
        Xml("attribute", children=[Xml(tag, text=text) for tag, text in (("name", name), *said)])
        for name, said in found.items()
    ]


def _picture(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> str:
    """A skeleton as CVAT has it: its points on a grid, and the lines between them."""
    columns = math.ceil(math.sqrt(len(names)))
    places = {
        name: (
            f"{100 * (at % columns + 1) / (columns + 1):.2f}",
            f"{100 * (at // columns + 1) / (-(-len(names) // columns) + 1):.2f}",
        )
        for at, name in enumerate(names)
    }
    nodes = {name: str(number) for number, name in enumerate(names, 1)}
    lines = [
        {"x1": places[one][0], "y1": places[one][1], "x2": places[other][0], "y2": places[other][1]}
        | {"data-type": "edge", "data-node-from": nodes[one], "data-node-to": nodes[other]}
        for one, other in pairs
        if one in nodes and other in nodes
    ]
    circles = [
        {"r": _NODE_RADIUS, "cx": places[name][0], "cy": places[name][1], "data-type": "element node"}
        | {"data-element-id": node, "data-node-id": node, "data-label-name": name}
        for name, node in nodes.items()
    ]
    drawn = [(tag, each) for tag, many in (("line", lines), ("circle", circles)) for each in many]
    return "".join(f"{begin(tag, attributes)}</{tag}>" for tag, attributes in drawn)


def element(
    kept: Mapping[str, Json], labels: Iterable[CvatLabel], *, size: int | None, mode: str, more: Iterable[Xml] = ()
) -> Xml:
    """All of `<meta>`.

    Args:
        kept: what an import kept of the task; empty for none.
        labels: in order.
        size: how many images there are; None if nobody knows.
        mode: "annotation" or "interpolation".
        more: what else is said of the task.
    """
    texts = {name: value for name in _TEXTS if isinstance(value := kept.get(name), str) and value}
    number, start = kept.get("id"), kept.get("start_frame")
    children = [Xml("id", text=str(number))] if type(number) is int else []
    children += [Xml("name", text=texts.pop("name"))] if "name" in texts else []
    children += [] if size is None else [Xml("size", text=str(size))]
    children.append(Xml("mode", text=mode))
    children += [Xml(name, text=text) for name, text in texts.items()]
    children += [Xml("start_frame", text=str(start))] if type(start) is int else []
    subset = kept.get("subset")
    children += [Xml("subset", text=subset)] if isinstance(subset, str) and subset else []
    children.append(Xml("labels", children=[each for label in labels for each in label.elements()]))
    for name in _PEOPLE:
        if isinstance(person := kept.get(name), str) and person:
            children.append(Xml(name, children=[Xml("username", text=person), Xml("email")]))
    return Xml("meta", children=[Xml("task", children=[*children, *more])])
