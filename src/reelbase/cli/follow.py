"""Running or watching an import to its end, with progress on stderr."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from reelbase.cli.context import Context, err
from reelbase.database.connect import connect, connect_dicts, translated
from reelbase.errors import (
    ConnectionLost,
    DiskFull,
    Fenced,
    ImportFailure,
    Interrupted,
    ReelbaseError,
    ServerUnavailable,
)
from reelbase.imports import lease, queue, read
from reelbase.imports.listening import somebody_listens
from reelbase.imports.resources import Resources
from reelbase.imports.run import run_import

FINAL = ("completed", "failed", "cancelled", "held")
_TERMINAL_SECONDS = 0.2
_LINE_SECONDS = 5.0
# An import whose worker is lost is queued again; `serve` has another worker within about two seconds.
_ORPHAN_SECONDS = 6.0


def follow(here: Context, import_id: int) -> dict[str, Any]:
    """See an import to its end, with a running worker or by ourselves; returns it as CONTRACT.md's object."""
    with translated():
        return result(_follow(here, import_id))


def result(found: dict[str, Any]) -> dict[str, Any]:
    """What `import --json` prints of an import."""
    files = ("name", "table", "bytes", "rows_read", "rows_loaded", "rows_rejected", "seconds")
    return {
        **{name: found[name] for name in ("id", "dataset", "state", "release", "seconds", "skipped", "error")},
        "files": [{name: file[name] for name in files} for file in found["files"]],
        "checks": found["checks"],
    }


def settle(found: dict[str, Any]) -> None:
    """Raise what became of an import that did not complete, or not by us."""
    if found["state"] in ("completed", "held") and not found["error"]:
        return
    error = found["error"] or {"code": found["state"], "detail": f"Import {found['id']} is {found['state']}."}
    kind = Interrupted if error["code"] == Interrupted.code else ImportFailure
    raise kind(f"Import {found['id']} {found['state']}: {error['detail']}")


def _follow(here: Context, import_id: int) -> dict[str, Any]:
    if not _is_taken_by_a_worker(here, import_id):
        return _run(here, import_id)
    found = _watch(here, import_id, until_orphaned=True)
    return found if found["state"] in FINAL else _run(here, import_id)


def _is_taken_by_a_worker(here: Context, import_id: int) -> bool:
    """Wait a moment for a worker to take it, where there is one."""
    with connect(here.url) as connection:
        patience = time.monotonic() + here.settings.lease_seconds
        while somebody_listens(connection, here.settings.lease_seconds) and time.monotonic() < patience:
            row = connection.execute("select state from reelbase.imports where id = %s", (import_id,)).fetchone()
            if row and row[0] != "queued":
                return True
            time.sleep(0.1)
    return False


def _run(here: Context, import_id: int) -> dict[str, Any]:
    """Run it in this process; Ctrl-C ends it as interrupted, to be retried."""
    resources = Resources.of(here.settings)
    failure: list[BaseException] = []
    # Not Thread.join: Python before 3.13 takes a thread for ended when Ctrl-C interrupts a join.
    ended = threading.Event()

    def work() -> None:
        try:
            with translated():
                with connect(here.url) as connection:
                    queue.take_back(connection, import_id)
                run_import(here.url, import_id, resources)
        except BaseException as error:  # noqa: BLE001  # raised again where somebody waits for it
            failure.append(error)
        finally:
            ended.set()

    with _shown(here, import_id) as show:
        attempt = show()["attempt"]
        threading.Thread(target=work, name="worker", daemon=True).start()
        try:
            while not ended.is_set():
                show()
                ended.wait(_TERMINAL_SECONDS)
        except KeyboardInterrupt:
            err().print("\nStopping; what is loaded stays for a retry …")
            resources.stop()
            ended.wait()
        last = show()
    if failure and not isinstance(failure[0], ServerUnavailable | ConnectionLost):
        raise ImportFailure(f"Import {import_id} stopped: {failure[0]}") from failure[0]
    found = _ended(here, last)
    if found["attempt"] != attempt:
        detail = f"Another worker has taken it over (attempt {found['attempt']})."
        return found | {"error": {"code": Fenced.code, "detail": detail}}
    return found if found["state"] in FINAL else _watch(here, import_id)


def _ended(here: Context, last: dict[str, Any]) -> dict[str, Any]:
    """What became of an import, or, where the server is gone, of what was last seen of it."""
    try:
        with translated():
            with connect(here.url) as fresh:
                lease.reap(fresh, here.settings.lease_seconds, last["id"])
            with connect_dicts(here.url) as dicts:
                return read.one_import(dicts, last["id"])
    except (ServerUnavailable, ConnectionLost):
        return last | {"state": "failed", "error": _without_server(here, last["id"])}


