"""A first look at what was given: which files are known, what they are, and which are passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reelbase.datasets import Column, Dataset, Layout, Table
from reelbase.errors import NothingKnown, SourceMissing, UnknownHeader
from reelbase.reading import unpack
from reelbase.reading.recognise import HEADER_BYTES, Recognised, known_headers, recognise


class Given(Protocol):
    """A file as `receiving` hands it over."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def in_folder(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to import: where its bytes are (inside an archive, perhaps), and what it is.

    `name` is the path given or the name inside the archive; `unpacked_bytes` its size once unpacked (None: told only by
    reading), `source_bytes` its size on disk; its first record begins at `first_byte`, in `first_line`.
    """

    name: str
    path: Path
    container: str
    member: str | None
    fingerprint: str
    source_bytes: int
    unpacked_bytes: int | None
    table: Table
    layout: Layout
    columns: tuple[Column, ...]
    raw_header: bytes
    header: str
    first_byte: int
    first_line: int


@dataclass(frozen=True, slots=True)
class Survey:
    """The files to import, and the names of those that are passed over."""

    files: tuple[SourceFile, ...]
    skipped: tuple[str, ...]


def survey(given: Sequence[Given], datasets: Sequence[Dataset]) -> Survey:
    """Recognise every file; raises UnknownHeader for a file given by itself, NothingKnown when none is known.

    In a folder or an archive, files of no known kind are skipped. A damaged or empty one is an error there too: without
    its rows, the tables it belongs to would be published all the same.
    """
    files: list[SourceFile] = []
    skipped: list[str] = []
    reasons: list[str] = []
    for one in _once(given):
        for name, look in _inside(one, datasets):
            try:
                files.append(look())
            except UnknownHeader as error:
                if one.in_folder is None and name is None:
                    raise
                skipped.append(_printable(name or one.name))
                reasons.append(error.detail)
    if not files:
        raise NothingKnown(*_nothing_known(given, reasons, datasets))
    return Survey(tuple(files), tuple(skipped))


def _once(given: Sequence[Given]) -> list[Given]:
    """Every file once, however often and under whatever names it was given; the first name counts."""
    found: dict[Path, Given] = {}
    for one in given:
        found.setdefault(one.path.resolve(), one)
    return list(found.values())


def _inside(one: Given, datasets: Sequence[Dataset]) -> Iterator[tuple[str | None, Callable[[], SourceFile]]]:
    """Each file inside a given one, with what looks at it; the name is None for the given file itself."""
    try:
        try:
            kind = unpack.container(one.path)
        except UnknownHeader as error:
            yield None, _refuse(error)
            return
        if kind == unpack.TAR:
            yield from _in_tar(one, datasets)
            return
        for member in unpack.members(one.path, kind):
            yield member.name, _look(one, kind, member, datasets)
    except OSError as error:
        raise SourceMissing(f"{one.name} cannot be read: {error.strerror}.") from error


def _refuse(error: UnknownHeader) -> Callable[[], SourceFile]:
    def look() -> SourceFile:
        raise error

    return look


def _look(one: Given, kind: str, member: unpack.Member, datasets: Sequence[Dataset]) -> Callable[[], SourceFile]:
    def look() -> SourceFile:
        with unpack.open_stream(one.path, kind, member.name) as stream:
            head = _head(stream)
        return _file(one, kind, member, recognise(member.name or one.name, head, datasets))

    return look


def _in_tar(one: Given, datasets: Sequence[Dataset]) -> Iterator[tuple[str | None, Callable[[], SourceFile]]]:
    """A packed tar is read once from front to back, and every header taken in passing."""
    heads = {name: _head(stream) for name, stream in unpack.tar_streams(one.path)}
    for member in unpack.members(one.path, unpack.TAR):
        name = member.name or ""

        def look(member: unpack.Member = member, name: str = name) -> SourceFile:
            return _file(one, unpack.TAR, member, recognise(name, heads[name], datasets))

        yield name, look


def _printable(name: str) -> str:
    """A name as it can be printed and stored: bytes that are not UTF-8 replaced."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _head(stream: unpack.Stream) -> bytes:
    """The first bytes, up to HEADER_BYTES; a stream may give fewer than it is asked for."""
    head = b""
    while len(head) < HEADER_BYTES and b"\n" not in head:
        more = stream.read(HEADER_BYTES - len(head))
        if not more:
            break
        head += more
    return head


def _file(one: Given, kind: str, member: unpack.Member, known: Recognised) -> SourceFile:
    for name in (str(one.path), member.name or ""):
        if name != _printable(name):
            raise SourceMissing(f"The name of {_printable(name)} is not UTF-8.", "Rename it.")
    return SourceFile(
        name=member.name or one.name,
        path=one.path,
        container=kind,
        member=member.name,
        fingerprint=one.fingerprint,
        source_bytes=member.source_bytes,
        unpacked_bytes=member.unpacked_bytes,
        table=known.table,
        layout=known.layout,
        columns=known.columns,
        raw_header=known.raw_header,
        header=known.header,
        first_byte=known.first_byte,
        first_line=known.first_line,
    )


def _nothing_known(given: Sequence[Given], reasons: Sequence[str], datasets: Sequence[Dataset]) -> tuple[str, str]:
    places = ", ".join(dict.fromkeys(one.in_folder or one.name for one in given)) or "What was given"
    if reasons:
        more = f" ({len(reasons) - 1} more files were passed over)" if len(reasons) > 1 else ""
        return f"{places} has no known file in it: {reasons[0].rstrip('.')}{more}.", ""
    known = known_headers(table for dataset in datasets for table in dataset.tables)
    return f"{places} has no files in it.", f"Known are files that begin with these headers: {known}."
