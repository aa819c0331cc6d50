"""The workers of `serve`: processes that run imports, started again when they die, ended in order with it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

_GRACE_SECONDS = 20.0
_LOOK_SECONDS = 0.2
# The first death is mended at once, a worker that cannot live is tried again ever less often.
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_HEALTHY_SECONDS = 60.0

_log = structlog.get_logger("reelbase.workers")


@contextmanager
def crew(count: int) -> Iterator[None]:
    """So many workers; in the end they put what they are at back into the queue, for the next ones to go on with."""
    over = threading.Event()
    places = [_Place(number) for number in range(1, count + 1)]
    watching = threading.Thread(target=_watch, args=(places, over), name="workers", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        for place in places:
            place.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for place in places:
            place.end(deadline)


def _watch(places: list[_Place], over: threading.Event) -> None:
    while not over.is_set():
        for place in places:
            place.look()
        over.wait(_LOOK_SECONDS)


class _Place:
    """One worker, and the next one when it dies."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._pause = _FIRST_PAUSE_SECONDS
        self._started_at = 0.0
        self._again_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def look(self) -> None:
        """Note a death, and start the next worker when it is time."""
        if self._process is not None and self._process.poll() is not None:
            self._note_death(self._process)
        if self._process is None and time.monotonic() >= self._again_at:
            self._start()

    def terminate(self) -> None:
        """Ask the worker to end."""
        if self._process is not None:
            self._process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for its end until the deadline, and no longer."""
        if self._process is None:
            return
        try:
            self._process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close(self._process)

    def _start(self) -> None:
        # A session of its own: Ctrl-C reaches `serve` alone, which then ends its workers in order. Should it be killed
        # instead, their standard input ends, and they with it.
        command = [sys.executable, "-m", "reelbase", "worker", "--until-input-ends"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        self._started_at = time.monotonic()

    def _note_death(self, process: subprocess.Popen[bytes]) -> None:
        lived = time.monotonic() - self._started_at
        if lived >= _HEALTHY_SECONDS:
            self._pause = _FIRST_PAUSE_SECONDS
        _log.warning(
            "worker died", worker=self._number, pid=process.pid, code=process.returncode, next_in_seconds=self._pause
        )
        self._again_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        self._close(process)
        self._process = None

    @staticmethod
    def _close(process: subprocess.Popen[bytes]) -> None:
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
