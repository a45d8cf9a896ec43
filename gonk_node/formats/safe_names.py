"""Names from a dataset, made into file names that stay in their folder and are the same files on every system.

An object's name is what its author says: it may be absolute, climb out with "..", be a device on Windows ("NUL"), or
differ from another one in case or Unicode form only. It creates nothing; `folder` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath

from blake3 import blake3

from gonk_node.core.limits import EXPORT_FOLDERS_MAX, EXPORT_PART_BYTES_MAX, EXPORT_PARTS_MAX
from gonk_node.core.safe_text import printable
from gonk_node.errors import RefusedError
from gonk_node.formats.repeats import Repeats

_FORBIDDEN = re.compile(r'[<>:"|?*]')  # on Windows; "/" and "\\" separate
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])$", re.IGNORECASE)
_SUFFIXED = re.compile(r"~[0-9a-f]{32}$")
_UNNAMED = "unnamed"
_EXTENSION_CHARS_MAX = 16


def safe_path(name: str) -> str:
    """A relative path with "/" that is safe below a folder on any system, as close to the name as possible.

    Parts that are empty, "." or ".." are dropped; characters that some system refuses become "_"; reserved names and
    names that end in a dot or blank are changed; long parts are cut before their extension, and too many parts joined.
    """
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..")]
    if len(parts) > EXPORT_PARTS_MAX:
        parts = [*parts[: EXPORT_PARTS_MAX - 1], "_".join(parts[EXPORT_PARTS_MAX - 1 :])]
    return "/".join(_safe_part(part) for part in parts) or _UNNAMED


def flat(path: str) -> str:
    """A safe path as the name of one file."""
    return safe_path(path.replace("/", "_"))


def _safe_part(part: str) -> str:
    text = unicodedata.normalize("NFC", part)
    text = printable(_FORBIDDEN.sub("_", text), "_")
    text = text.rstrip(". ").lstrip(" ") or "_"
    if _RESERVED.match(text.partition(".")[0].rstrip()):
        text = "_" + text
    stem, extension = split_extension(text)
    room = EXPORT_PART_BYTES_MAX - len(extension.encode())
    if len(stem.encode()) > room:
        stem = stem.encode()[:room].decode(errors="ignore").rstrip(". ")
    return (stem or "_") + extension


def split_extension(path: str) -> tuple[str, str]:
    """(all before, ".jpg"): of the last part; no extension where it would be long or all there is."""
    suffix = PurePosixPath(path).suffix
    if not 1 < len(suffix) <= _EXTENSION_CHARS_MAX or len(suffix) == len(path):
        return path, ""
    return path[: -len(suffix)], suffix


def folded(path: str) -> str:
    """Equal for names that some file system takes for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


class Names:
    """File names of objects: unique, and the same whatever the order in which the objects come.

    First `add` every object, then ask for `path`. An object whose name collides with any other's gets its uuid into the
    name, and so do all others of that name; all the rest keep theirs.

    Args:
        key: what must be unique of a safe path; two whose keys are the same, but for `folded`, collide.
    """

    def __init__(self, key: Callable[[str], str] = lambda path: path) -> None:
        self._key = key
        self._files = Repeats()
        self._folders: set[int] = set()

    def add(self, name: str) -> None:
        """Take note of an object's name.

        Raises:
            RefusedError: there are more than EXPORT_FOLDERS_MAX folders.
        """
        path = safe_path(name)
        self._files.add(_digest(folded(self._key(path))))
        parts = folded(path).split("/")
        for end in range(1, len(parts)):
            self._folders.add(_digest("/".join(parts[:end])))
        if len(self._folders) > EXPORT_FOLDERS_MAX:
            raise RefusedError(f"the names of the objects make more than {EXPORT_FOLDERS_MAX:,} folders")

    def path(self, name: str, uuid: bytes) -> str:
        """The relative path of an object that was added."""
        path = safe_path(name)
        stem, extension = split_extension(path)
        collides = (
            self._files.repeated(_digest(folded(self._key(path))))
            or _digest(folded(path)) in self._folders
            or _SUFFIXED.search(folded(stem)) is not None
            or _SUFFIXED.search(folded(path)) is not None
        )
        return f"{stem}~{uuid.hex()}{extension}" if collides else path


def _digest(text: str) -> int:
    return int.from_bytes(blake3(text.encode()).digest(7), "big")
