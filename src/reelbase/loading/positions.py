"""Where the good records of a chunk are: for the rare cases in which single ones have to be found again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from reelbase.reading.chunks import Chunk
from reelbase.reading.records import Grammar


@dataclass(frozen=True, slots=True)
class Position:
    """A record of a chunk: its line, its first byte in the unpacked file, and its text without the line end."""

    line: int
    byte_offset: int
    record: bytes


def good_positions(grammar: Grammar, chunk: Chunk, rejected: Collection[int]) -> Iterator[Position]:
    """The records of a chunk in order, without blank ones and without those that begin at a `rejected` byte."""
    data, at, line = chunk.data, 0, chunk.first_line
    while at < len(data):
        after_blanks = grammar.blanks(data, at)
        line += data.count(b"\n", at, after_blanks)
        at = after_blanks
        if at >= len(data):
            return
        end = grammar.end(data, at)
        if end is None:
            raise AssertionError("a chunk ends in the middle of a record")
        text = data[at:end]
        if chunk.first_byte + at not in rejected:
            yield Position(line, chunk.first_byte + at, _without_line_end(text))
        line += text.count(b"\n")
        at = end


def _without_line_end(text: bytes) -> bytes:
    return text.removesuffix(b"\n").removesuffix(b"\r") if text.endswith(b"\n") else text
