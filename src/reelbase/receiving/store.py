"""The file store: a folder of files that are called by the id of their upload, and by nothing that a user has said."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{32}")
_MOST_PIECES = 512  # of one system call; the least that POSIX lets a system allow is 16, Linux and macOS have 1024


def new_id() -> str:
    """128 random bits in hex: nobody guesses it."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Store:
    """A folder on this machine, or on a file system that every server of this database mounts."""

    folder: Path

    @property
    def uploads(self) -> Path:
        return self.folder / "uploads"

    def create(self, upload_id: str) -> Path:
        """An empty file, there for good; raises OSError."""
        self.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.uploads / upload_id
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        _sync_folder(self.uploads)
        return path

    def free_bytes(self) -> int:
        """How many bytes the disk has left."""
        place = next(place for place in (self.uploads, *self.uploads.parents) if place.exists())
        return shutil.disk_usage(place).free

    def strays(self, older_than_seconds: float) -> Iterator[Path]:
        """Files that may have no row: made before theirs, which a crash has prevented."""
        with contextlib.suppress(FileNotFoundError), os.scandir(self.uploads) as found:
            for entry in found:
                if _ID.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > older_than_seconds:
                    yield Path(entry.path)


def remove(path: Path) -> None:
    """Take a file away; fine if it is not there."""
    path.unlink(missing_ok=True)


class Busy(Exception):  # a signal, never shown
    """Another process writes to this file."""


class Writing:
    """A file that is written to at places that the caller knows, by nobody else meanwhile.

    The lock of the file outlives a lost connection to PostgreSQL, and ends with the process.
    """

    def __init__(self, path: Path, size: int) -> None:
        """Raises Busy where somebody else writes, FileNotFoundError; bytes behind `size` are cut off."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self._lock()
            found = os.fstat(self._fd).st_size
            if found < size:
                raise FileNotFoundError(f"{found} of {size} bytes are left")
            if found > size:
                os.ftruncate(self._fd, size)
        except BaseException:
            os.close(self._fd)
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy from error

    def write(self, pieces: Sequence[bytes], place: int) -> None:
        """Write them one behind the other from a place on; raises OSError (a full disk)."""
        for first in range(0, len(pieces), _MOST_PIECES):
            some = pieces[first : first + _MOST_PIECES]
            size = sum(map(len, some))
            written = os.pwritev(self._fd, some, place)
            if written < size:
                self._write_rest(b"".join(some)[written:], place + written)
            place += size

    def _write_rest(self, rest: bytes, place: int) -> None:
        """The system wrote less than it was given: a signal, or the disk is nearly full."""
        left = memoryview(rest)
        while left:
            written = os.pwrite(self._fd, left, place)
            left, place = left[written:], place + written

    def sync(self) -> None:
        """What is written is on disk for good; raises OSError."""
        if hasattr(os, "fdatasync"):
            os.fdatasync(self._fd)
        else:
            os.fsync(self._fd)

    def cut(self, size: int) -> None:
        """Forget what is behind `size`."""
        os.ftruncate(self._fd, size)

    def close(self) -> None:
        os.close(self._fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
