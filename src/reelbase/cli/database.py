"""The server: the `db` commands and `doctor`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import psutil
import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reelbase import __version__
from reelbase.cli.context import Context, JsonFlag, context, out, print_json
from reelbase.cli.tables import table
from reelbase.database import binaries
from reelbase.database.connect import connect, place
from reelbase.database.embedded import EmbeddedServer
from reelbase.database.server import check_suitable, missing_extensions
from reelbase.errors import ReelbaseError, UsageError

app = typer.Typer(help="Start, stop and use the embedded PostgreSQL.", no_args_is_help=True)


@app.command()
def start() -> None:
    """Start the embedded server and bring its tables up to date."""
    here = context()
    _own_server_only(here, "start")
    began = here.server.started
    out().print("PostgreSQL is started." if began else "PostgreSQL runs already.")


@app.command()
def stop(
    if_alone: Annotated[bool, typer.Option("--if-alone", help="Only when nobody is connected.")] = False,
) -> None:
    """Stop the embedded server."""
    here = context()
    _own_server_only(here, "stop")
    server = EmbeddedServer(here.settings.home)
    stopped = server.stop(only_if_alone=if_alone)
    still = server.status().running
    left = "PostgreSQL goes on: somebody is connected." if still else "PostgreSQL was not running."
    out().print("PostgreSQL is stopped." if stopped else left)


@app.command()
def status(as_json: JsonFlag = False) -> None:
    """Tell whether the server runs, and where."""
    here = context()
    if here.settings.database_url is not None:
        with connect(here.settings.database_url) as connection:
            facts = {
                "running": True,
                "embedded": False,
                "place": place(here.settings.database_url),
                "version": connection.info.parameter_status("server_version"),
            }
    else:
        found = EmbeddedServer(here.settings.home).status()
        facts = {
            "running": found.running,
            "embedded": True,
            "pid": found.pid,
            "version": found.version,
            "data": str(found.data),
            "socket": str(found.socket) if found.socket else None,
        }
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        out().print(f"{name}: {value}", highlight=False, soft_wrap=True)


@app.command()
def url() -> None:
    """Print the owner's URL, for psql, psycopg and everything else; the server is started if it is down."""
    typer.echo(context().url)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(arguments: typer.Context) -> None:
    """Open psql on the database; further arguments are psql's own."""
    here = context()
    program = Path(binaries.find().program("psql"))
    command = str(program) if program.exists() else shutil.which("psql")
    if command is None:
        raise UsageError("There is no psql on this machine.")
    parts = conninfo_to_dict(here.url)
    # Everybody on the machine can read a command's arguments, its environment only its owner.
    environment = os.environ | ({"PGPASSWORD": str(parts.pop("password"))} if "password" in parts else {})
    # psql takes over this process.
    os.execve(command, [command, make_conninfo("", **parts), *arguments.args], environment)  # noqa: S606


def doctor(as_json: JsonFlag = False) -> None:
    """Check the machine, the settings and the server, and tell what to do."""
    here = context()
    findings = _machine(here) + _server(here)
    if as_json:
        print_json({"items": [{"name": name, "ok": ok, "detail": detail} for name, ok, detail in findings]})
    else:
        shown = table("", "what", "finding")
        for name, ok, detail in findings:
            shown.add_row("✓" if ok else "✗", name, detail)
        out().print(shown)
    if not all(ok for _, ok, _ in findings):
        raise typer.Exit(1)


Finding = tuple[str, bool, str]


def _machine(here: Context) -> list[Finding]:
    settings = here.settings
    existing = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    return [
        ("reelbase", True, __version__),
        ("home", True, str(settings.home)),
        ("free disk", free > 2 << 30, f"{free / 1e9:.1f} GB (MovieLens 32M takes about 6, all of IMDb about 60)"),
        ("memory", True, f"{psutil.virtual_memory().total / 1e9:.1f} GB"),
        ("import connections", True, str(settings.import_connections)),
    ]


def _server(here: Context) -> list[Finding]:
    kind = "embedded" if here.settings.database_url is None else place(here.settings.database_url)
    try:
        address = here.url if here.settings.database_url is None else here.settings.database_url
        with connect(address) as connection:
            check_suitable(connection)
            version = connection.info.parameter_status("server_version")
            vector = connection.execute(
                "select exists (select from pg_available_extensions where name = 'vector')"
            ).fetchone()
            missing = missing_extensions(connection)
    except (ReelbaseError, psycopg.Error) as error:
        return [("server", False, str(error))]
    return [
        ("server", True, f"PostgreSQL {version}, {kind}"),
        (
            "extensions",
            not missing,
            "pg_trgm and unaccent are there" if not missing else f"missing: {', '.join(missing)}",
        ),
        ("pgvector", True, "there" if vector and vector[0] else "not there; similar movies are worked out without it"),
    ]


def _own_server_only(here: Context, verb: str) -> None:
    if here.settings.database_url is not None:
        raise UsageError(
            f"REELBASE_DATABASE_URL is set: Reelbase does not {verb} a server of your own.",
            "Unset it for the embedded one.",
        )
