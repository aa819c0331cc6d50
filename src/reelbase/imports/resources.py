"""What a run may take from the machine, and the word to stop."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from reelbase.errors import DiskFull
from reelbase.imports.sources import SourceRules
from reelbase.settings import Settings

# PostgreSQL survives a table that cannot grow, but goes down when its log cannot: an import stops while there is still
# room for some segments of it (16 MiB each), and for what is in flight.
_DISK_RESERVE = 96 << 20
# Beside a large import a small one has one connection, or two where there are many.
_MANY_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Web:
    """Downloads: where they go (None: nowhere), from where they may come, how large one may be, how long it is kept."""

    folder: Path | None = None
    rules: SourceRules = field(default_factory=SourceRules)
    max_bytes: int = 100 << 30
    keep_days: float = 1.0


@dataclass(slots=True)
class Resources:
    """Connections, lease and disk of a run. `disk` is the embedded server's folder, None for another server."""

    connections: int
    lease_seconds: float
    staging_days: float
    disk: Path | None
    web: Web = field(default_factory=Web)
    stopped: threading.Event = field(default_factory=threading.Event)
    _listeners: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def of(cls, settings: Settings) -> Resources:
        """What the settings allow."""
        return cls(
            connections=settings.import_connections,
            lease_seconds=settings.lease_seconds,
            staging_days=settings.staging_days,
            disk=settings.home if settings.database_url is None else None,
            web=Web(
                folder=settings.store_url / "downloads",
                rules=SourceRules.of(settings, is_local=False),
                max_bytes=settings.download_max_bytes,
                keep_days=settings.download_days,
            ),
        )

    def beside_others(self) -> Resources:
        """The same for a small import beside a large one, which has the connections; one word stops both."""
        return replace(self, connections=2 if self.connections >= _MANY_CONNECTIONS else 1)

    def stop(self) -> None:
        """Ask whatever runs to end as interrupted."""
        self.stopped.set()
        for listener in list(self._listeners):
            listener()

    @contextmanager
    def on_stop(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call `listener` when the run is asked to end, also when it was asked before."""
        self._listeners.append(listener)
        try:
            if self.stopped.is_set():
                listener()
            yield
        finally:
            self._listeners.remove(listener)

    def check_disk(self, needed: int) -> None:
        """Raise DiskFull while there is still room for the server's log."""
        if self.disk is None:
            return
        free = shutil.disk_usage(self.disk).free
        if free < _DISK_RESERVE + needed:
            raise DiskFull(
                f"The disk of {self.disk} is nearly full ({free >> 20} MiB free).",
                "Make room (`reelbase prune` drops what is no longer needed) and import again.",
            )
