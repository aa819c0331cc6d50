"""The filtered list as a stream: CSV, JSON lines, Parquet. Memory does not grow with the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from isal import isal_zlib
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reelbase.catalog import export, parquet
from reelbase.catalog.browse import Order
from reelbase.catalog.export import Form
from reelbase.database.stream import Blocks, Stream
from reelbase.serving.answers import takes_gzip
from reelbase.serving.desk import Desk
from reelbase.serving.movie_list import MovieFilters, OrderName
from reelbase.serving.problems import Problem
from reelbase.serving.query import pairs, parse

_MOST_AT_ONCE = 4
_GZIP = 31  # the window's size and a gzip header, in zlib's way of saying it


class ExportQuery(MovieFilters):
    """The parameters of an export."""

    sort: OrderName = Field(default="-votes", examples=["title"])

    @property
    def order(self) -> Order:
        return Order.named(self.sort)


class CsvQuery(ExportQuery):
    """The parameters of the CSV export."""

    raw: Literal["true", "false"] = Field(
        default="false",
        description="Every text exactly as it is; otherwise what a spreadsheet takes for a formula begins with '",
        examples=["true"],
    )


async def export_csv(request: Request) -> Response:
    """GET /movies.csv."""
    query = parse(CsvQuery, pairs(request.scope["query_string"]))
    form = Form.RAW_CSV if query.raw == "true" else Form.CSV
    return await _stream(request, query, form, "text/csv; charset=utf-8; header=present", "movies.csv")


async def export_ndjson(request: Request) -> Response:
    """GET /movies.ndjson."""
    query = parse(ExportQuery, pairs(request.scope["query_string"]))
    return await _stream(request, query, Form.JSON, "application/x-ndjson", "movies.ndjson")


async def export_parquet(request: Request) -> Response:
    """GET /movies.parquet."""
    query = parse(ExportQuery, pairs(request.scope["query_string"]))
    return await _stream(request, query, Form.FLAT, "application/vnd.apache.parquet", "movies.parquet")


async def _stream(request: Request, query: ExportQuery, form: Form, media_type: str, name: str) -> Response:
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-cache",
        "vary": "accept-encoding",
    }
    if request.scope.get("reelbase.is_head"):
        response = Response(headers=headers, media_type=media_type)
        del response.headers["content-length"]  # it is not known before the export is made
        return response
    desk: Desk = request.app.state.desk
    packed = form is not Form.FLAT and takes_gzip(request.scope)
    if packed:
        headers["content-encoding"] = "gzip"
    source = export.stream(desk.url, form, query.filters(), query.order, query.q)
    return await streamed(request, source, _encoded(source.blocks(), form, packed=packed), headers, media_type)


async def streamed(
    request: Request, source: Stream[Any], blocks: Blocks, headers: dict[str, str], media_type: str
) -> StreamingResponse:
    """The blocks as an answer; what goes wrong before the first is a problem, not a broken stream."""
    exports: Exports = request.app.state.exports
    stream = exports.stream(source, blocks)
    first = await anext(stream)
    return StreamingResponse(_with_first(first, stream), headers=headers, media_type=media_type)


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for block in rest:
            yield block
    finally:
        await rest.aclose()  # type: ignore[attr-defined]  # an asynchronous generator


class Exports:
    """The exports of one process: a few at a time, each with a connection and a thread of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="export")
        self.running = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def stream(self, source: Stream[Any], blocks: Blocks) -> AsyncIterator[bytes]:
        """Blocks of bytes; the next one is made only when the client has taken the last."""
        if self.running >= _MOST_AT_ONCE:
            raise Problem(
                429, "too_many_exports", f"{_MOST_AT_ONCE} exports run already.", headers={"retry-after": "5"}
            )
        self.running += 1
        step: asyncio.Future[bytes | None] | None = None
        try:
            while True:
                step = self._in_a_thread(next, blocks, None)
                block = await asyncio.shield(step)
                if block is None:
                    return
                yield block
        finally:
            # Also when the client has gone in the middle: whatever the thread waits for ends now.
            source.cancel()
            await asyncio.shield(self._ended(step, blocks, source))

    async def _ended(self, step: asyncio.Future[bytes | None] | None, blocks: Blocks, source: Stream[Any]) -> None:
        """A block that is still being made is waited for: a generator cannot be closed while it runs."""
        if step is not None:
            await asyncio.wait({step})
            step.exception()  # nobody else may ask for it
        try:
            await self._in_a_thread(_end, blocks, source)
        finally:
            self.running -= 1

    def _in_a_thread(self, act: Callable[..., Any], *arguments: object) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, act, *arguments)


def _end(blocks: Blocks, source: Stream[Any]) -> None:
    try:
        blocks.close()
    finally:
        source.close()


def _encoded(blocks: Blocks, form: Form, *, packed: bool) -> Blocks:
    if form is Form.FLAT:
        return parquet.written(blocks)
    return _packed(blocks) if packed else _never_empty(blocks)


def _never_empty(blocks: Blocks) -> Blocks:
    """A list without movies is an answer too."""
    is_empty = True
    for block in blocks:
        is_empty = False
        yield block
    if is_empty:
        yield b""


def _packed(blocks: Blocks) -> Blocks:
    packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _GZIP)
    for block in blocks:
        yield packer.compress(block)
    yield packer.flush()
