"""Imports as tests ask for them: in this process, with everything that the command does."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbase.database.connect import connect, connect_dicts
from reelbase.imports import commands, read, rejects
from reelbase.imports.resources import Resources
from reelbase.imports.run import run_import
from reelbase.imports.sources import ImportRequest, SourceRules

RATINGS = "userId,movieId,rating,timestamp"
MOVIES = "movieId,title,genres"
TAGS = "userId,movieId,tag,timestamp"
LINKS = "movieId,imdbId,tmdbId"


@dataclass(frozen=True)
class Importer:
    """Imports into one database."""

    url: str
    chunk_bytes: int = 1 << 20

    def resources(self) -> Resources:
        return Resources(connections=2, lease_seconds=30, staging_days=3, disk=None)

    def queue(self, *sources: Path | str, mode: str = "replace", max_rejects: str = "100%") -> int:
        """Ask for an import and return its number; nothing is run."""
        request = ImportRequest(tuple(str(source) for source in sources), None, mode, max_rejects)
        with connect(self.url) as connection:
            return commands.request_import(connection, request, SourceRules(is_local=True), self.chunk_bytes)

    def run(self, import_id: int) -> dict[str, Any]:
        """Run it to its end."""
        run_import(self.url, import_id, self.resources())
        return self.show(import_id)

    def __call__(self, *sources: Path | str, mode: str = "replace", max_rejects: str = "100%") -> dict[str, Any]:
        return self.run(self.queue(*sources, mode=mode, max_rejects=max_rejects))

    def retry(self, import_id: int, max_rejects: str | None = None) -> dict[str, Any]:
        with connect(self.url) as connection:
            commands.retry(connection, import_id, 30, max_rejects)
        return self.run(import_id)

    def show(self, import_id: int) -> dict[str, Any]:
        with connect_dicts(self.url) as connection:
            return read.one_import(connection, import_id)

    def rejects(self, import_id: int) -> list[tuple[int, int, str | None, str, bytes]]:
        """line, byte_offset, column, reason, record."""
        with connect(self.url) as connection:
            return [
                (line, offset, column, reason, bytes(record))
                for _, line, offset, column, reason, record, _ in rejects.rejects(connection, import_id)
            ]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


def write(path: Path, *lines: str | bytes, end: str = "\n", last: bool = True) -> Path:
    """A file of these lines; without its last line end unless `last`."""
    data = end.encode().join(line if isinstance(line, bytes) else line.encode() for line in lines)
    data += end.encode() if last else b""
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def csv_rows(rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows as CSV lines, quoted where they have to be."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().splitlines()
