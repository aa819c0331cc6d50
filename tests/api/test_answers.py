"""What answers have besides their bodies: tags, packing, HEAD, CORS, limits, metrics, documentation."""

from __future__ import annotations

import gzip
import hashlib
import json
from importlib import resources
from typing import Any

import httpx
import pytest

from reelbase.api.endpoints import ENDPOINTS
from reelbase.api.openapi import document
from reelbase.serving.application import Options
from reelbase.serving.door import Rules
from reelbase.serving.limits import Limiter
from reelbase.serving.problems import Problem
from tests.serving import client

MOVIES = "/api/v1/movies"


@pytest.mark.parametrize(
    "path", [MOVIES, f"{MOVIES}/movielens:1", "/api/v1/facets", "/api/v1/datasets/imdb/tables/title_basics"]
)
def test_what_a_client_has_is_not_sent_again(reader: httpx.Client, path: str) -> None:
    first = reader.get(path)
    again = reader.get(path, headers={"if-none-match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert reader.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    assert reader.get(f"{path}?limit=1").headers.get("etag") != first.headers["etag"]


def test_head_is_get_without_the_body(reader: httpx.Client) -> None:
    for path in (MOVIES, f"{MOVIES}/movielens:1", f"{MOVIES}.csv", "/livez", "/docs", "/openapi.json"):
        head, get = reader.head(path), reader.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.headers.get("content-length") == get.headers.get("content-length")
    assert reader.head("/nope").status_code == 404


def test_long_answers_are_packed_for_those_who_take_it(reader: httpx.Client) -> None:
    plain = reader.get(MOVIES, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with reader.stream("GET", MOVIES, headers={"accept-encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    refused = reader.get(MOVIES, headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    assert "content-encoding" not in reader.get("/livez").headers


def test_no_page_of_another_origin_may_read_unless_it_is_named(loaded_url: str, reader: httpx.Client) -> None:
    origin = {"origin": "https://pages.example"}
    assert "access-control-allow-origin" not in reader.get(MOVIES, headers=origin).headers
    with client(loaded_url, Options(rules=Rules(origins=("https://pages.example",)))) as allowing:
        assert allowing.get(MOVIES, headers=origin).headers["access-control-allow-origin"] == "https://pages.example"
        asked = allowing.options(MOVIES, headers={**origin, "access-control-request-method": "GET"})
        assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD")
        other = allowing.get(MOVIES, headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        assert allowing.post(MOVIES, json={"title": "x"}, headers=origin).status_code == 403


def test_too_many_requests_are_told_when_to_come_again(loaded_url: str) -> None:
    with client(loaded_url, Options(requests_per_minute=5)) as limited:
        answers = [limited.get("/livez") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"default";q=5;w=60'
    assert answers[0].headers["ratelimit"].startswith('"default";r=4;')
    assert 1 <= int(answers[5].headers["retry-after"]) <= 12
    assert answers[5].headers["content-type"] == "application/problem+json"


def test_a_limit_is_for_each_address_and_passes() -> None:
    now = [0.0]
    limiter = Limiter(2, clock=lambda: now[0])
    here, there = {"client": ("10.0.0.1", 1)}, {"client": ("10.0.0.2", 1)}
    limiter.admit(here)
    limiter.admit(here)
    limiter.admit(there)
    with pytest.raises(Problem, match="2 requests"):
        limiter.admit(here)
    now[0] = 30.1
    limiter.admit(here)
    with pytest.raises(Problem):
        limiter.admit(here)


def test_metrics_tell_of_requests_and_imports(reader: httpx.Client) -> None:
    reader.get(f"{MOVIES}/movielens:1")
    text = reader.get("/metrics").text
    assert 'reelbase_http_request_duration_seconds_count{code="200",method="GET",route="/api/v1/movies/{id}"}' in text
    assert 'reelbase_imports{state="completed"} 3.0' in text
    assert 'reelbase_import_last_success_timestamp_seconds{dataset="imdb"}' in text
    assert "reelbase_pool_in_use" in text


def test_every_answer_has_the_headers_that_browsers_heed(reader: httpx.Client) -> None:
    for path in ("/docs", MOVIES, "/nope"):
        headers = reader.get(path).headers
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]
    assert reader.get("/livez", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"


# Documentation


def test_the_documentation_loads_nothing_from_elsewhere(reader: httpx.Client) -> None:
    page = reader.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in ("/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"):
        assert path in page.text
        assert reader.get(path).status_code == 200
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text


def test_what_is_vendored_is_what_was_published() -> None:
    vendor = resources.files("reelbase.api") / "static" / "vendor"
    lock = json.loads((vendor / "lock.json").read_text(encoding="utf-8"))
    for folder, known in lock.items():
        there = {file.name: file.read_bytes() for file in (vendor / folder).iterdir()}
        assert {name: hashlib.sha256(data).hexdigest() for name, data in there.items()} == known["files"]
        assert "LICENSE" in there


def test_openapi_describes_every_endpoint(reader: httpx.Client) -> None:
    described = reader.get("/openapi.json").json()
    assert described == json.loads(json.dumps(document()))
    assert described["openapi"].startswith("3.1")
    operations = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert operations == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def _gets() -> list[Any]:
    return [
        pytest.param(path, methods["get"], id=path) for path, methods in document()["paths"].items() if "get" in methods
    ]


@pytest.mark.parametrize(("path", "operation"), _gets())
def test_every_example_works_as_it_is_written(reader: httpx.Client, path: str, operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    required = {
        one["name"]: one["example"] for one in operation["parameters"] if one["in"] == "query" and one["required"]
    }
    assert reader.get(path, params=required).status_code == 200
    for parameter in operation["parameters"]:
        if parameter["in"] == "query" and "example" in parameter:
            answer = reader.get(path, params={**required, parameter["name"]: parameter["example"]})
            needs_words = parameter["name"] == "sort" and "relevance" in str(parameter["example"])
            assert answer.status_code == (422 if needs_words else 200), answer.text


def test_the_example_of_a_body_works(own: httpx.Client) -> None:
    operations = document()["paths"]
    post = operations[MOVIES]["post"]["requestBody"]["content"]["application/json"]["example"]
    made = own.post(MOVIES, json=post)
    assert made.status_code == 201
    patch = operations[f"{MOVIES}/{{id}}"]["patch"]["requestBody"]["content"]["application/json"]["example"]
    assert own.patch(made.headers["location"], json=patch).status_code == 200
