"""Streams of unpacked bytes out of plain, gzip, zip and tar files, in bounded memory.

What a file is, its first bytes say, never its name. isal unpacks three times as fast as zlib (docs/decisions/0004).
"""

from __future__ import annotations

import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Protocol, Self, cast

from isal import igzip, isal_zlib

from reelbase.errors import BrokenArchive, UnknownHeader
from reelbase.reading import bombs

PLAIN, GZIP, ZIP, TAR = "plain", "gzip", "zip", "tar"

# Bytes asked from a packed file at a time.
_PACKED_BLOCK = 1 << 18
_SKIP_BLOCK = 1 << 20
_TAR_MAGIC_AT = 257

# isal's stubs call its exception a value.
_DAMAGED = cast("type[Exception]", isal_zlib.error)

_OTHER_PACKERS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}


class Stream(Protocol):
    """Unpacked bytes, read once from the front; `position` counts the bytes taken from the file on disk."""

    @property
    def position(self) -> int: ...

    def read(self, size: int, /) -> bytes: ...

    def skip(self, size: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a file: its name in there, its unpacked size (None: not known) and its share of the disk."""

    name: str | None
    unpacked_bytes: int | None
    source_bytes: int


def container(path: Path) -> str:
    """What kind of file this is: plain, gzip, zip or tar (packed by gzip or not)."""
    with path.open("rb") as file:
        head = file.read(512)
        for magic, packer in _OTHER_PACKERS.items():
            if head.startswith(magic):
                raise UnknownHeader(
                    f"{path.name} is packed by {packer}, which Reelbase does not read.",
                    "Unpack it, or pack it by gzip or zip.",
                )
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return ZIP
        if _is_tar(head):
            return TAR
        if not head.startswith(b"\x1f\x8b"):
            return PLAIN
        file.seek(0)
        with _explained(path.name):
            return TAR if _is_tar(_gzip_file(file).read(512)) else GZIP


def _gzip_file(file: BinaryIO) -> BinaryIO:
    """A gzip file of any number of members, unpacked."""
    return cast("BinaryIO", igzip.IGzipFile(fileobj=file))  # type: ignore[no-untyped-call]


class _Measured:
    """A gzip file that stops when it unpacks to far more than it holds, whoever reads it."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._gzip = _gzip_file(file)
        self._name = name
        self._unpacked = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._gzip.read(size)
        self._unpacked += len(data)
        bombs.check_ratio(self._name, self._unpacked, self._file.tell())
        return data


def _is_tar(head: bytes) -> bool:
    return head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar"


def members(path: Path, kind: str) -> list[Member]:
    """The files inside; for a plain or gzip file that is the one without a name."""
    size = path.stat().st_size
    if kind == PLAIN:
        return [Member(None, size, size)]
    if kind == GZIP:
        return [Member(None, None, size)]
    found = _zip_members(path) if kind == ZIP else _tar_members(path, size)
    for member in found:
        bombs.check_name(path, member.name or "")
    twice = [name for name, count in Counter(member.name for member in found).items() if count > 1]
    if twice:
        raise BrokenArchive(f"{path.name} has several files named {twice[0]} in it.", "Unpack it and give the folder.")
    return found


def _zip_members(path: Path) -> list[Member]:
    bombs.check_zip_directory(path)
    with _explained(path.name), zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    bombs.check_count(path, len(entries))
    bombs.check_zip(path, sum(entry.compress_size for entry in entries))
    return [Member(entry.filename, entry.file_size, entry.compress_size) for entry in entries]


def _tar_members(path: Path, size: int) -> list[Member]:
    """A packed tar tells its members only when it is read to its end; their share of the disk is by size."""
    with _explained(path.name), _tar(path) as (archive, _, _):
        found = []
        for entry in archive:
            if entry.isreg():
                found.append((entry.name, entry.size))
                bombs.check_count(path, len(found))
    total = sum(unpacked for _, unpacked in found) or 1
    return [Member(name, unpacked, size * unpacked // total) for name, unpacked in found]


@contextmanager
def open_stream(path: Path, kind: str, member: str | None) -> Iterator[Stream]:
    """The unpacked bytes of one file; damage found while reading is raised as BrokenArchive."""
    name = member or path.name
    with _explained(name), path.open("rb") as file:
        if kind == PLAIN:
            yield _Plain(file)
        elif kind == GZIP:
            yield _Gzip(file, name)
        elif kind == ZIP:
            with zipfile.ZipFile(file) as archive:
                yield _Deflated(file, _entry(archive, member or ""), name)
        else:
            for found, stream in tar_streams(path):
                if found == member:
                    yield stream
                    return
            raise BrokenArchive(f"{path.name} has no {member} in it.")


def tar_streams(path: Path) -> Iterator[tuple[str, Stream]]:
    """Every regular file of a tar in turn: a packed one can only be read from front to back."""
    with _explained(path.name), _tar(path) as (archive, file, source):
        for count, entry in enumerate(archive, start=1):
            bombs.check_count(path, count)
            inside = archive.extractfile(entry) if entry.isreg() else None
            if inside is not None:
                yield entry.name, _InTar(inside, file, f"{path.name}: {entry.name}")
        # What follows the last entry is padding, and the checksum of a packed tar.
        while source.read(_SKIP_BLOCK):
            pass


@contextmanager
def _tar(path: Path) -> Iterator[tuple[tarfile.TarFile, BinaryIO, BinaryIO]]:
    """A tar to be read from front to back, the file on disk, and what the tar comes out of."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        source = cast("BinaryIO", _Measured(file, path.name)) if packed else file
        with tarfile.open(fileobj=source, mode="r|", tarinfo=_Entry) as archive:
            yield archive, file, source


class _Entry(tarfile.TarInfo):
    """An entry of a tar; one that is cut off or damaged is an error, where tarfile takes it for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            entry = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            # A block of zeros is the end.
            if buf.count(0) == tarfile.BLOCKSIZE:
                raise
            raise tarfile.ReadError(str(error)) from error
        bombs.check_tar_header(entry)
        return entry


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    entry = archive.getinfo(name)
    if entry.flag_bits & 0x1:
        raise BrokenArchive(f"{name} is encrypted.", "Unpack it with its password and give the folder.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BrokenArchive(
            f"{name} is packed by a method that Reelbase does not read.", "Unpack it and give the folder."
        )
    return entry


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Damage as one error that names the file."""
    try:
        yield
    except EOFError as error:
        raise BrokenArchive(f"{name} is truncated: it ends in the middle of its packed data.", _AGAIN) from error
    except (*_DAMAGES, KeyError) as error:
        raise BrokenArchive(f"{name} is damaged: {error}.", _AGAIN) from error


_AGAIN = "Fetch it again."


class _WrongChecksum(Exception):
    """An entry of a zip is not what was packed."""


# zipfile raises the last two for a version it does not know and for names that are not what they say.
_DAMAGES = (
    zipfile.BadZipFile,
    tarfile.TarError,
    igzip.BadGzipFile,
    _DAMAGED,
    _WrongChecksum,
    NotImplementedError,
    UnicodeDecodeError,
)


class _Plain:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @property
    def position(self) -> int:
        return self._file.tell()

    def read(self, size: int, /) -> bytes:
        return self._file.read(size)

    def skip(self, size: int, /) -> None:
        self._file.seek(size, 1)


class _Unpacked:
    """Skipping and explaining, for streams that have to unpack what they pass over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._unpacked = 0

    def _take(self, size: int) -> bytes:
        raise NotImplementedError

    def read(self, size: int, /) -> bytes:
        if not size:
            # zlib takes 0 for no limit.
            return b""
        try:
            data = self._take(size)
        except (EOFError, tarfile.ReadError) as error:
            raise BrokenArchive(
                f"{self._name} is truncated: its packed data ends after {self._unpacked:,} unpacked bytes.", _AGAIN
            ) from error
        except (igzip.BadGzipFile, _DAMAGED, _WrongChecksum) as error:
            raise BrokenArchive(
                f"{self._name} is damaged after {self._unpacked:,} unpacked bytes: {error}.", _AGAIN
            ) from error
        self._unpacked += len(data)
        return data

    def skip(self, size: int, /) -> None:
        while size > 0:
            data = self.read(min(size, _SKIP_BLOCK))
            if not data:
                return
            size -= len(data)


class _Gzip(_Unpacked):
    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__(name)
        self._file = file
        self._gzip = _Measured(file, name)

    @property
    def position(self) -> int:
        return self._file.tell()

    def _take(self, size: int) -> bytes:
        return self._gzip.read(size)


class _InTar(_Unpacked):
    def __init__(self, inside: IO[bytes], file: BinaryIO, name: str) -> None:
        super().__init__(name)
        self._inside = inside
        self._file = file

    @property
    def position(self) -> int:
        return self._file.tell()

    def _take(self, size: int) -> bytes:
        return self._inside.read(size)


class _Deflated(_Unpacked):
    """One entry of a zip, checked by its CRC-32 at the end.

    zipfile would unpack by zlib; its own header arithmetic is used to find where the data begins.
    """

    def __init__(self, file: BinaryIO, entry: zipfile.ZipInfo, name: str) -> None:
        super().__init__(name)
        self._file = file
        self._left = entry.compress_size
        self._size = entry.compress_size
        self._crc_wanted = entry.CRC
        self._crc = 0
        stored = entry.compress_type == zipfile.ZIP_STORED
        self._inflater = None if stored else isal_zlib.decompressobj(wbits=-15)
        file.seek(_data_start(file, entry))

    @property
    def position(self) -> int:
        return self._size - self._left

    def _take(self, size: int) -> bytes:
        data = self._packed(size) if self._inflater is None else self._inflate(size)
        self._crc = isal_zlib.crc32(data, self._crc)
        bombs.check_ratio(self._name, self._unpacked + len(data), self.position)
        if not data and self._crc != self._crc_wanted:
            raise _WrongChecksum("its checksum does not fit")
        return data

    def _packed(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        if self._left and not data:
            raise EOFError
        self._left -= len(data)
        return data

    def _inflate(self, size: int) -> bytes:
        inflater = self._inflater
        assert inflater is not None  # noqa: S101  # narrowed by the caller
        while not inflater.eof:
            packed = inflater.unconsumed_tail or self._packed(_PACKED_BLOCK)
            data: bytes = inflater.decompress(packed, size)
            if data:
                return data
            if not packed:
                raise EOFError
        return b""


def _data_start(file: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Where an entry's data begins: its local header is 30 bytes, a name and an extra field (APPNOTE 4.3.7)."""
    # zipfile corrects offsets by what it takes to stand before the archive: in a damaged one they may be negative.
    header = b""
    if entry.header_offset >= 0:
        file.seek(entry.header_offset)
        header = file.read(30)
    if len(header) != 30 or not header.startswith(b"PK\x03\x04"):
        raise BrokenArchive(f"{entry.filename} is damaged: its header is not where the archive says.", _AGAIN)
    return entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
