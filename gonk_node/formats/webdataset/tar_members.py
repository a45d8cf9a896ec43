"""Members of tar files, one after the other, as parts of the file: only of a compressed one (gzip) they are unpacked.

Format: POSIX pax and ustar (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html), and GNU's long names. The
standard library decodes the header blocks; its `TarFile` would read headers of any length into memory, and take damage in
the middle of a file for its end. What members are for is not known here.
"""

from __future__ import annotations

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from gonk_node.core.limits import INT_MAX, TAR_HEADER_BYTES_MAX, TAR_HEADERS_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.file_part import FilePart, Unpacker
from gonk_node.state.strict_json import Problem

_BLOCK = tarfile.BLOCKSIZE
_PIECE_BYTES = 1 << 20
_ZEROS = bytes(_BLOCK)
_PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))
_WITHOUT_DATA = {  # whatever their headers say of a size
    tarfile.LNKTYPE: "a link",
    tarfile.SYMTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}
_LONG_NAME, _LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_PAX, _PAX_OF_ALL = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE), tarfile.XGLTYPE


class TarMember(NamedTuple):
    """A plain file in a tar.

    Attributes:
        name: as the tar has it, without a leading "./"; it may be anything.
        part: its bytes.
    """

    name: str
    part: FilePart


def read_tar(path: Path) -> Iterator[TarMember | Problem]:
    """The plain files in a tar, in its order; folders are passed over, and what is neither is a Problem.

    Raises:
        InputFileError: it is no tar, or is damaged, cut off, or unpacks to too much: from where that shows.
        DiskFullError, StorageError: there is no room for what is unpacked.
    """
    try:
        with contextlib.closing(_opened(path)) as archive:
            yield from _members(archive)
    except (OSError, EOFError, zlib.error) as error:  # what gzip raises
        what = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputFileError(f"cannot be read: {what}", where=str(path)) from error


