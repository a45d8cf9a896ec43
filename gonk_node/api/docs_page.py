"""The page /docs: what there is to call, for people, as one HTML page that needs no script and no other host.

Made of the same table as the OpenAPI document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Any

from gonk_node.api.openapi import description, plain_path
from gonk_node.api.route import Route
from gonk_node.api.shapes import COMPONENTS

STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #777; --code: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
nav a { margin-right: .7rem; } code { overflow-wrap: anywhere; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; } summary { cursor: pointer; }
code, pre { font: 14px/1.4 ui-monospace, monospace; background: var(--code); border-radius: 3px; padding: .1em .3em; }
pre { padding: .6rem; overflow-x: auto; }
.method { display: inline-block; width: 4.2rem; font-weight: 600; } .dim { color: var(--dim); }
table { border-collapse: collapse; } td { padding: .15rem .8rem .15rem 0; vertical-align: top; }
"""


def page(routes: Iterable[Route]) -> str:
    """The HTML of the page."""
    groups = [
        (tag, list(rows)) for tag, rows in groupby(routes, lambda each: each.handler.__module__.rpartition(".")[2])
    ]
    links = " ".join(f'<a href="#{tag}">{escape(tag)}</a>' for tag, _ in groups)
    body = "".join(f'<h2 id="{tag}">{escape(tag)}</h2>{"".join(map(_row, rows))}' for tag, rows in groups)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gonk\'s HTTP API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        "<h1>Gonk's HTTP API on this node</h1>"
        "<p>Send your API key in the header <code>x-api-key</code>, and bodies as JSON; bytes travel in base64. Errors have"
        ' the key <code>error</code>: a text, or one name with a text. The same as data: <a href="/openapi.json">'
        f"/openapi.json</a>.</p><nav>{links}</nav>{body}<h2>shapes</h2>{_shapes()}</body></html>\n"
    )


def _row(route: Route) -> str:
    parts = [f"<p>{escape(each)}</p>" for each in description(route).split("\n\n")]
    if route.body:
        parts.append(_table("in the body", [(f.name, f.what, "" if f.required else "optional") for f in route.body]))
    if route.query:
        parts.append(_table("in the query", [(q.name, q.what, "optional") for q in route.query]))
    if route.answer is not None:
        parts.append(f"<p class=dim>answer</p><pre>{escape(short(route.answer))}</pre>")
    if not route.needs_key:
        parts.append("<p class=dim>no key needed</p>")
    path = escape(plain_path(route))
    return (
        f"<details><summary><span class=method>{route.method}</span> <code>{path}</code>"
        f" <span class=dim>{escape(route.summary)}</span></summary>{''.join(parts)}</details>"
    )


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(what)}</td><td class=dim>{escape(note)}</td></tr>"
        for name, what, note in rows
    )
    return f"<p class=dim>{title}</p><table>{cells}</table>"


def _shapes() -> str:
    return "".join(
        f"<details><summary><code>{escape(name)}</code></summary><pre>{escape(short(shape, deep=True))}</pre></details>"
        for name, shape in COMPONENTS.items()
    )


def short(schema: Any, *, deep: bool = False) -> str:
    """A JSON Schema as people write shapes: `{"uuid": uuid, "versions": integer}`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(short(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if schema.get("type") == "array":
        return f"[{short(schema['items'])}, …]"
    if schema.get("type") == "object":
        rows = [f'"{name}": {short(each)}' for name, each in schema.get("properties", {}).items()]
        return "{\n  " + ",\n  ".join(rows) + "\n}" if deep else "{" + ", ".join(rows) + "}"
    return str(schema.get("format") or schema.get("contentEncoding") or schema.get("type", "anything"))
