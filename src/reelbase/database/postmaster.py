"""The server's first process: which one it is, starting it, and whether it is dead.

A pid alone proves nothing: after kill -9 or a new container it may be somebody else's. So a process is ours only when
it is a `postgres` that works in our data folder, or one whose start time we have written down.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from reelbase.database import cluster
from reelbase.database.account import Account
from reelbase.database.binaries import Binaries

PORT = 5432
# Linux stops at 2^22, macOS at 99998.
_NO_PID = 2_147_483_647
_RECORD = "server.json"
# The session of its own keeps a Ctrl-C in the caller's terminal away. The shell ends at once, so that the server is
# nobody's child here; its pid is the one that `exec` keeps.
_DETACHED = '{ exec "$@" >&2 </dev/null; } & echo $!'


@dataclass(frozen=True, slots=True)
class Record:
    """What we remember of the last start."""

    pid: int
    started: float
    socket: str
    port: int
    version: str


@dataclass(frozen=True, slots=True)
class _LockFile:
    """PostgreSQL's postmaster.pid, as far as we need it."""

    pid: int
    ready: bool


def record(data: Path) -> Record | None:
    """Return what we remember of the last start, None when there was none."""
    try:
        return Record(**json.loads((data.parent / _RECORD).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def process(data: Path) -> psutil.Process | None:
    """Return the running server of this cluster, None when there is none."""
    lock = _lock_file(data)
    found = _living(lock.pid) if lock else None
    if found is None or _name(found) != "postgres":
        return None
    return found if _is_recorded(found, data) or _works_in(found, data) else None


def alive(server: psutil.Process) -> bool:
    """Tell whether it still runs: a zombie that its parent has not collected does not."""
    try:
        return bool(server.is_running() and server.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def ready(server: psutil.Process, data: Path) -> bool:
    """Tell whether the server says that it takes connections (recovery is over)."""
    lock = _lock_file(data)
    return lock is not None and lock.pid == server.pid and lock.ready


def remember(server: psutil.Process, data: Path, account: Account, binaries: Binaries) -> None:
    """Write down a running server that we do not know: whoever started it was killed before doing so."""
    if _is_recorded(server, data):
        return
    lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    _write(Record(server.pid, server.create_time(), lines[4], int(lines[3]), binaries.postgresql), data, account)


def launch(data: Path, *, socket: Path, log: int, account: Account, binaries: Binaries) -> psutil.Process | None:
    """Start the server and remember it; None when it ended at once."""
    server = [binaries.program("postgres"), "-D", account.name_for(data)]
    options = ["-k", str(socket), "-p", str(PORT), "-c", "listen_addresses="]
    done = account.run(["/bin/sh", "-c", _DETACHED, "sh", *server, *options], folder=data, errors=log, session=True)
    found = _living(int(done.stdout))
    if found is not None:
        _write(Record(found.pid, found.create_time(), str(socket), PORT, binaries.postgresql), data, account)
    return found


def disown_stale_lock(data: Path, account: Account) -> None:
    """Make the lock file of a dead server name no process, when its pid has come to mean another one.

    PostgreSQL would refuse to start. The file stays: it also names the shared memory, by which PostgreSQL sees that
    orphaned backends of the dead server still work on the files.
    """
    lock = _lock_file(data)
    if lock is None or not _provably_stale(lock.pid, data):
        return
    path = data / "postmaster.pid"
    _, _, rest = path.read_text(encoding="utf-8", errors="surrogateescape").partition("\n")
    cluster.write(path, f"{_NO_PID}\n{rest}", account)


def _write(known: Record, data: Path, account: Account) -> None:
    cluster.write(data.parent / _RECORD, json.dumps(asdict(known)) + "\n", account)


def _is_recorded(found: psutil.Process, data: Path) -> bool:
    known = record(data)
    try:
        return known is not None and known.pid == found.pid and abs(known.started - found.create_time()) < 1
    except psutil.Error:
        return False


def _provably_stale(pid: int, data: Path) -> bool:
    try:
        found = psutil.Process(pid)
        if found.status() == psutil.STATUS_ZOMBIE or found.name() != "postgres":
            return True
    except psutil.Error:  # gone, as PostgreSQL will see itself, or hidden from us
        return False
    return _works_in(found, data) is False


def _living(pid: int) -> psutil.Process | None:
    try:
        found = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return found if alive(found) else None


def _name(found: psutil.Process) -> str:
    try:
        return str(found.name())
    except psutil.Error:
        return ""


def _works_in(found: psutil.Process, data: Path) -> bool | None:
    """Tell whether this is the process's working folder, None when we may not know."""
    try:
        return Path(found.cwd()).samefile(data)
    except (psutil.Error, OSError):
        return None


def _lock_file(data: Path) -> _LockFile | None:
    try:
        lines = (data / "postmaster.pid").read_bytes().splitlines()
        # Line 8 appears when the server has written the others.
        return _LockFile(abs(int(lines[0])), len(lines) > 7 and lines[7].strip() == b"ready")
    except (FileNotFoundError, ValueError, IndexError):
        return None


def socket_files(socket: Path) -> tuple[Path, Path]:
    """Return the socket and its lock file."""
    name = f".s.PGSQL.{PORT}"
    return socket / name, socket / f"{name}.lock"


def open_log(path: Path) -> int:
    """Open the server's log for adding to it; a long one is put aside first."""
    if path.exists() and path.stat().st_size > 16 << 20:
        path.replace(path.with_suffix(".log.1"))
    return open_owned(path, os.O_APPEND)


def open_owned(path: Path, flags: int) -> int:
    """Open a file beside the cluster for writing; as root make it belong to whoever owns the folder."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
