"""Chunks and rejects of an import over HTTP, and what it leaves in the metrics."""

from __future__ import annotations

import csv
import io
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from reelbase.database.connect import connect
from reelbase.imports import rejects
from tests.api.test_movies import walk
from tests.importing import LINKS, RATINGS, TAGS, Importer, write

IMPORTS = "/api/v1/imports"
BAD_TAGS = [b'1,2,caf\xe9 "x",5', b"1,x,=1+1,5", b"1,4", b'1,5,"two\nlines",never']


@pytest.fixture
def imported(database: str, tmp_path: Path) -> dict[str, Any]:
    """Two files with rejects of several kinds, in many chunks."""
    ratings = [f"{user},1,3.5,5" if user % 50 else f"{user},1,9.5,5" for user in range(1, 2001)]
    tags = write(tmp_path / "tags.csv", TAGS, *(f"1,{n},fine,5" for n in range(9)), *BAD_TAGS)
    found = Importer(database, chunk_bytes=4096)(write(tmp_path / "ratings.csv", RATINGS, *ratings, "1,1,4.0,6"), tags)
    assert found["state"] == "completed"
    return found


def test_rejects_are_the_same_as_json_as_csv_and_on_the_terminal(
    client: httpx.Client, database: str, imported: dict[str, Any]
) -> None:
    place = f"{IMPORTS}/{imported['id']}/rejects"
    listed = walk(client, f"{place}?limit=7")
    assert len(listed) == imported["progress"]["rows_rejected"] == 45
    assert client.get(place).json()["total"] == 45
    answer = client.get(place, headers={"accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == f'attachment; filename="rejects-{imported["id"]}.csv"'
    assert answer.content == client.get(f"{place}?format=csv").content
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert rows == [{name: "" if value is None else str(value) for name, value in one.items()} for one in listed]
    with connect(database) as connection:
        assert b"".join(rejects.as_csv(rejects.rejects(connection, imported["id"]))) == answer.content
    records = [one["record"] for one in listed if one["file"].endswith("tags.csv")]
    assert records == ['1,2,caf\\xe9 "x",5', "1,x,=1+1,5", "1,4", '1,5,"two\nlines",never']


def test_rejects_are_filtered(client: httpx.Client, imported: dict[str, Any]) -> None:
    place = f"{IMPORTS}/{imported['id']}/rejects"
    everything = walk(client, place)
    for reason in {one["reason"] for one in everything}:
        mine = [one for one in everything if one["reason"] == reason]
        assert walk(client, f"{place}?reason={reason}&limit=3") == mine
        lines = client.get(f"{place}?reason={reason}&format=csv").text
        assert len(list(csv.DictReader(io.StringIO(lines, newline="")))) == len(mine)
    name = imported["files"][1]["name"]
    found = client.get(place, params={"file": name, "limit": 100}).json()
    assert found["items"] == [one for one in everything if one["file"] == name]
    assert found["total"] == 4
    assert client.get(f"{place}?file=nobody").json()["items"] == []


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/csv, application/json;q=0.9, */*;q=0.1", "text/csv"),
        ("text/csv;q=0", "application/json"),
        ("text/html", "application/json"),
    ],
)
def test_what_is_accepted_decides(reader: httpx.Client, accept: str, kind: str) -> None:
    answer = reader.get(f"{IMPORTS}/1/rejects", headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["vary"] == "accept"


def test_the_rejects_of_no_import_are_a_problem(nothing: httpx.Client) -> None:
    for query in ("", "?format=csv"):
        answer = nothing.get(f"{IMPORTS}/1/rejects{query}")
        assert answer.status_code == 404  # also before a stream begins
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_word_in_the_query_is_stronger_than_a_header(client: httpx.Client, imported: dict[str, Any]) -> None:
    place = f"{IMPORTS}/{imported['id']}/rejects"
    assert client.get(f"{place}?format=json", headers={"accept": "text/csv"}).json()["total"] == 45
    assert client.head(f"{place}?format=csv").content == b""
    for query in ("format=xml", "reason=nobody", "limit=0", "format=csv&cursor=x", "cursor=x.y", "nobody=1"):
        assert client.get(f"{place}?{query}").status_code in (400, 422)


def test_many_rejects_are_a_stream(client: httpx.Client, database: str, tmp_path: Path) -> None:
    path = write(tmp_path / "links.csv", LINKS, *(f"x{n},1,1" for n in range(20_000)))
    found = Importer(database)(path)
    with client.stream("GET", f"{IMPORTS}/{found['id']}/rejects?format=csv") as answer:
        assert "content-length" not in answer.headers
        assert sum(1 for _ in answer.iter_lines()) == 20_001
    with client.stream("GET", f"{IMPORTS}/{found['id']}/rejects?format=csv") as answer:
        next(answer.iter_raw(10))
    with connect(database) as connection:  # who leaves in the middle leaves nothing behind
        deadline = time.monotonic() + 20
        while connection.execute(
            "select 1 from pg_stat_activity where application_name = 'reelbase export' and datname = current_database()"
        ).fetchone():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_chunks_cover_the_files(client: httpx.Client, imported: dict[str, Any]) -> None:
    place = f"{IMPORTS}/{imported['id']}/chunks"
    chunks = walk(client, f"{place}?limit=3")
    assert set(chunks[0]) == {
        *("file", "first_line", "last_line", "first_byte", "bytes", "state", "attempt", "rows_loaded", "rows_rejected"),
        *("worker", "started_at", "finished_at", "error"),
    }
    for file in imported["files"]:
        mine = [chunk for chunk in chunks if chunk["file"] == file["name"]]
        assert len(mine) == file["chunks"]["total"]
        assert client.get(place, params={"file": file["name"], "limit": 100}).json()["items"] == mine
        ends = [chunk["first_byte"] + chunk["bytes"] for chunk in mine]
        assert [chunk["first_byte"] for chunk in mine[1:]] == ends[:-1]
        assert ends[-1] == file["bytes"]
        assert sum(chunk["rows_loaded"] + chunk["rows_rejected"] for chunk in mine) == file["rows_read"]
    assert walk(client, f"{place}?state=done&limit=2") == chunks
    assert client.get(f"{place}?state=failed").json()["total"] == 0
    for query in ("state=nobody", "cursor=a.b", "x=1"):
        assert client.get(f"{place}?{query}").status_code in (400, 422)
    assert client.get(f"{IMPORTS}/99/chunks").status_code == 404


def numbers(client: httpx.Client) -> dict[tuple[str, str], float]:
    found = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found[sample.name, ",".join(sample.labels.values())] = sample.value
    return found


def test_metrics_tell_of_imports(client: httpx.Client, database: str, imported: dict[str, Any], tmp_path: Path) -> None:
    waiting = Importer(database).queue(tmp_path / "tags.csv")
    watching = threading.Thread(target=client.get, args=(f"{IMPORTS}/{waiting}/events",), daemon=True)
    watching.start()
    deadline = time.monotonic() + 20
    while (found := numbers(client))["reelbase_sse_clients", ""] < 1:
        assert time.monotonic() < deadline
    assert found["reelbase_import_rows_total", "movielens,loaded"] == imported["progress"]["rows_loaded"]
    assert found["reelbase_import_rows_total", "movielens,rejected"] == 45
    size = sum((tmp_path / name).stat().st_size for name in ("ratings.csv", "tags.csv"))
    assert found["reelbase_import_bytes_total", "movielens"] == size - len(f"{RATINGS}\n{TAGS}\n")
    assert found["reelbase_import_duration_seconds_count", "movielens"] == 1
    assert found["reelbase_import_duration_seconds_sum", "movielens"] == pytest.approx(imported["seconds"], abs=0.001)
    assert found["reelbase_imports", "queued"] == 1
    assert found["reelbase_jobs", "todo"] >= 1
    assert found["reelbase_job_queue_oldest_seconds", ""] > 0
    assert found["reelbase_import_last_success_timestamp_seconds", "movielens"] > 1e9
    client.post(f"{IMPORTS}/{waiting}/cancel")
    watching.join(timeout=20)
    assert not watching.is_alive()
