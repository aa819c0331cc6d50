"""Making a cluster: initdb, who may connect, the settings files, the database.

A cluster is made in `data.partial` and gets its name only when it is complete.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

from reelbase.database import tuning
from reelbase.database.account import Account, caller_name
from reelbase.database.binaries import Binaries
from reelbase.errors import DatabaseError, DiskFull, ServerUnavailable

ROLE = "reelbase"
DATABASE = "reelbase"

_CTYPES = ("C.UTF-8", "C.utf8", "en_US.UTF-8")
_SETTINGS = "reelbase.conf"

_POSTGRESQL_CONF = """\
# Reelbase's settings for this machine; that file is written anew at each start.
include = '{settings}'

# Your own settings go below this line: they win. All there are: share/postgresql.conf.sample of PostgreSQL.
"""
# No other line: whatever is not allowed here is rejected.
_HBA = """\
# Only the owner of this cluster may connect, known by the operating system: see pg_ident.conf.
local all {role} peer map=reelbase
"""


def make(data: Path, account: Account, binaries: Binaries, lock: int) -> None:
    """Make a cluster in `data`; one that was being made when somebody was killed is thrown away.

    The children hold `lock` too: when this process alone is killed, nobody begins anew before they have ended.
    """
    partial = data.with_name("data.partial")
    if partial.exists():
        shutil.rmtree(partial)
    owner = caller_name()
    ctype = _utf8_ctype()
    partial.mkdir(mode=0o700)
    if account.switched:
        os.chown(partial, account.uid, account.gid)
    name = account.name_for(partial)
    options = [
        *("-D", name, "-U", ROLE, "--auth=reject", "--encoding=UTF8", "--locale-provider=libc", "--lc-collate=C"),
        *(f"--lc-ctype={ctype}", "--lc-messages=C", "--lc-monetary=C", "--lc-numeric=C", "--lc-time=C"),
        *("--text-search-config=simple", "--no-instructions"),
    ]
    _check("initdb", account.run([binaries.program("initdb"), *options], folder=partial, keep=(lock,)))
    _write_access(partial, account, owner)
    write(partial / "postgresql.conf", _POSTGRESQL_CONF.format(settings=_SETTINGS), account)
    write_settings(partial, account)
    # A stand-alone backend needs no socket and lets nobody else in.
    command = [binaries.program("postgres"), "--single", "-D", name, "postgres"]
    _check(
        "postgres --single",
        account.run(command, folder=partial, text=f"CREATE DATABASE {DATABASE};\n", keep=(lock,)),
    )
    partial.rename(data)
    _sync(data.parent)


def major(data: Path) -> str | None:
    """Return the major version that made the cluster, None when there is no cluster."""
    try:
        return (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None
    except PermissionError:
        raise ServerUnavailable(
            f"The cluster in {data} belongs to another user.",
            "Run as that user, or set REELBASE_HOME to a folder of your own.",
        ) from None


def write_settings(data: Path, account: Account) -> None:
    """Write the settings for the machine as it is today."""
    found = tuning.settings(**asdict(tuning.machine(data)))
    lines = [f"{name} = '{value}'" for name, value in found.items()]
    head = (
        "# Written anew at each start, from memory, cores and free disk.\n"
        "# Your own settings go into postgresql.conf, below its include line: they win.\n"
    )
    write(data / _SETTINGS, head + "\n".join(lines) + "\n", account)


def write(path: Path, text: str, account: Account) -> None:
    """Write a file of the cluster in one step, owned by the server's user."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    # O_EXCL: as root we write into a folder of another user, who must not make us follow a link.
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if account.switched:
            os.fchown(file.fileno(), account.uid, account.gid)
        os.fsync(file.fileno())
    temporary.replace(path)


def _write_access(data: Path, account: Account, owner: str) -> None:
    """Let the owner in, and root, who could become the owner anyway (`sudo reelbase db status`)."""
    names = dict.fromkeys((owner, "root"))
    lines = [f'reelbase "{name}" {ROLE}' for name in names]
    write(data / "pg_ident.conf", "# map, operating system user, role\n" + "\n".join(lines) + "\n", account)
    write(data / "pg_hba.conf", _HBA.format(role=ROLE), account)


def _utf8_ctype() -> str:
    """Return a locale that knows letters outside ASCII: with C, pg_trgm drops them and lower() leaves them."""
    try:
        listed = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()  # noqa: S607
    except FileNotFoundError:  # musl has no such command, and knows C.UTF-8
        return _CTYPES[0]
    known = {_plain(name): name for name in reversed(listed)}
    for name in _CTYPES:
        if _plain(name) in known:
            return name
    anything = [name for plain, name in sorted(known.items()) if plain.endswith("utf8")]
    if anything:
        return anything[0]
    raise ServerUnavailable(
        "This system has no UTF-8 locale, so the database could not tell é from a space.",
        "Install one (Debian: apt-get install locales && locale-gen en_US.UTF-8).",
    )


def _plain(name: str) -> str:
    """Return a locale's name as the C library compares them: C.UTF-8 is C.utf8."""
    return name.lower().replace("-", "")


def _check(what: str, done: subprocess.CompletedProcess[str]) -> None:
    # A stand-alone backend reports an error in its output and ends with 0.
    if done.returncode or "ERROR:" in done.stdout:
        raise failure(f"{what} failed", done.stdout)


def failure(what: str, output: str) -> DatabaseError:
    """Return the error for what a PostgreSQL program printed before it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    detail = f"{what}: {' | '.join(lines[-5:]) or 'it said nothing'}"
    if "No space left on device" in output:
        return DiskFull(detail, "Free some disk space, or set REELBASE_HOME to a folder on a larger disk.")
    return ServerUnavailable(detail)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
