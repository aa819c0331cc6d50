"""The survey: known files are found wherever they are, the others are named; what is damaged stops it."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from pathlib import Path

import pytest

from reelbase.datasets import DATASETS
from reelbase.errors import BrokenArchive, EmptyFile, NothingKnown, SourceMissing, UnknownHeader
from reelbase.reading.survey import Survey, survey
from reelbase.receiving.paths import given
from tests.importing import LINKS, MOVIES, RATINGS, TAGS, write


def look(*paths: Path) -> Survey:
    return survey(given([str(path) for path in paths]), DATASETS)


def found(result: Survey) -> dict[str, str]:
    return {file.name: file.table.name for file in result.files}


def test_a_folder_gives_its_known_files_and_names_the_others(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    movies = write(tmp_path / "b.txt", MOVIES, "1,Heat,x")
    ratings = write(tmp_path / "sub" / "a", RATINGS)
    readme = write(tmp_path / "README.md", "Read me")
    result = look(tmp_path)
    assert found(result) == {str(movies): "movies", str(ratings): "ratings"}
    assert result.skipped == (str(readme),)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "no ending"])
def test_an_archive_gives_its_known_files_by_their_names_inside(tmp_path: Path, name: str) -> None:
    files = {
        "ml/README.txt": b"Read me",
        "ml/movies.csv": f"{MOVIES}\n1,Heat,x\n".encode(),
        "ml/deep/er/ratings.csv": f"\ufeff{RATINGS}\r\n".encode(),
        "__MACOSX/ml/._movies.csv": b"\0\5\x16\7\0",
    }
    path = tmp_path / name
    source = tmp_path / "source"
    for each, data in files.items():
        (source / each).parent.mkdir(parents=True, exist_ok=True)
        (source / each).write_bytes(data)
    if "tar" in name:
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tar:
            for each in files:
                tar.add(source / each, each)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for each, data in files.items():
                archive.writestr(each, data)
    result = look(path)
    assert found(result) == {"ml/movies.csv": "movies", "ml/deep/er/ratings.csv": "ratings"}
    assert result.skipped == ("ml/README.txt", "__MACOSX/ml/._movies.csv")
    for file in result.files:
        assert file.member == file.name
        assert file.path == path
        assert file.unpacked_bytes == len(files[file.name])
        assert files[file.name].startswith(file.raw_header)
        assert file.first_byte == len(file.raw_header)


def test_archives_and_gzip_files_in_a_folder_are_looked_into(tmp_path: Path) -> None:
    packed = write(tmp_path / "movies.csv.gz", MOVIES, "1,Heat,x")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("ratings.csv", RATINGS)
        archive.writestr("notes.txt", "Read me")
    result = look(tmp_path)
    assert found(result) == {str(packed): "movies", "ratings.csv": "ratings"}
    assert result.skipped == ("notes.txt",)
    assert {file.table.name: file.unpacked_bytes for file in result.files} == {"movies": None, "ratings": len(RATINGS)}


def test_several_files_of_one_table_are_all_taken(tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.csv", TAGS), write(tmp_path / "2.csv", TAGS)
    assert found(look(one, two)) == {str(one): "tags", str(two): "tags"}


def test_an_unknown_file_given_by_itself_is_an_error_that_tells_what_is_known(tmp_path: Path) -> None:
    known = write(tmp_path / "known.csv", MOVIES)
    unknown = write(tmp_path / "notes.txt", "Dear diary")
    with pytest.raises(UnknownHeader, match=r"notes\.txt begins with the header 'Dear diary'.*movieId,title,genres"):
        look(known, unknown)
    with pytest.raises(UnknownHeader):
        look(write(tmp_path / "notes.gz", "Dear diary"))


def test_a_folder_or_archive_without_a_known_file_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "a.txt", "Dear diary")
    write(folder / "b.txt", "Dear diary")
    with pytest.raises(NothingKnown, match="Dear diary"):
        look(folder)
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(NothingKnown, match=r"empty\.zip has no files in it.*movieId,title,genres"):
        look(tmp_path / "empty.zip")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_zero_bytes_are_an_error_in_a_folder_too(tmp_path: Path, name: str) -> None:
    write(tmp_path / "links.csv", LINKS)
    (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    with pytest.raises(EmptyFile, match="zero bytes"):
        look(tmp_path)


@pytest.mark.parametrize("ending", [".gz", ".zip", ".tar.gz"])
def test_a_broken_archive_in_a_folder_stops_it_by_name(tmp_path: Path, ending: str) -> None:
    """Skipped, its tables would be published without its rows."""
    write(tmp_path / "links.csv", LINKS)
    path = tmp_path / f"broken{ending}"
    inside = write(tmp_path / "movies.csv", MOVIES, *(f"{n},Heat,x" for n in range(9)))
    if ending == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(inside)
    elif ending == ".tar.gz":
        with tarfile.open(path, "w:gz") as tar:
            tar.add(inside)
    else:
        path.write_bytes(gzip.compress(inside.read_bytes()))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(BrokenArchive, match="broken"):
        look(tmp_path)


def test_damage_behind_the_header_of_a_packed_tar_is_found_before_an_import_begins(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(write(tmp_path / "movies.csv", MOVIES, "1,Heat,x"), "movies.csv")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenArchive, match="truncated"):
        look(path)


def test_a_header_alone_is_a_file_to_import(tmp_path: Path) -> None:
    (file,) = look(write(tmp_path / "m.csv", MOVIES, last=False)).files
    assert file.first_byte == file.unpacked_bytes == len(MOVIES)
    assert file.first_line == 2


def test_names_that_are_not_utf_8_can_be_printed_and_stored(tmp_path: Path) -> None:
    write(tmp_path / "movies.csv", MOVIES)
    (tmp_path / "caf\udce9.txt").write_bytes(b"Dear diary")
    (skipped,) = look(tmp_path).skipped
    assert skipped.endswith("caf\N{REPLACEMENT CHARACTER}.txt")
    write(tmp_path / "caf\udce9.csv", MOVIES)
    with pytest.raises(SourceMissing, match=r"caf\N{REPLACEMENT CHARACTER}\.csv is not UTF-8. Rename"):
        look(tmp_path)
