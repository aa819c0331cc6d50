"""Feeding: every byte of every file once and in order, whatever an earlier attempt has left."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelbase.datasets.model import Dialect
from reelbase.errors import BrokenArchive, SourceChanged
from reelbase.reading import unpack
from reelbase.reading.feed import End, Extent, Feed, FeedFile, Piece
from reelbase.reading.records import Grammar

QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
GRAMMAR = Grammar(Dialect(), (False, True, True))
HEADER = b"a,b,c\n"
CONTENT = st.lists(
    st.sampled_from(
        [b"1,x,y\n", b"2,,\r\n", b'3,"line\nline",z\n', b"\n", b'4,"open\n', b"5,long" * 9 + b",\n", b"end"]
    )
).map(b"".join)


def write(folder: Path, kind: str, contents: Sequence[bytes]) -> tuple[Path, list[FeedFile]]:
    """Files of these contents behind their headers, in one file on disk, as a feed reads them."""
    path = folder / "file"
    whole = [HEADER + content for content in contents]
    if kind == unpack.PLAIN:
        path.write_bytes(whole[0])
    elif kind == unpack.GZIP:
        path.write_bytes(gzip.compress(whole[0]))
    elif kind == unpack.ZIP:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("0.csv", whole[0])
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as tar:
            for number, data in enumerate(whole):
                for name, content in ((f"{number}.csv", data), (f"{number}.README", b"not wanted")):
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
    named = kind not in (unpack.PLAIN, unpack.GZIP)
    files = [
        FeedFile(number, f"{number}.csv" if named else None, GRAMMAR, len(HEADER), 2)
        for number in range(len(whole) if "tar" in kind else 1)
    ]
    return path, files


def parts(path: Path, kind: str, files: Sequence[FeedFile], chunk_bytes: int) -> list[Piece | End]:
    feed = Feed(path, kind.removesuffix(".gz"), files, chunk_bytes)
    found = []
    while (part := feed.next()) is not None:
        found.append(part)
    assert feed.next() is None
    feed.close()
    return found


def pieces(found: Sequence[Piece | End], file: int) -> list[Piece]:
    return [part for part in found if isinstance(part, Piece) and part.file == file]


def extents(found: Sequence[Piece], first_key: int = 100) -> list[Extent]:
    """What the ledger would have written down for these pieces."""
    return [
        Extent(
            key,
            piece.chunk.first_byte,
            piece.chunk.bytes,
            piece.chunk.first_line,
            piece.chunk.first_line + piece.chunk.lines,
            piece.source_bytes,
            wanted=True,
        )
        for key, piece in enumerate(found, start=first_key)
    ]


KINDS = pytest.mark.parametrize("kind", ["plain", "gzip", "zip", "tar", "tar.gz"])
CONTENTS = st.lists(CONTENT, min_size=1, max_size=3)


@KINDS
@QUICK
@given(contents=CONTENTS, chunk_bytes=st.integers(1, 80))
def test_pieces_cover_each_file_once_and_in_order(
    tmp_path: Path, kind: str, contents: list[bytes], chunk_bytes: int
) -> None:
    path, files = write(tmp_path, kind, contents)
    found = parts(path, kind, files, chunk_bytes)
    assert [part.file for part in found] == sorted(part.file for part in found)
    for file in files:
        content = contents[file.key]
        own = pieces(found, file.key)
        assert b"".join(piece.chunk.data for piece in own) == content
        at, line = len(HEADER), 2
        for piece in own:
            assert (piece.chunk.first_byte, piece.chunk.first_line, piece.extent) == (at, line, None)
            at, line = at + piece.chunk.bytes, line + piece.chunk.lines
        assert [part for part in found if isinstance(part, End) and part.file == file.key] == [End(file.key, at)]
    assert 0 <= sum(part.source_bytes for part in found if isinstance(part, Piece)) <= path.stat().st_size


@KINDS
@QUICK
@given(data=st.data(), contents=CONTENTS, chunk_bytes=st.integers(1, 80))
def test_what_is_resumed_is_exactly_the_rest_with_the_same_bounds(
    tmp_path: Path, kind: str, data: st.DataObject, contents: list[bytes], chunk_bytes: int
) -> None:
    path, files = write(tmp_path, kind, contents)
    first = parts(path, kind, files, chunk_bytes)
    left, expected = [], {}
    for file in files:
        own = pieces(first, file.key)
        known = data.draw(st.integers(0, len(own)), label="chunks cut")
        wanted = data.draw(st.lists(st.booleans(), min_size=known, max_size=known), label="to be loaded again")
        recorded = [replace(extent, wanted=again) for extent, again in zip(extents(own[:known]), wanted, strict=True)]
        cut = known == len(own) and data.draw(st.booleans(), label="cut")
        left.append(replace(file, extents=recorded, cut=cut))
        expected[file.key] = [
            (piece.chunk, extent.key, extent.source_bytes)
            for piece, extent in zip(own, recorded, strict=False)
            if extent.wanted
        ] + [(piece.chunk, None, None) for piece in own[known:]]
    again = parts(path, kind, left, chunk_bytes)
    for file in files:
        got = [
            (piece.chunk, piece.extent, None if piece.extent is None else piece.source_bytes)
            for piece in pieces(again, file.key)
        ]
        assert got == expected[file.key]
    assert sorted(_ends(again)) == sorted(_ends(first))


def _ends(found: Sequence[Piece | End]) -> list[tuple[int, int]]:
    return [(part.file, part.bytes) for part in found if isinstance(part, End)]


def test_a_file_that_is_done_is_not_even_opened(tmp_path: Path) -> None:
    done = FeedFile(7, None, GRAMMAR, 6, 2, [Extent(1, 6, 30, 2, 5, 30, wanted=False)], cut=True)
    assert parts(tmp_path / "gone", "plain", [done], 80) == [End(7, 36)]


@KINDS
def test_a_file_that_became_shorter_is_noticed(tmp_path: Path, kind: str) -> None:
    path, files = write(tmp_path, kind, [b"1,x,y\n" * 20])
    found = extents(pieces(parts(path, kind, files, 30), 0))
    write(tmp_path, kind, [b"1,x,y\n" * 17 + b"1"])
    with pytest.raises(SourceChanged):
        parts(path, kind, [replace(files[0], extents=found, cut=True)], 30)


def test_other_contents_that_end_elsewhere_are_noticed(tmp_path: Path) -> None:
    path, files = write(tmp_path, "plain", [b"1,x,y\n" * 20])
    found = extents(pieces(parts(path, "plain", files, 30), 0))
    write(tmp_path, "plain", [b"1,xxx,y\n" * 20])
    with pytest.raises(SourceChanged):
        parts(path, "plain", [replace(files[0], extents=found, cut=True)], 30)


def test_a_file_that_is_gone_is_noticed(tmp_path: Path) -> None:
    path, files = write(tmp_path, "plain", [b"1,x,y\n"])
    path.unlink()
    with pytest.raises(SourceChanged, match="cannot be read"):
        parts(path, "plain", files, 30)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_a_member_that_is_gone_is_named(tmp_path: Path, kind: str) -> None:
    path, files = write(tmp_path, kind, [b"1,x,y\n"])
    with pytest.raises(BrokenArchive, match=r"gone\.csv"):
        parts(path, kind, [*files, replace(files[0], key=9, member="gone.csv")], 30)


def test_a_feed_can_be_closed_anywhere(tmp_path: Path) -> None:
    path, files = write(tmp_path, "gzip", [b"1,x,y\n" * 20])
    Feed(path, "gzip", files, 30).close()
    feed = Feed(path, "gzip", files, 30)
    assert isinstance(feed.next(), Piece)
    feed.close()
    assert feed.next() is None
