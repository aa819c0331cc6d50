"""Forms with files (multipart/form-data), read as they come: memory does not grow with a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from reelbase.serving.lines import GoneAway
from reelbase.serving.problems import Fault, Problem, invalid

_MOST_FILES = 50
_MOST_FIELDS = 20
_LONGEST_FIELD = 4096
_LONGEST_NAME = 255
_BATCH_BYTES = 4 << 20
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\x80-\x9f/\\]")


class Arriving(Protocol):
    """A file on its way to the store; every method may wait for the disk."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...

    def write(self, pieces: Sequence[bytes]) -> None: ...
    def finish(self) -> None: ...
    def discard(self) -> None: ...


class Arrivals(Protocol):
    """Where files go."""

    def check(self, announced: int) -> None: ...
    def begin(self, name: str) -> Arriving: ...


@dataclass(slots=True)
class Form:
    """What has been read: fields by name, and files that are finished uploads."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[Arriving] = field(default_factory=list)

    async def discard(self) -> None:
        """Take every file away."""
        for file in self.files:
            await asyncio.to_thread(file.discard)


@dataclass(slots=True)
class _Head:
    """The headers of a part, complete."""

    headers: dict[bytes, bytes]


class _End:
    """The end of a part."""


_Op = _Head | bytes | _End


class _Parser:
    """What bytes mean: heads, pieces and ends of parts, in order."""

    def __init__(self, boundary: bytes) -> None:
        self._ops: list[_Op] = []
        self._name = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self.is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": lambda: self._ops.append(_Head(self._headers)),
                "on_part_data": lambda data, start, end: self._ops.append(data[start:end]),
                "on_part_end": lambda: self._ops.append(_End()),
                "on_end": self._on_end,
            },
        )

    def parse(self, data: bytes) -> Iterator[_Op]:
        """Raises Problem (400) for what is no form."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise Problem(400, "broken_form", f"The form cannot be read: {error}.") from error
        ops, self._ops = self._ops, []
        yield from ops

    def _begin(self) -> None:
        self._headers, self._name, self._value = {}, b"", b""

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _on_end(self) -> None:
        self.is_complete = True


def boundary_of(content_type: str) -> bytes:
    """What divides the parts; raises Problem (400)."""
    _, options = parse_options_header(content_type.encode("latin-1"))
    boundary = options.get(b"boundary", b"")
    if not re.fullmatch(rb"[0-9A-Za-z'()+_,./:=? -]{1,70}", boundary):
        raise Problem(400, "broken_form", "The Content-Type of the form names no boundary.")
    return boundary


async def read_form(request: Request, known: Sequence[str], arrivals: Arrivals, idle_seconds: float) -> Form:
    """Read it to its end; what has been written is taken away again when that is not reached.

    Raises Problem (400, 408, 422), GoneAway when the client leaves, and what `arrivals` raises.
    """
    reading = _Reading(known, arrivals)
    parser = _Parser(boundary_of(request.headers["content-type"]))
    try:
        async for data in _body(request, idle_seconds):
            for op in parser.parse(data):
                await reading.take(op)
            await reading.flush_if_long()
        if not parser.is_complete:
            raise Problem(400, "broken_form", "The form ends before its last boundary.")
    except BaseException as error:
        await asyncio.shield(reading.form.discard())
        if isinstance(error, ClientDisconnect):
            raise GoneAway from error
        raise
    return reading.form


async def _body(request: Request, idle_seconds: float) -> AsyncIterator[bytes]:
    stream = aiter(request.stream())
    while True:
        try:
            yield await asyncio.wait_for(anext(stream), idle_seconds)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Problem(
                408, "too_slow", f"Nothing has come for {idle_seconds:g} seconds.", headers={"connection": "close"}
            ) from None


class _Reading:
    """The form so far, and the part that is being read."""

    def __init__(self, known: Sequence[str], arrivals: Arrivals) -> None:
        self.form = Form()
        self._known = known
        self._arrivals = arrivals
        self._name = ""
        self._text = b""
        self._file: Arriving | None = None
        self._is_left_out = False
        self._pieces: list[bytes] = []
        self._size = 0

    async def take(self, op: _Op) -> None:
        if isinstance(op, _Head):
            await self._begin(op)
        elif isinstance(op, _End):
            await self._end()
        elif self._is_left_out:
            if op:
                raise _wrong("file", "A file needs a name.")
        elif self._file is not None:
            self._pieces.append(op)
            self._size += len(op)
        else:
            self._text += op
            if len(self._text) > _LONGEST_FIELD:
                raise _wrong(self._name, f"A field has at most {_LONGEST_FIELD} bytes.")

    async def flush_if_long(self) -> None:
        if self._size >= _BATCH_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        if self._file is not None and self._pieces:
            pieces, self._pieces, self._size = self._pieces, [], 0
            await asyncio.to_thread(self._file.write, pieces)

    async def _begin(self, head: _Head) -> None:
        kind, options = parse_options_header(head.headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise Problem(400, "broken_form", "A part of the form has no name.")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._is_left_out = self._name == "file" and options.get(b"filename") == b""
        if self._is_left_out:
            return  # a browser's form in which no file was chosen
        if self._name == "file":
            if b"filename" not in options:
                raise _wrong("file", "Send it as a file: curl -F file=@NAME.")
            await self._begin_file(options[b"filename"])
        elif self._name not in self._known:
            raise _wrong(self._name, f"There is no field of this name. There are: file, {', '.join(self._known)}.")
        elif self._name in self.form.fields:
            raise _wrong(self._name, "It is given more than once.")
        elif len(self.form.fields) >= _MOST_FIELDS:
            raise _wrong(self._name, f"There are at most {_MOST_FIELDS} fields.")

    async def _begin_file(self, filename: bytes) -> None:
        if len(self.form.files) >= _MOST_FILES:
            raise _wrong("file", f"A form has at most {_MOST_FILES} files.")
        name = _UNREADABLE.sub("_", filename.decode("utf-8", "replace"))[-_LONGEST_NAME:]
        self._file = await asyncio.to_thread(self._arrivals.begin, name or "file")
        self.form.files.append(self._file)

    async def _end(self) -> None:
        if self._is_left_out:
            return
        if self._file is not None:
            await self._flush()
            await asyncio.to_thread(self._file.finish)
            self._file = None
            return
        try:
            self.form.fields[self._name] = self._text.decode()
        except UnicodeDecodeError:
            raise _wrong(self._name, "It is not UTF-8.") from None
        self._text = b""


def _wrong(name: str, detail: str) -> Problem:
    return invalid([Fault(detail, parameter=name[:100])])
