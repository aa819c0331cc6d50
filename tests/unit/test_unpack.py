"""Unpacking: every container gives the bytes that were packed, or says that it is broken; never less in silence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelbase.errors import BrokenArchive, UnknownHeader
from reelbase.reading import unpack

QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
CONTENT = st.binary(max_size=3000) | st.binary(min_size=1, max_size=30).map(lambda data: data * 5000)
NAME = "inside.csv"


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _members(data: bytes) -> bytes:
    third = len(data) // 3
    return b"".join(gzip.compress(part, mtime=0) for part in (data[:third], b"", data[third:]))


def _zip(method: int) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("README", b"read me" * 30)
            archive.writestr(NAME, data)
        return out.getvalue()

    return pack


def _tar(data: bytes, name: str = NAME) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for each, content in (("README", b"read me" * 30), (name, data)):
            entry = tarfile.TarInfo(each)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _streamed_zip(data: bytes) -> bytes:
    """A zip written to a pipe: sizes and checksum stand behind the data."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, part: object) -> int:
            self.parts.append(bytes(part))  # type: ignore[call-overload]  # any buffer
            return len(self.parts[-1])

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME, data)
    return b"".join(pipe.parts)


PACKED: dict[str, tuple[str, str | None, Callable[[bytes], bytes]]] = {
    "plain": (unpack.PLAIN, None, lambda data: b"# " + data),
    "gzip": (unpack.GZIP, None, _gzip),
    "gzip of several members": (unpack.GZIP, None, _members),
    "zip, stored": (unpack.ZIP, NAME, _zip(zipfile.ZIP_STORED)),
    "zip, deflated": (unpack.ZIP, NAME, _zip(zipfile.ZIP_DEFLATED)),
    "zip, streamed": (unpack.ZIP, NAME, _streamed_zip),
    "tar": (unpack.TAR, NAME, _tar),
    "tar.gz": (unpack.TAR, NAME, lambda data: _gzip(_tar(data))),
}
each_container = pytest.mark.parametrize(("kind", "member", "pack"), PACKED.values(), ids=PACKED.keys())


def blocks(stream: unpack.Stream, size: int) -> Iterator[bytes]:
    while block := stream.read(size):
        yield block


def whole(path: Path) -> dict[str | None, bytes]:
    """Everything that is in a file, found and read as a survey and an import do."""
    kind = unpack.container(path)
    if kind == unpack.TAR:
        found: dict[str | None, bytes] = {name: b"".join(blocks(s, 999)) for name, s in unpack.tar_streams(path)}
        assert sorted(str(member.name) for member in unpack.members(path, kind)) == sorted(map(str, found))
        return found
    read: dict[str | None, bytes] = {}
    for member in unpack.members(path, kind):
        with unpack.open_stream(path, kind, member.name) as stream:
            read[member.name] = b"".join(blocks(stream, 999))
    return read


@each_container
@QUICK
@given(data=CONTENT, size=st.integers(1, 200) | st.just(1 << 20))
def test_every_container_gives_what_was_packed(
    tmp_path: Path, kind: str, member: str | None, pack: Callable[[bytes], bytes], data: bytes, size: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(data))
    wanted = path.read_bytes() if kind == unpack.PLAIN else data
    size = max(size, len(data) // 500)
    assert unpack.container(path) == kind
    (found,) = (each for each in unpack.members(path, kind) if each.name == member)
    assert found.unpacked_bytes in ((None,) if kind == unpack.GZIP else (len(wanted),))
    assert 0 <= found.source_bytes <= path.stat().st_size
    got, positions = [], []
    with unpack.open_stream(path, kind, member) as stream:
        for block in blocks(stream, size):
            assert len(block) <= size
            got.append(block)
            positions.append(stream.position)
        positions.append(stream.position)
    assert b"".join(got) == wanted
    assert positions == sorted(positions)
    assert positions[-1] <= path.stat().st_size
    if kind != unpack.TAR:
        assert positions[-1] == found.source_bytes


@each_container
@QUICK
@given(data=CONTENT, skips=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 500)), max_size=5))
def test_skipping_is_reading_and_throwing_away(
    tmp_path: Path,
    kind: str,
    member: str | None,
    pack: Callable[[bytes], bytes],
    data: bytes,
    skips: list[tuple[int, int]],
) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(data))
    wanted = io.BytesIO(path.read_bytes() if kind == unpack.PLAIN else data)
    with unpack.open_stream(path, kind, member) as stream:
        for skip, read in skips:
            wanted.read(skip)
            stream.skip(skip)
            assert stream.read(0) == b""
            expected = wanted.read(read)
            got = b""
            while len(got) < len(expected):
                got += stream.read(len(expected) - len(got))
            assert got == expected
        assert b"".join(blocks(stream, 1 << 20)) == wanted.read()


