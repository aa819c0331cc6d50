"""What people can do with imports: ask for one, cancel it, retry it, bring a release back, take a dataset away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reelbase.database.connect import Connection
from reelbase.datasets import DATASETS
from reelbase.errors import MixedDatasets, UnknownImport, UsageError
from reelbase.imports import lease, store, tasks
from reelbase.imports.limits import reject_limit
from reelbase.loading.staging import schema_name
from reelbase.publishing import prune
from reelbase.publishing.release import pointer, tables
from reelbase.reading.survey import Survey, survey
from reelbase.receiving.paths import given

ALL = "all"


def look(words: Sequence[str], dataset: str | None = None) -> list[tuple[str, Survey]]:
    """What was given, as one survey for each dataset to import; nothing is changed.

    Raises MixedDatasets when files of several datasets come without a word which one is meant.
    """
    found = survey(given(words), DATASETS)
    names = list(dict.fromkeys(file.table.dataset for file in found.files))
    if dataset not in (None, ALL):
        store.dataset_of(str(dataset))
        names = [name for name in names if name == dataset]
        if not names:
            raise UsageError(f"There is no file of {dataset} among what was given.")
    elif dataset is None and len(names) > 1:
        raise MixedDatasets(
            f"The files are of several datasets: {', '.join(names)}.",
            f"Choose one (--dataset {names[0]}), or import each by itself (--dataset all).",
        )
    return [(name, _of_dataset(found, name, passed_over=dataset != ALL)) for name in names]


def _of_dataset(found: Survey, dataset: str, *, passed_over: bool) -> Survey:
    """The files of one dataset; those of others are passed over, unless they get an import of their own."""
    files = tuple(file for file in found.files if file.table.dataset == dataset)
    others = tuple(file.name for file in found.files if file.table.dataset != dataset) if passed_over else ()
    return replace(found, files=files, skipped=(*found.skipped, *others))


def create_import(
    connection: Connection,
    dataset: str,
    found: Survey,
    *,
    mode: str,
    max_rejects: str,
    chunk_bytes: int,
    sources: Sequence[str],
) -> int:
    """Write an import down and queue it, in one transaction; returns its number."""
    reject_limit(max_rejects)
    with connection.transaction():
        import_id = store.create(
            connection,
            dataset=dataset,
            mode=mode,
            max_rejects=max_rejects,
            chunk_bytes=chunk_bytes,
            sources=list(sources),
            survey=found,
        )
        tasks.defer(connection, import_id)
    return import_id


def create_rollback(connection: Connection, dataset: str) -> int:
    """Ask for the release before the live one; returns the import's number."""
    store.dataset_of(dataset)
    if pointer(connection, dataset).previous is None:
        raise UnknownImport(f"There is no earlier release of {dataset} to go back to.")
    return _create_plain(connection, dataset, "rollback")


def create_removal(connection: Connection, dataset: str) -> int:
    """Ask for a dataset to be taken away from readers; returns the import's number."""
    store.dataset_of(dataset)
    if not tables(connection, pointer(connection, dataset).live):
        raise UnknownImport(f"There is no {dataset} in the database.")
    return _create_plain(connection, dataset, "remove")


def _create_plain(connection: Connection, dataset: str, kind: str) -> int:
    with connection.transaction():
        import_id = store.create(connection, dataset=dataset, kind=kind, chunk_bytes=1)
        tasks.defer(connection, import_id)
    return import_id


def retry(connection: Connection, import_id: int, lease_seconds: float, max_rejects: str | None = None) -> None:
    """Queue a failed import again: the same number, the next attempt, going on from the ledger.

    One that is queued and waits for a worker stays as it is.
    """
    if max_rejects is not None:
        reject_limit(max_rejects)
    lease.reap(connection, lease_seconds, import_id)
    with connection.transaction():
        found = store.job(connection, import_id)
        if found.state == "queued":
            return
        row = connection.execute(store.SQL["retry"], {"import_id": import_id, "max_rejects": max_rejects}).fetchone()
        if row is None:
            raise UsageError(
                f"Import {import_id} is {found.state}.",
                "Only a failed import can be retried."
                if found.state in ("completed", "cancelled")
                else f"`reelbase imports show {import_id}` tells how far it is.",
            )
        if found.has_staging:
            connection.execute(store.SQL["retry_chunks"], {"import_id": import_id})
        else:
            store.forget_progress(connection, import_id)
        tasks.defer(connection, import_id)


def cancel(connection: Connection, import_id: int, lease_seconds: float) -> None:
    """Stop an import for good and drop what it has loaded; one that runs notices within a second."""
    lease.reap(connection, lease_seconds, import_id)
    found = store.job(connection, import_id)
    if found.state in ("completed", "cancelled"):
        raise UsageError(f"Import {import_id} is {found.state}; there is nothing to cancel.")
    connection.execute(store.SQL["ask_cancel"], {"import_id": import_id})
    with connection.transaction():
        if connection.execute(store.SQL["cancel_idle"], {"import_id": import_id}).fetchone():
            prune.drop_staging(connection, import_id, schema_name(found.dataset, import_id))
