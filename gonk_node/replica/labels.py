"""Label sets: what the labels of a schema are called, how they are shown and numbered. Annotations carry only their ids.

A label set is an object of the media type MEDIA_TYPE, in the form of the schema `label-set` that ships; so it has versions
and is reviewed as any object. Its uuid follows from the schema's name: each schema has one, and a stranger's counts only
once it is accepted. Which labels annotations may carry is not checked here: any that their schema takes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from blake3 import blake3

from gonk_node import schemas
from gonk_node.core.ids import object_uuid
from gonk_node.core.limits import LABEL_SET_BYTES_MAX
from gonk_node.errors import ExistsError, NonconformingError, NotFoundError
from gonk_node.replica.proposing import full_schema_name
from gonk_node.replica.queries import Queries, Revision
from gonk_node.state import strict_json
from gonk_node.state.conformance import Conformance, Validator, compile_schema
from gonk_node.store.content import ContentStore
from gonk_node.store.state_schema import OBJECT

MEDIA_TYPE = "application/vnd.gonk.labels+json"

_names = blake3(derive_key_context="gonk-node 2026 v1 label set of schema")


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
    def of(cls, queries: Queries, content: ContentStore, schema_name: str) -> LabelSet:
        """The label set that counts in a State: the current version of its object; an empty one where there is none.

        Args:
            queries: of the State, be it today's or that of a release.
            content: where its bytes are.
            schema_name: with or without `schema-`.

        Raises:
            NotFoundError: its content is not on this node. NonconformingError: it is no label set for this schema.
        """
        revision = find(queries, schema_name)
        return cls(full_schema_name(schema_name)) if revision is None else read(content, revision, schema_name)

    @classmethod
    def decode(cls, document: bytes) -> LabelSet:
        """The label set in a document (UTF-8 JSON).

        Raises:
            NonconformingError: it is too large, does not fit the schema `label-set`, or something in it is there twice,
                refers to what is not there, or is its own ancestor; says where.
        """
        if len(document) > LABEL_SET_BYTES_MAX:
            raise _refusal("", f"is {len(document):,} bytes; the limit is {LABEL_SET_BYTES_MAX:,}")
        validator = _validator()
        if validator.verdict(document) is not Conformance.VALID:
            first = validator.explain(document)[0]
            raise _refusal(first.place, first.what)
        value: Any = strict_json.parse(document)
        made = cls(value["schema"], tuple(_label(each) for each in value["labels"]))
        _check(made.labels)
        return made

    def encode(self) -> bytes:
        """The document, the same bytes for the same label set; `decode` gives it back."""
        labels = [_plain(label) for label in self.labels]
        text = json.dumps({"schema": self.schema, "labels": labels}, ensure_ascii=False, indent=2)
        return text.encode() + b"\n"

    def get(self, label_id: str) -> Label | None:
        """The label of that id, None where the set has none."""
        return self._by_id.get(label_id)

    def name_of(self, label_id: str) -> str:
        """What a label is called; its id where the set does not know it."""
        label = self._by_id.get(label_id)
        return label_id if label is None else label.name

    def indices(self, used: Iterable[str] = ()) -> dict[str, int]:
        """The export index of each label: every one that has a number, and every one of `used` (ids).

        Those without a number get the next ones after the highest: first those of the set in its order, then unknown ones
        by code point. So the same labels get the same numbers on every node.
        """
        numbers = {label.id: label.index for label in self.labels if label.index is not None}
        wanted = set(used) - numbers.keys()
        unnumbered = [label.id for label in self.labels if label.id in wanted]
        following = max(numbers.values(), default=-1) + 1
        rest = unnumbered + sorted(wanted.difference(unnumbered))
        return numbers | {label_id: number for number, label_id in enumerate(rest, following)}

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


def uuid_of(dataset: bytes, schema_name: str) -> bytes:
    """The uuid (16 bytes) of the object that is the label set of a schema in a dataset."""
    hasher = _names.copy()
    hasher.update(full_schema_name(schema_name).encode())
    return object_uuid(dataset, hasher.digest())


def find(queries: Queries, schema_name: str) -> Revision | None:
    """The object revision that is the label set of a schema now; None where none is accepted."""
    found = queries.current(OBJECT, uuid_of(queries.dataset, schema_name))
    return found if found is not None and found.media_type == MEDIA_TYPE else None


def read(content: ContentStore, revision: Revision, schema_name: str) -> LabelSet:
    """The label set that an object revision holds.

    Raises:
        NotFoundError: its content is not on this node. NonconformingError: it is no label set for this schema.
    """
    where = f"label set of {full_schema_name(schema_name)}"
    if (revision.size or 0) > LABEL_SET_BYTES_MAX:
        raise _refusal("", f"is {revision.size:,} bytes; the limit is {LABEL_SET_BYTES_MAX:,}")
    content_id = revision.content_id or b""
    if not content.has(content_id):
        raise NotFoundError("its content is not on this node", where=where, hint="gonk sync DATASET fetches it")
    made = LabelSet.decode(b"".join(content.read(content_id)))
    if made.schema != full_schema_name(schema_name):
        raise _refusal("/schema", f"is for {made.schema}, not for {full_schema_name(schema_name)}")
    return made


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
            raise _refusal(f"/labels/{at}/parent", f"there is no label {label.parent!r}")
        below: set[str] = set()
        for ancestor in _upwards(parents, label.id):
            if ancestor in safe:
                break
            if ancestor in below:
                raise _refusal(f"/labels/{at}/parent", f"{ancestor!r} would be its own ancestor")
            below.add(ancestor)
        safe |= below
        for number, pair in enumerate(label.skeleton):
            if not set(pair) <= set(label.keypoints):
                raise _refusal(f"/labels/{at}/skeleton/{number}", "joins a point that is not among the keypoints")


def _check_unique(labels: tuple[Label, ...], what: str, value_of: Callable[[Label], str | int | None]) -> None:
    seen: set[str | int] = set()
    for at, label in enumerate(labels):
        value = value_of(label)
        if value is None:
            continue
        if value in seen:
            raise _refusal(f"/labels/{at}/{what}", f"{value!r} is there twice")
        seen.add(value)


def _upwards(parents: dict[str, str | None], label_id: str) -> Iterator[str]:
    """A label, its parent, and so on; for ever in a circle; ends before a label that is not there."""
    at: str | None = label_id
    while at is not None and at in parents:
        yield at
        at = parents[at]


def _refusal(place: str, what: str) -> NonconformingError:
    return NonconformingError(what, where=f"label set {place}".rstrip())
