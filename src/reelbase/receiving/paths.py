"""Files and folders named on this machine. They are read where they are: a copy of tens of GB would help nobody.

A file's fingerprint (size and time of change) is kept with the import, so that a retry notices when it is another one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reelbase.errors import NothingKnown, SourceChanged, SourceMissing, SourceNotAllowed, UsageError


@dataclass(frozen=True, slots=True)
class Given:
    """A file as it was given: the name people know it by, where it is, its size in bytes and its fingerprint.

    `in_folder` is the folder that was given instead of the file itself, if so.
    """

    name: str
    path: Path
    bytes: int
    fingerprint: str
    in_folder: str | None = None


def given(words: Sequence[str]) -> list[Given]:
    """The files behind the given words, folders opened; raises SourceMissing for what cannot be read."""
    return [file for word in words for file in _files(word)]


def given_within(word: str, folders: Sequence[Path]) -> list[Given]:
    """As `given`, for somebody who may name only what lies in these folders once every link is followed.

    A name is absolute, or below one of the folders. Raises SourceNotAllowed, whether or not there is such a file, and
    for a folder with a link in it that leads outside.
    """
    allowed = [real for folder in folders if (real := _real(folder)) is not None]
    place = _place_within(word, allowed)
    found = list(_files_at(word, place))
    return [replace(file, path=_checked(file, allowed)) for file in found]


def _place_within(word: str, allowed: Sequence[Path]) -> Path:
    if not word or "\0" in word or word.startswith("~") or "://" in word:
        raise SourceNotAllowed(f"{word!r} is not the path of a file.", "Give one like path:/folder/ratings.csv.")
    # An absolute name stays what it is when it is put behind a folder.
    places = [real for folder in allowed if (real := _real(folder / word)) is not None and _is_inside(real, allowed)]
    for place in places:
        if place.exists():
            return place
    if places:
        return places[0]
    raise SourceNotAllowed(
        f"{word} is in none of the folders that files of this machine may be imported from.",
        "REELBASE_IMPORT_DIRS names them." if allowed else "REELBASE_IMPORT_DIRS names them; there are none.",
    )


def _checked(file: Given, allowed: Sequence[Path]) -> Path:
    real = _real(file.path)
    if real is None or not _is_inside(real, allowed):
        raise SourceNotAllowed(f"{file.name} is a link to something outside of the allowed folders.", "Remove it.")
    return real


def _is_inside(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _real(path: Path) -> Path | None:
    """The path with every link followed and every `..` gone; None for one that leads nowhere: in a circle, too long."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return None


def check_unchanged(path: Path, fingerprint: str) -> None:
    """Raise SourceChanged when the file is not the one that was given."""
    try:
        now = _fingerprint(path.stat())
    except OSError as error:
        raise SourceChanged(f"{path} cannot be read any more: {_reason(error)}.", "Import it again.") from error
    if now != fingerprint:
        raise SourceChanged(f"{path} has changed since the import began.", "Import it again.")


def _files(word: str) -> Iterator[Given]:
    _refuse_url(word)
    yield from _files_at(word, _path(word))


def _files_at(word: str, path: Path) -> Iterator[Given]:
    if _is_folder(path):
        found = list(_walk(path))
        if not found:
            raise NothingKnown(
                f"The folder {word} has no files in it.", "Give one that holds the files, or an archive of them."
            )
        for inside in found:
            yield replace(_given(str(inside), inside), in_folder=word)
    else:
        yield _given(word, path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # opening it tells why


def _path(word: str) -> Path:
    if not word or "\0" in word:
        raise SourceMissing(f"{word!r} is not the name of a file.", "Give a file, a folder or an archive.")
    try:
        return Path(word).expanduser()
    except RuntimeError:
        # Nobody here has the name behind ~; a file may.
        return Path(word)


def _refuse_url(word: str) -> None:
    if "://" in word:
        raise UsageError(
            f"{word!r} is a URL of a kind that cannot be imported from.",
            "Give an https:// URL, or the path of a file of this machine.",
        )


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder in the order of its name; hidden ones and links to folders are left alone."""
    try:
        for place, folders, files in os.walk(folder, onerror=_unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
            for name in sorted(files):
                if not name.startswith("."):
                    yield Path(place, name)
    except OSError as error:
        raise SourceMissing(f"{folder} cannot be read: {_reason(error)}.") from error


def _unreadable(error: OSError) -> None:
    raise error


def _given(name: str, path: Path) -> Given:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SourceMissing(f"{name} is neither a file nor a folder.", "Give a file, a folder or an archive.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise SourceMissing(f"{name} cannot be read: {_reason(error)}.", _remedy(error)) from error
    return Given(name, path.absolute(), status.st_size, _fingerprint(status))


def _fingerprint(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _remedy(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "Give the path of a file, a folder or an archive (.gz, .zip, .tar.gz)."
    return ""
