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
        review=nullable({"type": "string", "enum": ["PENDING", "ACCEPTED", "REJECTED"]}),
    ),
    "Event": record(uuid=UUID, timestamp=TIME, author=TEXT, integrity=HASH, type=TEXT),
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
