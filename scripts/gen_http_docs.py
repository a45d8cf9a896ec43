"""Makes docs/http-api.md: what is said here, and then every route, from the table that the server answers by.

Usage: `python scripts/gen_http_docs.py` prints the page; with `--write` it writes docs/http-api.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from itertools import groupby

from generated_page import DOCS, print_or_write
from gonk_node.api.app import every_route
from gonk_node.api.docs_page import short
from gonk_node.api.openapi import description, plain_path
from gonk_node.api.route import Route
from gonk_node.api.shapes import COMPONENTS

DOCUMENT = DOCS / "http-api.md"

HEAD = """\
# Gonk's HTTP API

Made by `scripts/gen_http_docs.py --write`, the routes from the table in `gonk_node/api` that the server answers by; a
test compares the two. Change those, not this page. A running node shows the same at `/docs`, and as OpenAPI 3.1 at
`/openapi.json`.

`gonk serve` (or `gonk run`, as Gonk has it) answers at `http://127.0.0.1:5000`. A client written for Gonk works with
it as it is. What it writes is signed with the key of its user, goes into the log of this node, and reaches all peers
with the next sync; what comes from peers shows in its answers.

## Users and keys

`gonk users add NAME` makes a user, with a key pair that this node keeps, and prints an API key once: `KEY: gk_…`.
Only its keyed hash is stored; `gonk users rekey NAME` gives a new one. Each user signs with a key of his own, so who
wrote what is known on every node, and survives this one. Send the key in the header `x-api-key`; without one the
answer is 400, with a wrong one 401. Any user may read every dataset here and propose to it; accepting needs the role
of an owner or reviewer *in that dataset*, as on every node. Who founds a dataset is its root owner.

People are named by their user name where the node knows one, and by their public key (64 hex digits) otherwise.

## Requests

- Bodies of POST and PATCH are JSON, with `Content-Type: application/json`; bytes in them are base64 (RFC 4648,
  section 4). One body may have 32 MiB; larger files are sent as they are, to `…/objects/upload`.
- Request bodies must not be packed (`Content-Encoding`).
- The `Host` must be a name of loopback, or one of the setting `http_names`: else 421. Pages of other origins get 403.
- A key may make 2,000 requests a second (`http_requests_per_second`), then 429.

## Answers

- JSON with sorted keys and a line break at the end. UUIDs are in lower case.
- An error has the key `error`: a text, or for what the rules forbid one name with a text, such as `{"error":
  {"ValidationError": "it is decided: accepted"}}`. 400: the request cannot be understood; 403: your key lacks the
  role; 404: it is not here; 409: it contradicts what is there; 413: too large; 422: a body does not fit its schema;
  503 and 507: this node has no room, now or on its disk. Nothing was signed then.
- What is answered with 200 is signed, on the disk, and counted: it survives a power cut.
- What many send at one time shares signatures and flushes, so many clients at once are the fast way to write much.

## Pages

Lists have 25 rows unless `limit` says otherwise (up to 1,000), in the order in which things came to this node.
`after` is the uuid of the last row that you have; a full page has a header `Link: <…>; rel="next"` with the address
of the next one. Lists by status have a row for each version: all listed versions of one thing stand together and on
one page, which may so be longer. An unknown `after` gives an empty list.

## Where it differs from Gonk 0.1.4

Clients need no change for any of this: the shapes are Gonk's.

- What Gonk answers with 500 gets a status that fits: 400, 403, 404, 405, 409 or 422. Of several faults in one request
  another one may be named first.
- Annotations are checked against their schema, and schema documents against their draft (`$schema`; draft 4 and
  later). Rejected and deprecated schemas cannot be used for new annotations, and no annotation moves to one; pending
  ones can be used. What has such a schema already can still be updated.
- Several `object_identifiers` work; so does `annotations/rejected`. `objects/deleted` and `objects/rejected` leave
  schemas out.
- The cursor `after` stands for a thing, not for a row: lists by status give all listed versions of one thing together,
  no row comes twice, and `versions` always counts all of them.
- Content types may have parameters, and uuids in paths may be in upper case everywhere.
- One JSON body may have 32 MiB, an annotation 1 MiB, a schema 64 KiB, a name 1 KiB without control characters. A
  schema's name has something behind `schema-`, and no slash.
- No two objects have the same bytes, as in Gonk; but a schema may have those of another schema or of an object.
- A dataset's root owner cannot be removed, and a removed key never returns: a user who is added again gets a fresh
  one.
- Who has the role of a reviewer may accept and reject, too; Gonk knows owners only.
- `integrity` of an event is the id of the signed entry that holds it; `author` is a user name or a public key.
- An object's uuid follows from its bytes, so one file is one object on all nodes.
- Two nodes may give one version number to two proposals until one is accepted; the accepted one then has it.
- Connections are kept open between requests. `gonk-api` is `gonk` here: `gonk init --username NAME`, `gonk users …`,
  `gonk run`. `users rekey` of somebody unknown fails, where Gonk prints a key that opens nothing.

## Beyond loopback

`gonk serve --host ADDRESS --allow-remote` serves over TLS, with the node's own certificate, or with the one of the
setting `http_certificate`; put the names by which clients call it into `http_names`. Without `--allow-remote` it
refuses.
"""


def render(routes: Iterable[Route]) -> str:
    """The whole page, as markdown."""
    parts = [HEAD]
    for tag, rows in groupby(routes, lambda each: each.handler.__module__.rpartition(".")[2]):
        parts.append(f"\n## Routes: {tag.replace('_', ' ')}\n")
        parts += map(_route, rows)
    parts.append("\n## Shapes\n\n```\n")
    parts += (f"{name} {short(shape, deep=True)}\n" for name, shape in COMPONENTS.items())
    return "".join(parts) + "```\n"


def _route(route: Route) -> str:
    lines = [f"\n### `{route.method} {plain_path(route)}`\n", description(route)]
    if route.body:
        lines.append("\n| in the body | | |\n|---|---|---|")
        lines += [
            f"| `{each.name}` | {_cell(short(each.schema))} | {each.what}{'' if each.required else ' (optional)'} |"
            for each in route.body
        ]
    if route.query:
        lines.append("\n| in the query | | |\n|---|---|---|")
        lines += [f"| `{each.name}` | {_cell(short(each.schema))} | {each.what} |" for each in route.query]
    if route.answer is not None:
        lines.append(f"\nAnswers `{short(route.answer)}`.")
    if route.statuses:
        lines.append(f"\nAlso answers {', '.join(map(str, route.statuses))}.")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return "`" + re.sub(r"\|", r"\\|", text) + "`"


def main(arguments: list[str]) -> int:
    """Print the page, or write it with `--write`."""
    return print_or_write(arguments, render(every_route()), DOCUMENT, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
