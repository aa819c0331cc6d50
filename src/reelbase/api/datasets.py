"""What is loaded: datasets with their tables and releases, and how one is taken back or away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from reelbase.api.movies import BASE
from reelbase.database.connect import Connection, DictConnection
from reelbase.errors import UnknownImport
from reelbase.imports import commands, read
from reelbase.serving.answers import Answer, plain
from reelbase.serving.desk import Desk
from reelbase.serving.problems import Problem, not_found
from reelbase.serving.query import Nothing, pairs, parse

Row = dict[str, Any]


async def list_datasets(request: Request) -> Answer:
    """GET /datasets."""
    parse(Nothing, pairs(request.scope["query_string"]))
    desk: Desk = request.app.state.desk
    return plain({"items": await desk.ask(request, _datasets)})


async def show_dataset(request: Request) -> Answer:
    """GET /datasets/{name}."""
    parse(Nothing, pairs(request.scope["query_string"]))
    name = known_dataset(request)
    desk: Desk = request.app.state.desk
    found = await desk.ask(request, _datasets)
    return plain(next(dataset for dataset in found if dataset["name"] == name))


async def list_releases(request: Request) -> Answer:
    """GET /datasets/{name}/releases."""
    parse(Nothing, pairs(request.scope["query_string"]))
    name = known_dataset(request)
    desk: Desk = request.app.state.desk
    return plain({"items": await desk.ask(request, lambda connection: read.releases(connection, name))})


async def roll_back(request: Request) -> Answer:
    """POST /datasets/{name}/rollback."""
    return await _queued(request, commands.create_rollback)


async def remove_dataset(request: Request) -> Answer:
    """DELETE /datasets/{name}."""
    return await _queued(request, commands.create_removal)


async def _queued(request: Request, create: Callable[[Connection, str], int]) -> Answer:
    parse(Nothing, pairs(request.scope["query_string"]))
    name = known_dataset(request)
    desk: Desk = request.app.state.desk
    try:
        import_id = await desk.change(lambda connection: create(connection, name))
    except UnknownImport as error:
        raise Problem(409, "conflict", error.detail, remedy=error.remedy) from error
    shown = await desk.ask(request, lambda connection: read.one_import(connection, import_id))
    return plain(shown, 202, {"location": f"{BASE}/imports/{import_id}", "retry-after": "1"})


def known_dataset(request: Request) -> str:
    """The dataset of the path; raises Problem (404)."""
    name: str = request.path_params["name"]
    known = [dataset.name for dataset in read.known_datasets()]
    if name not in known:
        raise not_found(f"There is no dataset {name[:80]!r}.", f"There are: {', '.join(known)}.")
    return name


def _datasets(connection: DictConnection) -> list[Row]:
    """Every known dataset, with what is loaded of it."""
    loaded = {found["name"]: found for found in read.datasets(connection)}
    return [_dataset(declared, loaded.get(declared.name)) for declared in read.known_datasets()]


def _dataset(declared: read.KnownDataset, loaded: Row | None) -> Row:
    tables = loaded["tables"] if loaded else []
    return {
        "name": declared.name,
        "title": declared.title,
        "credit": declared.credit,
        "licence": declared.licence,
        "homepage": declared.homepage,
        **{name: loaded[name] if loaded else None for name in ("release", "published_at", "previous_release")},
        "rows": sum(table["rows"] for table in tables),
        "bytes": sum(table["bytes"] for table in tables),
        "tables": [{**table, "path": f"{BASE}/datasets/{declared.name}/tables/{table['name']}"} for table in tables],
    }
