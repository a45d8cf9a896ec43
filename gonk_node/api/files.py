"""Routes for the bytes of objects as they are, of any size: upload, and download in parts (RFC 9110, section 14).

What may be proposed is checked before a byte is kept. The same objects in Gonk's form are in `objects`.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import ETag, hdrs, web

from gonk_node.api.answering import json_response
from gonk_node.api.desk import Desk
from gonk_node.api.objects import NewObject, checked_object, latest, propose_object, propose_version
from gonk_node.api.revisions import DATASET, VERSION, found, path_uuid, path_version
from gonk_node.api.route import Call, Query, Route
from gonk_node.api.sending import held_size, send
from gonk_node.api.shapes import IDENTIFIER, NAME
from gonk_node.api.uploads import ANY_TYPE, FORM, Upload, receive
from gonk_node.core.chunks import ContentInfo
from gonk_node.errors import RequestError
from gonk_node.replica.reading.queries import Revision
from gonk_node.store.content_spool import Spool
from gonk_node.store.state_schema import OBJECT

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, section 5.6.2
_MEDIA_TYPE = re.compile(rf'{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"[\x20\x21\x23-\x5b\x5d-\x7e]*"))*')
_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII)

_NAME = Query("name", NAME, "what the object is to be called; a form may say it too")


async def upload_object(call: Call) -> object:
    """Propose a new object from a file: the body itself, its Content-Type the media type, or a form with a field `file`.

    Nothing is kept of a body that breaks off. The form may have fields `name` and `mimetype`, too.
    """
    name = call.query.get("name")
    if name is not None:
        checked_object(name, ANY_TYPE)
    elif call.request.content_type != FORM:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the name is missing", hint="…/objects/upload?name=NAME")
    desk = await call.desk()
    with call.backend.content.spool() as spool:
        described = _described(name, await receive(call.request, spool), None)
        content = await _keep(call, spool)
    return await propose_object(call, desk, described, content)


async def upload_version(call: Call) -> object:
    """Propose a new version of an object from a file, in the same forms; it keeps the name where none is given."""
    uuid = path_uuid(call)
    name = call.query.get("name")
    if name is not None:
        checked_object(name, ANY_TYPE)
    desk = await call.desk()
    base = await latest(call, desk, uuid)
    with call.backend.content.spool() as spool:
        described = _described(name, await receive(call.request, spool), base.name)
        content = await _keep(call, spool)
    return await propose_version(call, desk, uuid, described, content)


def _described(name: str | None, upload: Upload, default: str | None) -> NewObject:
    """What the query says goes before what the form says."""
    for each in (name, upload.name, default):
        if each is not None:
            media_type = upload.media_type or ANY_TYPE
            if not _MEDIA_TYPE.fullmatch(media_type):
                raise RequestError(HTTPStatus.BAD_REQUEST, f"this is no media type: {ascii(media_type)[:100]}")
            return checked_object(each, media_type)
    raise RequestError(HTTPStatus.BAD_REQUEST, "the name is missing", hint="a field `name`, or …/upload?name=NAME")


async def _keep(call: Call, spool: Spool) -> ContentInfo:
    return await asyncio.to_thread(lambda: call.backend.content.put_file(spool.whole()))


async def download(call: Call) -> object:
    """The bytes of one version, or one range of them; the ETag is the content id.

    Browsers are told to save them, and never to run what is in them.
    """
    desk = await call.desk()
    uuid, version = path_uuid(call), path_version(call)
    revision = found(await desk.read(call.user, lambda queries: queries.version(OBJECT, uuid, version)), OBJECT)
    content_id = revision.content_id or b""
    headers: dict[str, str] = {
        hdrs.ETAG: f'"{content_id.hex()}"',
        hdrs.CACHE_CONTROL: "private, no-cache",  # kept, but asked about: a rival may come to answer to the version
    }
    if _matches(call.request.if_none_match, content_id.hex()):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return await _send_bytes(call, desk, revision, content_id, headers)


async def _send_bytes(
    call: Call, desk: Desk, revision: Revision, content_id: bytes, headers: dict[str, str]
) -> web.StreamResponse:
    size = await held_size(call, desk, content_id)
    wanted = _range(call.request, content_id, size)
    if wanted is None:
        refusal = json_response(
            {"error": {"RequestedRangeNotSatisfiable": f"the object has {size} bytes; none are in that range"}}, 416
        )
        refusal.headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
        return refusal
    start, length = wanted
    headers |= {
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.CONTENT_TYPE: _safe_type(revision.media_type or ""),
        hdrs.CONTENT_LENGTH: str(length),
        hdrs.CONTENT_DISPOSITION: f"attachment; filename*=UTF-8''{quote(revision.name or '', safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    is_part = length != size
    if is_part:
        headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{start + length - 1}/{size}"
    response = web.StreamResponse(status=206 if is_part else 200, headers=headers)
    return await send(call.request, response, call.backend.content.read(content_id, start, length))


def _range(request: web.Request, content_id: bytes, size: int) -> tuple[int, int] | None:
    """First byte and number of bytes to send; None where there are none in the range.

    As RFC 9110 allows, what is no single range of bytes is passed over, and so is one for other bytes (If-Range).
    """
    fits = _RANGE.fullmatch(request.headers.get(hdrs.RANGE, ""))
    condition = request.headers.get(hdrs.IF_RANGE)
    if fits is None or fits.groups() == ("", "") or (condition is not None and condition != f'"{content_id.hex()}"'):
        return 0, size
    first, last = fits.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length else None
    if last and int(last) < int(first):
        return 0, size
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    return (start, end - start + 1) if start < size else None


def _matches(tags: tuple[ETag, ...] | None, content_id: str) -> bool:
    return tags is not None and any(tag.value in ("*", content_id) for tag in tags)


def _safe_type(media_type: str) -> str:
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else ANY_TYPE


_PATH = DATASET + "/objects"

ROUTES = (
    Route(
        "POST",
        _PATH + "/upload",
        upload_object,
        "Upload an object",
        IDENTIFIER,
        query=(_NAME,),
        statuses=(409, 413),
        media_types=(ANY_TYPE, FORM),
    ),
    Route(
        "POST",
        _PATH + "/{uuid}/upload",
        upload_version,
        "Upload a version of an object",
        IDENTIFIER,
        query=(_NAME,),
        statuses=(409, 413),
        media_types=(ANY_TYPE, FORM),
    ),
    Route(
        "GET",
        f"{_PATH}/{{uuid}}/{VERSION}/bytes",
        download,
        "Download a version of an object",
        None,
        statuses=(206, 304, 416, 502),
        media_types=("*/*",),
    ),
)
