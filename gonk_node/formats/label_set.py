"""Label sets as documents: what the labels of a schema are called, how they are shown and numbered.

Annotations carry only the ids of labels. Which they may carry is not checked here: any that their schema takes. Where a
dataset keeps its label sets is in `replica.signing.labels`; importers make labels of what a file declares, and exporters
write them.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from typing import Any

from gonk_node import schemas
from gonk_node.core.limits import LABEL_SET_BYTES_MAX
from gonk_node.errors import ExistsError, NonconformingError, NotFoundError
from gonk_node.formats import own_objects
from gonk_node.state import strict_json
from gonk_node.state.conformance import Conformance, Validator, compile_schema

_NAME_CHARS_MAX = 256  # as the schema has it
_POINTS_MAX = 4096
_COLOUR = re.compile("#[0-9a-f]{6}")
_HOTKEY = re.compile(r"(alt\+)?(shift\+)?[0-9a-z]")
_SURROGATE = re.compile("[\ud800-\udfff]")

MEDIA_TYPE = own_objects.LABEL_SET
"""Of objects that are label sets."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label; see the schema `label-set` for what each field may be. None or empty: the document does not say."""

    id: str
    name: str
    parent: str | None = None
    colour: str | None = None
    hotkey: str | None = None
    index: int | None = None
    description: str | None = None
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[str, str], ...] = ()
    attributes: dict[str, Any] | None = None


@dataclass(frozen=True)
class LabelSet:
    """The labels of one schema, in the order in which they are offered. Immutable.

    Attributes:
        schema: full name of the schema, `schema-…`.
        labels: none where the dataset has no label set for it; then each label stands for itself.
    """

    schema: str
    labels: tuple[Label, ...] = ()
    _by_id: dict[str, Label] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {label.id: label for label in self.labels})

    @classmethod
    def decode(cls, document: bytes) -> LabelSet:
        """The label set in a document (UTF-8 JSON).

        Raises:
            NonconformingError: it is too large, does not fit the schema `label-set`, or something in it is there twice,
                refers to what is not there, or is its own ancestor; says where.
        """
        if len(document) > LABEL_SET_BYTES_MAX:
            raise refusal("", f"is {len(document):,} bytes; the limit is {LABEL_SET_BYTES_MAX:,}")
        validator = _validator()
        if validator.verdict(document) is not Conformance.VALID:
            first = validator.explain(document)[0]
            raise refusal(first.place, first.what)
        value: Any = strict_json.parse(document)
        made = cls(value["schema"], tuple(_label(each) for each in value["labels"]))
        _check(made.labels)
        return made

    def encode(self) -> bytes:
        """The document, the same bytes for the same label set; `decode` gives it back."""
        labels = [_plain(label) for label in self.labels]
        text = json.dumps({"schema": self.schema, "labels": labels}, ensure_ascii=False, indent=2)
        return text.encode() + b"\n"

    def line(self) -> bytes:
        """The same document as one line of canonical JSON."""
        return (
            strict_json.canonical({"schema": self.schema, "labels": [_plain(label) for label in self.labels]}) + b"\n"
        )

    def get(self, label_id: str) -> Label | None:
        """The label of that id, None where the set has none."""
        return self._by_id.get(label_id)

    def name_of(self, label_id: str) -> str:
        """What a label is called; its id where the set does not know it."""
        label = self._by_id.get(label_id)
        return label_id if label is None else label.name

    def indices(self, used: Iterable[str] = ()) -> dict[str, int]:
        """The number of each class, in order of the numbers: of every label of the set, whatever is asked for.

        As `class_numbers` has it: what a label's index says, else the smallest free number, from 0. So the numbers are the
        same in every process and for every part of a dataset.

        Args:
            used: ids of labels that the set may lack; those follow, and their numbers depend on which of them are named.
        """
        return class_numbers(self.labels, used)

    def with_more(self, labels: Iterable[Label]) -> LabelSet:
        """This set, and behind it those of `labels` that it lacks: whose id is none of it, nor the name of one.

        A hotkey that a label of this set has already is not given a second time.

        Raises:
            NonconformingError: what would come of it is no label set.
        """
        names, keys = {label.name for label in self.labels}, {label.hotkey for label in self.labels}
        more = tuple(
            replace(label, hotkey=None) if label.hotkey in keys else label
            for label in labels
            if label.id not in self._by_id and label.name not in names
        )
        return LabelSet.decode(replace(self, labels=self.labels + more).encode()) if more else self

    def ids_by_name(self) -> dict[str, str]:
        """The ids of the labels that are called otherwise than their ids, by their names, which may be ids of others."""
        return {each.name: each.id for each in self.labels if each.name != each.id}

    def renamed(self, label_id: str, name: str) -> LabelSet:
        """The same set, one label called otherwise; no annotation changes by it.

        Raises:
            NotFoundError: there is no label of that id. ExistsError: it is called so already. NonconformingError: another one
                is, or the name is empty or too long.
        """
        label = self._by_id.get(label_id)
        if label is None:
            known = ", ".join(list(self._by_id)[:20])
            raise NotFoundError(
                f"there is no label {label_id!r} for {self.schema}", hint=f"there are: {known or 'none'}"
            )
        if label.name == name:
            raise ExistsError(f"the label {label_id!r} is called that already", where=self.schema)
        labels = tuple(replace(each, name=name) if each.id == label_id else each for each in self.labels)
        return LabelSet.decode(replace(self, labels=labels).encode())


