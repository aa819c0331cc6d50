"""Imports: `import`, the `imports` commands, and workers."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from reelbase.cli.context import Context, JsonFlag, context, err, out, print_json
from reelbase.cli.follow import follow, result, settle, watch_until_final
from reelbase.cli.tables import table
from reelbase.errors import ReelbaseError, UsageError
from reelbase.imports import commands, read, tasks
from reelbase.imports import rejects as bad
from reelbase.imports.listening import listening
from reelbase.imports.resources import Resources
from reelbase.imports.sources import ImportRequest, SourceRules
from reelbase.imports.wanted import finder, wanted
from reelbase.loading.rejects import Reason

app = typer.Typer(help="Look at imports, cancel, retry, get rejects.", invoke_without_command=True)

ImportId = Annotated[int, typer.Argument(metavar="ID", help="The import's number.")]
OfDataset = Annotated[str | None, typer.Option("--dataset", help="Of one dataset only.")]
InState = Annotated[str | None, typer.Option("--state", help="In one state only.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Queue it and return.")]


def import_(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Files, folders, .gz, .zip, .tar.gz, URLs, imdb, movielens/32m."),
    ],
    dataset: Annotated[str | None, typer.Option(help="Which dataset, or all, where there are several.")] = None,
    mode: Annotated[str, typer.Option(help="replace the tables given, or merge into them by key.")] = "replace",
    max_rejects: Annotated[str, typer.Option(help="How many bad records a file may have: 100, or 1%.")] = "1%",
    no_wait: NoWait = False,
    server: Annotated[str | None, typer.Option(help="A Reelbase server to send the files to.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring files into the database: checked, indexed, published at once."""
    if server is not None:
        raise UsageError("This version cannot send files to a server yet.", "Run the import on the server itself.")
    here = context()
    request = ImportRequest(tuple(sources), dataset, mode, max_rejects)
    try:
        # What is wrong is said before a server is started.
        asked = wanted(request, SourceRules.of(here.settings, is_local=True), finder(here.connection))
        with here.connection() as connection:
            size = here.settings.chunk_bytes
            ids = [commands.create_import(connection, request, one, size) for one in asked]
    except ReelbaseError as error:
        if as_json and not isinstance(error, UsageError):
            print_json(_nothing(None, dataset, error))
        raise
    _finish(here, ids, no_wait=no_wait, as_json=as_json)


def _nothing(import_id: int | None, dataset: str | None, error: ReelbaseError) -> dict[str, Any]:
    """The object for files that never became an import, or an import that cannot be asked after."""
    return {
        "id": import_id,
        "dataset": dataset,
        "state": "failed",
        "release": None,
        "seconds": None,
        "skipped": [],
        "error": {"code": error.code, "detail": str(error)},
        "files": [],
        "checks": [],
    }


def _finish(here: Context, ids: list[int], *, no_wait: bool, as_json: bool) -> None:
    """See imports to their ends, or say that they are queued."""
    ended = []
    for import_id in ids:
        try:
            found = _queued(here, import_id) if no_wait else follow(here, import_id)
        except ReelbaseError as error:
            if as_json:
                print_json(_nothing(import_id, None, error))
            raise
        ended.append(found)
        if as_json:
            print_json(found)
        elif no_wait:
            out().print(f"Import {import_id} is queued. `reelbase imports show {import_id}` tells how far it is.")
        else:
            _summary(found)
            _tell_end(found)
    for found in ended if not no_wait else ():
        settle(found)


def _queued(here: Context, import_id: int) -> dict[str, Any]:
    with here.dicts() as connection:
        return result(read.one_import(connection, import_id))


