"""The shapes of what is sent and answered, as JSON Schemas: once here, named in OpenAPI, checked by tests."""

from __future__ import annotations

from typing import Any

from gonk_node.api.route import Schema

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
BASE64: Schema = {"type": "string", "contentEncoding": "base64"}
UUID: Schema = {"type": "string", "format": "uuid"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
REVIEW: Schema = {"type": "string", "enum": ["PENDING", "ACCEPTED", "REJECTED"]}
LOG_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
TIME: Schema = {"type": "string", "format": "date-time"}
STATUS: Schema = {"type": "string", "enum": ["accepted", "pending", "deleted", "rejected"]}
SCHEMA_STATUS: Schema = {"type": "string", "enum": ["accepted", "pending", "deprecated", "rejected"]}


def nullable(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(item: Schema) -> Schema:
    """A list of those."""
    return {"type": "array", "items": item}


def record(**properties: Schema) -> Schema:
    """An object with all of these keys, and no promise about others."""
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def named(name: str) -> Schema:
    """A reference to one of `COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}


IDENTIFIER = named("Identifier")
NAMED_IDENTIFIER = named("NamedIdentifier")
SCHEMA_INFO = named("SchemaInfo")
INFO = named("Info")
OBJECT = named("Object")
ANNOTATION = named("Annotation")
EVENT_INFO = named("EventInfo")
EVENT = named("Event")
ERROR = named("Error")
SCHEMA_NAME_VERSION = named("SchemaNameVersion")
EVENT_DETAIL = named("EventDetail")
LOG_ENTRY = named("LogEntry")
CONFLICT = named("Conflict")
DATASET_STATUS = named("DatasetStatus")

COMPONENTS: dict[str, Any] = {
    "Identifier": record(uuid=UUID, version=COUNT),
    "NamedIdentifier": record(uuid=UUID, version=COUNT, name=NAME),
    "SchemaInfo": record(name=NAME, uuid=UUID, versions=COUNT),
    "Info": record(uuid=UUID, versions=COUNT),
    "SchemaNameVersion": record(name=NAME, version=COUNT),
    "Object": record(
        uuid=UUID,
        version=COUNT,
        name=NAME,
        format={"type": "string", "description": "media type"},
        size={"type": "integer", "minimum": 0, "description": "bytes"},
        hash_type={"const": 1, "description": "SHA-256"},
        hash=HASH,
    ),
    "Annotation": record(
        uuid=UUID, version=COUNT, schema=named("Identifier"), size=COUNT, hash_type={"const": 1}, hash=HASH
    ),
    "EventInfo": record(
        uuid=UUID,
        type=TEXT,
        review=nullable(REVIEW),
    ),
    "Event": record(uuid=UUID, timestamp=TIME, author=TEXT, integrity=HASH, type=TEXT),
    "EventDetail": record(
        uuid=UUID,
        timestamp=TIME,
        author=TEXT,
        integrity=HASH,
        type=TEXT,
        review=nullable(REVIEW),
        reviews=array(named("Review")),
    ),
    "Review": record(
        uuid=UUID,
        author=TEXT,
        decision={"type": "string", "enum": ["accept", "reject"]},
        comment=TEXT,
        timestamp=TIME,
        honoured={"type": "boolean", "description": "whether its author had the right to review when signing it"},
    ),
    "LogEntry": record(
        lsn={"type": "integer", "minimum": 1, "description": "number of arrival on this node, and there only"},
        entry={"description": "its id, the same on every node", **HASH},
        author=TEXT,
        key={"description": "of the author", **HASH},
        log=LOG_ID,
        seq=COUNT,
        time=TIME,
        bytes=COUNT,
        events=array(record(uuid=UUID, kind=TEXT)),
    ),
    "Conflict": record(
        type={"type": "string", "enum": ["object", "annotation", "schema"]},
        uuid=UUID,
        versions=array(record(version=COUNT, current=FLAG, event=UUID, author=TEXT, timestamp=TIME)),
    ),
    "DatasetStatus": record(
        name=NAME,
        id=HASH,
        role=nullable({"type": "string", "enum": ["owner", "reviewer", "contributor"]}),
        entries=COUNT,
        events=COUNT,
        heads=array(record(author=TEXT, log=LOG_ID, seq=COUNT, entry=HASH)),
        head_count=COUNT,
        heads_digest=HASH,
        state_digest=HASH,
        counts={"type": "object", "additionalProperties": {"type": "object", "additionalProperties": COUNT}},
        pending=COUNT,
        conflicts=COUNT,
        forks=array(record(author=TEXT, log=LOG_ID, seq=COUNT, entries=array(HASH))),
        withheld={"type": "integer", "minimum": 0, "description": "events of which only the hash is here"},
        replaced_roots=array(HASH),
        root_disputed=FLAG,
        peers=array({"type": "object"}),
    ),
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "description": "text, or for what the rules forbid one key, the kind of error, with the text",
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": TEXT},
                ],
            },
            "valid_statuses": array(TEXT),
        },
    },
}
