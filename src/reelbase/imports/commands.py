"""What people can do with imports: ask for one, cancel it, retry it, bring a release back, take a dataset away."""

from __future__ import annotations

from contextlib import nullcontext

from reelbase.database.connect import Connection
from reelbase.errors import BadParameter, UnknownImport, WrongState
from reelbase.imports import lease, store, tasks
from reelbase.imports.limits import reject_limit
from reelbase.imports.sources import ImportRequest, SourceRules
from reelbase.imports.wanted import ALL, Wanted, finder, wanted
from reelbase.loading.staging import schema_name
from reelbase.publishing import prune
from reelbase.publishing.release import pointer, tables


def request_import(connection: Connection, request: ImportRequest, rules: SourceRules, chunk_bytes: int) -> int:
    """Write an import down and queue it; returns its number.

    Raises a UsageError or SourceError for whatever can be known at once: nothing is written then.
    """
    if request.dataset == ALL:
        raise BadParameter("dataset", "One import is of one dataset.", "Ask for one import of each.")
    [one] = wanted(request, rules, finder(lambda: nullcontext(connection)))
    return create_import(connection, request, one, chunk_bytes)


def create_import(connection: Connection, request: ImportRequest, one: Wanted, chunk_bytes: int) -> int:
    """Write down what was wanted and queue it, in one transaction; returns the import's number."""
    with connection.transaction():
        import_id = store.create(
            connection,
            dataset=one.dataset,
            mode=request.mode,
            max_rejects=request.max_rejects,
            chunk_bytes=chunk_bytes,
            words=request.sources,
        )
        store.add_sources(connection, import_id, one.sources)
        if one.survey is not None:
            store.add_files(connection, import_id, one.survey)
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
            raise WrongState(
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
        raise WrongState(f"Import {import_id} is {found.state}; there is nothing to cancel.")
    connection.execute(store.SQL["ask_cancel"], {"import_id": import_id})
    with connection.transaction():
        if connection.execute(store.SQL["cancel_idle"], {"import_id": import_id}).fetchone():
            prune.drop_staging(connection, import_id, schema_name(found.dataset, import_id))


def confirm(connection: Connection, import_id: int) -> None:
    """Publish what was held; raises WrongState for what is not."""
    found = store.job(connection, import_id)
    raise WrongState(f"Import {import_id} is {found.state}.", "Only an import that is held can be confirmed.")
