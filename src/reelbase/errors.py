"""Everything that can stop a command, as one tree.

    ReelbaseError                 exit 1
      UsageError                  exit 2: nothing was started
        SettingError              a setting that cannot be read
        SourceMissing             a source that is not there or cannot be read
        SourceNotAllowed          a source that may not be imported from here: outside the folders, or from that host
        MixedDatasets             sources of several datasets without a word which one is meant
        UnknownImport             no import, dataset or release of that name
        UploadTooLarge            a file that is larger than an upload may be
        WrongState                an import that is not in a state in which this can be done
        KeyInUse                  another request with the same Idempotency-Key is at work
        KeyOfAnother              the Idempotency-Key of another request
        UnknownMovie              no movie of that id
        KnownMovie                a movie with that IMDb id is there already
        BadCursor                 a place in a list that is not ours
        OldCursor               a place in a list that is no more
      BadParameter              a question that cannot be asked in this way
      SourceError                 what was given cannot be imported
        EmptyFile                 zero bytes
        UnknownHeader             no file that we know begins like this
        NothingKnown              a folder or archive without a known file
        BrokenArchive             a truncated or damaged .gz, .zip or .tar.gz
        ArchiveBomb               an archive that unpacks to far more than any file of ours
        SourceChanged             the file is not the one that the import began with
        DownloadFailed            a file that could not be downloaded
      StoreFull                   no room for what is sent to us
      DatabaseError               PostgreSQL does not do what we need
        ServerUnavailable         it cannot be started or reached
        ServerUnsuitable          its version or extensions do not fit
        ConnectionLost            it went away in the middle
        DiskFull                  no room left
      ImportFailure               an import that ends as failed
        TooManyRejects            more than --max-rejects
        CountMismatch             read is not loaded + rejected: never publish that
        Superseded                a later import has published the same tables
        Interrupted               stopped before its end; can be retried
        Cancelled                 stopped for good, on request
        Fenced                    somebody else goes on with this import

A bad record is a value (`loading.rejects`), never an error. Every error is one sentence that says what was wrong and,
where there is a remedy, one that says what to do.
"""

from __future__ import annotations

from typing import ClassVar


class ReelbaseError(Exception):
    """Root of the tree: `code` is stable, `detail` says what was wrong, `remedy` what to do.

    `again` tells whether the same request may succeed when it is repeated unchanged.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    again: ClassVar[bool] = False

    def __init__(self, detail: str, remedy: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.detail} {self.remedy}".strip()


class UsageError(ReelbaseError):
    """Wrong usage: nothing was started."""

    code = "usage"
    exit_code = 2


class SettingError(UsageError):
    """A setting that cannot be read."""

    code = "setting"


class SourceMissing(UsageError):
    """A source that is not there or cannot be read."""

    code = "source_missing"


class SourceNotAllowed(UsageError):
    """A source that may not be imported: outside the allowed folders, or from a host that is not allowed."""

    code = "source_not_allowed"


class MixedDatasets(UsageError):
    """Sources of several datasets without a word which one is meant."""

    code = "mixed_datasets"


class UnknownImport(UsageError):
    """No import, dataset or release of that name."""

    code = "not_found"


class WrongState(UsageError):
    """An import that is not in a state in which this can be done."""

    code = "conflict"


class KeyInUse(UsageError):
    """Another request with the same Idempotency-Key is at work."""

    code = "key_in_use"
    again = True


class KeyOfAnother(UsageError):
    """The Idempotency-Key of another request."""

    code = "key_of_another"


class UnknownMovie(UsageError):
    """No movie of that id."""

    code = "not_found"


class UploadTooLarge(UsageError):
    """A file that is larger than an upload may be."""

    code = "too_large"


class StoreFull(ReelbaseError):
    """No room for what is sent to us."""

    code = "store_full"


class UnknownUpload(UsageError):
    """No upload of that id, or no more."""

    code = "not_found"


class UploadUnfinished(UsageError):
    """An upload of which bytes are missing."""

    code = "upload_unfinished"


class KnownMovie(UsageError):
    """A movie with that IMDb id is there already."""

    code = "conflict"


class BadCursor(UsageError):
    """A place in a list that is not ours."""

    code = "bad_cursor"


class OldCursor(BadCursor):
    """A place in a list that is no more."""

    code = "old_cursor"


class BadParameter(UsageError):
    """A question that cannot be asked in this way; `name` is the parameter that was wrong."""

    code = "bad_parameter"

    def __init__(self, name: str, detail: str, remedy: str = "") -> None:
        super().__init__(detail, remedy)
        self.name = name


class SourceError(ReelbaseError):
    """What was given cannot be imported."""

    code = "source"


class EmptyFile(SourceError):
    """A file of zero bytes (a header alone is fine: zero rows)."""

    code = "empty_file"


class UnknownHeader(SourceError):
    """No file that we know begins like this."""

    code = "unknown_header"


class NothingKnown(SourceError):
    """A folder or archive without a known file."""

    code = "nothing_known"


class BrokenArchive(SourceError):
    """A truncated or damaged archive."""

    code = "broken_archive"


class ArchiveBomb(BrokenArchive):
    """An archive that unpacks to far more than any file of ours would."""

    code = "archive_bomb"


class SourceChanged(SourceError):
    """The file is not the one that the import began with."""

    code = "source_changed"


class DownloadFailed(SourceError):
    """A file that could not be downloaded; a retry goes on where it was."""

    code = "download_failed"
    again = True


class UploadDamaged(SourceError):
    """An upload is not what its sender said it is."""

    code = "upload_damaged"


class DatabaseError(ReelbaseError):
    """PostgreSQL does not do what we need."""

    code = "database"


class ServerUnavailable(DatabaseError):
    """The server cannot be started or reached."""

    code = "server_unavailable"
    again = True


class ServerUnsuitable(DatabaseError):
    """The server's version or extensions do not fit."""

    code = "server_unsuitable"


class ConnectionLost(DatabaseError):
    """The server went away in the middle."""

    code = "interrupted"
    again = True


class DiskFull(DatabaseError):
    """No room left on the database's disk."""

    code = "disk_full"


class ImportFailure(ReelbaseError):
    """An import that ends as failed."""

    code = "import_failed"


class TooManyRejects(ImportFailure):
    """More rejects in one file than --max-rejects allows."""

    code = "too_many_rejects"


class CountMismatch(ImportFailure):
    """Records read are not records loaded + rejected: never published."""

    code = "count_mismatch"


class Superseded(ImportFailure):
    """A later import has published the same tables."""

    code = "superseded"


class Interrupted(ImportFailure):
    """Stopped before its end; can be retried."""

    code = "interrupted"
    exit_code = 130
    again = True


class Cancelled(ImportFailure):
    """Stopped for good, on request."""

    code = "cancelled"


class Fenced(ImportFailure):
    """Somebody else goes on with this import; whoever gets this must not write any more."""

    code = "fenced"