def _summary(found: dict[str, Any]) -> None:
    numbers = ("rows_read", "rows_loaded", "rows_rejected")
    files = table("file", "read", "loaded", "rejected", "seconds", right=("read", "loaded", "rejected", "seconds"))
    for file in found["files"]:
        files.add_row(Path(file["name"]).name, *(f"{file[name]:,}" for name in numbers), _seconds(file["seconds"]))
    if found["files"]:
        out().print(files)
    for check in found["checks"]:
        out().print(f"{check['name']}: {check['detail']}", highlight=False, soft_wrap=True)
    if found["skipped"]:
        names = ", ".join(found["skipped"])
        out().print(f"skipped, of no known kind or another dataset: {names}", highlight=False, soft_wrap=True)
    if any(file["rows_rejected"] for file in found["files"]):
        out().print(f"`reelbase imports rejects {found['id']}` shows the rejects.", highlight=False)


def _tell_end(found: dict[str, Any]) -> None:
    if found["state"] == "completed":
        out().print(
            f"Import {found['id']} completed in {_seconds(found['seconds'])} s; {found['dataset']} is live.",
            highlight=False,
        )


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"


@app.callback()
def default(
    arguments: typer.Context,
    dataset: OfDataset = None,
    state: InState = None,
    limit: Limit = 20,
    as_json: JsonFlag = False,
) -> None:
    """Look at imports, cancel, retry, get rejects."""
    if arguments.invoked_subcommand is None:
        list_(dataset, state, limit, as_json=as_json)


