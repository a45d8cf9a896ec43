"""JSON bodies: read within limits, checked for the keys and types that the table of routes names.

What the values mean is for the handlers.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import hdrs, web

from gonk_node.api.route import Field
from gonk_node.core.limits import API_BODY_PART_SECONDS, API_JSON_BYTES_MAX, API_JSON_ITEMS_MAX, KIB, MIB
from gonk_node.errors import RequestError

_PART_BYTES = 256 * KIB
_BEFORE_ITEMS = (b",", b"[", b"{")  # each value of a JSON text but the first follows one of these
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_large = ThreadPoolExecutor(
    1, thread_name_prefix="large bodies"
)  # one thread: each keeps memory that it freed for itself
_A = TypeVar("_A")
_T = TypeVar("_T")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
}


def check_content_type(request: web.Request) -> None:
    """RequestError unless the body is said to be JSON; parameters such as a charset are passed over."""
    if request.content_type != "application/json":
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            f"the body must be JSON, and the content type is {request.headers.get(hdrs.CONTENT_TYPE, 'missing')!r}",
            hint="send the header Content-Type: application/json",
        )


def bytes_to_come(request: web.Request) -> int:
    """How many bytes a body may take up; 0 where all of it is here, or it will be refused without being read."""
    size = request.content_length
    if request.content.is_eof() or (size is not None and size > API_JSON_BYTES_MAX):
        return 0
    return API_JSON_BYTES_MAX if size is None else size


async def read_json(request: web.Request, fields: Iterable[Field]) -> dict[str, Any]:
    """The keys of the body; unknown ones are passed over.

    Raises:
        RequestError: too large, too slow, no JSON, no object, or a key is missing or of another type.
    """
    data = await read_bytes(request, API_JSON_BYTES_MAX)
    value = await apart(_parse, data) if len(data) > MIB else _parse(data)
    if not isinstance(value, dict):
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the body must be a JSON object, not {_kind(value)}")
    found = {}
    for each in fields:
        if each.name not in value:
            if each.required:
                raise RequestError(HTTPStatus.BAD_REQUEST, f"the key {each.name!r} is missing", hint=each.what)
            continue
        found[each.name] = checked(value[each.name], each.schema, each.name)
    return found


async def apart(task: Callable[[_A], _T], value: _A) -> _T:
    """Do something to a large text in a thread, one at a time: whatever it is, it holds Python's lock and much memory."""
    return await asyncio.get_running_loop().run_in_executor(_large, task, value)


async def read_bytes(request: web.Request, bytes_max: int) -> bytes | bytearray:
    """The whole body; RequestError where it is too large, or does not come in time."""
    too_large = RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {bytes_max} bytes",
        name="RequestEntityTooLarge",
        hint="send large files to …/objects/upload",
    )
    if (request.content_length or 0) > bytes_max:
        raise too_large
    if request.content.is_eof():  # it came with the headers, as small ones do
        return request.content.read_nowait()
    body = bytearray()
    try:
        while part := await read_part(request.content.read):
            body += part
            if len(body) > bytes_max:
                raise too_large
    except TimeoutError:
        raise RequestError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time") from None
    return body


async def read_part(read: Callable[[int], Awaitable[bytes]]) -> bytes:
    """The next 256 KiB of a body, less only at its end; TimeoutError where so much does not come in time.

    Args:
        read: gives up to so many bytes as soon as there are any, and none at the end.
    """
    part = bytearray()
    async with asyncio.timeout(API_BODY_PART_SECONDS):  # for all of it: single bytes now and then are too slow
        while len(part) < _PART_BYTES and (more := await read(_PART_BYTES)):
            part += more
    return bytes(part)


def checked(value: Any, schema: Any, name: str) -> Any:
    """The value, if it has the type that a schema names; RequestError otherwise."""
    expected = schema.get("type")
    fits = isinstance(value, _TYPES[expected]) if expected in _TYPES else True
    if not fits or (expected == "integer" and isinstance(value, bool)):
        raise RequestError(HTTPStatus.BAD_REQUEST, f"{name!r} must be {_article(expected)}, not {_kind(value)}")
    return value


def decode_base64(text: str, name: str) -> bytes:
    """The bytes of a base64 text; characters of other alphabets are skipped, as Gonk does."""
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"{name!r} is not base64: {error}", name="Error", hint="RFC 4648, section 4"
        ) from None


def _parse(data: bytes | bytearray) -> Any:
    # To parse holds Python's lock: only few values, of whatever length, can be read without the others' waiting.
    if len(data) > API_JSON_ITEMS_MAX and sum(map(data.count, _BEFORE_ITEMS)) > API_JSON_ITEMS_MAX:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has more than {API_JSON_ITEMS_MAX} values",
            name="RequestEntityTooLarge",
        )
    try:
        value = json.loads(data)
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, "the body has half of a surrogate pair, which is no text", name="BadRequest"
        ) from None
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {why}", name="BadRequest") from None
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return next((_article(name) for name, kind in _TYPES.items() if type(value) is kind), "a number with a fraction")


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
