"""Whether the bodies of annotations fit the schema revisions that they name, asked of one dataset.

Keeps compiled schemas. The verdict itself is `state.conformance`; nothing is signed or stored here.
"""

from __future__ import annotations

import threading

from gonk_node import schemas
from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.core.ids import uuid_text
from gonk_node.core.limits import SCHEMAS_COMPILED_MAX
from gonk_node.errors import NonconformingError
from gonk_node.replica.reading.queries import Queries, Revision
from gonk_node.state.conformance import Conformance, Validator, compile_schema
from gonk_node.store.state_schema import SCHEMA


class Bodies:
    """The schemas of one dataset, compiled when they are first needed. Thread-safe."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._lock = threading.Lock()
        self._validators: dict[int, Validator] = {}  # by schema revision, of which nothing changes; the oldest first
        self._shipped: dict[int, bool] = {}  # by schema revision
        self._unusable: set[int] = set()  # revisions that cannot be judged by

    def check(self, schema: Revision, body: bytes) -> None:
        """NonconformingError, saying where and why, unless the body fits the schema revision."""
        validator = self._validator(schema)
        if validator.verdict(body) is Conformance.VALID:
            return
        problems = "; ".join(f"{each.place}: {each.what}".removeprefix(": ") for each in validator.explain(body))
        raise NonconformingError(
            f"the body does not fit {schema.name} version {schema.version}: {problems or 'it is too large to check'}",
            hint=f"gonk show DATASET {uuid_text(schema.uuid)} shows the schema",
        )

    def conformance(self, annotation: Revision) -> Conformance:
        """Whether an annotation revision fits the schema revision that it names; UNKNOWN where that is not here."""
        if annotation.schema_no is None or annotation.body is None:
            return Conformance.UNKNOWN
        return self.verdict(annotation.schema_no, annotation.body)

    def verdict(self, schema_no: int, body: bytes) -> Conformance:
        """Whether a body fits the schema revision of that local number; UNKNOWN where it is not here, or is no schema."""
        validator = self._validators.get(schema_no)
        if validator is None:
            schema = None if schema_no in self._unusable else self._queries.by_number(SCHEMA, schema_no)
            if schema is None:
                return Conformance.UNKNOWN
            try:
                validator = self._validator(schema)
            except NonconformingError:
                self._unusable.add(schema_no)
                return Conformance.UNKNOWN
        return validator.verdict(body)

    def ships(self, schema: Revision) -> bool:
        """Whether the document of a schema revision is, byte for byte, the one that ships under its name."""
        known = self._shipped.get(schema.number)
        if known is None:
            name = str(schema.name).removeprefix(SCHEMA_PREFIX)
            known = name in schemas.names() and schema.body == schemas.load(name)
            self._shipped[schema.number] = known
        return known

    def _validator(self, schema: Revision) -> Validator:
        validator = self._validators.get(schema.number)
        if validator is None:
            validator = compile_schema(schema.body or b"")
            with self._lock:
                if len(self._validators) >= SCHEMAS_COMPILED_MAX:
                    del self._validators[next(iter(self._validators))]
                self._validators[schema.number] = validator
        return validator
