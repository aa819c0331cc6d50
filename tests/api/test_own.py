"""Movies of one's own over HTTP: at once, by everybody, and never somebody else's."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx

from reelbase.database.connect import connect
from reelbase.imports import own as own_movies
from tests.serving import client

MOVIES = "/api/v1/movies"
GIVEN: dict[str, Any] = {
    "title": "My holiday", "year": 2024, "runtime": 90, "genres": ["Drama"], "language": "en", "overview": "Sun.",
    "imdb_id": "tt7654321", "rating": 9.5,
}  # fmt: skip


def test_it_is_added_found_changed_and_taken_away(own: httpx.Client) -> None:
    before = own.get(MOVIES).json()["total"]
    made = own.post(MOVIES, json=GIVEN)
    assert made.status_code == 201
    location = made.headers["location"]
    movie = made.json()
    assert location == f"{MOVIES}/{movie['id']}"
    assert {name: movie[name] for name in GIVEN if name != "imdb_id"} == {
        name: value for name, value in GIVEN.items() if name != "imdb_id"
    }
    assert movie["ids"]["imdb"] == "tt7654321"
    assert own.get(location).json()["sources"] == ["own"]
    assert own.get(f"{MOVIES}?q=my+holiday").json()["items"] == [movie]
    assert own.get(MOVIES).json()["total"] == before + 1
    changed = own.patch(location, json={"rating": None, "title": " Our holiday "})
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["rating"], changed.json()["year"]) == ("Our holiday", None, 2024)
    assert own.get(f"{MOVIES}/tt7654321").json()["title"] == "Our holiday"
    gone = own.delete(location)
    assert (gone.status_code, gone.content) == (204, b"")
    assert own.get(location).status_code == own.delete(location).status_code == 404
    assert own.get(MOVIES).json()["total"] == before


def test_an_imdb_id_belongs_to_one_movie(own: httpx.Client) -> None:
    first = own.post(MOVIES, json={"title": "A", "imdb_id": "tt7654321"})
    assert own.post(MOVIES, json={"title": "B", "imdb_id": "tt7654321"}).status_code == 409
    assert own.post(MOVIES, json={"title": "B", "imdb_id": "tt0000001"}).status_code == 409
    other = own.post(MOVIES, json={"title": "B"}).headers["location"]
    assert own.patch(other, json={"imdb_id": "tt7654321"}).status_code == 409
    assert own.patch(first.headers["location"], json={"imdb_id": "tt7654321"}).status_code == 200


def test_a_movie_of_a_dataset_is_nobodys_own(own: httpx.Client) -> None:
    for answer in (own.patch(f"{MOVIES}/tt0000001", json={"title": "x"}), own.delete(f"{MOVIES}/movielens:1")):
        assert answer.status_code == 409
        assert answer.json()["remedy"]


def test_no_answer_is_older_than_a_change_made_elsewhere(own: httpx.Client, database: str) -> None:
    """Another process changes a title again and again; what is asked behind a commit never shows the title before."""
    with connect(database) as connection, client(database) as other:
        movie_id = own_movies.add(connection, own_movies.OwnMovie("Title 0"))
        path = f"{MOVIES}/{movie_id}"
        for number in range(60):
            own_movies.edit(connection, movie_id, own_movies.OwnMovie(f"Title {number}"))
            for reader in (own, other):
                answer = reader.get(path)
                assert answer.json()["title"] == f"Title {number}"
                known = reader.get(path, headers={"if-none-match": answer.headers["etag"]})
                assert known.status_code == 304


def test_changes_wait_for_nobody_who_reads(own: httpx.Client, database: str) -> None:
    over = threading.Event()

    def read() -> None:
        with httpx.Client(base_url=own.base_url) as reader:
            while not over.is_set():
                assert reader.get(MOVIES).status_code == 200

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    with connect(database) as connection:
        began = time.monotonic()
        for number in range(20):
            own_movies.add(connection, own_movies.OwnMovie(f"Title {number}"))
        seconds = (time.monotonic() - began) / 20
    over.set()
    for thread in threads:
        thread.join()
    assert seconds < 0.3


def test_the_first_movie_is_there_before_anything_is_loaded(database: str) -> None:
    with client(database) as fresh:
        assert fresh.get(MOVIES).json()["total"] == 0
        made = fresh.post(MOVIES, json=GIVEN)
        assert made.status_code == 201
        assert fresh.get(made.headers["location"]).json()["title"] == GIVEN["title"]
        assert fresh.get(MOVIES).json()["items"] == fresh.get(f"{MOVIES}?q=holiday").json()["items"] == [made.json()]
        assert fresh.delete(made.headers["location"]).status_code == 204
        assert fresh.get(MOVIES).json()["total"] == 0


def test_nothing_is_changed_that_has_changed_since_it_was_read(own: httpx.Client) -> None:
    place = own.post(MOVIES, json=GIVEN).headers["location"]
    old = own.get(place).headers["etag"]
    assert own.patch(place, json={"year": 2000}, headers={"if-match": old}).status_code == 200
    for tag in (old, '"nonsense"', ""):
        refused = own.patch(place, json={"year": 2001}, headers={"if-match": tag})
        assert (refused.status_code, refused.json()["type"]) == (412, "urn:reelbase:problem:changed")
        assert own.delete(place, headers={"if-match": tag}).status_code == 412
    assert own.get(place).json()["year"] == 2000
    # Whichever of its ids it was read by.
    now = own.get(f"{MOVIES}/tt7654321").headers["etag"]
    assert own.patch(place, json={"year": 2002}, headers={"if-match": f'"x", {now}'}).json()["year"] == 2002
    assert own.delete(place, headers={"if-match": "*"}).status_code == 204
