"""`serve`: the API and what runs imports, until Ctrl-C.

What does it is imported only when it is asked for: no other command should wait for it (0.14 s).
"""

from __future__ import annotations

from typing import Annotated

import typer

from reelbase.cli.context import context


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; see REELBASE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many processes run imports.")] = 1,
    no_workers: Annotated[bool, typer.Option("--no-workers", help="Run no imports here.")] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen off loopback, where anybody may change everything.")
    ] = False,
) -> None:
    """Serve the API, and run imports, until Ctrl-C."""
    from reelbase.cli import serving

    serving.serve(context(), host, port, 0 if no_workers else workers, insecure=insecure)
