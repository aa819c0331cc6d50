"""What is given: files as they are, folders opened in order; anything else is refused before a thing is started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reelbase.errors import NothingKnown, SourceChanged, SourceMissing, UsageError
from reelbase.receiving.paths import check_unchanged, given


def test_a_file_is_given_by_the_name_that_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(b"12345")
    monkeypatch.chdir(tmp_path)
    (found,) = given(["./a.csv"])
    assert (found.name, found.path, found.bytes, found.in_folder) == ("./a.csv", tmp_path / "a.csv", 5, None)


def test_a_folder_is_walked_in_the_order_of_names_and_hidden_things_are_left_alone(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv", "z/c.csv", "d/e.csv", "d/.git/f.csv", "__MACOSX/._a.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    found = given([str(tmp_path)])
    assert [str(one.path.relative_to(tmp_path)) for one in found] == ["a.csv", "b.csv", "d/e.csv", "z/c.csv"]
    assert {one.in_folder for one in found} == {str(tmp_path)}
    assert [one.name for one in found] == [str(one.path) for one in found]


def test_several_words_keep_their_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(b"1")
    words = [str(tmp_path / "b"), str(tmp_path / "a")]
    assert [one.name for one in given(words)] == words


def test_a_hidden_file_given_by_name_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".a.csv").write_bytes(b"1")
    assert len(given([str(tmp_path / ".a.csv")])) == 1


def test_a_link_to_a_file_is_followed_and_one_to_a_folder_in_a_folder_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "b.csv").write_bytes(b"1")
    folder.mkdir()
    (folder / "a.csv").symlink_to(tmp_path / "else" / "b.csv")
    (folder / "loop").symlink_to(folder)
    assert [Path(one.name).name for one in given([str(folder)])] == ["a.csv"]


def test_the_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").write_bytes(b"1")
    assert given(["~/a.csv"])[0].path == tmp_path / "a.csv"


@pytest.mark.parametrize("word", ["https://example.org/a.csv", "s3://bucket/a.csv", "file:///tmp/a.csv"])
def test_a_url_is_refused_with_what_to_do(word: str) -> None:
    with pytest.raises(UsageError, match="Give an https:// URL"):
        given([word])


@pytest.mark.parametrize("word", ["nothing/here.csv", "~nobody-of-this-name/a.csv", "", "a\0b"])
def test_what_is_not_there_is_refused_by_name(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceMissing) as caught:
        given([word])
    assert caught.value.exit_code == 2
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("inside", [None, ".hidden", "empty folder"])
def test_a_folder_without_files_is_refused(tmp_path: Path, inside: str | None) -> None:
    if inside == "empty folder":
        (tmp_path / inside).mkdir()
    elif inside:
        (tmp_path / inside).write_bytes(b"1")
    with pytest.raises(NothingKnown, match="no files"):
        given([str(tmp_path)])


@pytest.mark.timeout(10)
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SourceMissing, match="neither a file nor a folder"):
        given([str(tmp_path / "fifo")])
    with pytest.raises(SourceMissing, match="fifo is neither a file nor a folder"):
        given([str(tmp_path)])


def test_a_link_to_nothing_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone")
    with pytest.raises(SourceMissing, match=r"a\.csv"):
        given([str(tmp_path)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1")
    (tmp_path / "a.csv").chmod(0)
    with pytest.raises(SourceMissing, match="permission denied"):
        given([str(tmp_path / "a.csv")])


def test_a_file_that_changes_or_goes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"1")
    (found,) = given([str(path)])
    check_unchanged(path, found.fingerprint)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with pytest.raises(SourceChanged, match="has changed"):
        check_unchanged(path, found.fingerprint)
    path.write_bytes(b"12")
    os.utime(path, ns=(0, int(found.fingerprint.split(":")[1])))
    with pytest.raises(SourceChanged, match="has changed"):
        check_unchanged(path, found.fingerprint)
    path.unlink()
    with pytest.raises(SourceChanged, match="cannot be read"):
        check_unchanged(path, found.fingerprint)
