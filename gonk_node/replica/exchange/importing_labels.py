"""The labels that an import brings: names become the ids that the dataset has for them, and new ones are proposed.

A label that the dataset's label set calls so is meant, whatever its id is; any other stands for itself, as it did in the
file. What a file declares and the label set lacks is proposed behind what is there; nothing that is there changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gonk_node.errors import NonconformingError, NotFoundError, RefusedError
from gonk_node.formats.label_set import LabelSet
from gonk_node.formats.loss import Loss
from gonk_node.formats.sample import ImportedLabels
from gonk_node.replica.signing.group_commit import Draft
from gonk_node.replica.signing.labelling import label_set_to_build_on, proposal
from gonk_node.replica.signing.labels import read
from gonk_node.replica.signing.proposing import Proposer, full_schema_name
from gonk_node.state.strict_json import canonical, parse
from gonk_node.store.content import ContentStore


class DeclaredLabels:
    """The label sets of one dataset, for one import.

    Args:
        proposer: of who imports.
        content: where the bytes of label sets are.
        loss: where it is told what could not be used.
    """

    def __init__(self, proposer: Proposer, content: ContentStore, loss: Loss) -> None:
        self._proposer = proposer
        self._content = content
        self._loss = loss
        self._standing: dict[str, LabelSet | None] = {}
        self._ids: dict[str, dict[str, str]] = {}  # by schema: ids by the names that are none

    def with_ids(self, schema: str, body: bytes) -> bytes:
        """A body (canonical JSON) whose labels are names, with the ids of the dataset's label set for that schema."""
        if schema not in self._ids:
            standing = self._of(schema)
            self._ids[schema] = {} if standing is None else standing.ids_by_name()
        ids = self._ids[schema]
        if not ids:
            return body
        value: Any = parse(body)
        if isinstance(value.get("label"), str):
            value["label"] = ids.get(value["label"], value["label"])
        if isinstance(value.get("labels"), list):
            value["labels"] = [ids.get(label, label) for label in value["labels"]]
        return canonical(value)

    def proposal(self, schema: str, declared: Iterable[ImportedLabels]) -> Draft[bool] | None:
        """What adds the labels that the dataset's set lacks, to be signed; None where it lacks none, or it cannot be.

        Args:
            schema: of which the labels are.
            declared: all that the source declares of it, which it may do in several files: one behind the other.
        """
        standing = wanted = self._of(schema)
        if standing is None or wanted is None:
            return None
        place = ""
        for each in declared:
            place = each.place
            try:
                wanted = wanted.with_more(each.labels)
            except RefusedError as error:
                self._tell(place, error)
        try:
            return None if wanted == standing else proposal(self._proposer, self._content, wanted.encode())
        except RefusedError as error:
            self._tell(place, error)
            return None

    def _tell(self, place: str, error: RefusedError) -> None:
        self._loss.left_out(place, f"its labels make no label set: {error}; left out")

    def _of(self, schema: str) -> LabelSet | None:
        """The set that an update would build on; None where it cannot be read."""
        if schema not in self._standing:
            self._standing[schema] = self._read(full_schema_name(schema))
        return self._standing[schema]

    def _read(self, schema: str) -> LabelSet | None:
        base = label_set_to_build_on(self._proposer, schema)
        try:
            return LabelSet(schema) if base is None else read(self._content, base, schema)
        except (NotFoundError, NonconformingError) as error:
            self._loss.left_out(str(error.where), f"{error.what}; labels are taken as the file has them")
            return None
