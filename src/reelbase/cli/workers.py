"""Workers: what runs imports, and who is there."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated
from uuid import uuid4

import typer

from reelbase.cli.context import JsonFlag, context, out, print_json
from reelbase.cli.tables import table
from reelbase.imports import read, tasks
from reelbase.imports.listening import listening
from reelbase.imports.resources import Resources


def worker(
    concurrency: Annotated[
        int, typer.Option(min=1, max=16, help="How many imports at a time, besides a small one.")
    ] = 1,
    until_input_ends: Annotated[bool, typer.Option(hidden=True, help="End with who has started it.")] = False,
) -> None:
    """Run imports as they come, until Ctrl-C."""
    here = context()
    if until_input_ends:
        threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    who = tasks.Worker(uuid4(), here.url, Resources.of(here.settings))
    with listening(here.url, here.settings.lease_seconds, who.id):
        try:
            tasks.work(who, concurrency=concurrency)
        finally:
            who.resources.stop()


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
    shown = table("host", "pid", "task", "chunks done", "since", "last seen", right=("pid", "chunks done"))
    for one in found:
        shown.add_row(
            one["host"], str(one["pid"]), one["task"], f"{one['chunks_done']:,}",
            f"{one['since']:%Y-%m-%d %H:%M:%S}", f"{one['seen_at']:%H:%M:%S}",
        )  # fmt: skip
    out().print(shown)
