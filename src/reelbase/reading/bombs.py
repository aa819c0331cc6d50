"""Archives that were made to do harm: they unpack to far more than they hold, or have names that lead elsewhere.

What an archive says of itself is not believed: bytes are counted as they come out.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import BinaryIO

from reelbase.errors import ArchiveBomb, BrokenArchive

# Text like ours is packed to a third or a tenth; deflate's limit is a thousandth. What is small does no harm.
MOST_TIMES_LARGER = 200
HARMLESS_BYTES = 64 << 20
_MOST_MEMBERS = 10_000
_LARGEST_DIRECTORY_BYTES = 16 << 20
# Long names and PAX headers are read as a whole.
_TAR_WORDS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_LONGEST_TAR_WORDS_BYTES = 1 << 20
# A zip ends with 22 bytes and a comment of at most 64 KiB (APPNOTE 4.3.16).
_ZIP_END_BYTES = (1 << 16) + 22
_IS_IN_ZIP64 = 0xFFFFFFFF


def check_ratio(name: str, unpacked: int, packed: int) -> None:
    """Raise ArchiveBomb when so many bytes have come out of so few."""
    if unpacked > HARMLESS_BYTES and unpacked > MOST_TIMES_LARGER * packed:
        raise ArchiveBomb(
            f"{name} unpacks to more than {MOST_TIMES_LARGER} times its size.",
            "If it is what it should be, unpack it and import that.",
        )


def check_count(path: Path, count: int) -> None:
    """Raise ArchiveBomb for more files in an archive than anybody looks through."""
    if count > _MOST_MEMBERS:
        raise ArchiveBomb(f"{path.name} has more than {_MOST_MEMBERS:,} files in it.", "Unpack it and give the folder.")


def check_name(path: Path, name: str) -> None:
    """Raise BrokenArchive for a name that would lead out of the archive's own folder.

    Members are only looked up by their names and never written; an archive with such names is none of a publisher's.
    """
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise BrokenArchive(f"{path.name} has a file named {name!r} in it, outside of its folder.", "Pack it anew.")


def check_tar_header(entry: tarfile.TarInfo) -> None:
    """Raise ArchiveBomb for an entry that only says something of the next one, too long for memory."""
    if entry.type in _TAR_WORDS and entry.size > _LONGEST_TAR_WORDS_BYTES:
        raise ArchiveBomb(f"The archive has a header of {entry.size:,} bytes in it.", "Pack it anew.")


def check_zip(path: Path, packed_bytes: int) -> None:
    """Raise ArchiveBomb when the files in a zip have more packed bytes than the zip: they overlap."""
    if packed_bytes > path.stat().st_size:
        raise ArchiveBomb(f"{path.name} has files in it that overlap.", "Fetch it again.")


def check_zip_directory(path: Path) -> None:
    """Raise ArchiveBomb for a zip whose list of files would fill the memory; one that is damaged passes."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _ZIP_END_BYTES))
        end = file.read()
        place = end.rfind(b"PK\x05\x06")
        if place < 0:
            return
        listed = int.from_bytes(end[place + 12 : place + 16], "little")
        if listed == _IS_IN_ZIP64:
            listed = _zip64_directory(file, end[place - 20 : place] if place >= 20 else b"")
    if listed > _LARGEST_DIRECTORY_BYTES:
        raise ArchiveBomb(f"{path.name} has a list of files of {listed:,} bytes.", "Unpack it and give the folder.")


def _zip64_directory(file: BinaryIO, locator: bytes) -> int:
    """The size of the list of files of a zip of more than 4 GB, by the record that the locator leads to."""
    if not locator.startswith(b"PK\x06\x07"):
        return 0
    file.seek(min(int.from_bytes(locator[8:16], "little"), (1 << 63) - 1))
    record = file.read(56)
    return int.from_bytes(record[40:48], "little") if record.startswith(b"PK\x06\x06") else 0
