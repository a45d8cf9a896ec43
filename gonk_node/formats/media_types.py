"""Media types by the ends of file names: a table of this project's own, the same on every computer and for every Python.

What an object's media type is, its author says (`images` guesses it for files that are imported); this is for telling which
files an export holds.
"""

from __future__ import annotations

ANY = "application/octet-stream"

_BY_SUFFIX = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".dcm": "application/dicom",
    ".flac": "audio/flac",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".jp2": "image/jp2",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",  # registered is neither this nor another; readers of Croissant know this one
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".parquet": "application/x-parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tar": "application/x-tar",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}


def by_suffix(suffix: str) -> str:
    """The media type of files that end so (".PNG"); ANY where it is not known."""
    return _BY_SUFFIX.get(suffix.lower(), ANY)
