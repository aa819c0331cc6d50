"""One row for each movie over all datasets: what is joined, what stays apart, who wins, and what outlives a reload."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql

from reelbase.catalog import browse, facets, movies, people, search, similar
from reelbase.catalog.building.build import STAGES, build
from reelbase.catalog.filters import Adult, Filters
from reelbase.database.connect import DictConnection, connect, connect_dicts
from reelbase.errors import BadCursor, KnownMovie, UnknownMovie
from reelbase.imports import commands
from reelbase.publishing import own
from reelbase.publishing.own import OwnMovie
from tests.importing import LINKS, MOVIES, RATINGS, TAGS, Importer, csv_rows, write

BASICS = "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres"
TITLE_RATINGS = "tconst\taverageRating\tnumVotes"
AKAS = "titleId\tordering\ttitle\tregion\tlanguage\ttypes\tattributes\tisOriginalTitle"
NAMES = "nconst\tprimaryName\tbirthYear\tdeathYear\tprimaryProfession\tknownForTitles"
PRINCIPALS = "tconst\tordering\tnconst\tcategory\tjob\tcharacters"
CREW = "tconst\tdirectors\twriters"
METADATA = (
    "adult,belongs_to_collection,budget,genres,homepage,id,imdb_id,original_language,original_title,overview,popularity,"
    "poster_path,production_companies,production_countries,release_date,revenue,runtime,spoken_languages,status,tagline,"
    "title,video,vote_average,vote_count"
)
FIFTEEN = (
    "budget,homepage,original_language,original_title,overview,release_date,revenue,runtime,status,title,vote_average,"
    "vote_count,production_company_id,genre_id,languages"
)
FIVE_THOUSAND = (
    "budget,genres,homepage,id,keywords,original_language,original_title,overview,popularity,production_companies,"
    "production_countries,release_date,revenue,runtime,spoken_languages,status,tagline,title,vote_average,vote_count"
)


class Library:
    """The datasets of one test, given as rows of what matters."""

    def __init__(self, importer: Importer, folder: Path) -> None:
        self.importer = importer
        self._folder = folder

    def movielens(self, *rows: tuple[int, str, str | None, int | None], links: bool = True) -> dict[str, Any]:
        """movieId, title with year, imdbId, tmdbId."""
        files = [
            write(
                self._folder / "movies.csv",
                MOVIES,
                *csv_rows([[movie, title, "Comedy|Drama"] for movie, title, _, _ in rows]),
            )
        ]
        if links:
            linked = csv_rows([[movie, imdb, tmdb] for movie, _, imdb, tmdb in rows if imdb or tmdb])
            files.append(write(self._folder / "links.csv", LINKS, *linked))
        return self.importer(*files)

    def imdb(self, *rows: tuple[str, str, str, int | None]) -> dict[str, Any]:
        """tconst, type, title, year."""
        lines = [
            "\t".join([tconst, kind, title, title, "0", str(year or "\\N"), "\\N", "90", "Drama"])
            for tconst, kind, title, year in rows
        ]
        return self.importer(write(self._folder / "title.basics.tsv", BASICS, *lines))

    def tmdb(self, *rows: tuple[int, str | None, str, str]) -> dict[str, Any]:
        """id, imdb_id, title, release date."""
        records = csv_rows([_metadata(row) for row in rows])
        return self.importer(write(self._folder / "movies_metadata.csv", METADATA, *records))

    def tmdb_without_ids(self, *rows: tuple[str, str]) -> dict[str, Any]:
        """title, release date."""
        records = [
            [
                "0.0",
                "",
                "en",
                title,
                "",
                date,
                "0.0",
                "81.0",
                "Released",
                title,
                "7.7",
                "5415.0",
                "3",
                "16",
                "['English']",
            ]
            for title, date in rows
        ]
        return self.importer(write(self._folder / "export.csv", FIFTEEN, *csv_rows(records)))

    def joined(self) -> set[tuple[str | None, int | None, int | None]]:
        """imdb_id, movielens_id and tmdb_id of every movie."""
        return set(self.importer.rows("select imdb_id, movielens_id, tmdb_id from catalog.movies"))

    def sources(self) -> dict[tuple[str, ...], int]:
        """How many movies are known to which datasets."""
        rows = self.importer.rows("select sources, count(*) from catalog.movies group by 1")
        return {tuple(sources): count for sources, count in rows}

    def ids(self) -> dict[str, UUID]:
        return dict(self.importer.rows("select title, id from catalog.movies"))


def _metadata(row: tuple[int, str | None, str, str]) -> list[object]:
    number, imdb_id, title, date = row
    genres = "[{'id': 878, 'name': 'Science Fiction'}, {'id': 35, 'name': 'Comedy'}]"
    spoken = "[{'iso_639_1': 'fr', 'name': 'Français'}]"
    facts = [
        "False",
        "",
        "0",
        genres,
        "",
        number,
        imdb_id or "",
        "fr",
        title,
        "About it.",
        "1.5",
        "",
        "[]",
        "[]",
    ]
    return [*facts, date, "0", "81.0", spoken, "Released", "", title, "False", "7.5", "12"]


@pytest.fixture
def library(importer: Importer, tmp_path: Path) -> Library:
    return Library(importer, tmp_path)


@pytest.fixture
def asked(library: Library) -> Iterator[DictConnection]:
    with connect_dicts(library.importer.url) as connection:
        yield connection


def found(import_: dict[str, Any]) -> dict[str, int]:
    return {check["name"]: check["count"] for check in import_["checks"]}


# What is one movie


def test_three_datasets_meet_in_one_row(library: Library) -> None:
    library.movielens((6, "Heat (1995)", "0113277", 949))
    library.imdb(("tt0113277", "movie", "Heat", 1995))
    library.tmdb((949, "tt0113277", "Heat", "1995-12-15"))
    assert library.joined() == {("tt0113277", 6, 949)}
    assert library.sources() == {("imdb", "movielens", "tmdb"): 1}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_imports_does_not_matter(library: Library, order: tuple[int, ...]) -> None:
    steps: list[Callable[[], object]] = [
        lambda: library.movielens((6, "Heat (1995)", "0113277", 949), (7, "Sabrina (1995)", None, 11860)),
        lambda: library.imdb(("tt0113277", "movie", "Heat", 1995), ("tt0114319", "movie", "Sabrina", 1995)),
        lambda: library.tmdb((949, None, "Heat", "1995-12-15"), (11860, "tt0114319", "Sabrina", "1995-12-15")),
    ]
    for step in order:
        steps[step]()
    assert library.joined() == {("tt0113277", 6, 949), ("tt0114319", 7, 11860)}


def test_ids_with_and_without_leading_zeros_are_the_same(library: Library) -> None:
    library.movielens((1, "A (2001)", "42", None), (2, "B (2001)", "0000043", None), (3, "C (2001)", "12345678", None))
    library.imdb(
        ("tt0000042", "movie", "A", 2001), ("tt0000043", "movie", "B", 2001), ("tt12345678", "movie", "C", 2001)
    )
    assert library.joined() == {("tt0000042", 1, None), ("tt0000043", 2, None), ("tt12345678", 3, None)}


def test_links_to_nothing_join_nothing_and_are_counted(library: Library) -> None:
    library.imdb(("tt0000001", "movie", "Carmencita", 1894))
    result = library.movielens((1, "Lost (1950)", "9999999", 77))
    assert library.joined() == {("tt0000001", None, None), ("tt9999999", 1, None)}
    assert found(result)["links_to_unknown_titles"] == 1
    [(kind, sources)] = library.importer.rows("select type, sources from catalog.movies where movielens_id = 1")
    assert (kind, sources) == ("movie", ["movielens"])


def test_a_remake_and_its_model_stay_two_movies(library: Library) -> None:
    library.imdb(("tt0032138", "movie", "The Wizard of Oz", 1939), ("tt0016544", "movie", "The Wizard of Oz", 1925))
    library.movielens((919, "Wizard of Oz, The (1939)", "0032138", 630))
    library.tmdb((630, "tt0032138", "The Wizard of Oz", "1939"), (29, "tt0016544", "The Wizard of Oz", "1925"))
    assert library.joined() == {("tt0032138", 919, 630), ("tt0016544", None, 29)}


def test_the_same_title_twice_in_a_year_is_told_apart_by_ids_alone(library: Library) -> None:
    library.imdb(("tt0000010", "movie", "Hamlet", 2000), ("tt0000011", "tvMovie", "Hamlet", 2000))
    library.movielens((1, "Hamlet (2000)", "0000010", None), (2, "Hamlet (2000)", None, None))
    library.tmdb((10, None, "Hamlet", "2000-05-12"), (11, "tt0000011", "Hamlet", "2000-12-10"))
    assert library.joined() == {
        *(("tt0000010", 1, None), ("tt0000011", None, 11), (None, 2, None), (None, None, 10)),
    }


def test_two_movies_that_claim_one_title_stay_apart_unless_one_has_its_name(library: Library) -> None:
    library.imdb(("tt0000020", "movie", "Solaris", 1972), ("tt0000021", "movie", "Stalker", 1979))
    result = library.movielens(
        *((1, "Solaris (1972)", "0000020", None), (2, "Something else (1990)", "0000020", None)),
        *((3, "Stalker (1979)", "0000021", None), (4, "Stalker (1979)", "0000021", None)),
    )
    assert library.joined() == {
        *(("tt0000020", 1, None), ("tt0000021", None, None)),
        *((None, 2, None), (None, 3, None), (None, 4, None)),
    }
    assert found(result)["ambiguous_links"] == 3


def test_a_tmdb_link_that_names_another_title_joins_nothing(library: Library) -> None:
    library.imdb(("tt0000030", "movie", "Alpha", 1980), ("tt0000031", "movie", "Beta", 1981))
    library.tmdb((500, "tt0000031", "Beta", "1981-01-01"))
    result = library.movielens((1, "Alpha (1980)", "0000030", 500))
    assert library.joined() == {("tt0000030", 1, None), ("tt0000031", None, 500)}
    assert found(result)["contradicting_links"] == 1


def test_a_tmdb_link_joins_nothing_that_names_another_title_though_others_name_it_too(library: Library) -> None:
    library.movielens((1, "Heat (1995)", "0000001", 10), (2, "Cold (1995)", "0000001", None))
    done = library.tmdb((10, "tt0000002", "Heat", "1995-12-15"))
    assert library.joined() >= {(None, 1, None), ("tt0000002", None, 10)}
    assert [check["count"] for check in done["checks"] if check["name"] == "contradicting_links"] == [1]


def test_several_movies_that_link_to_one_tmdb_movie_stay_apart(library: Library) -> None:
    library.tmdb((500, None, "Part", "1981-01-01"), (501, "tt0000041", "Whole", "1982-01-01"))
    result = library.movielens(
        *((1, "Part one (1980)", None, 500), (2, "Part two (1981)", None, 500)),
        *((3, "Whole (1982)", "0000041", 501), (4, "Wrong (1982)", "0000042", 501)),
    )
    assert library.joined() == {
        *((None, 1, None), (None, 2, None), (None, None, 500)),
        *(("tt0000041", 3, 501), ("tt0000042", 4, None)),
    }
    assert found(result)["ambiguous_tmdb_links"] == 2


def test_titles_without_ids_are_joined_where_only_one_can_be_meant(library: Library) -> None:
    library.imdb(
        *(("tt0114709", "movie", "Toy Story", 1995), ("tt0000051", "movie", "Hamlet", 2000)),
        *(("tt0000052", "short", "Hamlet", 2000), ("tt0000053", "movie", "Les Misérables", 1995)),
    )
    result = library.tmdb_without_ids(
        *(
            ("Toy Story", "1995-10-30"),
            ("Hamlet", "2000-01-01"),
            ("Toy Story", "1996-10-30"),
            ("Les Miserables", "1995"),
        ),
    )
    rows = library.importer.rows("select imdb_id, title, year, 'tmdb' = any (sources) from catalog.movies")
    assert set(rows) == {
        *(("tt0114709", "Toy Story", 1995, True), ("tt0000051", "Hamlet", 2000, False)),
        *(("tt0000052", "Hamlet", 2000, False), ("tt0000053", "Les Misérables", 1995, True)),
        *((None, "Hamlet", 2000, True), (None, "Toy Story", 1996, True)),
    }
    assert found(result)["ambiguous_titles"] == 1


def test_two_rows_without_ids_and_one_title_join_nothing(library: Library) -> None:
    library.imdb(("tt0114709", "movie", "Toy Story", 1995))
    library.tmdb_without_ids(("Toy Story", "1995-10-30"), ("Toy Story", "1995-11-22"))
    assert library.sources() == {("imdb",): 1, ("tmdb",): 2}


def test_movielens_without_links_is_joined_by_title_and_year(library: Library) -> None:
    library.imdb(("tt0113862", "movie", "The Misérables", 1995), ("tt0000061", "movie", "Heat", 1995))
    library.movielens((1, "Misérables, The (1995)", None, None), (2, "Heat (1996)", None, None), links=False)
    assert library.joined() == {("tt0113862", 1, None), ("tt0000061", None, None), (None, 2, None)}


def test_movielens_movies_without_a_link_are_not_guessed(library: Library) -> None:
    library.imdb(("tt0000061", "movie", "Heat", 1995), ("tt0000062", "movie", "Cold", 1995))
    library.movielens((1, "Heat (1995)", None, None), (2, "Cold (1995)", "0000062", None))
    assert library.joined() == {("tt0000061", None, None), (None, 1, None), ("tt0000062", 2, None)}


def test_episodes_are_no_movies_unless_another_dataset_says_so(library: Library) -> None:
    library.imdb(
        *(("tt0000071", "tvEpisode", "Pilot", 1999), ("tt0000072", "tvMiniSeries", "Cosmos", 1980)),
        *(("tt0000073", "short", "Bao", 2018), ("tt0000074", "video", "Extras", 2001)),
    )
    library.movielens((1, "Cosmos (1980)", "0000072", None))
    rows = library.importer.rows("select imdb_id, type from catalog.movies")
    assert set(rows) == {("tt0000072", "tvMiniSeries"), ("tt0000073", "short"), ("tt0000074", "video")}


@pytest.mark.parametrize("dataset", ["movielens", "imdb", "tmdb"])
def test_any_dataset_alone_makes_a_catalog(library: Library, dataset: str) -> None:
    if dataset == "movielens":
        library.movielens((6, "Heat (1995)", "0113277", 949))
    elif dataset == "imdb":
        library.imdb(("tt0113277", "movie", "Heat", 1995))
    else:
        library.tmdb((949, "tt0113277", "Heat", "1995-12-15"))
    [(title, year, sources)] = library.importer.rows("select title, year, sources from catalog.movies")
    assert (title, year, sources) == ("Heat", 1995, [dataset])


# Who wins


def test_each_fact_comes_from_the_dataset_that_knows_best(library: Library, tmp_path: Path) -> None:
    library.movielens((6, "Heat (1996)", "0113277", 949))
    library.tmdb((949, "tt0113277", "Heat!", "1995-12-15"))
    importer = library.importer
    importer(write(tmp_path / "ratings.csv", RATINGS, "1,6,4.0,0", "2,6,3.5,31535999", "3,6,4.5,31536000"))
    one = (
        "select title, year, runtime, genres, language, languages, rating, votes, movielens_average from catalog.movies"
    )
    assert importer.rows(one) == [("Heat!", 1995, 81, ["Sci-Fi", "Comedy"], "fr", ["Français"], 8.0, 3, 4.0)]
    library.imdb(("tt0113277", "movie", "HEAT", 1995))
    assert importer.rows(one) == [("HEAT", 1995, 90, ["Drama"], "fr", ["Français"], 8.0, 3, 4.0)]
    importer(write(tmp_path / "title.ratings.tsv", TITLE_RATINGS, "tt0113277\t8.3\t700000"))
    assert importer.rows(one) == [("HEAT", 1995, 90, ["Drama"], "fr", ["Français"], 8.3, 700000, 4.0)]
    with connect_dicts(importer.url) as connection:
        counts = movies.rating_counts(connection, 6)
    assert counts.histogram == {3.5: 1, 4.0: 1, 4.5: 1}
    assert counts.years == [
        {"year": 1970, "votes": 2, "average": 3.75},
        {"year": 1971, "votes": 1, "average": 4.5},
    ]


@pytest.mark.parametrize(
    ("given", "title", "year", "others"),
    [
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968, []),
        ("Misérables, Les (1995)", "Les Misérables", 1995, []),
        ("Heroes of Telemark, The (1965) ", "The Heroes of Telemark", 1965, []),
        ("Foo (2017) (2017)", "Foo", 2017, []),
        ("Babylon 5", "Babylon 5", None, []),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers (1975-1979)", None, []),
        ("Odd (1983))", "Odd (1983))", None, []),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009, []),
        ("(Untitled) (2009)", "(Untitled)", 2009, []),
        (
            "Birdman: Or (The Unexpected Virtue of Ignorance) (2014)",
            *("Birdman: Or (The Unexpected Virtue of Ignorance)", 2014, []),
        ),
        ("Avventura, L' (Adventure, The) (1960)", "L'Avventura", 1960, ["The Adventure"]),
        ("Seven (a.k.a. Se7en) (1995)", "Seven", 1995, ["Se7en"]),
        ("Amelie (Destin d'Amélie, Le) (2001)", "Amelie", 2001, ["Le Destin d'Amélie"]),
        ("Legend of 1900, The (a.k.a. The Pianist) (1998)", "The Legend of 1900", 1998, ["The Pianist"]),
    ],
)
def test_titles_of_movielens_are_split(
    library: Library, given: str, title: str, year: int | None, others: list[str]
) -> None:
    quoted = given.replace("'", "''")
    assert library.importer.rows(f"select * from reelbase.split_title('{quoted}')") == [(title, year, others)]


@pytest.mark.parametrize(
    ("title", "sort"),
    [("The Matrix", "matrix, the"), ("Élan", "elan"), ('"Zoo"', 'zoo"'), ("A", "a"), ("An Ox", "ox, an"), ("…", "...")],
)
def test_titles_are_sorted_without_accents_and_articles(library: Library, title: str, sort: str) -> None:
    assert library.importer.rows(f"select reelbase.title_sort('{title}')") == [(sort,)]


# What outlives a release


def test_ids_are_kept_over_reloads_merges_and_rollbacks(library: Library, tmp_path: Path) -> None:
    library.movielens((1, "One (2001)", "0000001", None), (2, "Two (2002)", None, None))
    before = library.ids()
    library.imdb(("tt0000001", "movie", "One", 2001), ("tt0000003", "movie", "Three", 2003))
    assert {**library.ids(), "Three": None} == {**before, "Three": None}
    library.movielens((2, "Two (2002)", None, None), (1, "One (2001)", "0000001", None))
    library.importer(write(tmp_path / "movies.csv", MOVIES, "4,Four (2004),x"), mode="merge")
    with_four = library.ids()
    assert {title: with_four[title] for title in before} == before
    with connect(library.importer.url) as connection:
        rollback = commands.create_rollback(connection, "movielens")
    library.importer.run(rollback)
    assert {title: movie_id for title, movie_id in library.ids().items() if title in before} == before


def test_a_build_tells_what_it_does(library: Library) -> None:
    told: list[str] = []
    with connect(library.importer.url) as connection:
        connection.execute("create schema trial")
        build(connection, "trial", {}, told.append)
    assert list(dict.fromkeys(told)) == list(STAGES)


def test_two_movies_that_turn_out_to_be_one_answer_to_both_ids(library: Library, asked: DictConnection) -> None:
    library.imdb(("tt0113277", "movie", "Heat", 1995))
    older = library.ids()["Heat"]
    library.movielens((6, "Heat (1995)", None, None), (7, "Sabrina (1995)", "0114319", None))
    [(younger,)] = library.importer.rows("select id from catalog.movies where movielens_id = 6")
    library.movielens((6, "Heat (1995)", "0113277", None))
    assert library.joined() == {("tt0113277", 6, None)}
    assert library.ids() == {"Heat": older}
    moved = movies.find(asked, str(younger))
    assert moved is not None
    assert (moved.moved, moved.movie["id"]) == (True, older)
    library.movielens((6, "Heat (1995)", None, None), (7, "Sabrina (1995)", "0114319", None))
    again = movies.find(asked, str(younger))
    assert again is not None
    assert (again.moved, again.movie["movielens_id"]) == (False, 6)


def test_rollback_brings_the_catalog_back(library: Library) -> None:
    library.movielens((1, "One (2001)", None, None))
    library.movielens((2, "Two (2002)", None, None))
    assert set(library.ids()) == {"Two"}
    builds = "select count(*) from reelbase.catalog_releases"
    [(live, previous)] = library.importer.rows("select live, previous from reelbase.catalog")
    with connect(library.importer.url) as connection:
        library.importer.run(commands.create_rollback(connection, "movielens"))
        assert set(library.ids()) == {"One"}
        # Nothing was built: it is the very one.
        assert library.importer.rows("select live, previous from reelbase.catalog") == [(previous, live)]
        library.imdb(("tt0000001", "movie", "Other", 2001))
        before = library.importer.rows(builds)
        library.importer.run(commands.create_rollback(connection, "movielens"))
    assert set(library.ids()) == {"Two", "Other"}
    assert library.importer.rows(builds) == before  # another was built, and one pruned


def test_a_failed_import_leaves_the_catalog_as_it_was(library: Library, tmp_path: Path) -> None:
    library.movielens((1, "One (2001)", None, None))
    version = library.importer.rows("select live, version from reelbase.catalog")
    bad = library.importer(write(tmp_path / "movies.csv", MOVIES, "x,y,z"), max_rejects="0")
    assert bad["state"] == "failed"
    assert library.importer.rows("select live, version from reelbase.catalog") == version
    assert set(library.ids()) == {"One"}


def test_a_removed_dataset_leaves_the_others(library: Library) -> None:
    library.movielens((1, "One (2001)", "0000001", None))
    library.imdb(("tt0000001", "movie", "One!", 2001), ("tt0000002", "movie", "Two", 2002))
    with connect(library.importer.url) as connection:
        library.importer.run(commands.create_removal(connection, "imdb"))
        assert set(library.ids()) == {"One"}
        library.importer.run(commands.create_removal(connection, "movielens"))
    assert library.ids() == {}


# Movies of one's own


def test_an_own_movie_is_there_at_once_and_after_a_reload(library: Library, asked: DictConnection) -> None:
    library.movielens((1, "One (2001)", None, None))
    with connect(library.importer.url) as connection:
        mine = own.add(connection, OwnMovie("Mine", year=2020, genres=("Drama",), rating=9.5))
        assert library.ids()["Mine"] == mine
        library.movielens((2, "Two (2002)", None, None))
        assert set(library.ids()) == {"Mine", "Two"}
        own.edit(connection, mine, OwnMovie("Mine too", year=2021))
        assert library.ids()["Mine too"] == mine
        found = search.movies(asked, search.movie_query(asked, "mine"), Filters())
        assert [movie["id"] for movie in found] == [mine]
        library.importer.run(commands.create_rollback(connection, "movielens"))
        assert set(library.ids()) == {"Mine too", "One"}
        own.remove(connection, mine)
        assert set(library.ids()) == {"One"}
        with pytest.raises(UnknownMovie):
            own.remove(connection, mine)


def test_an_own_movie_added_before_anything_is_loaded_is_in_the_first_release(library: Library) -> None:
    with connect(library.importer.url) as connection:
        own.add(connection, OwnMovie("Mine"))
    library.movielens((1, "One (2001)", None, None))
    assert set(library.ids()) == {"Mine", "One"}


def test_an_own_movie_added_during_a_rebuild_is_in_the_new_release(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.movielens((1, "One (2001)", None, None))

    def slow_build(*args: Any) -> Any:
        built = build(*args)
        with connect(library.importer.url) as connection:
            own.add(connection, OwnMovie("Mine"))
        return built

    monkeypatch.setattr("reelbase.imports.catalog.build", slow_build)
    library.movielens((2, "Two (2002)", None, None))
    assert set(library.ids()) == {"Mine", "Two"}


def test_an_own_movie_becomes_the_datasets_movie_under_the_same_id(library: Library) -> None:
    library.movielens((1, "One (2001)", None, None))
    with connect(library.importer.url) as connection:
        mine = own.add(connection, OwnMovie("My Heat", imdb_id="tt0113277"))
        with pytest.raises(KnownMovie):
            own.add(connection, OwnMovie("Heat again", imdb_id="tt0113277"))
        library.imdb(("tt0113277", "movie", "Heat", 1995))
        assert library.ids() == {"One": library.ids()["One"], "Heat": mine}
        with pytest.raises(KnownMovie):
            own.add(connection, OwnMovie("Heat again", imdb_id="tt0113277"))
        library.importer.run(commands.create_removal(connection, "imdb"))
    assert library.ids()["My Heat"] == mine


# Lists


def many(library: Library, tmp_path: Path, count: int = 60) -> None:
    """Movies with ties and without values in everything that can be sorted by."""
    lines = [
        "\t".join(
            [
                *(f"tt{n:07}", "movie", f"Title {n % 7}", f"Title {n % 7}", "0"),
                *(str(1990 + n % 5) if n % 4 else "\\N", "\\N", "90", "Action,Drama" if n % 3 else "\\N"),
            ]
        )
        for n in range(1, count + 1)
    ]
    ratings = [f"tt{n:07}\t{1 + n % 9}.{n % 2}\t{n % 6 * 10 + 5}" for n in range(1, count + 1) if n % 3]
    library.importer(
        write(tmp_path / "title.basics.tsv", BASICS, *lines),
        write(tmp_path / "title.ratings.tsv", TITLE_RATINGS, *ratings),
    )


EVERYTHING = Filters(types=None, adult=Adult.INCLUDE)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", list(browse.Sort))
def test_a_walk_meets_every_movie_once_in_either_direction(
    library: Library, asked: DictConnection, tmp_path: Path, sort: browse.Sort, descending: bool
) -> None:
    many(library, tmp_path)
    order = browse.Order(sort, descending)
    pages = [browse.browse(asked, EVERYTHING, order, limit=7)]
    while pages[-1].next:
        cursor = browse.decode(pages[-1].next.encode(), order)
        pages.append(browse.browse(asked, EVERYTHING, order, cursor=cursor, limit=7))
    walked = [movie["id"] for page in pages for movie in page.items]
    assert len(walked) == len(set(walked)) == 60
    values = [movie[sort.column] for page in pages for movie in page.items]
    there = [value for value in values if value is not None]
    assert there == sorted(there, reverse=descending)
    assert values[len(there) :] == [None] * (60 - len(there))
    assert pages[0].previous is None
    back: list[UUID] = [movie["id"] for movie in pages[-1].items]
    previous = pages[-1].previous
    while previous:
        page = browse.browse(asked, EVERYTHING, order, cursor=browse.decode(previous.encode(), order), limit=7)
        back = [movie["id"] for movie in page.items] + back
        previous = page.previous
    assert back == walked


def test_a_page_is_planned_for_the_filters_own_values(library: Library, asked: DictConnection, tmp_path: Path) -> None:
    # A plan for all values walks a million movies for the few that pass a high bound.
    many(library, tmp_path)
    for bound in range(20):
        browse.browse(asked, Filters(votes_min=bound), browse.Order(browse.Sort.YEAR), limit=7)
        browse.browse(asked, Filters(), browse.Order(browse.Sort.YEAR), limit=7)
    kept = asked.execute(
        "select statement from pg_prepared_statements where statement ~ 'catalog.movies' and generic_plans > 0"
    ).fetchall()
    assert not [row for row in kept if 'votes" >=' in row["statement"]]


@pytest.mark.parametrize("text", ["", "x", "bm9uc2Vuc2U", "W10", "WyJ2b3RlcyIsdHJ1ZSwieCIsIngiLGZhbHNlXQ", "é", "=="])
def test_a_cursor_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        browse.decode(text, browse.Order())


def test_a_cursor_of_another_sort_is_refused() -> None:
    cursor = browse.Cursor(browse.Order(browse.Sort.YEAR), 1999, UUID(int=1))
    with pytest.raises(BadCursor, match="another sort"):
        browse.decode(cursor.encode(), browse.Order(browse.Sort.VOTES))


@pytest.mark.parametrize(
    ("filters", "condition"),
    [
        (Filters(), "type in ('movie', 'tvMovie')"),
        (Filters(genres=("Action",)), "'Action' = any (genres)"),
        (Filters(genres=("Action", "Drama"), year_max=1992), "genres @> '{Action,Drama}' and year <= 1992"),
        (Filters(year_min=1991, year_max=1992), "year in (1991, 1992)"),
        (Filters(rating_min=5, rating_max=7.5), "rating between 5 and 7.5"),
        (Filters(votes_min=30, runtime_max=90), "votes >= 30 and runtime <= 90"),
        (Filters(source="imdb"), "'imdb' = any (sources)"),
        (Filters(source="own"), "'own' = any (sources)"),
        (Filters(source="tmdb"), "false"),
        (Filters(language="fr"), "language = 'fr'"),
        (Filters(types=("short",)), "false"),
        (Filters(adult=Adult.ONLY), "adult"),
    ],
)  # fmt: skip
def test_filters_totals_and_facets_agree_with_sql(
    library: Library, asked: DictConnection, tmp_path: Path, filters: Filters, condition: str
) -> None:
    many(library, tmp_path)
    with connect(library.importer.url) as connection:
        for year in (1991, None):
            own.add(connection, OwnMovie("Mine", year, 80, ("Action", "Drama"), "fr", rating=6.5))
    expected = {row[0] for row in library.importer.rows(f"select id from catalog.movies where {condition}")}
    page = browse.browse(asked, filters, browse.Order(), limit=100)
    assert {movie["id"] for movie in page.items} == expected
    assert browse.total(asked, filters) == browse.Total(len(expected), True)
    counted = facets.facets(asked, filters)
    assert counted.are_counted
    genres = library.importer.rows(
        f"select g, count(*) from catalog.movies, unnest(genres) g where {condition} group by 1"
    )
    assert counted.counts["genre"] == dict(genres)
    assert sum(counted.counts["type"].values()) == len(expected)


# Search


@pytest.mark.parametrize(
    ("typed", "best"),
    [
        ("matr", "The Matrix"),
        ("the matrix", "The Matrix"),
        ("MATRIX THE", "The Matrix"),
        ("matrx", "The Matrix"),
        ("amelie", "Amélie"),
        ("AMÉLIE", "Amélie"),
        ("fabuleux destin", "Amélie"),
        ("oceans eleven", "Ocean's Eleven"),
        ("ocean's elevn", "Ocean's Eleven"),
        ("wall-e", "WALL·E"),
        ("ac/dc", "AC\\DC"),
        ("heat", "Heat"),
        ("2001 spce", "2001: A Space Odyssey"),
    ],
)
def test_a_search_finds_what_was_meant(
    library: Library, asked: DictConnection, tmp_path: Path, typed: str, best: str
) -> None:
    titles = [
        "The Matrix",
        "Amélie",
        "Ocean's Eleven",
        "WALL·E",
        "AC\\DC",
        "Heat",
        "The Heat",
        "2001: A Space Odyssey",
        "Mars",
    ]
    library.importer(
        write(
            tmp_path / "title.basics.tsv",
            BASICS,
            *(f"tt{n:07}\tmovie\t{title}\t{title}\t0\t2000\t\\N\t90\tDrama" for n, title in enumerate(titles, 1)),
        ),
        write(tmp_path / "title.ratings.tsv", TITLE_RATINGS, "tt0000006\t8.0\t1000", "tt0000007\t8.0\t5000"),
        write(tmp_path / "title.akas.tsv", AKAS, "tt0000002\t1\tLe fabuleux destin\tFR\t\\N\t\\N\t\\N\t0"),
    )
    found = search.movies(asked, search.movie_query(asked, typed), Filters())
    assert found[0]["title"] == best


@pytest.mark.parametrize(
    "typed", ["", " ", "%", "_", "'; drop table x; --", "\0", "a" * 10_000, "!!! & | :*", "(", "ÿ😀"]
)
def test_nothing_that_can_be_typed_breaks_the_search(library: Library, asked: DictConnection, typed: str) -> None:
    library.movielens((1, "One (2001)", None, None))
    search.movies(asked, search.movie_query(asked, typed), Filters())
    search.people(asked, search.person_query(asked, typed))


def test_a_total_is_exact_up_to_its_bound_only_however_it_is_found(
    library: Library, asked: DictConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(library, tmp_path)
    query = search.movie_query(asked, "title")
    for bound, is_exact in ((60, True), (59, False)):
        monkeypatch.setattr(search, "EXACT_UP_TO", bound)
        assert search.find(asked, query, Filters(), limit=5).total == browse.Total(60, is_exact)


def test_people_and_their_work(library: Library, asked: DictConnection, tmp_path: Path) -> None:
    library.imdb(("tt0113277", "movie", "Heat", 1995), ("tt0000002", "tvEpisode", "Pilot", 1995))
    library.importer(
        write(tmp_path / "name.basics.tsv", NAMES, "nm0000134\tRobert De Niro\t1943\t\\N\tactor\ttt0113277"),
        write(tmp_path / "title.crew.tsv", CREW, "tt0113277\tnm0000520\tnm0000520"),
        write(
            tmp_path / "title.principals.tsv",
            PRINCIPALS,
            'tt0113277\t1\tnm0000134\tactor\t\\N\t["Neil"]',
            "tt0000002\t1\tnm0000134\tself\t\\N\t\\N",
        ),
    )
    [person] = search.people(asked, search.person_query(asked, "robrt de niro"))
    assert (person["nconst"], person["name"]) == ("nm0000134", "Robert De Niro")
    assert [one["title"] for one in people.work(asked, "nm0000134")] == ["Heat", "Pilot"]
    movie = movies.find(asked, "tt0113277")
    assert movie is not None
    shown = movies.details(asked, movie.movie)["people"]
    assert [(one["nconst"], one["category"], one["name"]) for one in shown] == [
        ("nm0000134", "actor", "Robert De Niro"),
        *(("nm0000520", "director", None), ("nm0000520", "writer", None)),
    ]
    assert people.person(asked, "nm0000134; --") is None


def test_similar_movies_come_from_the_raters_without_a_genome_and_from_the_genome_with_one(
    library: Library, asked: DictConnection, tmp_path: Path
) -> None:
    library.movielens(*((n, f"Movie {n} (2000)", None, None) for n in range(1, 6)))
    ratings = [f"{user},{movie},5.0,1" for user in range(1, 6) for movie in ((1, 2) if user < 5 else (3, 4))]
    library.importer(write(tmp_path / "ratings.csv", RATINGS, *ratings))
    assert [movie["movielens_id"] for movie in similar.similar(asked, 1).movies] == [2]
    scores = [(1, 1, 0.9), (1, 2, 0.1), (3, 1, 0.8), (3, 2, 0.1), (5, 1, 0.1), (5, 2, 0.9)]
    library.importer(
        write(tmp_path / "genome-tags.csv", "tagId,tag", "1,dark", "2,funny"),
        write(tmp_path / "genome-scores.csv", "movieId,tagId,relevance", *(f"{m},{t},{r}" for m, t, r in scores)),
        write(tmp_path / "tags.csv", TAGS, "1,1,Dark,0", "2,1,dark,0", "1,1,odd,0"),
    )
    near = similar.similar(asked, 1)
    assert (near.by, [movie["movielens_id"] for movie in near.movies]) == (similar.By.GENOME, [3, 5])
    movie = movies.find(asked, "movielens:1")
    assert movie is not None
    details = movies.details(asked, movie.movie)
    assert details["tags"] == [{"tag": "dark", "users": 2}, {"tag": "odd", "users": 1}]
    assert [tag["tag"] for tag in details["genome"]] == ["dark", "funny"]


# Readers


def test_readers_page_on_while_a_dataset_is_reloaded(library: Library, tmp_path: Path) -> None:
    many(library, tmp_path)
    before = library.ids()
    over, errors, walks = threading.Event(), [], []

    def read() -> None:
        order = browse.Order(browse.Sort.RATING)
        with connect_dicts(library.importer.url) as connection:
            while not over.is_set():
                try:
                    cursor, seen = None, []
                    while True:
                        page = browse.browse(connection, EVERYTHING, order, cursor=cursor, limit=9)
                        seen += [movie["id"] for movie in page.items]
                        cursor = page.next
                        if cursor is None:
                            break
                    walks.append(len(set(seen)) == len(seen) == 60)
                except Exception as error:  # noqa: BLE001
                    errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        many(library, tmp_path)
    over.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert len(walks) > 3
    assert all(walks)
    assert library.ids() == before


# Plans


def test_hot_queries_use_their_indexes(library: Library, tmp_path: Path) -> None:
    many(library, tmp_path, count=3000)
    with connect_dicts(library.importer.url) as connection:
        for sort in browse.Sort:
            for descending in (True, False):
                order = browse.Order(sort, descending)
                cursor = browse.Cursor(order, _middle(sort), UUID(int=1 << 127))
                for place in (None, cursor):
                    plan = _plan(connection, browse.statement(Filters(), order, place, limit=20))
                    assert f"movies_{sort.column}_id_idx" in plan, plan
                    assert "Seq Scan on movies" not in plan
        for column in ("imdb_id", "movielens_id", "tmdb_id"):
            plan = _plan(connection, f"select * from catalog.movies where {column} = '1'")
            assert f"movies_{column}_idx" in plan
        plan = _plan(connection, "select * from catalog.search where document @@ 'title & zzz'::tsquery")
        assert "search_document_idx" in plan


def _middle(sort: browse.Sort) -> str | float:
    if sort is browse.Sort.TITLE:
        return "title 3"
    return "2000-01-01" if sort is browse.Sort.RELEASE_DATE else 1992 if sort is browse.Sort.YEAR else 5


def _plan(connection: DictConnection, statement: Any) -> str:

    text = sql.SQL(statement) if isinstance(statement, str) else statement
    rows = connection.execute(sql.SQL("explain {}").format(text)).fetchall()
    return "\n".join(next(iter(row.values())) for row in rows)
