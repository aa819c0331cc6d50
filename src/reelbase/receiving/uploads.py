"""What is known of each upload: one row in reelbase.uploads, true after a crash of anything.

`received` counts bytes that are on disk for good. It only ever goes on from the number that the caller knows, so that
somebody who has lost his lock without noticing changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from reelbase.database.asking import Ask, Question
from reelbase.database.statements import statements
from reelbase.errors import UnknownUpload, UploadDamaged, UploadUnfinished

SQL = statements("reelbase.receiving", "uploads.sql")

_ID = re.compile(r"[0-9a-f]{32}")
_KEPT_FOR_AN_IMPORT_DAYS = 7
_REMEMBERED_DAYS = 30  # how long an id that is no more is answered with 410 instead of 404


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload as its row has it; `length` is None until the sender tells it, `sha256` is what the sender told."""

    id: str
    owner: str | None
    state: str
    length: int | None
    received: int
    metadata: str
    name: str
    path: Path
    sha256: str | None
    expires_at: datetime
    is_over: bool

    @property
    def is_gone(self) -> bool:
        """Whether its file is no more, or will not be for long."""
        return self.is_over or self.state in ("terminated", "expired")


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived: the name its sender gave it, where it is, its size in bytes.

    `sha256` is the digest that the sender said it has, None where nothing was said; `check` compares it.
    """

    id: str
    name: str
    path: Path
    bytes: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Created:
    """What is to be kept of a new upload."""

    id: str
    path: Path
    owner: str | None
    length: int | None
    metadata: str
    name: str
    sha256: str | None


def received(connection: psycopg.Connection[Any], upload_id: str) -> Received:
    """A finished upload, kept for a week from now because an import needs it.

    Raises UnknownUpload where it is not there (any more), UploadUnfinished where bytes are missing.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(SQL["find"], {"id": upload_id}).fetchone() if _ID.fullmatch(upload_id) else None
        if row is None:
            raise UnknownUpload(f"There is no upload {upload_id[:64]!r}.", "Its id is the end of the address it has.")
        upload = _upload(row)
        if upload.is_gone:
            raise UnknownUpload(f"The upload {upload.id} is no more ({upload.state}).", "Upload the file again.")
        if upload.state != "received":
            of = "an unknown number of" if upload.length is None else upload.length
            raise UploadUnfinished(
                f"The upload {upload.id} has {upload.received} of {of} bytes.", "Go on with it until it is complete."
            )
        cursor.execute(SQL["use"], {"id": upload.id, "days": _KEPT_FOR_AN_IMPORT_DAYS})
    return Received(upload.id, upload.name, upload.path, upload.received, upload.sha256)


def check(file: Received) -> None:
    """Read the whole file and raise UploadDamaged where it is not what its sender said (about 1 GB a second)."""
    if file.sha256 is None:
        return
    with file.path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != file.sha256:
        raise UploadDamaged(
            f"{file.name} has the SHA-256 {found}, and its sender said {file.sha256}.", "Upload it again."
        )


# Questions of the server


def find(upload_id: str) -> Question[Upload | None]:
    """The upload of that id, if there has been one lately."""
    if not _ID.fullmatch(upload_id):
        return None
    rows = yield Ask(SQL["find"], {"id": upload_id})
    return _upload(rows[0]) if rows else None


def outstanding(except_id: str | None = None) -> Question[tuple[int, int]]:
    """Bytes that all unfinished and unused uploads will have, and those of them that are still to come."""
    rows = yield Ask(SQL["outstanding"], {"except": except_id})
    return rows[0]["kept_bytes"], rows[0]["promised_bytes"]


def create(new: Created, lifetime: float) -> Question[Upload]:
    """Keep a new upload."""
    values = {
        "id": new.id,
        "owner": new.owner,
        "length": new.length,
        "metadata": new.metadata,
        "name": new.name,
        "path": str(new.path),
        "sha256": new.sha256,
        "lifetime": lifetime,
    }
    return _upload((yield Ask(SQL["create"], values))[0])


def set_length(upload_id: str, length: int) -> Question[bool]:
    """Say how long it will be, once."""
    return bool((yield Ask(SQL["set_length"], {"id": upload_id, "length": length})))


def checkpoint(upload_id: str, before: int, now: int, lifetime: float) -> Question[datetime | None]:
    """So many bytes are on disk for good; the last of them finish it. None where somebody else has changed it."""
    values = {"id": upload_id, "before": before, "received": now, "lifetime": lifetime}
    rows = yield Ask(SQL["checkpoint"], values)
    return rows[0]["expires_at"] if rows else None


def end(upload_id: str, state: str, *, only_if_over: bool = False) -> Question[Path | None]:
    """It is `terminated` or `expired`; gives the file that is to be removed."""
    rows = yield Ask(SQL["end"], {"id": upload_id, "state": state, "only_if_over": only_if_over})
    return Path(rows[0]["path"]) if rows else None


def expired() -> Question[list[str]]:
    """Those whose time is over, the oldest first, not all at once; what has been gone for long is forgotten."""
    yield Ask(SQL["forget"], {"days": _REMEMBERED_DAYS})
    return [row["id"] for row in (yield Ask(SQL["expired"]))]


def alive(ids: list[str]) -> Question[set[str]]:
    """Those of them whose file is wanted."""
    return {row["id"] for row in (yield Ask(SQL["alive"], {"ids": ids}))}


def _upload(row: dict[str, Any]) -> Upload:
    return Upload(**{**row, "path": Path(row["path"])})
