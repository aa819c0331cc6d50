"""What people ask about imports: the same answers for the terminal, the API and the pages (CONTRACT: Import)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from reelbase.database.connect import DictConnection
from reelbase.database.statements import statements
from reelbase.datasets import DATASETS, Dataset
from reelbase.errors import UnknownImport
from reelbase.imports import origins
from reelbase.imports.progress import FINAL, LEDGER, WINDOW_SECONDS, downloading, progress

_SQL = statements("reelbase.imports", "read.sql")
KnownDataset = Dataset
_ALL = {"ids": None, "dataset": None, "state": None, "before": None}
# A number of JavaScript is exact up to 2 ** 53: that leaves 2 ** 29 changes of an import's row.
_MOST_CHANGES = 1 << 24


def imports(
    connection: DictConnection,
    *,
    import_id: int | None = None,
    dataset: str | None = None,
    state: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Imports, newest first, each with its files, progress and checks; `before` leaves out that one and later ones."""
    ids = None if import_id is None else [import_id]
    parameters = {"ids": ids, "dataset": dataset, "state": state, "before": before, "limit": limit}
    return [seen.found for seen in _look(connection, parameters)]


def count_imports(connection: DictConnection, *, dataset: str | None = None, state: str | None = None) -> int:
    """How many imports there are."""
    row = connection.execute(_SQL["count_imports"], {"dataset": dataset, "state": state}).fetchone()
    return int(row["imports"]) if row else 0


def one_import(connection: DictConnection, import_id: int) -> dict[str, Any]:
    """One import; raises UnknownImport."""
    found = imports(connection, import_id=import_id)
    if not found:
        raise UnknownImport(f"There is no import {import_id}.", "`reelbase imports` lists them.")
    return found[0]


@dataclass(frozen=True, slots=True)
class Seen:
    """An import as it was seen at one time; a later change of it has a greater `sequence`, in every process."""

    sequence: int
    found: dict[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to be seen."""
        return self.found["state"] in FINAL


def look(connection: DictConnection, ids: Collection[int]) -> list[Seen]:
    """Several imports at once, with the numbers of what is seen; those that are not there are left out."""
    return _look(connection, {**_ALL, "ids": list(ids), "limit": None})


def chunks(
    connection: DictConnection,
    import_id: int,
    *,
    state: str | None = None,
    file: str | None = None,
    after: tuple[int, int] = (0, -1),
    limit: int = 100,
) -> list[tuple[tuple[int, int], dict[str, Any]]]:
    """Chunks of an import in the order of its files, each with its place; `after` leaves out those up to that place."""
    parameters = {"import_id": import_id, "state": state, "file": file, "limit": limit}
    parameters |= {"after_file": after[0], "after_byte": after[1]}
    rows = connection.execute(_SQL["chunks"], parameters).fetchall()
    return [((row.pop("file_id"), row["first_byte"]), row) for row in rows]


def count_chunks(
    connection: DictConnection, import_id: int, *, state: str | None = None, file: str | None = None
) -> int:
    """How many chunks of an import there are."""
    parameters = {"import_id": import_id, "state": state, "file": file}
    row = connection.execute(_SQL["count_chunks"], parameters).fetchone()
    return int(row["found"]) if row else 0


def datasets(connection: DictConnection) -> list[dict[str, Any]]:
    """What is loaded: each dataset with its live release and the tables of it."""
    found = connection.execute(_SQL["datasets"]).fetchall()
    tables = connection.execute(_SQL["dataset_tables"], {"releases": [row["release"] for row in found]}).fetchall()
    for row in found:
        row["tables"] = [
            {"name": table["table_name"], "rows": table["rows"], "bytes": table["bytes"], "import": table["import_id"]}
            for table in tables
            if table["release_id"] == row["release"]
        ]
    return found


def live_datasets(connection: DictConnection) -> set[str]:
    """The names of the datasets that are loaded."""
    return {row["name"] for row in connection.execute(_SQL["live_datasets"])}


def known_datasets() -> tuple[KnownDataset, ...]:
    """Every dataset that can be loaded, in the order in which they are shown."""
    return DATASETS


def releases(connection: DictConnection, dataset: str) -> list[dict[str, Any]]:
    """The published releases of a dataset that are still there, newest first, each with its tables."""
    found = connection.execute(_SQL["releases"], {"dataset": dataset}).fetchall()
    tables = connection.execute(_SQL["dataset_tables"], {"releases": [row["id"] for row in found]}).fetchall()
    for row in found:
        row["tables"] = [
            {"name": table["table_name"], "rows": table["rows"], "import": table["import_id"]}
            for table in tables
            if table["release_id"] == row["id"]
        ]
    return found


def workers(connection: DictConnection, lease_seconds: float) -> list[dict[str, Any]]:
    """Workers that are alive: host, what they do, since when."""
    return connection.execute(_SQL["workers"], {"lease_seconds": lease_seconds}).fetchall()


def _look(connection: DictConnection, parameters: dict[str, Any]) -> list[Seen]:
    found = connection.execute(_SQL["imports"], parameters).fetchall()
    ids = [row["id"] for row in found]
    files = _by_import(connection, "files", ids)
    checks = _by_import(connection, "checks", ids)
    # By the state that was read: an import may have gone on since, and one answer is of one moment.
    downloads = origins.how_far(connection, [row["id"] for row in found if row["state"] == "receiving"])
    return [_seen(row, files.get(row["id"], []), checks.get(row["id"], []), downloads.get(row["id"])) for row in found]


def _by_import(connection: DictConnection, name: str, ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(_SQL[name], {"ids": ids, "window": WINDOW_SECONDS}):
        grouped.setdefault(row.pop("import_id"), []).append(row)
    return grouped


def _seen(
    row: dict[str, Any], files: list[dict[str, Any]], checks: list[dict[str, Any]], download: dict[str, Any] | None
) -> Seen:
    changes = sum(file["changes"] for file in files)
    found = _import(row, files, checks, download)
    changes += found["progress"]["bytes_done"] >> 20  # what comes from elsewhere is no chunk yet
    return Seen(row["version"] * _MOST_CHANGES + min(changes, _MOST_CHANGES - 1), found)


def _import(
    row: dict[str, Any], files: list[dict[str, Any]], checks: list[dict[str, Any]], download: dict[str, Any] | None
) -> dict[str, Any]:
    how_far = progress(row["state"], files)
    how_far["step"] = row["step"] if row["state"] in ("indexing", "publishing") else None
    if download is not None:
        how_far |= downloading(download, row["seconds"] or 0.0)
    for file in files:
        for inner in LEDGER:
            del file[inner]
        file["seconds"] = _rounded(file["seconds"])
    return {
        **{name: row[name] for name in ("id", "kind", "dataset", "state", "mode", "attempt")},
        **{name: row[name] for name in ("created_at", "updated_at", "started_at", "finished_at")},
        "seconds": _rounded(row["seconds"]),
        "release": row["release"],
        "progress": how_far,
        "files": files,
        "checks": checks,
        "skipped": row["skipped"],
        "error": row["error"],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
