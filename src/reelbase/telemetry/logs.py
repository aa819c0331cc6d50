"""Structured logs on stderr: one event a line, readable on a terminal, JSON elsewhere. stdout is for answers."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog


def configure(level: str, form: str | None, *, terminal: bool | None = None) -> None:
    """Set logging up for this process: once, by whoever owns it (the command line, later the API)."""
    terminal = sys.stderr.isatty() if terminal is None else terminal
    console = form == "console" or (form is None and terminal)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    _configure_others(level, shared, _renderer(console=console, terminal=terminal))
    # Ours do not pass through the standard library: that costs each line 25 µs more.
    factory = structlog.WriteLoggerFactory(sys.stderr) if console else structlog.BytesLoggerFactory(sys.stderr.buffer)
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            _renderer(console=True, terminal=terminal),
        ]
        if console
        else [_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )


def _renderer(*, console: bool, terminal: bool) -> structlog.typing.Processor:
    return structlog.dev.ConsoleRenderer(colors=terminal) if console else structlog.processors.JSONRenderer()


def _line(logger: Any, method: str, event: structlog.typing.EventDict) -> bytes:
    """JSON, with level, time and traceback as the processors above write them, in half their time."""
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, method, event)
    event["level"] = _LEVELS.get(method, method)
    event["timestamp"] = datetime.now(UTC)
    try:
        return orjson.dumps(event, repr, orjson.OPT_UTC_Z)
    except TypeError:  # halves of surrogate pairs, numbers of more than 64 bits
        return json.dumps({**event, "timestamp": event["timestamp"].isoformat()}, default=repr).encode()


_LEVELS = {"warn": "warning", "exception": "error"}


def _configure_others(
    level: str, shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor
) -> None:
    """What libraries write through the standard library's logging, in the same form."""
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
    # The queue tells of every look it takes, the driver of every rollback on a lost connection, the parser of forms of
    # every one that is broken; what matters of it our own events say.
    logging.getLogger("procrastinate").setLevel("WARNING" if level != "DEBUG" else "DEBUG")
    logging.getLogger("psycopg").setLevel("ERROR" if level != "DEBUG" else "DEBUG")
    logging.getLogger("python_multipart").setLevel("ERROR")
