"""JSON lines of flat movies as a Parquet file, row group after row group."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterator
from typing import IO, cast

from arro3.core import DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import read_json, write_parquet

from reelbase.database.stream import Blocks

_ROW_GROUP = 50_000
_BLOCKS_WAITING = 4
_WAIT_SECONDS = 0.2


def schema() -> Schema:
    """The columns, as the CSV has them, with their types."""
    texts = DataType.list(Field("item", DataType.utf8()))
    kinds = {"text": DataType.utf8(), "int": DataType.int32(), "float": DataType.float64(), "texts": texts}
    kinds |= {"date": DataType.date32(), "bool": DataType.bool()}
    return Schema([Field(name, kinds[kind], nullable=True) for name, kind in _COLUMNS.items()])


_COLUMNS = {
    "id": "text",
    "type": "text",
    "title": "text",
    "original_title": "text",
    "year": "int",
    "release_date": "date",
    "runtime": "int",
    "genres": "texts",
    "language": "text",
    "languages": "texts",
    "overview": "text",
    "adult": "bool",
    "rating": "float",
    "votes": "int",
    "score": "float",
    "imdb_average": "float",
    "imdb_votes": "int",
    "movielens_average": "float",
    "movielens_votes": "int",
    "tmdb_average": "float",
    "tmdb_votes": "int",
    "imdb_id": "text",
    "movielens_id": "int",
    "tmdb_id": "int",
    "sources": "texts",
}


class _Abandoned(Exception):  # a signal, never shown
    """Nobody reads the file any more."""


class _Pipe(io.RawIOBase):
    """What the writer writes, for whoever reads; the writer waits when it is too far ahead."""

    def __init__(self) -> None:
        self._blocks: queue.Queue[bytes | None] = queue.Queue(_BLOCKS_WAITING)
        self.is_abandoned = False
        self.error: BaseException | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._put(bytes(data))
        return len(data)

    def end(self, error: BaseException | None) -> None:
        self.error = error
        if not self.is_abandoned:
            self._put(None)

    def _put(self, block: bytes | None) -> None:
        while not self.is_abandoned:
            try:
                return self._blocks.put(block, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
        raise _Abandoned

    def blocks(self) -> Iterator[bytes]:
        while (block := self._blocks.get()) is not None:
            yield block
        if self.error is not None:
            raise self.error


def written(lines: Blocks) -> Blocks:
    """The file's bytes, made while they are read."""
    pipe = _Pipe()
    thread = threading.Thread(target=_write, args=(lines, pipe), name="parquet", daemon=True)
    thread.start()
    try:
        yield from pipe.blocks()
    finally:
        pipe.is_abandoned = True
        thread.join()
        lines.close()


def _write(lines: Blocks, pipe: _Pipe) -> None:
    failed: list[BaseException] = []
    try:
        reader = RecordBatchReader.from_batches(schema(), _batches(lines, pipe, failed))
        write_parquet(reader, cast("IO[bytes]", pipe), compression="zstd(3)", max_row_group_size=_ROW_GROUP)
    except BaseException as error:  # noqa: BLE001  # whatever it is, the reader has to hear of it
        failed.append(error)
    try:
        pipe.end(failed[0] if failed else None)
    except _Abandoned:
        return


def _batches(lines: Blocks, pipe: _Pipe, failed: list[BaseException]) -> Iterator[RecordBatch]:
    """What goes wrong here is kept: the writer would tell of it in its own words."""
    try:
        for block in lines:
            if pipe.is_abandoned:
                raise _Abandoned
            yield from read_json(io.BytesIO(block), schema())
    except BaseException as error:
        failed.append(error)
        raise
