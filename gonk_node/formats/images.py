"""Image files that a dataset names: found inside of the images folder and nowhere else, with their media type.

Pixels are never decoded: that would run image codecs on files of strangers.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path, PurePosixPath, PureWindowsPath

from gonk_node.core.limits import NAME_BYTES_MAX
from gonk_node.core.safe_text import is_printable
from gonk_node.errors import InputFileError
from gonk_node.formats.file_part import FileOrPart, open_file

_BMP = "image/bmp"
_MAGIC: tuple[tuple[int, bytes, str], ...] = (  # (offset, bytes, media type)
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", _BMP),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (128, b"DICM", "application/dicom"),
)
_BMP_HEADERS = frozenset(
    size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124)
)  # many texts begin with BM
_EXTENSIONS = {  # not those that the library knows, which change with its version
    "application/dicom": "dcm",
    "application/gzip": "gz",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jp2": "jp2",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/webp": "webp",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "video/mp4": "mp4",
    "video/mpeg": "mpg",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
_TYPES = mimetypes.MimeTypes()  # the built-in table: what a computer has installed must not change what is signed
_HEAD_BYTES = 132
_FOLDERS = ("images", "JPEGImages")  # the usual names beside COCO and VOC annotations


def check_folder(images: Path | None) -> None:
    """Refuse an images folder that is none, before each image is reported missing.

    Raises:
        InputFileError: there is no such folder.
    """
    if images is not None and not images.is_dir():
        raise InputFileError("is no folder with images", where=str(images))


def check_name(name: object) -> str:
    """The name, if it can be that of an object and of a file below a folder.

    Raises:
        InputFileError: it is no text, empty, too long, absolute, climbs out with "..", has control characters or
            backslashes, or begins with `schema-`, which is kept for schemas.
    """
    if not isinstance(name, str) or not name:
        raise InputFileError("the file name is no text")
    try:
        size = len(name.encode())
    except UnicodeEncodeError as error:
        raise InputFileError("the file name is no Unicode text") from error
    if size > NAME_BYTES_MAX:
        raise InputFileError(f"the file name is longer than {NAME_BYTES_MAX} bytes")
    if not is_printable(name) or "\\" in name:
        raise InputFileError(f"the file name {name[:80]!r} has control characters or backslashes")
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or ".." in PurePosixPath(name).parts:
        raise InputFileError(f"the file name {name[:80]!r} leads out of the images folder")
    if name.startswith("schema-"):
        raise InputFileError(f"the file name {name[:80]!r} begins with schema-, which is kept for schemas")
    return name


def find(folder: Path, name: str) -> Path:
    """The file of that name below the folder, with links resolved.

    Args:
        folder: the images folder; may itself be a link.
        name: as `check_name` returned it.

    Raises:
        InputFileError: there is no such file, or a link leads out of the folder.
    """
    root = folder.resolve()
    try:
        path = (root / name).resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
        raise InputFileError(f"the image file {name!r} is missing in {folder}") from error
    if not path.is_relative_to(root):
        raise InputFileError(f"the image file {name!r} is a link that leads out of {folder}")
    if not path.is_file():
        raise InputFileError(f"{name!r} in {folder} is no file")
    return path


def media_type(name: str, path: FileOrPart | None) -> str:
    """The media type: of the first bytes of the file or part if there is one and they are known, else of the name."""
    if path is not None:
        try:
            with open_file(path) as file:
                head = file.read(_HEAD_BYTES)
        except OSError as error:
            raise InputFileError(f"the image file {name!r} cannot be read: {error.strerror}") from error
        for offset, magic, found in _MAGIC:
            if head.startswith(magic, offset) and (found != _BMP or head[14:18] in _BMP_HEADERS):
                return found
    guessed, packed = _TYPES.guess_type(name)
    if packed is not None:  # a.csv.gz is no CSV
        return "application/gzip" if packed == "gzip" else "application/octet-stream"
    return guessed or "application/octet-stream"


def extension(media_type: str) -> str:
    """How names of files of a media type end, without a dot; "bin" for any that is not common."""
    return _EXTENSIONS.get(media_type, "bin")


def folder_beside(source: Path) -> Path | None:
    """The folder in which images usually are: `images` or `JPEGImages`, in or beside the source; None without one."""
    around = source if source.is_dir() else source.absolute().parent
    places = (around, around.absolute().parent)
    return next((place / name for place in places for name in _FOLDERS if (place / name).is_dir()), None)
