"""What a chunk is sorted into: the good records, the bad ones, and how far it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from reelbase.loading.rejects import Reason, Reject
from reelbase.reading.records import Record


@dataclass(slots=True)
class Sifted:
    """What came out of one chunk: the good records in pieces, all ending with LF, and the bad ones, in order."""

    good: list[bytes | memoryview] = field(default_factory=list)
    loaded: int = 0
    rejects: list[Reject] = field(default_factory=list)
    blanks: int = 0


class Heap:
    """What has been sorted so far, and where the rest begins."""

    def __init__(self, data: bytes, first_line: int, first_byte: int) -> None:
        self.sifted = Sifted()
        self.at = 0
        self._data = data
        self._view = memoryview(data)
        self._line = first_line
        self._first_byte = first_byte

    def keep_lines(self, end: int) -> None:
        """Good records of one line each; there CR LF can only be a line end."""
        uniform = self._data.find(b"\r", self.at, end) < 0
        piece = self._view[self.at : end] if uniform else self._data[self.at : end].replace(b"\r\n", b"\n")
        self.sifted.good.append(piece)
        self.sifted.loaded += self._advance(end)

    def keep(self, record: bytes, end: int) -> None:
        """One good record, with its line end or without."""
        self.keep_rewritten(record.removesuffix(b"\n").removesuffix(b"\r") + b"\n", 1, end)

    def keep_rewritten(self, records: bytes, count: int, end: int) -> None:
        """Good records in the words that COPY reads, all ending with LF."""
        self.sifted.good.append(records)
        self.sifted.loaded += count
        self._advance(end)

    def drop_blanks(self, end: int) -> None:
        """Blank records; the last of them may lack its line end."""
        unfinished = self._data[end - 1 : end] != b"\n"
        self.sifted.blanks += self._advance(end) + unfinished

    def reject(self, record: Record, reason: Reason, column: str | None) -> None:
        """One bad record."""
        text = self._data[self.at : record.stop]
        offset = self._first_byte + self.at
        self.sifted.rejects.append(Reject(self._line, offset, column, reason, text, len(text)))
        self._advance(record.end)

    def _advance(self, end: int) -> int:
        """Go on to `end`; the number of line ends passed."""
        passed = self._data.count(b"\n", self.at, end)
        self.at = end
        self._line += passed
        return passed
