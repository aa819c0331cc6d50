"""Cutting a stream of bytes into chunks of whole records, in bounded memory.

The same stream and chunk size give the same chunks, however short its reads are: the ledger of an import relies on it.
The peak is about three chunks: what was read, the copy that leaves, and the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from reelbase.reading.records import QUOTED_BYTES, RECORD_BYTES, Grammar, Whole

CHUNK_BYTES = 16 << 20
HEAD_BYTES = 64 << 10
"""What is kept of a record that is too long."""


class Stream(Protocol):
    """Anything that gives bytes; fewer than asked for is fine, none means the end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class TooLong:
    """A record over `RECORD_BYTES`: its first bytes, and its length with its line end.

    Its end is the first line end behind `RECORD_BYTES`.
    """

    head: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole records, or a single one that is too long (then `data` is empty).

    `first_byte` counts from the start of the unpacked file, `first_line` from 1. `records` leaves out blank
    records; the cutter always knows it, whoever reads a chunk again may not.
    """

    first_byte: int
    first_line: int
    data: bytes
    records: int
    lines: int
    too_long: TooLong | None = None

    @property
    def bytes(self) -> int:
        """How much of the file it covers."""
        return self.too_long.length if self.too_long else len(self.data)


class Cutter:
    """Iterates over the chunks of a stream that stands behind the header: at `first_byte`, on `first_line`."""

    def __init__(
        self,
        stream: Stream,
        grammar: Grammar,
        *,
        chunk_bytes: int = CHUNK_BYTES,
        first_byte: int = 0,
        first_line: int = 1,
    ) -> None:
        if not 0 < chunk_bytes <= RECORD_BYTES:
            raise ValueError(f"chunk_bytes must lie between 1 and {RECORD_BYTES}, not {chunk_bytes}.")
        self._stream = stream
        self._grammar = grammar
        self._chunk_bytes = chunk_bytes
        self._byte = first_byte
        self._line = first_line
        self._pending = b""
        self._at_end = False

    def __iter__(self) -> Iterator[Chunk]:
        while chunk := self._next():
            yield chunk
            self._byte += chunk.bytes
            self._line += chunk.lines

    def _next(self) -> Chunk | None:
        """The next chunk: of the usual size, or larger until its first record has room."""
        size = self._chunk_bytes
        while True:
            chunk = self._cut(size)
            if chunk or not self._pending:
                return chunk
            if size == RECORD_BYTES:
                return self._large_record()
            size = min(2 * size, RECORD_BYTES)

    def _cut(self, size: int) -> Chunk | None:
        """A chunk of at most `size` bytes; None when there is no whole record in them."""
        data, final = self._fill(size)
        found = self._grammar.whole(data, final=final)
        return self._take(data[: found.end], found) if found.end else None

    def _large_record(self) -> Chunk:
        """The next record, which is over `RECORD_BYTES` or so close to it that its end cannot be known without more.

        What comes behind a quote decides within `QUOTED_BYTES`.
        """
        data, final = self._fill(RECORD_BYTES + QUOTED_BYTES)
        end = self._grammar.first_end(data, final=final)
        if end is None or end > RECORD_BYTES:
            return self._skip(data[:HEAD_BYTES])
        return self._take(data[:end], self._grammar.whole(data[:end], final=True))

    def _take(self, data: bytes, found: Whole) -> Chunk:
        self._pending = self._pending[len(data) :]
        return Chunk(self._byte, self._line, data, found.records, found.lines)

    def _skip(self, head: bytes) -> Chunk:
        """Leave out everything up to the first line end behind `RECORD_BYTES`."""
        end = self._pending.find(b"\n", RECORD_BYTES) + 1
        length = line_ends = 0
        while not end and self._pending:
            length += len(self._pending)
            line_ends += self._pending.count(b"\n")
            self._pending = b""
            self._fill(self._chunk_bytes)
            end = self._pending.find(b"\n") + 1
        line_ends += self._pending.count(b"\n", 0, end) if end else 1
        self._pending = self._pending[end:]
        return Chunk(self._byte, self._line, b"", 1, line_ends, TooLong(head, length + end))

    def _fill(self, size: int) -> tuple[bytes, bool]:
        """The next `size` bytes of the stream, fewer only at its end; and whether they are its last ones."""
        blocks = [self._pending]
        missing = size - len(self._pending)
        while missing > 0 and not self._at_end:
            block = self._stream.read(missing)
            blocks.append(block)
            missing -= len(block)
            self._at_end = not block
        self._pending = b"".join(blocks) if len(blocks) > 1 else self._pending
        return self._pending[:size], self._at_end and len(self._pending) <= size
