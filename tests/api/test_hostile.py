"""Hundreds of requests that nobody sends in good faith: each is answered with a problem, none breaks anything."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

MOVIES = "/api/v1/movies"
NUL = "%00"
HUGE = "9" * 400


def _bad_parameters() -> Iterator[str]:
    for name in ("year", "year_min", "year_max", "votes_min", "runtime_min", "runtime_max", "limit", "page"):
        for value in ("x", "1.5", "-1", HUGE, "2147483648", "", "0x10", "1e3", "null", NUL, "1;drop", "%F0%9F%8E%AC"):
            yield f"{MOVIES}?{name}={value}"
    for name in ("rating_min", "rating_max"):
        for value in ("x", "-0.1", "10.1", "nan", "inf", "-inf", "", HUGE, "1e400", "'"):
            yield f"{MOVIES}?{name}={value}"


def _bad_words() -> Iterator[str]:
    for name, values in {
        "language": ("", "english", "e", "12", NUL, "e%00", "%27--", "en'"),
        "type": ("", "film", "any'", NUL),
        "source": ("", "netflix", "IMDB", NUL),
        "adult": ("", "yes", "1", NUL),
        "sort": ("", "id", "votes--", "votes desc", "title;select 1", NUL, "(select 1)"),
        "q": ("", "a" * 301, NUL, "a%00b"),
        "genre": ("", "a" * 101, "Action%00"),
    }.items():
        for value in values:
            yield f"{MOVIES}?{name}={value}"


def _bad_queries() -> Iterator[str]:
    yield f"{MOVIES}?bogus=1"
    yield f"{MOVIES}?Q=x"
    yield f"{MOVIES}?limit=1&limit=2"
    yield f"{MOVIES}?q=a&q=b"
    yield f"{MOVIES}?genre[]=Action"
    yield f"{MOVIES}?year[gte]=1990"
    yield f"{MOVIES}?limit=101"
    yield f"{MOVIES}?limit=0"
    yield f"{MOVIES}?page=501&limit=20"
    yield f"{MOVIES}?q=%ff%fe"
    yield f"{MOVIES}?" + "&".join(f"genre=g{n}" for n in range(21))
    yield f"{MOVIES}?" + "&".join(f"a{n}=1" for n in range(300))
    yield f"{MOVIES}?{quote('; drop table x; --')}=1"
    yield f"{MOVIES}?__proto__=1"
    yield f"{MOVIES}/tt0000001?x=1"
    yield f"{MOVIES}/tt0000001/similar?limit=-5"
    yield f"{MOVIES}/tt0000001/ratings?limit=5"
    yield f"{MOVIES}.csv?raw=maybe"
    yield f"{MOVIES}.csv?limit=10"
    yield f"{MOVIES}.ndjson?raw=true"
    yield f"{MOVIES}.parquet?sort=relevance"
    yield "/api/v1/people"
    yield "/api/v1/people?q="
    yield "/api/v1/people?q=x&sort=name"
    yield "/api/v1/people/nm0000001?q=x"
    yield "/api/v1/facets?limit=1"
    yield "/api/v1/genres?cursor=x"
    yield "/api/v1/imports?state=done"
    yield "/api/v1/imports?limit=1000"
    yield "/api/v1/workers?x=1"
    yield "/api/v1/datasets?x=1"
    yield "/metrics?x=1"


def _bad_rows() -> Iterator[str]:
    tables = "/api/v1/datasets/movielens/tables"
    for query in (
        *("movie_id=x", "movie_id=1.5", f"movie_id={HUGE}", "movie_id=2147483648", "movie_id=", "rating=nan"),
        *("rating_min=1e999", "nothing=1", "movie_id_max=x", "ctid=(0,1)", "xmin=1", "rating=0x1", "user_id=%00"),
        *("movie_id;drop=1", "%22movie_id%22=1", "limit=0", "cursor=", "user_id=%D9%A3", "tableoid=1"),
    ):
        yield f"{tables}/ratings?{query}"
    yield f"{tables}/movies?title=%00"
    yield "/api/v1/datasets/imdb/tables/title_basics?is_adult=maybe"
    yield "/api/v1/datasets/imdb/tables/title_basics?is_adult_min=true"
    yield "/api/v1/datasets/tmdb/tables/movies?release_date=yesterday"
    yield "/api/v1/datasets/tmdb/tables/movies?genres=Drama"


def _not_there() -> Iterator[str]:
    yield from (
        *("/api", "/api/v1", "/api/v1/", "/api/v2/movies", "/api/v1/movies/", "/admin", "/.env", "/docs/x"),
        *("/docs/..%2f..%2fsettings.py", "/docs/%2e%2e/answers.py", "/openapi.yaml", "/static/../../etc/passwd"),
        f"{MOVIES}/tt0000001/",
        f"{MOVIES}/..%2f..%2fetc%2fpasswd",
        f"{MOVIES}/tt0000001'--",
        f"{MOVIES}/{HUGE}",
        f"{MOVIES}/movielens:{HUGE}",
        f"{MOVIES}/tmdb:-1",
        f"{MOVIES}/{NUL}",
        f"{MOVIES}/tt0000001{NUL}",
        f"{MOVIES}/%ff%fe",
        f"{MOVIES}/%0a%0dSet-Cookie:%20x=1",
        *("/api/v1/people/nm1", "/api/v1/people/nm0000001'", f"/api/v1/people/{NUL}"),
        *("/api/v1/imports/0", "/api/v1/imports/-1", "/api/v1/imports/x", f"/api/v1/imports/{HUGE}"),
        *("/api/v1/imports/%D9%A3", "/api/v1/imports/1.0"),
        *("/api/v1/datasets/pg_catalog", "/api/v1/datasets/reelbase", "/api/v1/datasets/imdb'--"),
        *("/api/v1/datasets/movielens/tables/pg_class", "/api/v1/datasets/movielens/tables/ratings;drop"),
        *("/api/v1/datasets/reelbase/tables/imports", "/api/v1/datasets/pg_catalog/tables/pg_authid"),
        *('/api/v1/datasets/movielens/tables/"ratings"', f"/api/v1/datasets/movielens/tables/{NUL}"),
        *("/api/v1/datasets/movielens/tables/movielens.ratings", "/api/v1/datasets/movielens/tables/"),
    )


def _b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _bad_cursors() -> Iterator[str]:
    yield from (
        *("x", "e30", "W10", "%00", "a.b", ".", "....", "é", HUGE * 6, "-1", "null", "' or 1=1 --"),
        *(_b64(["votes", True, 5, "x", False]), _b64({"a": 1}), _b64([]), _b64(["votes", True, 10**30, None, 1])),
        _b64(["title_sort; drop table x", True, "", "00000000-0000-0000-0000-000000000000", False]) + ".000000000000",
    )


GETS = [*_bad_parameters(), *_bad_words(), *_bad_queries(), *_bad_rows(), *_not_there()]
BODIES: list[tuple[bytes, str, int]] = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b'{"title": "x"', "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "application/json", 400),
    (b'{"title": NaN}', "application/json", 400),
    (b"null", "application/json", 422),
    (b"[]", "application/json", 422),
    (b'"x"', "application/json", 422),
    (b"{}", "application/json", 422),
    (b'{"title": ""}', "application/json", 422),
    (b'{"title": "   "}', "application/json", 422),
    (b'{"title": null}', "application/json", 422),
    (b'{"title": 5}', "application/json", 422),
    (b'{"title": "a\\u0000b"}', "application/json", 422),
    (b'{"title": "\\ud800"}', "application/json", 400),
    (b'{"title": "x", "year": "1999"}', "application/json", 422),
    (b'{"title": "x", "year": 1e400}', "application/json", 400),
    (b'{"title": "x", "year": 1999.5}', "application/json", 422),
    (b'{"title": "x", "year": true}', "application/json", 422),
    (b'{"title": "x", "year": 99999999999999999999}', "application/json", 422),
    (b'{"title": "x", "rating": 11}', "application/json", 422),
    (b'{"title": "x", "rating": -1}', "application/json", 422),
    (b'{"title": "x", "imdb_id": "113277"}', "application/json", 422),
    (b'{"title": "x", "imdb_id": "tt0113277\\n"}', "application/json", 422),
    (b'{"title": "x", "language": "english"}', "application/json", 422),
    (b'{"title": "x", "genres": "Drama"}', "application/json", 422),
    (b'{"title": "x", "genres": [""]}', "application/json", 422),
    (b'{"title": "x", "genres": [["a"]]}', "application/json", 422),
    (b'{"title": "x", "id": "00000000-0000-0000-0000-000000000000"}', "application/json", 422),
    (b'{"title": "x", "votes": 5}', "application/json", 422),
    (b'{"title": "x", "runtime": -1}', "application/json", 422),
    (b'{"title": "' + b"x" * 501 + b'"}', "application/json", 422),
    (b'{"title": "' + b"x" * (1 << 20) + b'"}', "application/json", 413),
    (b"title=x", "application/x-www-form-urlencoded", 415),
    (b"<title/>", "application/xml", 415),
    (b'{"title": "x"}', "text/plain", 415),
    (b'{"title": "x"}', "", 415),
]
METHODS = [
    (method, path)
    for path in (MOVIES, f"{MOVIES}/tt0000001", "/api/v1/facets", "/api/v1/datasets/imdb/rollback", "/livez", "/docs")
    for method in ("PUT", "TRACE", "OPTIONS", "PROPFIND")
]


def check_problem(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert {"type", "title", "detail", "instance", "request_id"} <= set(body)
    assert len(answer.content) < 8000


def test_there_are_two_hundred_of_them() -> None:
    assert len(GETS) + len(BODIES) + len(METHODS) + len(list(_bad_cursors())) >= 200


@pytest.mark.parametrize("path", GETS, ids=lambda path: path[:60])
def test_a_hostile_question_is_a_problem(reader: httpx.Client, path: str) -> None:
    check_problem(reader.get(path), 400, 404, 414, 422)


@pytest.mark.parametrize("cursor", list(_bad_cursors()), ids=lambda cursor: cursor[:30])
def test_a_cursor_that_is_not_ours_is_refused(reader: httpx.Client, cursor: str) -> None:
    for path in (MOVIES, "/api/v1/datasets/movielens/tables/ratings", "/api/v1/imports"):
        check_problem(reader.get(path, params={"cursor": cursor}), 400, 422)


def test_a_cursor_of_another_list_is_refused(reader: httpx.Client) -> None:
    theirs = urlsplit(reader.get(f"{MOVIES}?genre=Drama&limit=2").json()["next"]).query.split("cursor=")[1]
    for path in (f"{MOVIES}?genre=Comedy", f"{MOVIES}?genre=Drama&sort=title", "/api/v1/imports?limit=1"):
        joined = "&" if "?" in path else "?"
        check_problem(reader.get(f"{path}{joined}cursor={theirs}"), 400)
    assert reader.get(f"{MOVIES}?genre=Drama&limit=50&cursor={theirs}").status_code == 200


@pytest.mark.parametrize(("body", "kind", "status"), BODIES, ids=lambda value: str(value)[:40])
def test_a_hostile_body_is_a_problem(reader: httpx.Client, body: bytes, kind: str, status: int) -> None:
    headers = {"content-type": kind} if kind else {}
    check_problem(reader.post(MOVIES, content=body, headers=headers), status)
    missing = reader.patch(f"{MOVIES}/00000000-0000-4000-8000-00000000000a", content=body, headers=headers)
    check_problem(missing, status, 404)


@pytest.mark.parametrize(("method", "path"), METHODS)
def test_a_method_that_a_path_does_not_have_is_named(reader: httpx.Client, method: str, path: str) -> None:
    answer = reader.request(method, path)
    check_problem(answer, 405)
    assert method not in answer.headers["allow"]


def test_a_megabyte_of_parameters_is_refused_before_it_is_read(reader: httpx.Client) -> None:
    """Whether by us (414) or by the HTTP parser (400), and the server goes on."""
    for path in (f"{MOVIES}?q={'a' * (1 << 20)}", f"{MOVIES}/{'a' * (1 << 20)}"):
        address = urlsplit(str(reader.base_url))
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert raw.recv(1000).split(b" ")[1] in (b"400", b"414", b"431")
    assert reader.get("/livez").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "", "a b", "[::1", "@x"])
def test_a_host_that_is_not_ours_is_refused(reader: httpx.Client, host: str) -> None:
    answer = reader.get(MOVIES, headers={"host": host})
    assert answer.status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "10.0.0.7"])
def test_an_address_and_localhost_are_ours(reader: httpx.Client, host: str) -> None:
    assert reader.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://localhost:1"},
    ],
)
def test_a_page_of_another_site_changes_nothing(reader: httpx.Client, headers: dict[str, str]) -> None:
    check_problem(reader.post(MOVIES, json={"title": "x"}, headers=headers), 403)
    check_problem(reader.delete("/api/v1/datasets/imdb", headers=headers), 403)


def test_what_is_no_http_is_a_problem_too(reader: httpx.Client) -> None:
    check_problem(reader.request("BREW", MOVIES), 400)
    assert reader.get("/livez").status_code == 200


def test_nothing_in_the_log_can_be_forged(reader: httpx.Client) -> None:
    with capture_logs() as logs:
        reader.get("/x%0a%7B%22event%22:%22forged%22%7D%1b[2J", headers={"x-request-id": "bad id\t[x]"})
    [event] = logs
    assert event["path"] == "/x%0A%7B%22event%22:%22forged%22%7D%1B%5B2J"
    assert event["request_id"].isalnum()
