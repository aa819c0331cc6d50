"""Chunks of one stream in order, whatever an earlier attempt has left of it.

A feed reads one file, or one tar with several files in it: whatever can only be read from front to back. What the
ledger records as done is passed over; what it records as not done is read again with the same bounds; behind that, new
chunks are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reelbase.errors import BrokenArchive, CountMismatch, SourceChanged
from reelbase.reading import unpack
from reelbase.reading.chunks import Chunk, Cutter
from reelbase.reading.records import Grammar

_AGAIN = "Import it again."
# What is passed over is unpacked all the same: in steps of less than a second, so that it can be left off.
_STEP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Extent:
    """A chunk that was cut before: its key in the ledger, its bounds, and whether it is still to be loaded."""

    key: int
    first_byte: int
    bytes: int
    first_line: int
    next_line: int
    source_bytes: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class FeedFile:
    """A file of a feed: its key, its name in the archive, where its records begin, and what is known of its chunks.

    `cut` says that the extents cover the file to its end.
    """

    key: int
    member: str | None
    grammar: Grammar
    first_byte: int
    first_line: int
    extents: Sequence[Extent] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk to load; `extent` is its key in the ledger, None for one that was just cut."""

    file: int
    chunk: Chunk
    source_bytes: int
    extent: int | None


@dataclass(frozen=True, slots=True)
class End:
    """A file of the feed has come to its end: its size in unpacked bytes."""

    file: int
    bytes: int


class Feed:
    """Iterates over the pieces of its files, and an End behind each. Not safe for several threads at once.

    `check` is called now and then while parts are passed over; what it raises ends the feed.
    """

    def __init__(
        self,
        path: Path,
        container: str,
        files: Sequence[FeedFile],
        chunk_bytes: int,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._check = check
        self._path = path
        self._container = container
        self.files = tuple(files)
        self._chunk_bytes = chunk_bytes
        self._parts = self._read()

    def next(self) -> Piece | End | None:
        """The next part; None behind the last. Raises BrokenArchive, SourceChanged."""
        return next(self._parts, None)

    def close(self) -> None:
        """Close the file, wherever reading is."""
        self._parts.close()

    def _read(self) -> Generator[Piece | End, None, None]:
        untouched = [file for file in self.files if _is_done(file)]
        yield from (End(file.key, _end(file)) for file in untouched)
        left = [file for file in self.files if not _is_done(file)]
        if not left:
            return
        try:
            if self._container == unpack.TAR:
                yield from self._read_tar(left)
            else:
                for file in left:
                    with unpack.open_stream(self._path, self._container, file.member) as stream:
                        yield from self._file(file, stream)
        except OSError as error:
            raise SourceChanged(f"{self._path} cannot be read: {error.strerror}.") from error

    def _read_tar(self, left: Sequence[FeedFile]) -> Iterator[Piece | End]:
        wanted = {file.member: file for file in left}
        for name, stream in unpack.tar_streams(self._path):
            file = wanted.pop(name, None)
            if file is not None:
                yield from self._file(file, stream)
            if not wanted:
                return
        if wanted:
            raise BrokenArchive(f"{self._path.name} has no {next(iter(wanted))} in it any more.")

    def _file(self, file: FeedFile, stream: unpack.Stream) -> Iterator[Piece | End]:
        stream.skip(file.first_byte)
        at, line = file.first_byte, file.first_line
        for extent in file.extents:
            if extent.first_byte != at:
                raise CountMismatch(
                    f"{self._path}: the ledger has a gap before byte {extent.first_byte}.", "Import it again."
                )
            if extent.wanted:
                yield Piece(file.key, self._again(file, stream, extent), extent.source_bytes, extent.key)
            else:
                self._pass_over(stream, extent.bytes)
            at, line = at + extent.bytes, extent.next_line
        if not file.cut:
            for piece in self._cut(file, stream, at, line):
                at += piece.chunk.bytes
                yield piece
        yield End(file.key, at)

    def _pass_over(self, stream: unpack.Stream, size: int) -> None:
        for start in range(0, size, _STEP_BYTES):
            self._check()
            stream.skip(min(_STEP_BYTES, size - start))

    def _again(self, file: FeedFile, stream: unpack.Stream, extent: Extent) -> Chunk:
        """Read an extent once more: the same bytes by the same rules make the same chunk."""
        cutter = Cutter(
            _Limited(stream, extent.bytes),
            file.grammar,
            chunk_bytes=self._chunk_bytes,
            first_byte=extent.first_byte,
            first_line=extent.first_line,
        )
        chunk = next(iter(cutter), None)
        if chunk is None or chunk.bytes != extent.bytes:
            raise SourceChanged(f"{self._path} is not the file that the import began with.", _AGAIN)
        return chunk

    def _cut(self, file: FeedFile, stream: unpack.Stream, at: int, line: int) -> Iterator[Piece]:
        before = stream.position
        cutter = Cutter(stream, file.grammar, chunk_bytes=self._chunk_bytes, first_byte=at, first_line=line)
        for chunk in cutter:
            position = stream.position
            yield Piece(file.key, chunk, position - before, None)
            before = position


def _is_done(file: FeedFile) -> bool:
    return file.cut and not any(extent.wanted for extent in file.extents)


def _end(file: FeedFile) -> int:
    return file.first_byte + sum(extent.bytes for extent in file.extents)


class _Limited:
    """The next bytes of a stream, and no more."""

    def __init__(self, stream: unpack.Stream, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data