@app.command("list")
def list_(
    dataset: OfDataset = None,
    state: InState = None,
    limit: Limit = 20,
    as_json: JsonFlag = False,
) -> None:
    """List imports, newest first."""
    here = context()
    with here.dicts() as connection:
        found = read.imports(connection, dataset=dataset, state=state, limit=limit)
    if as_json:
        print_json({"items": found})
        return
    shown = table(
        "id",
        "dataset",
        "state",
        "loaded",
        "rejected",
        "seconds",
        "created",
        right=("id", "loaded", "rejected", "seconds"),
    )
    for one in found:
        progress = one["progress"]
        shown.add_row(
            str(one["id"]), _what(one), _state(one), f"{progress['rows_loaded']:,}", f"{progress['rows_rejected']:,}",
            _seconds(one["seconds"]), f"{one['created_at']:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    out().print(shown)


def _what(one: dict[str, Any]) -> str:
    dataset = one["dataset"] or "-"
    return str(dataset) if one["kind"] == "import" else f"{dataset} ({one['kind']})"


def _state(one: dict[str, Any]) -> str:
    return f"{one['state']} ({one['error']['code']})" if one["error"] else str(one["state"])


@app.command()
def show(import_id: ImportId, as_json: JsonFlag = False) -> None:
    """Show one import: its state, files, checks."""
    here = context()
    with here.dicts() as connection:
        found = read.one_import(connection, import_id)
    if as_json:
        print_json(found)
        return
    out().print(
        f"Import {found['id']} ({found['kind']} of {found['dataset'] or 'files not yet known'}, {found['mode']}): "
        f"{found['state']}, attempt {found['attempt']}, {_seconds(found['seconds'])} s",
        highlight=False,
    )
    _summary(found)
    if found["error"]:
        out().print(f"{found['error']['code']}: {found['error']['detail']}", highlight=False, soft_wrap=True)


@app.command()
def cancel(import_id: ImportId, as_json: JsonFlag = False) -> None:
    """Stop an import for good and drop what it has loaded."""
    here = context()
    with here.connection() as connection:
        commands.cancel(connection, import_id, here.settings.lease_seconds)
    found = watch_until_final(here, import_id)
    if as_json:
        print_json(result(found))
    else:
        out().print(f"Import {import_id} is {found['state']}.", highlight=False)


@app.command()
def retry(
    import_id: ImportId,
    max_rejects: Annotated[str | None, typer.Option(help="Another limit than the import was asked for with.")] = None,
    no_wait: NoWait = False,
    as_json: JsonFlag = False,
) -> None:
    """Go on with a failed import: what is loaded stays, the rest is loaded now."""
    here = context()
    with here.connection() as connection:
        commands.retry(connection, import_id, here.settings.lease_seconds, max_rejects)
    _finish(here, [import_id], no_wait=no_wait, as_json=as_json)


@app.command()
def confirm(import_id: ImportId) -> None:
    """Publish a refresh that was held because it changes much."""
    here = context()
    with here.connection() as connection:
        commands.confirm(connection, import_id)


@app.command()
def rejects(
    import_id: ImportId,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, or with --raw a folder.")] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Header and records byte for byte, to be mended and merged.")
    ] = False,
    with_duplicates: Annotated[
        bool, typer.Option("--with-duplicates", help="With --raw also records whose key came again later.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the bad records of an import as CSV, or raw."""
    here = context()
    with here.connection() as connection:
        bad.check_known(connection, import_id)
        if raw:
            _write_raw(connection, import_id, output, with_duplicates=with_duplicates)
        else:
            with closing(bad.rejects(connection, import_id)) as rows:  # type: ignore[type-var]  # it is a generator
                _write_csv(rows, output, as_json=as_json)


def _write_csv(rows: Iterator[tuple[Any, ...]], output: Path | None, *, as_json: bool) -> None:
    if as_json:
        items = [dict(zip(bad.HEADER, (*row[:5], bad.as_text(row[5])), strict=True)) for row in rows]
        print_json({"items": items})
        return
    with _opened(output) as file:
        file.writelines(bad.as_csv(rows))


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    try:
        with output.open("wb") if output else _binary_stdout() as file:
            yield file
    except BrokenPipeError:
        raise  # whoever reads us has enough
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from error


def _write_raw(connection: Any, import_id: int, output: Path | None, *, with_duplicates: bool) -> None:
    left_out: frozenset[str] = frozenset() if with_duplicates else frozenset({Reason.DUPLICATE_KEY.value})
    found = bad.raw_rejects(connection, import_id, left_out)
    if len(found) > 1 and (output is None or not output.is_dir()):
        names = ", ".join(Path(one.name).name for one in found)
        raise UsageError(f"The rejects are of several files ({names}).", "Give a folder for them: -o FOLDER.")
    for one in found:
        target = output / Path(one.name).name.removesuffix(".gz") if output and output.is_dir() else output
        with _opened(target) as file, closing(one.lines()) as lines:  # type: ignore[type-var]
            file.writelines(lines)
    _tell_left_out(connection, import_id, with_duplicates=with_duplicates)


def _tell_left_out(connection: Any, import_id: int, *, with_duplicates: bool) -> None:
    count = bad.count(connection, import_id, reason=Reason.DUPLICATE_KEY.value)
    if count and not with_duplicates:
        err().print(
            f"{count} records whose key comes again later are left out: merged, they would replace the later ones. "
            "--with-duplicates includes them.",
            highlight=False,
            soft_wrap=True,
        )


@contextmanager
def _binary_stdout() -> Iterator[Any]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=16, help="How many imports at a time.")] = 1,
    until_input_ends: Annotated[bool, typer.Option(hidden=True, help="End with who has started it.")] = False,
) -> None:
    """Run imports as they come, until Ctrl-C."""
    here = context()
    if until_input_ends:
        threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    resources = Resources.of(here.settings)
    with listening(here.url, here.settings.lease_seconds):
        try:
            tasks.work(here.url, resources, concurrency=concurrency)
        finally:
            resources.stop()


def _end_with_input() -> None:
    """However its parent ends, also by kill -9: then nobody holds the other end of standard input any more."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def workers(as_json: JsonFlag = False) -> None:
    """List the workers that are alive and what they do."""
    here = context()
    with here.dicts() as connection:
        found = read.workers(connection, here.settings.lease_seconds)
    if as_json:
        print_json({"items": found})
        return
    shown = table("host", "pid", "import", "chunks done", "since", "last seen")
    for one in found:
        shown.add_row(
            one["host"], str(one["pid"]), str(one["import_id"] or "-"), str(one["chunks_done"]),
            f"{one['since']:%Y-%m-%d %H:%M:%S}", f"{one['seen_at']:%H:%M:%S}",
        )  # fmt: skip
    out().print(shown)
