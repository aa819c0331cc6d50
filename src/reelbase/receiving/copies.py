"""The folder of downloaded files. A URL has a shelf: a folder of its own, which one process at a time may change.

On a shelf are `partial`, an unfinished download, with `partial.json`, which says what its bytes are of; whole copies,
called by their digest, of every version that an import may still need; and `latest.json`, which names the last of them.
The lock is the operating system's and ends with its process. Nothing here is called by what a user has said.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

_READ_BYTES = 1 << 20
_LOCK_LOOK_SECONDS = 0.2
_SHELF = re.compile(r"[0-9a-f]{32}")
_COPY = re.compile(r"[0-9a-f]{32}")
_PARTIAL = "partial"

Needed = Callable[[Path], bool]
Wait = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Version:
    """What a server says a file is: the bytes of two that are equal are equal, if they say anything at all."""

    etag: str | None = None
    last_modified: str | None = None
    bytes: int | None = None

    @property
    def validator(self) -> str | None:
        """What the rest of a file can be asked for with: a weak ETag does not promise the same bytes."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    @property
    def modified(self) -> datetime | None:
        """When it was last changed, as its server says."""
        try:
            return parsedate_to_datetime(self.last_modified) if self.last_modified else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Copy:
    """A whole file that was downloaded; `is_new` when its bytes were fetched just now."""

    path: Path
    bytes: int
    sha256: str
    version: Version
    is_new: bool = False


class Shelf:
    """The files of one URL, as a context manager: nobody else changes them meanwhile.

    `wait` is called with seconds while somebody else is at it, and may raise.
    """

    def __init__(self, folder: Path, url: str, wait: Wait) -> None:
        self.path = shelf_of(folder, url)
        self._wait = wait
        self._lock: int | None = None

    def __enter__(self) -> Self:
        while (lock := _lock(self.path)) is None:
            self._wait(_LOCK_LOOK_SECONDS)
        self._lock = lock
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)

    @property
    def partial(self) -> Path:
        """An unfinished download."""
        return self.path / _PARTIAL

    @property
    def have(self) -> int:
        """How many bytes of it are here."""
        try:
            return self.partial.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def version(self) -> Version:
        """What those bytes are of."""
        return _version(_read(self.path / "partial.json"))

    def latest(self) -> Copy | None:
        """The last whole copy, if it is still here; asking for it keeps it."""
        found = _read(self.path / "latest.json")
        with contextlib.suppress(KeyError, TypeError, FileNotFoundError):
            copy = Copy(self.path / found["name"], found["bytes"], found["sha256"], _version(found["version"]))
            if copy.path.stat().st_size == copy.bytes:
                (self.path / "latest.json").touch()
                return copy
        return None

    def begin(self, version: Version) -> None:
        """Start a download of this version from its first byte."""
        self.partial.unlink(missing_ok=True)
        _write(self.path / "partial.json", asdict(version))

    def abandon(self) -> None:
        """Forget an unfinished download."""
        self.partial.unlink(missing_ok=True)
        (self.path / "partial.json").unlink(missing_ok=True)

    def append(self) -> BinaryIO:
        """The unfinished download, to write what comes next."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.fdopen(os.open(self.partial, flags, 0o600), "ab", buffering=0)

    def finish(self, wait: Wait) -> Copy:
        """Make the download a copy: on disk for good, under its digest, with a time that is made of its digest.

        Size and time are what an import knows a file by: so they are the same wherever the same bytes come again.
        """
        version, size = self.version, self.have
        sha256 = digest(self.partial, "sha256", wait)
        copy = Copy(self.path / sha256[:32], size, sha256, version, is_new=True)
        with self.partial.open("rb") as file:
            os.fsync(file.fileno())
        moment = int(sha256[:7], 16)
        os.utime(self.partial, (moment, moment))
        self.partial.replace(copy.path)
        known = {"name": copy.path.name, "bytes": size, "sha256": sha256, "version": asdict(version)}
        _write(self.path / "latest.json", known)
        (self.path / "partial.json").unlink(missing_ok=True)
        return copy

    def forget(self, copy: Copy) -> None:
        """Take a copy away that is not what it should be."""
        (self.path / "latest.json").unlink(missing_ok=True)
        copy.path.unlink(missing_ok=True)


def shelf_of(folder: Path, url: str) -> Path:
    """Where the files of a URL are; the URL itself, which may be secret, is written nowhere."""
    return folder / hashlib.sha256(url.encode()).hexdigest()[:32]


def digest(path: Path, kind: str, wait: Wait) -> str:
    """The digest of a file; `wait` is called in between, and may raise."""
    made = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            made.update(block)
            wait(0)
    return made.hexdigest()


def sweep(folder: Path, needed: Needed, *, copy_seconds: float, partial_seconds: float) -> list[Path]:
    """Take away what no import needs and nobody has asked for in so many seconds; returns what is gone."""
    gone = []
    for shelf in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _SHELF.fullmatch(shelf.name):
            gone += clear(shelf, needed, copy_seconds=copy_seconds, partial_seconds=partial_seconds)
    return gone


def clear(
    shelf: Path, needed: Needed, *, copy_seconds: float = 0, partial_seconds: float = 0, only: Path | None = None
) -> list[Path]:
    """The same for one shelf, or one file on it; nothing while somebody is at it."""
    if not _SHELF.fullmatch(shelf.name) or not shelf.is_dir() or (lock := _lock(shelf)) is None:
        return []
    try:
        gone = [
            path
            for path in shelf.iterdir()
            if only in (None, path)
            and (path.name == _PARTIAL or _COPY.fullmatch(path.name))
            and _age(path) >= (partial_seconds if path.name == _PARTIAL else copy_seconds)
            and not needed(path)
        ]
        for path in gone:
            path.unlink(missing_ok=True)
        left = {path.name for path in shelf.iterdir()}
        if _PARTIAL not in left:
            (shelf / "partial.json").unlink(missing_ok=True)
        if _read(shelf / "latest.json").get("name") not in left:
            (shelf / "latest.json").unlink(missing_ok=True)
        if not left - {"lock", "partial.json", "latest.json"}:
            # Whoever waits for the lock sees that it is of no shelf any more, and makes a new one.
            (shelf / "lock").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                shelf.rmdir()
        return gone
    finally:
        os.close(lock)


def _age(path: Path) -> float:
    """Seconds since a file came or was last asked for; a copy's own time is made up."""
    latest = path.parent / "latest.json"
    moments = [path.stat().st_ctime]
    if _read(latest).get("name") == path.name:
        moments.append(latest.stat().st_mtime)
    return time.time() - max(moments)


def _lock(shelf: Path) -> int | None:
    """The shelf's lock, to be closed; None while somebody else has it."""
    shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = shelf / "lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None  # the shelf was cleared meanwhile
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino == path.stat().st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _version(found: Any) -> Version:
    names = ("etag", "last_modified", "bytes")
    return Version(**{name: found.get(name) for name in names}) if isinstance(found, dict) else Version()


def _read(path: Path) -> dict[str, Any]:
    """What is written in a small file; nothing where it is not there, or was cut off by a crash."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, value: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)
