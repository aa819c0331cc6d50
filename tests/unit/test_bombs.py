"""Archives made to do harm are refused before they have done any, and honest ones are not."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from reelbase.datasets import DATASETS
from reelbase.errors import ArchiveBomb, BrokenArchive, NothingKnown
from reelbase.reading import bombs, unpack
from reelbase.reading.survey import survey
from reelbase.receiving.paths import given
from tests.importing import RATINGS

LINES = f"{RATINGS}\n1,1,3.5,5\n".encode()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing above 1 MiB is harmless, so that bombs may be small."""
    monkeypatch.setattr(bombs, "HARMLESS_BYTES", 1 << 20)


def read(path: Path, kind: str, member: str | None) -> int:
    size = 0
    with unpack.open_stream(path, kind, member) as stream:
        while data := stream.read(1 << 16):
            size += len(data)
    return size


def tarred(path: Path, *files: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


@pytest.mark.usefixtures("small")
def test_what_unpacks_to_far_more_than_it_holds_is_given_up(tmp_path: Path) -> None:
    zeros = bytes(8 << 20)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(zeros))
    with pytest.raises(ArchiveBomb, match="200 times"):
        read(packed, unpack.GZIP, None)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", zeros)
    with pytest.raises(ArchiveBomb, match="200 times"):
        read(tmp_path / "a.zip", unpack.ZIP, "a.csv")
    tar = tarred(tmp_path / "a.tar.gz", ("a.csv", zeros))
    with pytest.raises(ArchiveBomb, match="200 times"):
        read(tar, unpack.TAR, "a.csv")


@pytest.mark.usefixtures("small")
def test_a_bomb_beside_a_good_file_is_found_by_the_survey(tmp_path: Path) -> None:
    """A packed tar cannot be looked through without unpacking all of it."""
    tar = tarred(tmp_path / "a.tar.gz", ("ratings.csv", LINES), ("zeros", bytes(8 << 20)))
    with pytest.raises(ArchiveBomb):
        survey(given([str(tar)]), DATASETS)


@pytest.mark.usefixtures("small")
def test_text_that_repeats_itself_much_is_no_bomb(tmp_path: Path) -> None:
    lines = b"".join(b"%d,%d,3.5,1000000000\n" % (number // 100, number % 100) for number in range(200_000))
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(lines))
    assert read(packed, unpack.GZIP, None) == len(lines) > 1 << 20


def test_a_small_file_may_be_packed_as_well_as_it_can(tmp_path: Path) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(bytes(32 << 20)))
    assert read(packed, unpack.GZIP, None) == 32 << 20


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../ratings.csv", "ml/../../ratings.csv", "C:\\ratings.csv", "..\\ratings.csv", "\\\\host\\r"],
)
def test_names_that_lead_out_of_an_archive_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        entry = zipfile.ZipInfo("ratings.csv")
        entry.filename = name
        archive.writestr(entry, LINES)
    tar = tarred(tmp_path / "a.tar.gz", (name, LINES))
    for path in (tmp_path / "a.zip", tar):
        with pytest.raises(BrokenArchive, match="outside of its folder"):
            survey(given([str(path)]), DATASETS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "a.zip"]


def test_links_and_archives_inside_an_archive_are_no_files_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            entry = tarfile.TarInfo(f"ratings{kind!r}.csv")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        inner = gzip.compress(LINES)
        entry = tarfile.TarInfo("ratings.csv.gz")
        entry.size = len(inner)
        archive.addfile(entry, io.BytesIO(inner))
    with pytest.raises(NothingKnown):
        survey(given([str(path)]), DATASETS)


def test_more_files_than_anybody_looks_through_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    tar = tarred(tmp_path / "a.tar.gz", *((str(number), b"") for number in range(10_001)))
    for path in (tmp_path / "a.zip", tar):
        with pytest.raises(ArchiveBomb, match="10,000 files"):
            survey(given([str(path)]), DATASETS)


def test_files_that_overlap_are_refused(tmp_path: Path) -> None:
    """Many entries of a zip may name the same packed bytes."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0.csv", LINES * 1000)
        for number in range(1, 100):
            entry = zipfile.ZipInfo(f"{number}.csv")
            first = archive.filelist[0]
            entry.header_offset, entry.CRC = first.header_offset, first.CRC
            entry.file_size = entry.compress_size = first.file_size
            archive.filelist.append(entry)
    with pytest.raises(ArchiveBomb, match="overlap"):
        survey(given([str(path)]), DATASETS)


@pytest.mark.parametrize("is_zip64", [False, True])
def test_a_list_of_files_that_would_fill_the_memory_is_not_read(tmp_path: Path, *, is_zip64: bool) -> None:
    listed = 1 << 31
    record = b"PK\x06\x06" + bytes(36) + struct.pack("<QQ", listed, 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 4, 1)
    size = 0xFFFFFFFF if is_zip64 else listed
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, size, 0, 0)
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04" + (record + locator if is_zip64 else b"") + end)
    with pytest.raises(ArchiveBomb, match="2,147,483,648 bytes"):
        unpack.members(path, unpack.ZIP)


def test_a_header_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    entry = tarfile.TarInfo("long")
    entry.type, entry.size = tarfile.XHDTYPE, 1 << 31
    path.write_bytes(gzip.compress(entry.tobuf() + bytes(1 << 20)))
    with pytest.raises(ArchiveBomb, match="2,147,483,648 bytes"):
        survey(given([str(path)]), DATASETS)
