"""What a task of Label Studio shows, as an object: an image, text, sound or video, in a file or (texts) in the task itself.

Nothing is fetched from addresses: files are looked for in the folder of images by the names that addresses end in.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from gonk_node.core.limits import LABEL_STUDIO_TEXT_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.file_part import FileOrPart, open_file
from gonk_node.formats.images import check_name, find
from gonk_node.formats.label_studio.config import KINDS, LabelConfig
from gonk_node.state.strict_json import Json

ORDER = ("image", "audio", "video", "text")
"""The kinds of data, and which one is labelled where a task has several and no config says it: a text may be a remark."""
NAME_OF_TEXT = "file_name"
"""The name of data beside a text in a task that says what its object is called."""

_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")  # what Label Studio puts before names of uploaded files
_STORED = re.compile(r"(?:https?|s3|gs|azure-blob)://\S+|/data/(?:upload|local-files)/\S*")
_ADDRESS_CHARS_MAX = 4096  # what is longer is a text
_TYPES = mimetypes.MimeTypes()  # the built-in table, as in `images`


class Shown(NamedTuple):
    """The part of a task that is an object.

    Attributes:
        kind: one of ORDER.
        key: its name in the task's data.
        value: an address, a path, or the text itself.
        tag: the name of its tag in the config, "" without one.
    """

    kind: str
    key: str
    value: str
    tag: str = ""

    @property
    def inline(self) -> bool:
        """Whether it is the text itself."""
        return self.kind == "text" and _STORED.fullmatch(self.value) is None


def shown(data: Json, config: LabelConfig) -> Shown:
    """What a task shows.

    Raises:
        InputFileError: that is nothing of which an object is made, or it is not clear which part of the data it is.
    """
    if not isinstance(data, dict):
        raise InputFileError('the task has no "data"')
    tags = [Shown(tag.kind, tag.key, data[tag.key], name) for name, tag in config.data.items() if tag.key in data]
    if not tags:
        tags = [Shown(kind, kind, data[kind]) for kind in ORDER if kind in data] or _guessed(data)
    found = next((tag for tag in tags if tag.kind), None)
    if found is None or not isinstance(found.value, str):
        raise InputFileError(
            "its data is not one image, text, sound or video, or it is not clear which part is: a labelling config beside"
            f" the tasks (label_config.xml) says it with one of the tags {', '.join(KINDS)}"
        )
    return found


def _guessed(data: dict[str, Any]) -> list[Shown]:
    """The one part of the data whose name ends like that of a picture, sound or film."""
    found = []
    for key, value in data.items():
        if isinstance(value, str) and len(value) <= _ADDRESS_CHARS_MAX:
            kind = (_TYPES.guess_type(address_path(value))[0] or "").partition("/")[0]
            found += [Shown(kind, key, value)] if kind in ORDER and kind != "text" else []
    return found if len(found) == 1 else []


def address_path(value: str) -> str:
    """The file's name below the folder of images: of a path, an address, or one of Label Studio's local files.

    Raises:
        InputFileError: it is no address.
    """
    try:
        address = urlsplit(value)
    except ValueError as error:
        raise InputFileError(f"{value[:80]!r} is no address") from error
    if address.path.endswith("/local-files/") and "d" in (query := parse_qs(address.query)):
        value = query["d"][0]
    elif address.scheme or value.startswith("/"):
        value = unquote(address.path.rpartition("/")[2])
    return value.removeprefix("images/")


def named_file(value: str, folder: Path | None) -> tuple[str, Path | None]:
    """(name, file) of an address or path; no file where no folder is given.

    An uploaded file may be there without what Label Studio put before its name.

    Raises:
        InputFileError: see `images.check_name` and `images.find`.
    """
    name = check_name(address_path(value))
    if folder is None:
        return name, None
    bare = _UPLOADED.fullmatch(name) if "/upload/" in value else None
    try:
        return name, find(folder, name)
    except InputFileError:
        if bare is None:
            raise
        return check_name(bare[1]), find(folder, bare[1])


def text_of(path: FileOrPart | None) -> str:
    """The text in a file.

    Raises:
        InputFileError: there is no file, it is too large, or no UTF-8.
    """
    if path is None:
        raise InputFileError("the text is needed, and its file is not here")
    try:
        with open_file(path) as file:
            data = file.read(LABEL_STUDIO_TEXT_BYTES_MAX + 1)
    except OSError as error:
        raise InputFileError(f"the text cannot be read: {error.strerror}") from error
    if len(data) > LABEL_STUDIO_TEXT_BYTES_MAX:
        raise InputFileError(f"the text is longer than {LABEL_STUDIO_TEXT_BYTES_MAX:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputFileError("the text is no UTF-8") from error


def encoded(text: str) -> bytes:
    """The bytes of a text that stands in a task.

    Raises:
        InputFileError: it is empty or too long, or no Unicode text.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise InputFileError("the text is no Unicode text") from error
    if not 0 < len(data) <= LABEL_STUDIO_TEXT_BYTES_MAX:
        raise InputFileError(f"a text is to have 1 to {LABEL_STUDIO_TEXT_BYTES_MAX:,} bytes")
    return data


def said_name(data: dict[str, Any]) -> str:
    """What the data beside a text says that its object is called; "" where it says none that can be a name."""
    try:
        return check_name(data.get(NAME_OF_TEXT))
    except InputFileError:
        return ""


def name_of_text(data: bytes) -> str:
    """What the object of a text that stands in a task is called: the same for the same text."""
    return f"text-{hashlib.sha256(data).hexdigest()[:16]}.txt"
