"""Pages as a client gets them: what is in them, what is kept of them, what is said where something is wrong."""

from __future__ import annotations

import gzip
import re
from html import unescape

import httpx
import pytest

from reelbase.web.assets import assets
from tests.api.library import COUNT, ODD_TITLES

pytestmark = pytest.mark.timeout(400)  # seconds: the first test waits for three imports, on a busy machine too

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/?q=movie", "/movies/tt0000001", "/people/nm0000001", "/?view=table&page=2"])
def test_a_page_that_a_client_has_is_not_sent_again(pages: httpx.Client, path: str) -> None:
    first = pages.get(path)
    assert first.status_code == 200
    assert first.headers["content-type"] == HTML
    assert first.headers["vary"] == "accept-encoding, cookie"
    again = pages.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = pages.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]


def test_pages_of_two_themes_are_two_pages(pages: httpx.Client) -> None:
    auto = pages.get("/")
    dark = pages.get("/", headers={"cookie": "theme=dark", "if-none-match": auto.headers["etag"]})
    assert dark.status_code == 200
    assert 'data-theme="dark"' in dark.text
    assert 'data-theme="auto"' in pages.get("/").text
    assert 'data-theme="auto"' in pages.get("/", headers={"cookie": 'theme="><script>'}).text


def test_a_page_of_a_change_is_another(mine: httpx.Client) -> None:
    before = mine.get("/")
    made = mine.post("/api/v1/movies", json={"title": "Mine", "year": 2020})
    assert made.status_code == 201
    after = mine.get("/", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert "Mine" in after.text
    assert "Your own" in mine.get(f"/movies/{made.json()['id']}").text


def test_before_anything_is_loaded_there_is_a_page_that_says_so(bare: httpx.Client) -> None:
    for path in ("/", "/?q=heat"):
        assert bare.get(path).status_code == 200
    assert "reelbase sample" in bare.get("/").text
    assert bare.get("/movies/tt0000001").status_code == 404
    assert bare.get("/people/nm0000001").status_code == 404


def test_titles_are_text_and_nothing_else(mine: httpx.Client) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ 7*7 }}"
    body = {"title": hostile, "overview": hostile, "genres": [hostile]}
    made = mine.post("/api/v1/movies", json=body).json()
    for path in ("/", "/?view=table", f"/movies/{made['id']}"):
        page = mine.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "{{ 7*7 }}" in unescape(page)
    page = mine.get("/", params={"q": hostile, "genre": hostile, "view": "table"}).text
    assert "<script>alert" not in page
    assert "<img" not in page


def test_no_page_has_a_style_or_a_script_of_its_own(pages: httpx.Client) -> None:
    for path in ("/", "/?view=table", "/movies/tt0000001", "/people/nm0000001", "/nothing"):
        page = pages.get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
        assert not re.search(r"<script(?![^>]* src=)", page)


@pytest.mark.parametrize("number", ODD_TITLES)
def test_odd_titles_are_shown_as_they_are(pages: httpx.Client, number: int) -> None:
    page = pages.get(f"/movies/tt{number:07}")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.text)
    assert heading
    assert unescape(heading[1]) == ODD_TITLES[number]


@pytest.mark.parametrize("word", ["tt0000001", "movielens:1", "tmdb:901"])
def test_any_id_leads_to_the_movie(pages: httpx.Client, word: str) -> None:
    assert pages.get(f"/movies/{word}").status_code == 200


def test_what_the_address_says_is_what_the_api_answers(pages: httpx.Client) -> None:
    query = "genre=Drama&sort=title&rating_min=5&limit=10"
    listed = pages.get(f"/api/v1/movies?{query}").json()
    page = pages.get(f"/?{query}").text
    assert re.findall(r'href="/movies/([^"]+)"', page) == [movie["id"] for movie in listed["items"]]
    assert f"{listed['total']} movies</h1>" in page


