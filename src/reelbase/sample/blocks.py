"""Files written in big blocks under a temporary name and renamed when whole, packed where the name ends in .gz."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

BLOCK_CHARACTERS = 4 << 20

_SPECIAL = re.compile('[",\r\n]')


def field(text: str) -> str:
    """A CSV field, quoted only where RFC 4180 asks for it."""
    if _SPECIAL.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def write_records(
    path: Path,
    header: str,
    pieces: Iterable[tuple[int, str]],
    progress: Callable[[int], None] | None = None,
    *,
    line_end: str = "\r\n",
) -> Path:
    """Write the header line and the pieces (number of records, their text with line ends) to `path`."""
    with (
        _renamed_when_whole(path) as part,
        part.open("wb") as file,
        _writing(file, packed=path.suffix == ".gz") as write,
    ):
        write(f"{header}{line_end}".encode())
        for records, block in _blocks(pieces):
            write(block.encode())
            if progress is not None:
                progress(records)
    return path


@contextmanager
def _writing(file: BinaryIO, *, packed: bool) -> Iterator[Callable[[bytes], object]]:
    """What takes the bytes; gzip has neither name nor time in it, so that the same content is the same file."""
    if not packed:
        yield file.write
        return
    gzip = isal_zlib.compressobj(isal_zlib.ISAL_DEFAULT_COMPRESSION, isal_zlib.DEFLATED, 31)
    yield lambda data: file.write(gzip.compress(data))
    file.write(gzip.flush())


@contextmanager
def _renamed_when_whole(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _blocks(pieces: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    texts: list[str] = []
    records = characters = 0
    for count, text in pieces:
        texts.append(text)
        records += count
        characters += len(text)
        if characters >= BLOCK_CHARACTERS:
            yield records, "".join(texts)
            texts.clear()
            records = characters = 0
    if texts:
        yield records, "".join(texts)