@pytest.mark.parametrize("name", [name for name in PACKED if name not in ("plain", "gzip of several members")])
def test_a_file_cut_off_at_any_byte_is_broken_and_never_just_shorter(name: str, tmp_path: Path) -> None:
    kind, _, pack = PACKED[name]
    # Incompressible and all the same: deflate's blocks are cut in every way.
    data = random.Random(1).randbytes(150) + b"0" * 700 + b"x,y\n" * 100
    packed = pack(data)
    path = tmp_path / "file"
    # Files of fewer bytes are not told apart; they are no known header either. The end of a tar is blocks of zeros.
    first = {unpack.TAR: 512 if name == "tar" else 2, unpack.GZIP: 2, unpack.ZIP: 4}[kind]
    last = len(packed.rstrip(b"\0")) if name == "tar" else len(packed)
    for length in range(first, last):
        path.write_bytes(packed[:length])
        with pytest.raises(BrokenArchive) as caught:
            whole(path)
        assert str(caught.value).isprintable()


def test_a_gzip_cut_off_between_members_is_shorter_as_nobody_can_tell(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(_gzip(b"one\n") + _gzip(b"two\n")[:0])
    assert whole(path) == {None: b"one\n"}
    path.write_bytes(_gzip(b"one\n") + _gzip(b"two\n")[:-1])
    with pytest.raises(BrokenArchive):
        whole(path)


@pytest.mark.parametrize("name", ["gzip", "gzip of several members", "zip, stored", "zip, deflated", "tar.gz"])
@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_no_damaged_byte_changes_what_is_read_in_silence(tmp_path: Path, name: str, mask: int) -> None:
    _, member, pack = PACKED[name]
    data = random.Random(2).randbytes(50) + b"a line\n" * 40
    packed = pack(data)
    path = tmp_path / "file"
    for at in range(len(packed)):
        path.write_bytes(packed[:at] + bytes([packed[at] ^ mask]) + packed[at + 1 :])
        try:
            if unpack.container(path) == unpack.PLAIN:
                continue
            found = whole(path)
        except BrokenArchive:
            continue
        # Names in a zip have no checksum.
        assert found.get(member, data) == data


def test_a_wrong_checksum_in_a_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    packed = _zip(zipfile.ZIP_STORED)(b"1,2,3\n" * 10)
    path.write_bytes(packed.replace(b"1,2,3\n1", b"1,2,4\n1"))
    with pytest.raises(BrokenArchive, match=f"{NAME} is damaged.*checksum"):
        whole(path)


def test_an_encrypted_zip_is_refused_with_what_to_do(tmp_path: Path) -> None:
    packed = bytearray(_zip(zipfile.ZIP_DEFLATED)(b"1,2,3\n"))
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.rfind(magic) + flags] |= 1
    path = tmp_path / "file.zip"
    path.write_bytes(packed)
    with pytest.raises(BrokenArchive, match=r"encrypted.*password"):
        whole(path)


def test_a_zip_packed_by_another_method_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    path.write_bytes(_zip(zipfile.ZIP_LZMA)(b"1,2,3\n"))
    with pytest.raises(BrokenArchive, match="method"):
        whole(path)


@pytest.mark.parametrize(
    ("packed", "name"),
    [
        (bz2.compress(b"1"), "bzip2"),
        (lzma.compress(b"1"), "xz"),
        (b"\x28\xb5\x2f\xfd\x24\x01", "zstandard"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7-Zip"),
        (b"Rar!\x1a\x07\x01\0", "RAR"),
    ],
)
def test_packers_that_are_not_read_are_named(tmp_path: Path, packed: bytes, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(packed)
    with pytest.raises(UnknownHeader, match=rf"packed by {name}.*gzip or zip"):
        unpack.container(path)


@pytest.mark.parametrize("pack", [_tar, lambda data: _gzip(_tar(data, "README"))])
def test_an_archive_with_two_files_of_one_name_is_refused(tmp_path: Path, pack: Callable[..., bytes]) -> None:
    path = tmp_path / "file.tar"
    path.write_bytes(pack(b"1") if pack is not _tar else _tar(b"1", "README"))
    with pytest.raises(BrokenArchive, match="several files named README"):
        unpack.members(path, unpack.TAR)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_two_files_of_one_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("a.csv", "2")
    with pytest.raises(BrokenArchive, match=r"several files named a\.csv"):
        unpack.members(path, unpack.ZIP)


def test_folders_and_links_in_archives_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "file.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("folder", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.linkname = "/etc/passwd"
            archive.addfile(entry)
        archive.addfile(tarfile.TarInfo("folder/a.csv"))
    assert whole(path) == {"folder/a.csv": b""}
    with zipfile.ZipFile(tmp_path / "file.zip", "w") as packed:
        packed.mkdir("folder")
        packed.writestr("folder/a.csv", b"1")
    assert whole(tmp_path / "file.zip") == {"folder/a.csv": b"1"}


def test_a_member_that_is_not_there_is_named(tmp_path: Path) -> None:
    for kind, pack in ((unpack.ZIP, _zip(zipfile.ZIP_STORED)), (unpack.TAR, _tar)):
        path = tmp_path / kind
        path.write_bytes(pack(b"1"))
        with pytest.raises(BrokenArchive, match="other"), unpack.open_stream(path, kind, "other"):
            pass
