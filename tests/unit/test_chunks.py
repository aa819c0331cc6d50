"""Cutting: chunks are whole records, cover the file, and do not depend on how the stream is read."""

from __future__ import annotations

import io
import itertools
import random
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbase.datasets.model import Dialect
from reelbase.reading.chunks import HEAD_BYTES, Chunk, Cutter
from reelbase.reading.records import RECORD_BYTES, Grammar

MOVIES = Grammar(Dialect(), (False, True, True))
NUMBERS = Grammar(Dialect(), (False, False))
TABS = Grammar(Dialect(delimiter=b"\t", quote=None, null=b"\\N"), (True, True))

DATA = st.lists(
    st.sampled_from([b'"', b'"', b",", b"\n", b"\r\n", b"\r", b"a", b'""', b" ", b"\t", b'1,"x', b'"\n', b'2,b,"c"\n'])
).map(b"".join)


class Trickle:
    """A stream with short reads, or a long one that is nowhere in memory."""

    def __init__(self, blocks: Sequence[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        self._rest = self._rest or next(self._blocks, b"")
        block, self._rest = self._rest[:size], self._rest[size:]
        return block


def records(grammar: Grammar, data: bytes) -> list[bytes]:
    """Every record, the blank ones too."""
    found = []
    at = 0
    while at < len(data):
        record = grammar.record(data, at)
        assert record is not None
        found.append(data[at : record.end])
        at = record.end
    return found


def count(grammar: Grammar, data: bytes) -> int:
    return len(records(grammar, data))


def cut(data: bytes, grammar: Grammar, chunk_bytes: int = 16 << 20) -> list[Chunk]:
    return list(Cutter(io.BytesIO(data), grammar, chunk_bytes=chunk_bytes, first_byte=7, first_line=2))


@pytest.mark.parametrize("grammar", [MOVIES, NUMBERS, TABS])
@given(data=DATA, chunk_bytes=st.integers(1, 80))
def test_chunks_are_whole_records_and_cover_the_file(grammar: Grammar, data: bytes, chunk_bytes: int) -> None:
    chunks = cut(data, grammar, chunk_bytes)
    assert b"".join(chunk.data for chunk in chunks) == data
    pieces = [record for chunk in chunks for record in records(grammar, chunk.data)]
    assert pieces == records(grammar, data)
    assert sum(chunk.records or 0 for chunk in chunks) == count(grammar, data)


@given(data=DATA, chunk_bytes=st.integers(1, 80))
def test_a_chunk_knows_its_place(data: bytes, chunk_bytes: int) -> None:
    byte = 7
    for chunk in cut(data, MOVIES, chunk_bytes):
        assert (chunk.first_byte, chunk.bytes) == (byte, len(chunk.data))
        assert chunk.first_line == 2 + data.count(b"\n", 0, byte - 7)
        assert chunk.lines == len(chunk.data.split(b"\n")) - chunk.data.endswith(b"\n")
        byte += chunk.bytes


@given(data=DATA, chunk_bytes=st.integers(1, 80), seed=st.integers())
def test_short_reads_change_nothing(data: bytes, chunk_bytes: int, seed: int) -> None:
    drawn = random.Random(seed)
    ends = sorted({*(drawn.randint(0, len(data)) for _ in range(5)), 0, len(data)})
    blocks = [data[a:b] for a, b in itertools.pairwise(ends) if a < b]
    assert list(Cutter(Trickle(blocks), MOVIES, chunk_bytes=chunk_bytes, first_byte=7, first_line=2)) == cut(
        data, MOVIES, chunk_bytes
    )


def test_a_chunk_size_over_the_record_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="chunk_bytes"):
        Cutter(io.BytesIO(b""), MOVIES, chunk_bytes=RECORD_BYTES + 1)


@pytest.mark.parametrize("grammar", [MOVIES, NUMBERS, TABS])
@pytest.mark.parametrize("chunk_bytes", [1 << 20, 16 << 20])
def test_a_record_of_just_the_limit_is_a_record(grammar: Grammar, chunk_bytes: int) -> None:
    data = b"1,a,b\n" + b"x" * (RECORD_BYTES - 1) + b"\n2,c,d\n"
    chunks = cut(data, grammar, chunk_bytes)
    assert b"".join(chunk.data for chunk in chunks) == data
    assert not any(chunk.too_long for chunk in chunks)


@pytest.mark.parametrize("grammar", [MOVIES, NUMBERS, TABS])
@pytest.mark.parametrize("chunk_bytes", [1 << 20, 16 << 20])
@pytest.mark.parametrize("behind", [b"\n2,c,d\n", b"\n", b""])
def test_a_longer_record_is_left_out_with_its_head_and_length(
    grammar: Grammar, chunk_bytes: int, behind: bytes
) -> None:
    long = b"x" * RECORD_BYTES * 2
    chunks = cut(b"1,a,b\n" + long + behind, grammar, chunk_bytes)
    (skipped,) = (chunk for chunk in chunks if chunk.too_long)
    assert skipped.too_long
    assert (skipped.first_byte, skipped.first_line, skipped.lines, skipped.records) == (13, 3, 1, 1)
    assert skipped.too_long.head == long[:HEAD_BYTES]
    assert skipped.bytes == len(long) + behind.startswith(b"\n")
    assert b"".join(chunk.data for chunk in chunks) == b"1,a,b\n" + behind[1:]
    assert chunks[-1].first_line == (4 if behind[1:] else 3)


@pytest.mark.parametrize("grammar", [MOVIES, NUMBERS, TABS])
def test_behind_a_record_one_byte_too_long_whole_records_follow(grammar: Grammar) -> None:
    behind = b"2,c,d\n" * 1000
    chunks = cut(b"x" * RECORD_BYTES + b"\n" + behind, grammar, 100)
    assert chunks[0].bytes == RECORD_BYTES + 1
    assert chunks[0].too_long
    assert b"".join(chunk.data for chunk in chunks) == behind
    assert all(chunk.data.endswith(b"\n") for chunk in chunks[1:])


def test_an_unclosed_quote_close_to_the_record_limit_spoils_its_line_only() -> None:
    line = b"1,a," + b"x" * (RECORD_BYTES - 100) + b',"b\n'
    data = line + b"2,c,d\n" * (1 << 18)
    chunks = cut(data, Grammar(Dialect(), (False, True, True, True)))
    assert b"".join(chunk.data for chunk in chunks) == data
    assert chunks[0].data == line


def test_memory_stays_bounded_whatever_the_length_of_a_record() -> None:
    block = b"x" * (1 << 20)
    tracemalloc.start()
    try:
        (chunk,) = Cutter(Trickle([block] * 100), NUMBERS, chunk_bytes=1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert chunk.bytes == 100 << 20
    assert peak < 80 << 20
