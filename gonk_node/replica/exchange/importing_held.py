"""Which annotations of a source a dataset holds already, and which uuids it has for those that others refer to.

An annotation is held if it was imported before, or was exported from this very dataset and says what it says there. Nothing
is proposed here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from uuid import UUID

from gonk_node.core.ids import imported_annotation_uuid, uuid_text
from gonk_node.errors import NonconformingError
from gonk_node.formats.compact import NamedTexts
from gonk_node.formats.sample import ImportedAnnotation, import_key
from gonk_node.replica.exchange.importing_labels import DeclaredLabels
from gonk_node.replica.signing.proposing import Proposer
from gonk_node.state.strict_json import canonical, parse
from gonk_node.store.state_schema import ANNOTATION

ObjectUuid = Callable[[str], bytes]
"""The uuid of the object of that name in the source; empty where it cannot be used."""


class HeldAnnotations:
    """The annotations of one dataset, for one import.

    Args:
        proposer: of who imports.
        labels: of the dataset.
    """

    def __init__(self, proposer: Proposer, labels: DeclaredLabels) -> None:
        self._proposer = proposer
        self._labels = labels
        self._queries = proposer.author.queries
        self._returned = NamedTexts()  # uuids of those that came back from another program, by their keys
        self._renamed = NamedTexts()  # keys with the ids of labels in place of their names, where these differ

    def uuid_of(self, each: ImportedAnnotation, on: bytes) -> bytes:
        """The uuid that an annotation has or gets in the dataset, on the object of that uuid.

        It does not depend on what labels are called: an annotation is known also where a label was renamed meanwhile.
        """
        said = self._labels.with_ids(each.schema, each.said) if each.shipped else each.said
        key = import_key(each.origin, said)
        if said is not each.said:
            self._renamed.add(each.key.hex(), key.hex())
        return imported_annotation_uuid(self._queries.dataset, on, key)

    def known(self, uuids: Iterable[bytes]) -> set[bytes]:
        """Those that are in the dataset; a stranger's proposal does not count as such."""
        held = self._queries.known(ANNOTATION, uuids)
        return {uuid for uuid in held if self._proposer.standing(self._queries.revisions(ANNOTATION, uuid))}

    def present(self, waiting: Iterable[ImportedAnnotation], object_uuid: ObjectUuid) -> set[bytes]:
        """Keys of those that were exported from this very dataset, and say what they say there; one for each uuid."""
        said = [each for each in waiting if each.uuid]
        known = self.known({each.uuid for each in said})
        found: dict[bytes, bytes] = {}  # keys, by uuid
        for each in sorted(said, key=lambda each: bool(each.refers)):
            if each.uuid not in known or each.uuid in found:
                continue
            on = object_uuid(each.image_name)
            bodies = (revision.body for revision in self._queries.revisions(ANNOTATION, each.uuid))
            if any(body is not None and self._says_the_same(body, each, on, found) for body in bodies):
                found[each.uuid] = each.key
                if each.shipped:
                    self._returned.add(each.key.hex(), each.uuid.hex())
        return set(found.values())

    def with_uuids(self, each: ImportedAnnotation, body: bytes, on: bytes, proposed: Container[bytes]) -> bytes:
        """A body with the uuids of the annotations that it refers to.

        Args:
            each: the annotation.
            body: its body.
            on: the uuid of its object.
            proposed: uuids of annotations that are proposed with it.

        Raises:
            NonconformingError: one of them is neither in the dataset nor among those, whatever uuid it has there.
        """
        if not each.refers:
            return body
        value = parse(body)
        for member, key in each.refers.items():
            returned = self._returned.get(key.hex())
            if returned is not None:
                uuid = bytes.fromhex(returned)
            else:
                renamed = self._renamed.get(key.hex()) or key.hex()
                uuid = imported_annotation_uuid(self._queries.dataset, on, bytes.fromhex(renamed))
            if uuid not in proposed and not self.known([uuid]):
                uuid = UUID(value[member]).bytes  # in the source, which may be an export of this very dataset
            if uuid not in proposed and not self.known([uuid]):
                raise NonconformingError(f"its {member} was left out")
            value[member] = uuid_text(uuid)
        return canonical(value)

    def _says_the_same(self, body: bytes, each: ImportedAnnotation, on: bytes, found: Container[bytes]) -> bool:
        there = parse(body)
        if not each.shipped:
            return canonical(there) == each.body
        try:
            here = parse(self.with_uuids(each, self._labels.with_ids(each.schema, each.body), on, found))
        except NonconformingError:
            return False
        return _without_attributes(there) == _without_attributes(here)


def _without_attributes(value: object) -> object:
    return (
        {name: member for name, member in value.items() if name != "attributes"} if isinstance(value, dict) else value
    )
