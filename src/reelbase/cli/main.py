"""The command line: its commands, and how errors end."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from reelbase import __version__
from reelbase.cli import database, datasets, imports, movies, sample, serve, workers
from reelbase.errors import ReelbaseError
from reelbase.settings import read_settings
from reelbase.telemetry import logs

app = typer.Typer(
    name="reelbase",
    help="The public movie datasets in one PostgreSQL database.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(database.app, name="db")
app.add_typer(imports.app, name="imports")
app.add_typer(movies.app, name="movies")
app.add_typer(movies.exports, name="export")
app.command("serve")(serve.serve)
app.command("import")(imports.import_)
app.command("worker")(workers.worker)
app.command("workers")(workers.workers)
app.command("doctor")(database.doctor)
app.command("datasets")(datasets.datasets)
app.command("rollback")(datasets.rollback)
app.command("remove")(datasets.remove)
app.command("prune")(datasets.prune)
app.command("sample")(sample.sample)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"reelbase {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log everything, and show tracebacks.")] = False,
    version: Annotated[  # noqa: ARG001  # its callback has answered
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """The public movie datasets in one PostgreSQL database."""
    context.obj = debug
    settings = read_settings()
    # A command speaks for itself, so its log begins with warnings; a worker or a server has nothing but its log.
    usual = "INFO" if context.invoked_subcommand in ("serve", "worker") else "WARNING"
    level = "DEBUG" if debug else "INFO" if verbose else settings.log_level or usual
    logs.configure(level, settings.log_format)


def main() -> None:
    """Run a command; an error is one sentence on stderr, a traceback only with --debug."""
    try:
        app()
    except ReelbaseError as error:
        if "--debug" in sys.argv:
            raise
        _end(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read us has enough; writing the rest of the buffer would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _end(sentence: str, code: int) -> None:
    sys.stderr.write(f"reelbase: {sentence}\n")
    sys.exit(code)
