"""The first step of a run: what is elsewhere is downloaded, every file is looked at and written into the import.

What was looked at when the import was asked for is not looked at again. A retry goes on with the copies that are here;
where one is gone and its publisher has another version by now, it begins at the beginning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reelbase.database.connect import Connection
from reelbase.datasets import DATASETS
from reelbase.errors import DownloadFailed, ReelbaseError, UploadDamaged
from reelbase.imports import origins, store
from reelbase.imports.origins import Origin
from reelbase.imports.resources import Resources
from reelbase.imports.sources import UPLOAD, URL, files_here, same_day
from reelbase.imports.wanted import chosen, uploaded
from reelbase.loading.ledger import Run
from reelbase.loading.staging import schema_name
from reelbase.outgoing.client import Client
from reelbase.outgoing.guard import Allowed
from reelbase.publishing import prune
from reelbase.reading.survey import survey
from reelbase.receiving import uploads
from reelbase.receiving.copies import Copy, digest, shelf_of
from reelbase.receiving.downloads import Downloads, Limits
from reelbase.receiving.paths import Given, given
from reelbase.telemetry.timing import timed

_REPORT_SECONDS = 0.5
# Files that are made together are put up within some hours; the next ones come a day later.
_ONE_DAY = timedelta(hours=20)


class Receiving:
    """Brings the files of one import together."""

    def __init__(self, connection: Connection, run: Run, job: store.Job, resources: Resources) -> None:
        self._connection = connection
        self._run = run
        self._job = job
        self._web = resources.web
        self._client = Client()
        self._published_at: dict[int, datetime | None] = {}

    def stop(self, _: ReelbaseError) -> None:
        """End the run: what is being downloaded breaks off, and stays for a retry."""
        self._client.stop()

    def run(self) -> store.Job:
        """The import with its dataset, once its files are known; raises ReelbaseError."""
        all_of_them = self._origins()
        for origin in all_of_them:
            if origin.source.kind == UPLOAD and origin.sha256 is None:
                self._check_upload(origin)
        remote = [origin for origin in all_of_them if origin.source.kind == URL]
        known = store.has_files(self._connection, self._run.import_id)
        if known and all(origin.path and origin.path.exists() for origin in remote):
            return self._job
        changed = False
        if remote:
            with timed("downloading"):
                changed = self._download(remote)
        return self._job if known and not changed else self._look(begun=known)

    def _origins(self) -> list[Origin]:
        return origins.of_import(self._connection, self._run.import_id)

    def _check_upload(self, origin: Origin) -> None:
        """Read an upload once where its sender has told its digest."""
        file = uploads.received(self._connection, origin.source.location)
        if file.sha256 is None:
            return
        with timed("checking an upload"):
            found = digest(file.path, "sha256", self._client.wait)
        if found != file.sha256:
            raise UploadDamaged(
                f"{file.name} has the SHA-256 {found}, and its sender said {file.sha256}.", "Upload it again."
            )
        origins.received(self._connection, self._run, origin.position, file.path, size=file.bytes, sha256=found)

    def _download(self, remote: Sequence[Origin]) -> bool:
        """Fetch every file; returns whether one of them is not what an earlier attempt had."""
        folder = self._web.folder
        if folder is None:
            raise DownloadFailed(f"{remote[0].source.name} cannot be downloaded here: there is no file store.")
        downloads = Downloads(folder, self._client, Limits(max_bytes=self._web.max_bytes))
        self._check_published(remote, downloads)
        changed = False
        for origin in remote:
            origins.going_to(
                self._connection, self._run, origin.position, shelf_of(folder, origin.source.location) / "partial"
            )
            copy = self._fetch(origin, downloads)
            changed = changed or origin.sha256 not in (None, copy.sha256)
        _check_days([origin for origin in self._origins() if _is_of_one_day(origin)])
        return changed

    def _check_published(self, remote: Sequence[Origin], downloads: Downloads) -> None:
        """Ask for the days and sizes of files that must be of one day, before the first byte."""
        found = []
        for origin in remote:
            if _is_of_one_day(origin):
                version = downloads.version(origin.source.location, self._allowed(origin))
                origins.expect(self._connection, self._run, origin.position, version.bytes)
                self._published_at[origin.position] = version.modified
                found.append(replace(origin, modified=version.modified))
        _check_days(found)

    def _fetch(self, origin: Origin, downloads: Downloads) -> Copy:
        def keep(copy: Copy) -> None:
            # The same bytes may have been published again: then no new copy tells the day.
            modified = copy.version.modified if copy.is_new else self._published_at.get(origin.position)
            origins.received(
                self._connection, self._run, origin.position, copy.path,
                size=copy.bytes, sha256=copy.sha256, modified=modified,
            )  # fmt: skip

        return downloads.fetch(
            origin.source.location,
            self._allowed(origin),
            has_md5=origin.source.has_md5,
            report=self._reporter(origin),
            keep=keep,
        )

    def _allowed(self, origin: Origin) -> Allowed:
        return self._web.rules.allowed(published=origin.source.published is not None, is_local=origin.source.is_local)

    def _reporter(self, origin: Origin) -> Callable[[int, int | None], None]:
        """What writes down how far a download is, now and then; the first time also what was there before."""
        last: list[float] = []

        def report(done: int, total: int | None) -> None:
            now = time.monotonic()
            if not last or now - last[-1] >= _REPORT_SECONDS:
                origins.report(self._connection, self._run, origin.position, done, total, is_first=not last)
                last[:] = [now]

        return report

    def _look(self, *, begun: bool) -> store.Job:
        """Write down what the files are; what an earlier attempt has loaded of others goes."""
        import_id = self._run.import_id
        with timed("looking at the files"):
            files = [file for origin in self._origins() for file in self._files(origin)]
            dataset, found = chosen(survey(files, DATASETS), self._job.dataset or None)
        with self._connection.transaction():
            if begun:
                prune.drop_staging(self._connection, import_id, schema_name(self._job.dataset, import_id))
                store.forget_progress(self._connection, import_id)
                store.forget_files(self._connection, import_id)
            store.set_dataset(self._connection, import_id, dataset)
            store.add_files(self._connection, import_id, found)
            store.fence(self._connection, self._run)
        return store.job(self._connection, import_id)

    def _files(self, origin: Origin) -> list[Given]:
        if origin.source.kind == UPLOAD:
            return [uploaded(self._connection, origin.source.location)]
        if origin.source.kind != URL:
            return files_here(origin.source, self._web.rules)
        [file] = given([str(origin.path)])
        return [replace(file, name=origin.source.name)]


def _is_of_one_day(origin: Origin) -> bool:
    """Whether it must be of the same day as others that are published with it."""
    return origin.source.published is not None and same_day(origin.source.published)


def _check_days(found: Sequence[Origin]) -> None:
    """Raise DownloadFailed when files that belong together are not of one day: they are just being replaced."""
    dated = [(origin.modified, origin.source.name) for origin in found if origin.modified is not None]
    if dated and max(dated)[0] - min(dated)[0] > _ONE_DAY:
        (first, old), (last, new) = min(dated), max(dated)
        raise DownloadFailed(
            f"The files are not of one day: {old} is of {_day(first)}, {new} of {_day(last)}. New ones are being "
            "published.",
            "Try again in an hour.",
        )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
