"""`reelbase imports`: what can be seen of imports afterwards, and how rejects are mended."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.acceptance.conftest import Reelbase
from tests.importing import RATINGS, TAGS, write

IMPORT = {
    "id", "kind", "dataset", "state", "mode", "attempt", "created_at", "updated_at", "started_at", "finished_at",
    "seconds", "release", "progress", "files", "checks", "skipped", "error",
}  # fmt: skip
PROGRESS = {"bytes_done", "bytes_total", "rows_loaded", "rows_rejected", "rows_per_second", "eta_seconds", "step"}
FILE = {
    "name", "table", "bytes", "rows_read", "rows_loaded", "rows_rejected", "seconds", "state", "started_at",
    "finished_at", "chunks",
}  # fmt: skip
REJECTS = ["file", "line", "byte_offset", "column", "reason", "record"]


def test_the_list_and_one_of_it(reelbase: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    reelbase("import", path)
    reelbase("import", write(path, RATINGS, "1,1,3.5,5", "bad"), code=1)
    found = reelbase.json("imports")
    assert set(found) == {"items"}
    assert [(one["id"], one["state"]) for one in found["items"]] == [(2, "failed"), (1, "completed")]
    assert reelbase.json("imports", "list") == found
    assert [one["id"] for one in reelbase.json("imports", "--state", "completed")["items"]] == [1]
    shown = reelbase.json("imports", "show", 2)
    assert shown == found["items"][0]
    assert set(shown) == IMPORT
    assert set(shown["progress"]) == PROGRESS
    assert [set(file) for file in shown["files"]] == [FILE]
    assert set(shown["files"][0]["chunks"]) == {"total", "done", "failed"}
    assert shown["progress"]["bytes_done"] == shown["progress"]["bytes_total"] == path.stat().st_size
    words = [line.split()[:4] for line in reelbase("imports").stdout.splitlines()]
    failed, completed = ["2", "movielens", "failed", "(too_many_rejects)"], ["1", "movielens", "completed", "1"]
    assert words.index(failed) < words.index(completed)
    said = reelbase("imports", "show", 2).stdout
    assert "failed" in said
    assert "too_many_rejects: " in said


def test_an_unknown_number_ends_with_2(reelbase: Reelbase) -> None:
    for words in (["show"], ["cancel"], ["retry"], ["rejects", "--json"]):
        assert "There is no import 7." in reelbase.refused("imports", *words, 7)
    assert reelbase("imports", "show", "seven", code=2).stdout == ""


def test_rejects_are_csv_and_raw_ones_can_be_mended_and_merged(reelbase: Reelbase, tmp_path: Path) -> None:
    bad = [b'1,2,caf\xe9 "x",5', b"1,x,b,5", b"1,4", b'1,5,"two\r\nlines",never']
    good = [f"2,{movie},fine,5".encode() for movie in range(3)]
    path = write(tmp_path / "t.csv", TAGS, good[0], bad[0], good[1], *bad[1:], good[2], end="\r\n")
    reelbase("import", path, "--max-rejects", "4")

    said = reelbase("imports", "rejects", 1).stdout
    [header, *rows] = list(csv.reader(io.StringIO(said, newline="")))
    assert header == REJECTS
    lines, whole = [3, 5, 6, 7], path.read_bytes()
    assert [(row[0], int(row[1]), int(row[2])) for row in rows] == [
        (str(path), line, whole.index(record)) for line, record in zip(lines, bad, strict=True)
    ]
    assert [(row[3], row[4]) for row in rows] == [
        ("tag", "invalid_utf8"),
        ("movie_id", "wrong_type"),
        ("", "too_few_columns"),
        ("timestamp", "wrong_type"),
    ]
    assert [row[5] for row in rows] == ['1,2,caf\\xe9 "x",5', "1,x,b,5", "1,4", '1,5,"two\r\nlines",never']

    assert reelbase("imports", "rejects", 1, "-o", tmp_path / "rejects.csv").stdout == ""
    assert (tmp_path / "rejects.csv").read_bytes() == said.encode()
    items = reelbase.json("imports", "rejects", 1)["items"]
    assert [list(map(str, item.values())) for item in items][1] == rows[1]
    assert "cannot be written" in reelbase.refused("imports", "rejects", 1, "-o", tmp_path / "no" / "such")

    raw = TAGS.encode() + b"\r\n" + b"".join(record + b"\r\n" for record in bad)
    assert reelbase("imports", "rejects", 1, "--raw").stdout.encode("utf-8", "surrogateescape") == raw
    assert reelbase("imports", "rejects", 1, "--raw", "-o", tmp_path / "mend.csv").stdout == ""
    mend = tmp_path / "mend.csv"
    assert mend.read_bytes() == raw
    for old, new in ((b"\xe9", "é".encode()), (b",x,", b",3,"), (b"1,4\r", b"1,4,new,5\r"), (b"never", b"6")):
        assert mend.read_bytes().count(old) == 1
        mend.write_bytes(mend.read_bytes().replace(old, new))
    found = reelbase.json("import", mend, "--mode", "merge", "--max-rejects", "0")
    assert found["files"][0]["rows_loaded"] == 4
    assert reelbase.rows("select movie_id, tag, timestamp from movielens.tags where user_id = 1 order by 1") == [
        (2, 'café "x"', 5),
        (3, "b", 5),
        (4, "new", 5),
        (5, "two\r\nlines", 6),
    ]
    assert reelbase.rows("select count(*) from movielens.tags") == [(7,)]


def test_raw_rejects_of_several_files_go_to_a_folder_and_old_duplicates_stay_out(
    reelbase: Reelbase, tmp_path: Path
) -> None:
    write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5", "1,1,4.5,6", "bad")
    write(tmp_path / "t.csv", TAGS, "x,1,tag,5")
    reelbase("import", tmp_path / "r.csv", tmp_path / "t.csv", "--max-rejects", "100%")
    assert "-o FOLDER" in reelbase.refused("imports", "rejects", 1, "--raw")
    (tmp_path / "mend").mkdir()
    said = reelbase("imports", "rejects", 1, "--raw", "-o", tmp_path / "mend")
    assert "--with-duplicates" in said.sentence
    assert (tmp_path / "mend" / "r.csv").read_text() == f"{RATINGS}\nbad\n"
    assert (tmp_path / "mend" / "t.csv").read_text() == f"{TAGS}\nx,1,tag,5\n"
    assert "duplicate_key" in reelbase("imports", "rejects", 1).stdout


def test_a_reader_that_has_enough_is_no_error(reelbase: Reelbase, tmp_path: Path) -> None:
    reelbase("import", write(tmp_path / "r.csv", RATINGS, *["bad"] * 20_000), "--max-rejects", "100%")
    for words in ([], ["--raw"]):
        process = reelbase.start("imports", "rejects", 1, *words)
        assert process.stdout is not None
        assert process.stdout.readline().decode().strip() in (",".join(REJECTS), RATINGS)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.wait()