def test_more_of_the_list_is_a_link(pages: httpx.Client) -> None:
    seen: list[str] = []
    path: str | None = "/?type=any&adult=include&limit=25"
    while path:
        page = pages.get(path).text
        seen += re.findall(r'href="/movies/([^"]+)"', page)
        link = re.search(r'href="([^"]+)" rel="next"', page)
        path = unescape(link[1]) if link else None
    assert len(seen) == len(set(seen)) >= COUNT


def test_people_are_found_by_name(pages: httpx.Client) -> None:
    found = pages.get("/people?q=astair")
    assert re.findall(r'href="/people/(nm[0-9]+)"', found.text) == ["nm0000001"]
    assert "1899\u20131987" in found.text
    assert "Nobody of that name" in pages.get("/people?q=qqqqqq").text
    assert pages.get("/people").status_code == pages.get("/people?q=").status_code == 200
    assert pages.get("/people?bogus=1").status_code == 422


def test_what_a_form_sends_empty_is_as_if_it_were_not_there(pages: httpx.Client) -> None:
    assert pages.get("/?q=&genre=&sort=").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404), ("/movies/nothing", 404), ("/movies/tt9999999", 404), ("/people/nm9999999", 404),
        ("/static/0/nothing.js", 404), ("/?bogus=1", 422), ("/?year=x&limit=0", 422), ("/?cursor=x", 400),
        ("/?cursor=x&page=1", 400),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_on_a_page(pages: httpx.Client, path: str, status: int) -> None:
    answer = pages.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == HTML
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"] in answer.text
    assert 'href="/"' in answer.text


def test_a_method_that_is_not_there_names_those_that_are(pages: httpx.Client) -> None:
    answer = pages.post("/movies/tt0000001")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-type"] == HTML


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/docs/nothing", "/api/v1/movies/nothing"])
def test_programs_are_told_in_json_by_their_address(pages: httpx.Client, path: str) -> None:
    assert pages.get(path).headers["content-type"] == "application/problem+json"


def test_programs_are_told_in_json_where_they_do_not_ask_for_pages(pages: httpx.Client) -> None:
    answer = pages.get("/nothing", headers={"accept": "*/*"})
    assert answer.headers["content-type"] == "application/problem+json"


# The theme


@pytest.mark.parametrize(
    ("referer", "place"),
    [
        ("{here}/?genre=Drama", "/?genre=Drama"), ("{here}//elsewhere.example/", "/"), (None, "/"),
        ("https://elsewhere.example/page", "/"), ("javascript:alert(1)", "/"),
    ],
)  # fmt: skip
def test_a_theme_is_remembered_and_the_way_leads_back_here(
    pages: httpx.Client, referer: str | None, place: str
) -> None:
    here = str(pages.base_url).rstrip("/")
    headers = {"referer": referer.format(here=here)} if referer else {}
    answer = pages.post("/theme", data={"theme": "dark"}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert answer.headers["set-cookie"].startswith("theme=dark; Path=/; Max-Age=")
    pages.cookies.clear()


@pytest.mark.parametrize("body", [{"theme": "pink"}, {}])
def test_a_theme_is_one_of_three(pages: httpx.Client, body: dict[str, str]) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert pages.post("/theme", data=body, headers=headers).status_code == 422


# Files


def test_files_are_for_ever_under_the_address_of_their_content(pages: httpx.Client) -> None:
    path = assets().url("base.css")
    answer = pages.get(path, headers={"accept-encoding": "gzip"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    plain = pages.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content
    assert gzip.compress(plain.content, 9, mtime=0)
    old = pages.get("/static/0123456789abcdef/base.css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-store")


def test_every_file_that_a_page_names_is_there(pages: httpx.Client) -> None:
    for path in ("/", "/movies/tt0000001", "/people/nm0000001", "/nothing"):
        for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', pages.get(path).text):
            assert pages.get(address).headers["cache-control"].endswith("immutable")
