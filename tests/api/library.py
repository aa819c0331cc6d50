"""A library of three datasets: sixty movies with ties, gaps, odd titles, and some that only one dataset knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.database.test_catalog import AKAS, BASICS, CREW, METADATA, NAMES, PRINCIPALS, TITLE_RATINGS
from tests.importing import LINKS, MOVIES, RATINGS, TAGS, Importer, csv_rows, write

COUNT = 60
ODD_TITLES = {3: "=1+1", 4: "-30-", 5: "+1", 6: '@SUM("x")', 7: "Zürich, «été»", 8: "Tab\\here", 9: "Line 'quote'"}


def title(number: int) -> str:
    return ODD_TITLES.get(number, f"Movie number {number % 17} of {number}")


def load(importer: Importer, folder: Path) -> None:
    """Import all of it: IMDb first, TMDb last."""
    for result in (importer(*_imdb(folder)), importer(*_movielens(folder)), importer(*_tmdb(folder))):
        assert result["state"] == "completed", result["error"]


def _imdb(folder: Path) -> list[Path]:
    basics, ratings = [], []
    for n in range(1, COUNT + 1):
        kind = ("movie", "tvMovie", "short", "video")[0 if n % 10 else n // 10 % 4]
        year = str(1980 + n % 20) if n % 7 else "\\N"
        genres = ",".join(["Action", "Drama", "Comedy"][n % 3 :]) if n % 11 else "\\N"
        facts = [f"tt{n:07}", kind, title(n), title(n), "1" if n == 13 else "0", year, "\\N", str(60 + n), genres]
        basics.append("\t".join(facts))
        if n % 5:
            ratings.append(f"tt{n:07}\t{1 + n % 9}.{n % 3}\t{n % 6 * 100 + 5}")
    return [
        write(folder / "title.basics.tsv", BASICS, *basics),
        write(folder / "title.ratings.tsv", TITLE_RATINGS, *ratings),
        write(folder / "title.akas.tsv", AKAS, "tt0000002\t1\tLe deuxième\tFR\t\\N\t\\N\t\\N\t0"),
        write(
            folder / "name.basics.tsv",
            NAMES,
            "nm0000001\tFred Astaire\t1899\t1987\tactor,producer\ttt0000001,tt0000002",
            "nm0000002\tLauren Bacall\t1924\t2014\tactress\ttt0000002",
        ),
        write(
            folder / "title.principals.tsv",
            PRINCIPALS,
            'tt0000001\t1\tnm0000001\tactor\t\\N\t["Fred"]',
            "tt0000002\t1\tnm0000002\tactress\t\\N\t\\N",
        ),
        write(folder / "title.crew.tsv", CREW, "tt0000001\tnm0000002\tnm0000001"),
    ]


def _movielens(folder: Path) -> list[Path]:
    numbers = range(1, 31)
    movies = csv_rows([[n, f"{title(n)} ({1980 + n % 20})", "Comedy|Drama"] for n in numbers])
    return [
        write(folder / "movies.csv", MOVIES, *movies),
        write(folder / "links.csv", LINKS, *(f"{n},{n:07},{n + 900}" for n in numbers)),
        write(
            folder / "ratings.csv",
            RATINGS,
            *(f"{u},{m},{(u + m) % 10 / 2 + 0.5},{u * 10**7}" for u in range(1, 8) for m in numbers if (u + m) % 3),
        ),
        write(folder / "tags.csv", TAGS, "1,1,Dark,0", "2,1,dark,1", "1,2,=cmd,2"),
    ]


def _tmdb(folder: Path) -> list[Path]:
    words = "[{'id': 1, 'name': 'jealousy'}, {'id': 2, 'name': 'toy'}]"
    return [
        write(folder / "movies_metadata.csv", METADATA, *csv_rows([_metadata(n) for n in range(901, 912)])),
        write(folder / "keywords.csv", "id,keywords", *csv_rows([[902, words], [903, "[]"]])),
    ]


def _metadata(number: int) -> list[Any]:
    n = number - 900
    genres = "[{'id': 878, 'name': 'Science Fiction'}, {'id': 35, 'name': 'Comedy'}]"
    spoken = "[{'iso_639_1': 'fr', 'name': 'Français'}]"
    first = ["False", "", "1000", genres, "https://example.org", number, f"tt{n:07}", "fr" if n % 2 else "en", title(n)]
    rest = [
        "About it.",
        "1.5",
        "",
        "[]",
        "[]",
        f"{1980 + n % 20}-12-15",
        "5000",
        "81.0",
        spoken,
        "Released",
        "",
        title(n),
    ]
    return [*first, *rest, "False", "7.5", "12"]