def _without_server(here: Context, import_id: int) -> dict[str, str]:
    """Why the server is gone, as far as it can be seen: without room for its log it ends."""
    try:
        Resources.of(here.settings).check_disk(0)
    except DiskFull as error:
        return {"code": error.code, "detail": str(error)}
    detail = f"The connection to PostgreSQL was lost. `reelbase imports retry {import_id}` goes on with it."
    return {"code": Interrupted.code, "detail": detail}


def watch_until_final(here: Context, import_id: int) -> dict[str, Any]:
    """Watch what somebody else runs, to its end."""
    with translated():
        return _watch(here, import_id)


def _watch(here: Context, import_id: int, *, until_orphaned: bool = False) -> dict[str, Any]:
    """Watch an import to its end, or until it waits for a worker and there has been none for a while."""
    orphaned_since: float | None = None
    with _shown(here, import_id) as show:
        try:
            while (found := _ended(here, show()))["state"] not in FINAL:
                if not (until_orphaned and found["state"] == "queued" and not _has_workers(here)):
                    orphaned_since = None
                elif orphaned_since is None:
                    orphaned_since = time.monotonic()
                elif time.monotonic() - orphaned_since > _ORPHAN_SECONDS:
                    return found
                time.sleep(_TERMINAL_SECONDS)
        except KeyboardInterrupt:
            raise Interrupted(
                f"Import {import_id} goes on without being watched: a worker runs it.",
                f"`reelbase imports cancel {import_id}` stops it.",
            ) from None
    return found


def _has_workers(here: Context) -> bool:
    try:
        with connect(here.url) as connection:
            return somebody_listens(connection, here.settings.lease_seconds)
    except ServerUnavailable:
        return False


@contextmanager
def _shown(here: Context, import_id: int) -> Iterator[Callable[[], dict[str, Any]]]:
    with closing(_Eye(here.url, import_id)) as eye, shown(eye.look) as show:
        yield show


@contextmanager
def shown(look: Callable[[], dict[str, Any]]) -> Iterator[Callable[[], dict[str, Any]]]:
    """Something to call again and again: it looks at an import and shows how far it is."""
    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        screen = _Screen(progress, progress.add_task("queued", total=None, words=""))

        def show() -> dict[str, Any]:
            found = look()
            screen.show(found)
            return found

        yield show


class _Eye:
    """Looks at one import; while the server cannot be asked, it knows what it saw last."""

    def __init__(self, url: str, import_id: int) -> None:
        self._url = url
        self._import_id = import_id
        self._connection = connect_dicts(url, "reelbase follow")
        self._last = read.one_import(self._connection, import_id)

    def look(self) -> dict[str, Any]:
        try:
            with translated():
                if self._connection.closed:
                    self._connection = connect_dicts(self._url, "reelbase follow")
                self._last = read.one_import(self._connection, self._import_id)
        except ReelbaseError:
            pass  # the run itself tells what became of the server
        return self._last

    def close(self) -> None:
        self._connection.close()


class _Screen:
    """A bar on a terminal, else a line every few seconds."""

    def __init__(self, progress: Progress, bar: TaskID) -> None:
        self._progress = progress
        self._bar = bar
        self._last_line = time.monotonic()

    def show(self, found: dict[str, Any]) -> None:
        words = _words(found)
        if self._progress.disable:
            if time.monotonic() - self._last_line >= _LINE_SECONDS:
                self._last_line = time.monotonic()
                err().print(f"import {found['id']} {found['state']}: {words}", highlight=False, soft_wrap=True)
            return
        progress = found["progress"]
        self._progress.update(
            self._bar,
            description=found["state"],
            total=progress["bytes_total"] or None,
            completed=progress["bytes_done"],
            words=words,
        )


def _words(found: dict[str, Any]) -> str:
    progress = found["progress"]
    if found["state"] == "receiving" and not found["files"]:
        words = [_megabytes(progress)]
    else:
        words = [f"{progress['rows_loaded']:,} rows"]
    if progress["rows_rejected"]:
        words.append(f"{progress['rows_rejected']:,} rejected")
    if progress["rows_per_second"]:
        words.append(f"{progress['rows_per_second']:,}/s")
    if progress["step"]:
        words.append(progress["step"])
    if progress["eta_seconds"]:
        words.append(f"{progress['eta_seconds']:.0f} s left")
    return " · ".join(words)


def _megabytes(progress: dict[str, Any]) -> str:
    """How much of a download is here."""
    done, total = (f"{progress[name] / 1e6:,.1f}" for name in ("bytes_done", "bytes_total"))
    return f"{done} of {total} MB" if progress["bytes_total"] else f"{done} MB"
