"""Files of any size as request bodies: raw, or as a form (RFC 7578), gathered in the content store's spool as they come.

A body that breaks off, is too slow or malformed leaves nothing. What becomes of a file is for `files`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from gonk_node.api.body import read_part
from gonk_node.core.limits import API_BODY_PART_SECONDS, KIB, NAME_BYTES_MAX, OBJECT_BYTES_MAX
from gonk_node.errors import RequestError
from gonk_node.store.content_spool import Spool

FORM = "multipart/form-data"
ANY_TYPE = "application/octet-stream"

_PART_BYTES = 256 * KIB
_FIELDS_MAX = 16
_PLAIN = ("binary", "8bit", "7bit")
_UNTYPED = ("", "application/x-www-form-urlencoded")  # what curl says where nobody told it


class Upload(NamedTuple):
    """A file that has come; what the request did not say of it is None."""

    name: str | None
    media_type: str | None


async def receive(request: web.Request, spool: Spool) -> Upload:
    """Take the file of a request.

    Args:
        request: its body is the file, or a form with a field `file` and perhaps `name` and `mimetype`.
        spool: takes the bytes.

    Raises:
        RequestError: too large, too slow, broken off, or no such form. DiskFullError, StorageError: as `Spool.write`.
    """
    if (request.content_length or 0) > OBJECT_BYTES_MAX + _PART_BYTES:
        raise _too_large()
    try:
        if request.content_type == FORM:
            return await _form(request, spool)
        await _spool(request.content.read, spool)
    except TimeoutError:
        raise RequestError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time", name="RequestTimeout") from None
    media_type = request.headers.get(hdrs.CONTENT_TYPE, "").strip()
    return Upload(None, None if media_type.partition(";")[0].lower() in _UNTYPED else media_type)


async def _spool(read: Callable[[int], Awaitable[bytes]], spool: Spool) -> None:
    while piece := await read_part(read):
        if spool.size + len(piece) > OBJECT_BYTES_MAX:
            raise _too_large()
        await asyncio.to_thread(spool.write, piece)


async def _form(request: web.Request, spool: Spool) -> Upload:
    fields: dict[str, str] = {}
    found: Upload | None = None
    try:
        reader = await request.multipart()
        for _ in range(_FIELDS_MAX):
            async with asyncio.timeout(API_BODY_PART_SECONDS):
                part = await reader.next()
            if part is None:
                break
            if not isinstance(part, BodyPartReader):
                raise _bad("a form within a form")
            if part.headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "binary").lower() not in _PLAIN:
                raise _bad("a transfer encoding; send the bytes as they are")
            if part.name == "file":
                if found is not None:
                    raise _bad("two files; send one at a time")
                await _spool(part.read_chunk, spool)
                found = Upload(part.filename, part.headers.get(hdrs.CONTENT_TYPE))
            else:
                fields[part.name or ""] = await _text(part)
        else:
            raise _bad(f"more than {_FIELDS_MAX} fields")
    except (ValueError, AssertionError, HttpProcessingError) as error:  # what aiohttp raises for a malformed form
        raise _bad(f"no end or no boundary ({error})") from None
    if found is None:
        raise _bad("no field `file`")
    return Upload(fields.get("name", found.name), fields.get("mimetype", found.media_type))


async def _text(part: BodyPartReader) -> str:
    text = await read_part(part.read_chunk)
    if len(text) > NAME_BYTES_MAX:
        raise _bad(f"a field {part.name!r} of more than {NAME_BYTES_MAX} bytes")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise _bad(f"a field {part.name!r} that is not UTF-8") from None


def _bad(what: str) -> RequestError:
    return RequestError(
        HTTPStatus.BAD_REQUEST,
        f"the form has {what}",
        name="BadRequest",
        hint="fields: file, and perhaps name, mimetype",
    )


def _too_large() -> RequestError:
    return RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"a file may have at most {OBJECT_BYTES_MAX} bytes",
        name="RequestEntityTooLarge",
    )
