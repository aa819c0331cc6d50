"""GET /datasets: what is loaded and what can be; one dataset with its tables and releases; rollback and removal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from reelbase.database.connect import Connection, DictConnection
from reelbase.errors import UnknownImport
from reelbase.imports import commands, read
from reelbase.serving.answers import Answer
from reelbase.serving.desk import Desk
from reelbase.serving.problems import Problem, not_found
from reelbase.web.console.published import PUBLISHED
from reelbase.web.pages import fresh, see_other

Row = dict[str, Any]


async def list_datasets(request: Request) -> Answer:
    """GET /datasets."""

    def ask(connection: DictConnection) -> Row:
        loaded = {found["name"]: found for found in read.datasets(connection)}
        shown = [_dataset(declared, loaded.get(declared.name)) for declared in read.known_datasets()]
        return {"datasets": shown, "published": PUBLISHED}

    return await fresh(request, "console/datasets.html", ask)


async def show_dataset(request: Request) -> Answer:
    """GET /datasets/{name}."""
    return await _page(request, known_dataset(request))


async def _page(request: Request, declared: read.KnownDataset, failure: Problem | None = None) -> Answer:
    def ask(connection: DictConnection) -> Row:
        return {
            "dataset": _found(connection, declared),
            "declared": declared,
            "releases": read.releases(connection, declared.name),
            "imports": read.imports(connection, dataset=declared.name, limit=5),
            "published": [one for one in PUBLISHED if one.dataset == declared.name],
            "failure": failure,
        }

    return await fresh(request, "console/dataset.html", ask, failure.status if failure else 200)


def _found(connection: DictConnection, declared: read.KnownDataset) -> Row:
    loaded = {found["name"]: found for found in read.datasets(connection)}
    return _dataset(declared, loaded.get(declared.name))


def _dataset(declared: read.KnownDataset, loaded: Row | None) -> Row:
    tables = loaded["tables"] if loaded else []
    return {
        "name": declared.name,
        "declared": declared,
        "is_loaded": loaded is not None and bool(tables),
        **{name: loaded[name] if loaded else None for name in ("release", "published_at", "previous_release")},
        "rows": sum(table["rows"] for table in tables),
        "bytes": sum(table["bytes"] for table in tables),
        "tables": tables,
    }


# Changes


async def ask_rollback(request: Request) -> Answer:
    """GET /datasets/{name}/rollback: the question."""
    return await _question(request, "rollback")


async def roll_back(request: Request) -> Answer:
    """POST /datasets/{name}/rollback."""
    return await _queued(request, commands.create_rollback)


async def ask_removal(request: Request) -> Answer:
    """GET /datasets/{name}/remove: the question."""
    return await _question(request, "remove")


async def remove_dataset(request: Request) -> Answer:
    """POST /datasets/{name}/remove."""
    return await _queued(request, commands.create_removal)


async def _question(request: Request, kind: str) -> Answer:
    declared = known_dataset(request)

    def ask(connection: DictConnection) -> Row:
        releases = read.releases(connection, declared.name)
        live = next((release for release in releases if release["live"]), None)
        previous = next((release for release in releases if release["previous"]), None)
        then = {table["name"]: table["rows"] for table in previous["tables"]} if previous else {}
        shown = {"live": live, "previous": previous, "then": then, "kind": kind}
        return {"dataset": _found(connection, declared), "declared": declared, **shown}

    return await fresh(request, "console/confirm.html", ask)


async def _queued(request: Request, create: Callable[[Connection, str], int]) -> Answer:
    """Ask for it and go to where it can be watched; where it cannot be done, the page says why."""
    declared = known_dataset(request)
    desk: Desk = request.app.state.desk
    try:
        import_id = await desk.change(lambda connection: create(connection, declared.name))
    except UnknownImport as error:
        problem = Problem(409, "conflict", error.detail, remedy=error.remedy or "Nothing has changed.")
        return await _page(request, declared, problem)
    return see_other(f"/imports/{import_id}")


def known_dataset(request: Request) -> read.KnownDataset:
    """The dataset of the path; raises Problem (404)."""
    name: str = request.path_params["name"]
    for dataset in read.known_datasets():
        if dataset.name == name:
            return dataset
    known = ", ".join(dataset.name for dataset in read.known_datasets())
    raise not_found(f"There is no dataset {name[:80]!r}.", f"There are: {known}.")
