"""How long a stage takes, logged around it instead of inside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog


@contextmanager
def timed(stage: str, **facts: Any) -> Iterator[None]:
    """Log a stage that ended well, with its seconds; what an error ends is logged where it is handled."""
    began = time.monotonic()
    yield
    structlog.get_logger("reelbase.imports").info(
        "stage done", stage=stage, seconds=round(time.monotonic() - began, 2), **facts
    )
