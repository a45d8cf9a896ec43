"""Makes docs/schemas.md from the schemas that ship: what each is for, its fields, and its examples.

Usage: `python scripts/gen_schema_docs.py` prints the page; with `--write` it writes docs/schemas.md.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from generated_page import DOCS, print_or_write
from gonk_node import schemas

DOCUMENT = DOCS / "schemas.md"

HEAD = """\
# Schemas

An annotation is a JSON document that fits a schema of its dataset. These ship with gonk; any other JSON Schema does as well.
Made from `gonk_node/schemas/*.json` by `scripts/gen_schema_docs.py --write`; a test compares the two.

```
gonk schema list                          # those that ship
gonk schema show bounding-box             # one of them, as JSON Schema 2020-12
gonk schema add DATASET bounding-box      # propose it for a dataset
```

A dataset keeps the bytes of its schemas: a later gonk changes nothing in it. A field that is not listed is refused, so that a
misspelt one is noticed; what else people want to say goes into `attributes`. Arrays that belong together (labels and scores,
candidates and ranks) have the same length, and ends are not before starts; JSON Schema cannot say so, the descriptions do.
"""
LABELS = """\
## Label sets

`label` holds the **id** of a label. What it is called, how it is coloured, which key chooses it and which number it has in
exports is said apart, in the label set of the schema. So renaming a label changes no annotation. Where a schema has no label
set, or it lacks an id, the id is the name too.

```
gonk labels DATASET set FILE                          # propose a label set: the first, or a new version
gonk labels DATASET list                              # those that count
gonk labels DATASET rename bounding-box WBC "White blood cell"
```

A label set is an object of the dataset, of the media type `application/vnd.gonk.labels+json`: it has versions, is reviewed,
shared and released as any object, and counts once it is accepted. Its uuid follows from the name of the schema (BLAKE3 in
its derive_key mode, context `gonk-node 2026 v1 label set of schema`, of the full name; then as of an object with that
content id), so a schema has one. Two that owners make apart from one another are versions of one object, and a conflict to be
decided. A file of that type that is no label set, or not the one of its schema, cannot be accepted where its content is held;
accepted elsewhere, it is told by whatever reads it, and labels stand for themselves. Where classes are numbered,
a label has its `index`; how the others are numbered is told in [formats.md](formats.md#what-holds-for-all).
"""


def render() -> str:
    """The whole page, as markdown."""
    documents = [(name, schemas.document(name)) for name in schemas.names()]
    lines = [HEAD, "| name | is |", "|---|---|"]
    lines += [f"| [{name}](#{name}) | {document['title']} |" for name, document in documents]
    shared = _shared(documents)
    lines += ["", "## Fields of all", "", *_rows(shared), "", "A *source*:", "", *_rows(shared["source"]["properties"])]
    for name, document in documents:
        lines += ["", *_section(f"## {name}", document, leave_out=shared)]
    lines += ["", LABELS, *_section("### label-set", schemas.document(schemas.LABEL_SET), leave_out={})]
    return "\n".join(lines) + "\n"


def _shared(documents: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The fields that every schema has, as most have them."""
    properties = dict(documents)["rotated-box"]["properties"]
    return {name: properties[name] for name in ("attributes", "source")}


def _section(heading: str, document: dict[str, Any], *, leave_out: dict[str, Any]) -> list[str]:
    own = {name: field for name, field in document["properties"].items() if name not in leave_out}
    lines = [heading, "", f"{document['description']}", "", *_rows(own, document)]
    for name, part in document.get("$defs", {}).items():
        if "properties" in part:
            lines += ["", f"Each *{name}*:", "", *_rows(part["properties"], document, part)]
    lines += ["", "```json", *(json.dumps(example, ensure_ascii=False) for example in document["examples"]), "```"]
    return lines


def _rows(
    fields: dict[str, Any], document: dict[str, Any] | None = None, holder: dict[str, Any] | None = None
) -> list[str]:
    rows = ["| field | must | is |", "|---|---|---|"]
    required = (holder or document or {}).get("required", [])
    for name, field in fields.items():
        meaning = field.get("description") or _resolved(field, document).get("description", "")
        kind = _kind(field, document)
        text = f"{kind}. {meaning}".rstrip(" .") + "."
        rows.append(f"| `{name}` | {'yes' if name in required else ''} | {text.replace('|', chr(92) + '|')} |")
    return rows


def _resolved(field: dict[str, Any], document: dict[str, Any] | None) -> dict[str, Any]:
    if "$ref" not in field or document is None:
        return field
    found: dict[str, Any] = document["$defs"][field["$ref"].rpartition("/")[2]]
    return found


def _kind(field: dict[str, Any], document: dict[str, Any] | None) -> str:
    """The type of a field in a few words: `array (3 or more) of *point*`, `number > 0`, …."""
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "oneOf" in field:
        return ", or ".join(_kind(each, document) for each in field["oneOf"])
    if "$ref" in field:
        return f"*{field['$ref'].rpartition('/')[2]}*"
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if kinds == ["array"]:
        return f"array{_count(field)} of {_kind(field['items'], document)}"
    if kinds == ["object"] and field.get("additionalProperties") is False:
        return "object of " + ", ".join(f"`{name}`" for name in field["properties"])
    return " or ".join(kinds) + _range(field)


def _count(field: dict[str, Any]) -> str:
    least, most = field.get("minItems", 0), field.get("maxItems")
    if least == most:
        return f" ({least})"
    return f" ({least} or more)" if least else ""


def _range(field: dict[str, Any]) -> str:
    if "exclusiveMinimum" in field:
        return f" > {field['exclusiveMinimum']}"
    if "minimum" in field and "maximum" in field and field["maximum"] < 2**31 - 1:
        return f" {field['minimum']} to {field['maximum']}"
    return f" >= {field['minimum']}" if "minimum" in field else ""


def main(arguments: list[str]) -> int:
    """Print the page, or write it with `--write`."""
    return print_or_write(arguments, render(), DOCUMENT, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
