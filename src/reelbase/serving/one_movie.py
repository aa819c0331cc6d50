"""One movie by any of its ids: what is said where there is none, and where it has become part of another."""

from __future__ import annotations

from urllib.parse import quote

from reelbase.catalog import movies
from reelbase.database.asking import Question
from reelbase.serving.desk import if_loaded
from reelbase.serving.problems import Problem, not_found


class Moved(Problem):
    """The movie is part of another one now."""

    def __init__(self, location: str) -> None:
        super().__init__(308, "moved", "This movie turned out to be another one.", headers={"location": location})


def finding(word: str, what: str, base: str, end: str = "") -> Question[movies.Found]:
    """The movie; raises Problem where there is none (404), or where it is at another address now (308).

    Its address is `base`/{id}`end`.
    """
    found = yield from if_loaded(movies.finding(word, what=what), None)
    if found is None:
        raise not_found(
            f"There is no movie {word[:80]!r}.",
            "An id is a UUID, tt0113277 (IMDb), movielens:6 or tmdb:949; a title is found by searching.",
        )
    if found.moved:
        raise Moved(f"{base}/{quote(str(found.movie['id']))}{end}")
    return found
