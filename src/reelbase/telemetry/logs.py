"""Structured logs on stderr: one event a line, readable on a terminal, JSON elsewhere. stdout is for answers."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str, form: str | None, *, terminal: bool | None = None) -> None:
    """Set logging up for this process: once, by whoever owns it (the command line, later the API)."""
    terminal = sys.stderr.isatty() if terminal is None else terminal
    console = form == "console" or (form is None and terminal)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=terminal) if console else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The queue tells of every look it takes, the driver of every rollback on a lost connection; what matters of it
    # our own events say.
    logging.getLogger("procrastinate").setLevel("WARNING" if level != "DEBUG" else "DEBUG")
    logging.getLogger("psycopg").setLevel("ERROR" if level != "DEBUG" else "DEBUG")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
