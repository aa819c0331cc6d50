"""What every command needs: the settings, the server, and how answers are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from reelbase.database.connect import Connection, DictConnection, connect, connect_dicts, translated
from reelbase.database.server import Opened, open_server
from reelbase.imports import lease
from reelbase.settings import Settings, read_settings

_PIPE_WIDTH = 240

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]


@dataclass(slots=True)
class Context:
    """The settings, and the server once somebody needs it."""

    settings: Settings
    _opened: Opened | None = None

    @property
    def server(self) -> Opened:
        """The server, started and brought up to date at the first use."""
        if self._opened is None:
            with translated():
                self._opened = open_server(self.settings)
        return self._opened

    @property
    def url(self) -> str:
        return self.server.url

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection; imports that have lost their worker are reaped first."""
        with translated(), connect(self.url) as connection:
            lease.reap(connection, self.settings.lease_seconds)
            yield connection

    @contextmanager
    def dicts(self) -> Iterator[DictConnection]:
        """A connection with rows as dicts, for reading."""
        with self.connection(), translated(), connect_dicts(self.url) as connection:
            yield connection


def context() -> Context:
    """The context of this command."""
    return Context(read_settings())


def print_json(value: object) -> None:
    """One JSON value on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def out() -> Console:
    """Where answers go. What goes into a pipe is not cut to the width of a screen."""
    console = _console()
    return console if console.is_terminal else _console(width=_PIPE_WIDTH)


def err() -> Console:
    """Where progress and complaints go."""
    return _console(stderr=True)


def _console(**options: Any) -> Console:
    """A console that prints text as it is: names of files may hold what Rich would take for markup or an emoji."""
    return Console(markup=False, emoji=False, **options)
