"""The operating system user that the server runs as.

PostgreSQL refuses to run as root. So root starts it as `postgres` or `nobody`; everybody else as themselves.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reelbase.errors import ServerUnavailable

_CANDIDATES = ("postgres", "nobody")
_HERE = "/proc/self/cwd"


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server; `switched` when that is not the user who called."""

    uid: int
    gid: int
    switched: bool

    def run(
        self,
        command: Sequence[str],
        *,
        folder: Path = Path("/"),
        environment: Mapping[str, str] | None = None,
        text: str = "",
        errors: int = subprocess.STDOUT,
        keep: tuple[int, ...] = (),
        session: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a short command as this user, started in `folder`, and return what it printed.

        The child enters `folder` before it changes its user (CPython's `child_exec` calls chdir first), so `folder`
        may lie below one that this user cannot enter.
        """
        return subprocess.run(
            command,
            cwd=folder,
            env={"PATH": os.defpath, **(environment or {})},
            input=text,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=keep,
            start_new_session=session,
            user=self.uid if self.switched else None,
            group=self.gid if self.switched else None,
            extra_groups=[] if self.switched else None,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this user can reach `folder` by its path, as the kernel sees it (modes, ACLs, mounts)."""
        if not self.switched:
            return True
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]).returncode == 0

    def can_execute(self, program: str) -> bool:
        """Tell whether this user can start `program`."""
        if not self.switched:
            return True
        try:
            return self.run([program, "--version"]).returncode == 0
        except PermissionError:
            return False

    def name_for(self, folder: Path) -> str:
        """Return what a program of this user, started in `folder`, should call it.

        By its path where that can be reached. Else, on Linux, by the link to its own working folder: the kernel
        follows that without asking for the parents, and PostgreSQL stays in its data folder all its life.
        """
        if self.can_enter(folder):
            return str(folder)
        if sys.platform == "linux" and Path(_HERE).exists():
            return _HERE
        raise ServerUnavailable(
            f"The server's user (id {self.uid}) cannot enter {folder}.",
            "Run Reelbase as an ordinary user, or set REELBASE_HOME to a folder below ones that all users can enter.",
        )


def account(data: Path) -> Account:
    """Return who runs the cluster in `data`: as root the user who owns it, else whoever calls."""
    if os.geteuid() != 0:
        return _caller()
    if data.is_dir() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switched=True)
    for name in _CANDIDATES:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if user.pw_uid != 0:
            return Account(user.pw_uid, user.pw_gid, switched=True)
    raise ServerUnavailable(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`.",
        "Make one of them, or run Reelbase as an ordinary user.",
    )


def caller_name() -> str:
    """Return the name of the user who called; PostgreSQL knows its peers by name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ServerUnavailable(
            f"The user id {os.geteuid()} has no name on this machine, and PostgreSQL wants one.",
            "Add it to /etc/passwd, run as another user, or set REELBASE_DATABASE_URL to a server of your own.",
        ) from None


def _caller() -> Account:
    return Account(os.geteuid(), os.getegid(), switched=False)
