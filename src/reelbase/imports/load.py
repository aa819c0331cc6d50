"""The loading part of a run: pieces of files into staged tables, every one of them counted."""

from __future__ import annotations

import psycopg
from psycopg import errors

from reelbase.database.connect import Connection
from reelbase.errors import CountMismatch, ImportFailure, ReelbaseError, TooManyRejects
from reelbase.imports import store
from reelbase.imports.board import Board, OpenFeed
from reelbase.imports.crew import Crew
from reelbase.imports.lease import Lease, session_name
from reelbase.imports.limits import reject_limit
from reelbase.imports.plan import plan
from reelbase.imports.resources import Resources
from reelbase.imports.store import StoredFile
from reelbase.imports.tables import Tables
from reelbase.loading import ledger, staging
from reelbase.loading.ledger import Claim, Run
from reelbase.loading.load import Loaded, load
from reelbase.publishing.release import ReleaseTable
from reelbase.reading.feed import End, Piece
from reelbase.receiving.paths import check_unchanged
from reelbase.telemetry.timing import timed


class Loading:
    """One run's way from files to staged tables with keys, indexes and statistics."""

    def __init__(self, url: str, lease: Lease, run: Run, job: store.Job, resources: Resources) -> None:
        self._lease = lease
        self._run = run
        self._resources = resources
        self._limit = reject_limit(job.max_rejects)
        self._limit_text = job.max_rejects
        self._plan = plan(lease.connection, job, self._check)
        self._progress = {
            file.id: _Progress(file, ledger.counts(lease.connection, file.id)) for file in self._plan.files.values()
        }
        by_table = {name: {file.id for file in self._plan.files_of(name)} for name in self._plan.tables}
        self._tables = Tables(self._plan, lease, run, merges=job.mode == "merge")
        self._board = Board(self._plan.feeds(lease.connection), by_table, self._tables.jobs)
        self._ends: dict[int, int] = {}
        name = session_name(run.import_id, run.attempt)
        self._crew = Crew(url, name, resources.connections, self._board, self._take_piece)

    def _check(self) -> None:
        if self._board.error is not None:
            raise self._board.error

    def stop(self, error: ReelbaseError) -> None:
        """End the run with this error; what the connections are busy with is cancelled."""
        self._board.fail(error)
        self._crew.cancel()

    def run(self) -> list[ReleaseTable]:
        """Load, index and check everything; returns the tables as a release will show them."""
        for file in self._plan.files.values():
            check_unchanged(file.path, file.fingerprint)
        store.advance(self._lease.connection, self._run, "loading")
        staging.prepare(self._lease.connection, self._plan.schema, list(self._plan.tables.values()))
        with timed("loading and indexing"):
            self._work()
        with timed("checks"):
            tables = self._tables.staged()
        self._check()  # somebody may have wanted it to end meanwhile
        return tables

    def _work(self) -> None:
        self._crew.start()
        try:
            self._announce_indexing()
        except (ReelbaseError, psycopg.Error) as error:
            self._board.fail(error)
            self._crew.cancel()
        self._crew.wait()
        if not self._board.loaded.is_set():
            raise CountMismatch("Not every file has come to its end.")

    def _announce_indexing(self) -> None:
        while self._crew.is_at_work():
            if self._board.loaded.wait(0.2):
                if self._board.error is None:
                    store.advance(self._lease.connection, self._run, "indexing")
                return

    def _take_piece(self, connection: Connection, feed: OpenFeed) -> None:
        claims: list[Claim] = []
        part = self._board.pull(feed, lambda piece: claims.append(self._claim(connection, piece)))
        if isinstance(part, Piece):
            self._load(connection, part, claims[0])
            if self._board.piece_done(part.file):
                self._file_complete(connection, part.file)
        elif isinstance(part, End):
            self._ends[part.file] = part.bytes
            if self._board.file_ended(part.file):
                self._file_complete(connection, part.file)

    def _load(self, connection: Connection, piece: Piece, claim: Claim) -> None:
        self._resources.check_disk(len(piece.chunk.data) * 2 * self._resources.connections)
        loaded = self._try_load(connection, piece, claim)
        progress = self._progress[piece.file]
        progress.add(loaded, piece.source_bytes)
        if self._limit.is_hopeless(read=progress.read, rejected=progress.rejected, share_read=progress.share_read):
            raise self._too_many(piece.file, progress.read, progress.rejected)

    def _try_load(self, connection: Connection, piece: Piece, claim: Claim) -> Loaded:
        """Load a piece; an error of its own is tried again until there have been three."""
        while True:
            try:
                return load(connection, self._run, self._plan.targets[piece.file], claim, piece.chunk)
            except (ReelbaseError, errors.DiskFull):
                raise
            except psycopg.Error as error:
                if connection.closed or connection.broken or self._board.error is not None:
                    raise
                if not ledger.fail(connection, self._run, claim, str(error)):
                    raise ImportFailure(
                        f"{self._plan.files[piece.file].name} cannot be loaded from line {piece.chunk.first_line}: "
                        f"{str(error).splitlines()[0]}."
                    ) from error
                claim = ledger.claim(connection, self._run, claim.chunk_id)

    def _claim(self, connection: Connection, piece: Piece) -> Claim:
        if piece.extent is not None:
            return ledger.claim(connection, self._run, piece.extent)
        if piece.chunk.first_byte == self._plan.files[piece.file].first_byte:
            ledger.mark_started(connection, piece.file)
        return ledger.cut(
            connection,
            self._run,
            piece.file,
            first_byte=piece.chunk.first_byte,
            size=piece.chunk.bytes,
            source_bytes=piece.source_bytes,
            first_line=piece.chunk.first_line,
            lines=piece.chunk.lines,
        )

    def _file_complete(self, connection: Connection, file_id: int) -> None:
        """Every chunk of a file is loaded: count it by the ledger, and judge it."""
        file = self._plan.files[file_id]
        check_unchanged(file.path, file.fingerprint)
        with connection.transaction():
            ledger.mark_cut(connection, file_id, self._ends[file_id])
            store.fence(connection, self._run)
        counts = ledger.counts(connection, file_id)
        if counts.unfinished or not counts.is_gapless:
            raise CountMismatch(f"{file.name}: the ledger does not cover the file from its first record to its end.")
        rejected = counts.rejected - counts.duplicate
        if not self._limit.allows(read=counts.read, rejected=rejected):
            raise self._too_many(file_id, counts.read, rejected)
        ledger.mark_finished(connection, file_id)
        self._board.file_complete(file.table.name, file_id)

    def _too_many(self, file_id: int, read: int, rejected: int) -> TooManyRejects:
        return TooManyRejects(
            f"{self._plan.files[file_id].name}: {rejected:,} of {read:,} records were rejected, more than "
            f"--max-rejects ({self._limit_text}) allows; nothing was published.",
            f"`reelbase imports rejects {self._run.import_id}` shows them.",
        )


class _Progress:
    """How far one file is, as far as this run knows."""

    def __init__(self, file: StoredFile, counts: ledger.Counts) -> None:
        self._source_bytes = max(file.source_bytes, 1)
        self._source_done = counts.source_bytes
        self.read = counts.read
        self.rejected = counts.rejected - counts.duplicate

    def add(self, loaded: Loaded, source_bytes: int) -> None:
        self.read += loaded.loaded + loaded.rejected
        self.rejected += loaded.rejected
        self._source_done += source_bytes

    @property
    def share_read(self) -> float:
        return min(1.0, self._source_done / self._source_bytes)
