"""Downloads into the store: gone on with where they broke off, whole and checked before anybody reads them."""

from __future__ import annotations

import errno
import random
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from reelbase.errors import ConnectionDropped, DiskFull, DownloadFailed
from reelbase.outgoing.client import Answer, Client
from reelbase.outgoing.guard import Allowed, shown_url
from reelbase.receiving.copies import Copy, Shelf, Version, digest

T = TypeVar("T")

Report = Callable[[int, int | None], None]

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_THERE = frozenset({403, 404, 410})
_DISK_LOOK_BYTES = 64 << 20
# A try that brings so much is not counted as a failure; however much they bring, there are no more than _MOST_TRIES.
_WORTH_BYTES = 64 << 10
_MOST_TRIES = 500
_MD5 = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be, how many bytes of the disk stay free, and how patiently it is tried again.

    So many `tries` in a row may bring nothing new; the pause between them doubles each time.
    """

    max_bytes: int = 100 << 30
    free_bytes: int = 256 << 20
    tries: int = 7
    pause_seconds: float = 0.5
    longest_pause_seconds: float = 30.0


class _Again(Exception):  # a signal, never shown
    """It is worth trying again, after so many seconds if the server says so."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


class Downloads:
    """Copies of files of other servers, in one folder."""

    def __init__(self, folder: Path, client: Client, limits: Limits | None = None) -> None:
        self._folder = folder
        self._client = client
        self._limits = limits or Limits()

    def version(self, url: str, allowed: Allowed) -> Version:
        """What the server has at a URL, without its bytes; raises DownloadFailed."""

        def ask() -> Version:
            with self._client.ask("HEAD", url, allowed) as answer:
                _check_status(answer, url)
                return _version(answer.headers)

        return self._persist(url, ask)

    def fetch(
        self, url: str, allowed: Allowed, *, has_md5: bool = False, report: Report, keep: Callable[[Copy], None]
    ) -> Copy:
        """A whole copy of what is at a URL now: the one that is here, where the server has not changed it.

        `report` is told often how many bytes are here, and how many there will be (None: not known); `keep` is told
        the copy while nobody can take it away. Raises DownloadFailed, SourceNotAllowed, DiskFull, Interrupted.
        """
        with Shelf(self._folder, url, self._client.wait) as shelf:
            if 0 < shelf.have == shelf.version.bytes:
                shelf.finish(self._client.wait)  # all of it had come when somebody was killed
            copy = self._copy(shelf, url, allowed, report)
            if has_md5 and copy.is_new:
                copy = self._checked(shelf, copy, url, allowed, report)
            report(copy.bytes, copy.bytes)
            keep(copy)
            return copy

    def _checked(self, shelf: Shelf, copy: Copy, url: str, allowed: Allowed, report: Report) -> Copy:
        """A copy that has the MD5 sum published beside it; one that has not is fetched once more."""
        for _ in range(2):
            wanted = self._published_md5(url, allowed)
            if wanted in (None, digest(copy.path, "md5", self._client.wait)):
                return copy
            shelf.forget(copy)
            copy = self._copy(shelf, url, allowed, report)
        shelf.forget(copy)
        raise DownloadFailed(
            f"{shown_url(url)} is not what its publisher says it is: its MD5 sum is another.", "Try again later."
        )

    def _published_md5(self, url: str, allowed: Allowed) -> str | None:
        def ask() -> str | None:
            with self._client.ask("GET", f"{url}.md5", allowed) as answer:
                if answer.status in _NOT_THERE:
                    return None
                _check_status(answer, f"{url}.md5")
                text = next(answer.blocks(), b"")[:4096].decode("ascii", errors="replace").lower()
                found = _MD5.search(text)
                return found.group() if found else None

        return self._persist(url, ask)

    def _copy(self, shelf: Shelf, url: str, allowed: Allowed, report: Report) -> Copy:
        return self._persist(url, lambda: self._ask(shelf, url, allowed, report), lambda: shelf.have)

    def _ask(self, shelf: Shelf, url: str, allowed: Allowed, report: Report) -> Copy:
        latest = shelf.latest()
        with self._client.ask("GET", url, allowed, _conditions(shelf, latest)) as answer:
            if answer.status == 304 and latest is not None:
                return latest
            if answer.status == 416 or (answer.status == 206 and not _goes_on(answer, shelf)):
                # What is here is longer, or of another version: begin at the beginning.
                shelf.abandon()
                raise _Again("the file has changed in the meantime", 0)
            _check_status(answer, url)
            if answer.status != 206:
                shelf.begin(_version(answer.headers))
            self._write(shelf, answer, url, report)
        total = shelf.version.bytes
        if total is not None and shelf.have != total:
            raise ConnectionDropped(f"{shelf.have:,} of {total:,} bytes have come.")
        return shelf.finish(self._client.wait)

    def _write(self, shelf: Shelf, answer: Answer, url: str, report: Report) -> None:
        have, total, looked = shelf.have, shelf.version.bytes, 0
        self._check_size(shelf, url, total or 0)
        self._check_disk(shelf.path, (total or 0) - have)
        report(have, total)
        with shelf.append() as file:
            for block in answer.blocks():
                self._client.check()
                have += len(block)
                self._check_size(shelf, url, have)
                if have - looked > _DISK_LOOK_BYTES:
                    self._check_disk(shelf.path, 0)
                    looked = have
                try:
                    file.write(block)
                except OSError as error:
                    raise (_disk_full(shelf.path) if error.errno in (errno.ENOSPC, errno.EDQUOT) else error) from error
                report(have, total)
        # A line that was cut because somebody wants us to stop may look like the end of a file of unknown length.
        self._client.check()

    def _check_size(self, shelf: Shelf, url: str, size: int) -> None:
        if size > self._limits.max_bytes:
            shelf.abandon()
            raise DownloadFailed(
                f"{shown_url(url)} has more than {self._limits.max_bytes:,} bytes.",
                "REELBASE_DOWNLOAD_MAX_BYTES allows more.",
            )

    def _check_disk(self, place: Path, needed: int) -> None:
        if shutil.disk_usage(place).free < self._limits.free_bytes + needed:
            raise _disk_full(place)

    def _persist(self, url: str, ask: Callable[[], T], have: Callable[[], int] = lambda: 0) -> T:
        """Ask again and again, as long as it helps."""
        failures, most = 0, have()
        for _ in range(_MOST_TRIES):
            try:
                return ask()
            except (_Again, ConnectionDropped) as error:
                now = have()
                # What comes once more after it had to be begun again is nothing new.
                failures, most = (failures + 1 if now < most + _WORTH_BYTES else 1), max(now, most)
                if failures >= self._limits.tries:
                    raise DownloadFailed(
                        f"{shown_url(url)} cannot be downloaded: {str(error).rstrip('.')}.",
                        "A retry goes on from where it is." if now else "Try again later.",
                    ) from error
                self._client.wait(self._pause(failures, error.seconds if isinstance(error, _Again) else None))
        raise DownloadFailed(f"{shown_url(url)} cannot be downloaded: the line broke {_MOST_TRIES} times.")

    def _pause(self, failures: int, wished: float | None) -> float:
        longest = self._limits.longest_pause_seconds
        if wished is not None:
            return min(wished, 2 * longest)
        # Spread, so that those who were cut off together do not come back together.
        pause: float = self._limits.pause_seconds * 2 ** (failures - 1)
        return min(pause, longest) * random.uniform(0.5, 1)  # noqa: S311  # no secret