def class_numbers(
    declared: Iterable[Label],
    others: Iterable[str] = (),
    kept: Iterable[tuple[str, int]] = (),
    *,
    first: int = 0,
    numbers_max: int | None = None,
    dense: bool = True,
) -> dict[str, int]:
    """The numbers of classes: the one rule for loaders and exports; in order of the numbers.

    A label's `index` goes before all else, then what was kept of other files. The rest follow: first those of the label set
    in its order, then all others by code point.

    Args:
        declared: labels of a label set (or of several), in its order; all of them get numbers.
        others: ids of more labels, in any order.
        kept: labels with numbers that they had elsewhere; of several for one label or number the first that is free counts.
        first: the least number to give.
        numbers_max: how many classes the format has room for; a number that is no less is not taken over.
        dense: give the smallest numbers that are free; otherwise those after the greatest, and from 1.
    """
    order = {label.id: label.index for label in declared}
    given = sorted((index, label_id) for label_id, index in order.items() if index is not None)
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for label_id, number in chain(((label_id, index) for index, label_id in given), kept):
        possible = number >= first and (numbers_max is None or number < numbers_max)
        if possible and label_id not in numbers and number not in taken:
            numbers[label_id] = number
            taken.add(number)
    at = first if dense else max(taken, default=0) + 1
    for label_id in (*order, *sorted(set(others) - order.keys())):
        if label_id in numbers:
            continue
        while at in taken:
            at += 1
        numbers[label_id] = at
        at += 1
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


def declared_label(
    name: str,
    kept: dict[str, Any] | None = None,
    *,
    colour: str | None = None,
    hotkey: str | None = None,
    parent: str | None = None,
    keypoints: tuple[str, ...] = (),
    skeleton: tuple[tuple[str, str], ...] = (),
) -> Label | None:
    """A label as a file of another program declares it; None where its name cannot be that of a label.

    Args:
        name: what it is called there, which becomes its id.
        kept: what else the file says of it, under the name of the format.
        colour: as #rrggbb; left out where it is something else.
        hotkey: the key that chooses it; left out where the schema has no such key.
        parent: the name of the label that it is a kind of.
        keypoints: names of its points, in order, each once.
        skeleton: pairs of them.
    """
    if not _is_name(name):
        return None
    fits = keypoints and len(keypoints) <= _POINTS_MAX and all(map(_is_name, keypoints))
    joined = skeleton[:_POINTS_MAX] if fits else ()
    colour = colour.lower() if colour is not None and _COLOUR.fullmatch(colour.lower()) else None
    hotkey = hotkey if hotkey is not None and _HOTKEY.fullmatch(hotkey) else None
    return Label(name, name, parent, colour, hotkey, None, None, keypoints if fits else (), joined, kept or None)


def _is_name(text: str) -> bool:
    """Whether it is neither empty nor too long, and has no half of a surrogate pair, as JSON may have it."""
    return 0 < len(text) <= _NAME_CHARS_MAX and not _SURROGATE.search(text)


@functools.cache
def _validator() -> Validator:
    return compile_schema(schemas.load(schemas.LABEL_SET))


def _label(value: dict[str, Any]) -> Label:
    value = dict(value)
    value["keypoints"] = tuple(value.get("keypoints", ()))
    value["skeleton"] = tuple((one, other) for one, other in value.get("skeleton", ()))
    return Label(**value)


def _plain(label: Label) -> dict[str, Any]:
    values = ((each.name, getattr(label, each.name)) for each in fields(label))
    return {name: value for name, value in values if value is not None and value != ()}


def _check(labels: tuple[Label, ...]) -> None:
    """What JSON Schema cannot say of a label set."""
    _check_unique(labels, "id", lambda label: label.id)
    _check_unique(labels, "name", lambda label: label.name)
    _check_unique(labels, "hotkey", lambda label: label.hotkey)
    _check_unique(labels, "index", lambda label: label.index)
    parents = {label.id: label.parent for label in labels}
    safe: set[str] = set()  # no circle above these
    for at, label in enumerate(labels):
        if label.parent is not None and label.parent not in parents:
            raise refusal(f"/labels/{at}/parent", f"there is no label {label.parent!r}")
        below: set[str] = set()
        for ancestor in _upwards(parents, label.id):
            if ancestor in safe:
                break
            if ancestor in below:
                raise refusal(f"/labels/{at}/parent", f"{ancestor!r} would be its own ancestor")
            below.add(ancestor)
        safe |= below
        for number, pair in enumerate(label.skeleton):
            if not set(pair) <= set(label.keypoints):
                raise refusal(f"/labels/{at}/skeleton/{number}", "joins a point that is not among the keypoints")


def _check_unique(labels: tuple[Label, ...], what: str, value_of: Callable[[Label], str | int | None]) -> None:
    seen: set[str | int] = set()
    for at, label in enumerate(labels):
        value = value_of(label)
        if value is None:
            continue
        if value in seen:
            raise refusal(f"/labels/{at}/{what}", f"{value!r} is there twice")
        seen.add(value)


def _upwards(parents: dict[str, str | None], label_id: str) -> Iterator[str]:
    """A label, its parent, and so on; for ever in a circle; ends before a label that is not there."""
    at: str | None = label_id
    while at is not None and at in parents:
        yield at
        at = parents[at]


def refusal(place: str, what: str) -> NonconformingError:
    """What is wrong with a label set, and where in it."""
    return NonconformingError(what, where=f"label set {place}".rstrip())