class _Archive:
    """The bytes of a tar, from its beginning to its end."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.stream = stream
        self.position = 0

    def read(self, size: int) -> bytes:
        """The next bytes; less only at the end."""
        data = self.stream.read(size)
        self.position += len(data)
        return data

    def part(self, size: int) -> FilePart:
        """The next bytes as a part, which is passed over; InputFileError where there are less."""
        raise NotImplementedError

    def skip(self, size: int) -> None:
        """Pass over bytes; InputFileError where there are less."""
        raise NotImplementedError

    def damage(self, what: str) -> InputFileError:
        return InputFileError(what, where=f"{self.path}: byte {self.position:,}")

    def close(self) -> None:
        self.stream.close()


class _Plain(_Archive):
    def __init__(self, path: Path) -> None:
        super().__init__(path, path.open("rb"))
        self._size = path.stat().st_size

    def part(self, size: int) -> FilePart:
        part = FilePart(self.path, self.position, size)
        self.skip(size)
        return part

    def skip(self, size: int) -> None:
        if self.position + size > self._size:
            raise self.damage("is cut off")
        self.position = self.stream.seek(self.position + size)


class _Packed(_Archive):
    def __init__(self, path: Path) -> None:
        super().__init__(path, cast(BinaryIO, gzip.open(path, "rb")))  # noqa: SIM115 - closed with the archive
        self._unpacker = Unpacker(path)

    def read(self, size: int) -> bytes:
        data = super().read(size)
        self._unpacker.count(len(data))
        return data

    def part(self, size: int) -> FilePart:
        return self._unpacker.part(self._pieces(size))

    def skip(self, size: int) -> None:
        for piece in self._pieces(size):
            self._unpacker.count(len(piece))

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            piece = super().read(min(size, _PIECE_BYTES))
            if not piece:
                raise self.damage("is cut off")
            size -= len(piece)
            yield piece


def _opened(path: Path) -> _Archive:
    if not path.is_file():  # reading a pipe or a device might never end
        raise InputFileError("is no plain file", where=str(path))
    with path.open("rb") as file:
        head = file.read(8)
    packed = next((name for magic, name in _PACKED if head.startswith(magic)), "")
    if packed not in ("", "gzip"):
        raise InputFileError(f"is compressed with {packed}", where=str(path), hint="unpack it first")
    return _Packed(path) if packed else _Plain(path)


def _members(archive: _Archive) -> Iterator[TarMember | Problem]:
    said = _Said()  # of the next member
    while True:
        begin = archive.position
        block = archive.read(_BLOCK)
        if not block and begin:
            yield Problem(str(archive.path), "has no end mark: something may be missing behind what it holds")
            return
        if block == _ZEROS:
            return
        info = _header(archive, block)
        kind, size = info.type, info.size
        if kind in (*_PAX, _PAX_OF_ALL, _LONG_NAME, _LONG_LINK):
            said.add(archive, kind, size)
            continue
        name, size = said.name or info.name, size if said.size is None else said.size
        name = name.removeprefix("./")
        what = "a sparse file" if said.sparse or kind == tarfile.GNUTYPE_SPARSE else _WITHOUT_DATA.get(kind)
        said = _Said()
        if kind == tarfile.GNUTYPE_SPARSE:
            _skip_map(archive, block)
        if kind == tarfile.DIRTYPE:
            continue
        if what is None and kind not in tarfile.REGULAR_TYPES:
            what = f"of the unknown type {kind!r}"
        if what is None:
            yield TarMember(name, archive.part(size))
        else:
            if kind not in _WITHOUT_DATA:
                archive.skip(size)
            yield Problem(f"{archive.path}: {name[:200]}", f"is {what}, no plain file; left out")
        if kind not in _WITHOUT_DATA:
            archive.skip(-size % _BLOCK)


def _header(archive: _Archive, block: bytes) -> tarfile.TarInfo:
    archive.position -= len(block)  # of which damage is told
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise archive.damage(f"is no tar, or damaged: {error}") from error
    if not 0 <= info.size <= INT_MAX:
        raise archive.damage("is damaged: a size that no file has")
    archive.position += len(block)
    return info


class _Said:
    """What extension headers say of the member that follows them."""

    def __init__(self) -> None:
        self.name = ""
        self.size: int | None = None
        self.sparse = False
        self._headers = 0

    def add(self, archive: _Archive, kind: bytes, size: int) -> None:
        """Read one; of what it says only the name and the size count."""
        self._headers += 1
        if size > TAR_HEADER_BYTES_MAX or self._headers > TAR_HEADERS_MAX:
            what = (
                f"more than {TAR_HEADERS_MAX} headers of one member, or one of more than {TAR_HEADER_BYTES_MAX:,} bytes"
            )
            raise archive.damage(f"has {what}")
        data = archive.read(size)
        if len(data) < size:
            raise archive.damage("is cut off")
        archive.skip(-size % _BLOCK)
        if kind == _LONG_NAME:
            self.name = _text(data.rstrip(b"\0"))
        elif kind in (*_PAX, _PAX_OF_ALL):
            records = _pax_records(archive, data)
            if kind == _PAX_OF_ALL and records.keys() & {"path", "size"}:
                raise archive.damage("has one name or size for all members")
            self.name = records.get("path", self.name)
            self.sparse = self.sparse or any(key.startswith("GNU.sparse.") for key in records)
            if "size" in records:
                text = records["size"]
                if not text.isdecimal() or len(text) > 16 or int(text) > INT_MAX:
                    raise archive.damage("is damaged: a size that no file has")
                self.size = int(text)


def _pax_records(archive: _Archive, data: bytes) -> dict[str, str]:
    """Records of "LENGTH KEY=VALUE" with a line end, where the length is that of the whole record."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data) and data[at]:
        digits = data[at : at + 8].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = data[at + len(digits) + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if length > len(data) - at or not equals or not value.endswith(b"\n"):
            raise archive.damage("is damaged: a pax header that is none")
        found[_text(key)] = _text(value[:-1])
        at += length
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _skip_map(archive: _Archive, block: bytes) -> None:
    """Pass over the blocks behind the header of a sparse file of old GNU tars."""
    more = block[482]
    while more:
        block = archive.read(_BLOCK)
        if len(block) < _BLOCK:
            raise archive.damage("is cut off")
        more = block[504]