def _conditions(shelf: Shelf, latest: Copy | None) -> dict[str, str]:
    """Ask for the rest where there is a beginning, else for the whole unless it is what is here."""
    validator = shelf.version.validator
    if shelf.have and validator and shelf.version.bytes is not None:
        return {"Range": f"bytes={shelf.have}-", "If-Range": validator}
    if latest is None:
        return {}
    version = latest.version
    wanted = {"If-None-Match": version.etag, "If-Modified-Since": version.last_modified}
    return {name: value for name, value in wanted.items() if value}


def _goes_on(answer: Answer, shelf: Shelf) -> bool:
    """Whether a part is the one that was asked for, and of the same version as what is here."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("content-range", "").strip())
    version = _version(answer.headers)
    return (
        found is not None
        and int(found[1]) == shelf.have
        and found[2] in ("*", str(shelf.version.bytes))
        and version.etag in (None, shelf.version.etag)
        and version.last_modified in (None, shelf.version.last_modified)
    )


def _version(headers: Mapping[str, str]) -> Version:
    length = headers.get("content-length", "")
    size = int(length) if re.fullmatch(r"\d{1,18}", length) else None
    return Version(headers.get("etag"), headers.get("last-modified"), size)


def _check_status(answer: Answer, url: str) -> None:
    if answer.status in (200, 206):
        return
    said = f"{answer.status} {answer.reason}".strip()
    if answer.status in _PASSING:
        later = answer.headers.get("retry-after", "")
        raise _Again(f"its server answers {said}", float(later) if re.fullmatch(r"\d{1,6}", later) else None)
    raise DownloadFailed(f"{shown_url(url)} cannot be downloaded: its server answers {said}.", "Look at the URL.")


def _disk_full(place: Path) -> DiskFull:
    return DiskFull(f"There is no room for a download in {place.parent}.", "Make room, and retry the import.")
