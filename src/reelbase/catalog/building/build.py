"""Building a release of the catalog beside the live one: tables in a schema of its own, from what will be live.

The statements say what happens (join.sql, movies.sql, search.sql, similar.sql, indexes.sql); here is their order. They
are two transactions, and between them a short one for the ids, so that an own movie that somebody adds meanwhile waits
for no other; a vacuum, which cannot be part of one, comes last. What is left of a build that ended before its time is
dropped by `prune`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import structlog
from psycopg import sql

from reelbase.catalog.building.relations import parts, tables, view
from reelbase.database.connect import Connection
from reelbase.database.extensions import extension_schema
from reelbase.database.statements import statements
from reelbase.datasets import Check

_log = structlog.get_logger("reelbase.catalog")

_JOIN = statements("reelbase.catalog.building", "join.sql")
_MOVIES = statements("reelbase.catalog.building", "movies.sql")
_SEARCH = statements("reelbase.catalog.building", "search.sql")
_SIMILAR = statements("reelbase.catalog.building", "similar.sql")
_INDEXES = statements("reelbase.catalog.building", "indexes.sql")

_JOINING = ("movielens", "tmdb", "analyze", "movielens_titles", "tmdb_titles", "pairs", "links", "movies")
_LINKING = ("link_tmdb", "link_movielens", "link_both", "other_movielens", "other_tmdb", "loose")
_RATING = ("rating_counts", "rating_counts_key", "rating_years", "rating_years_key", "movielens_averages")
_WORDING = ("genre_names", "tmdb_genres", "tmdb_languages", "movielens_genres", "usual", "analyze")
_SEARCHING = ("akas", "analyze_akas", "search", "words", "known", "analyze_known", "people", "person_words")
_MATCHING = (("movielens", "match_movielens"), ("tmdb", "match_tmdb"))
_INDEXING = (
    *(
        "imdb_id",
        "movielens_id",
        "tmdb_id",
        "title",
        "year",
        "rating",
        "votes",
        "release_date",
        "score",
        "genres",
        "own",
    ),
    *("search_key", "search_document", "search_title", "search_votes", "words", "words_key"),
    *("people_key", "people_document", "people_name", "people_votes", "person_words", "person_words_key"),
)
_PARALLEL = ("parallel_setup_cost", "parallel_tuple_cost")

STAGES = (
    "matching movies between the datasets",
    "giving movies their ids",
    "counting ratings",
    "writing the movies",
    "making titles and names searchable",
    "comparing movies",
    "building indexes",
    "settling the tables",
)
"""What a build does, in this order."""

# Letters of what goes into an index, each of at most four bytes: of a title or a name, of a genre, and of a document.
_TITLE_LETTERS, _GENRE_LETTERS, _DOCUMENT_LETTERS = 500, 100, 50_000
# A relevance that is none.
_LEAST_RELEVANCE = 1e-7

# Rating years are told apart up to here; PostgreSQL's own years end far behind it.
_LAST_YEAR = 2200


@dataclass(frozen=True, slots=True)
class Built:
    """What a build came to; the checks say what could not be joined."""

    movies: int
    checks: tuple[Check, ...]


def build(
    connection: Connection,
    schema: str,
    relations: Mapping[str, sql.Identifier],
    between: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build the catalog in an empty schema; `relations` are the tables that will be live, by their full names.

    `between` is called with the stage (STAGES) again and again, so that whoever runs this can tell and stop it.
    """
    run = _Run(connection, schema, relations, between)
    matching, giving, counting, writing, searching, comparing, indexing, settling = STAGES
    with _parallel(connection):
        run.enter(matching)
        _join(run)
    run.enter(giving)
    run.all(_JOIN, ("see",))
    with _parallel(connection):
        run.all(_JOIN, ("ids", "analyze_movies"))
        found = run.rows(_JOIN["checks"])
        run.enter(counting)
        run.all(_MOVIES, _RATING)
        run.enter(writing)
        run.all(_MOVIES, (*_WORDING, "movies", "key", "combinations_by_year", "combinations"))
        run.enter(searching)
        run.all(_SEARCH, _SEARCHING)
        run.forget()
        run.enter(comparing)
        _similar(run)
        run.enter(indexing)
        run.all(_INDEXES, _INDEXING)
        run.show_sources()
        movies = run.number("select count(*) from {catalog}.movies")
    run.enter(settling)
    run.settle()
    checks = (Check(name, table, count, f"{count} {detail}") for name, table, count, detail in found if count)
    return Built(movies, tuple(checks))


@contextlib.contextmanager
def _parallel(connection: Connection) -> Iterator[None]:
    """A transaction in which PostgreSQL shares the work among processes: it does not know what turning titles costs."""
    with connection.transaction():
        for setting in _PARALLEL:
            connection.execute("select set_config(%s, '0', true)", (setting,))
        yield


def _join(run: _Run) -> None:
    run.all(_JOIN, (*_JOINING, *_LINKING))
    if run.number("select count(*) from {catalog}.joining_loose"):
        run.all(_JOIN, ("keys", "analyze_keys"))
        for side, match in _MATCHING:
            run.all(_JOIN, ("matches", match, "drop_matches"), side=sql.Literal(side))
    else:
        run.all(_JOIN, ("no_keys",))


def _similar(run: _Run) -> None:
    """By vectors where the server has them, which compare two movies when they are asked for; else worked out now."""
    by_vectors = ("genome", "genome_storage", "fill_genome", "genome_key")
    run.all(_SIMILAR, by_vectors if run.has_vectors else ("neighbours", "neighbours_key"))


class _Run:
    """The statements with the names of one build in them."""

    def __init__(
        self,
        connection: Connection,
        schema: str,
        relations: Mapping[str, sql.Identifier],
        between: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._relations = relations
        self._between = between
        self._stage = STAGES[0]
        vectors = _vectors(connection)
        self.has_vectors = vectors is not None
        self._parts: dict[str, sql.Composable] = {
            "catalog": sql.Identifier(schema),
            "vectors": sql.Identifier(vectors or "pg_catalog"),
            "schema": sql.Literal(schema),
            "trigrams": sql.Identifier(extension_schema(connection, "pg_trgm") or "public"),
            "years": sql.Literal(list(_year_ends())),
            "title_letters": sql.Literal(_TITLE_LETTERS),
            "genre_letters": sql.Literal(_GENRE_LETTERS),
            "document_letters": sql.Literal(_DOCUMENT_LETTERS),
            "least": sql.Literal(_LEAST_RELEVANCE),
            **parts(relations),
        }

    def enter(self, stage: str) -> None:
        """From here on it does this."""
        self._stage = stage

    def all(self, named: Mapping[str, LiteralString], names: Iterable[str], **values: sql.Composable) -> None:
        """Run these statements one after the other."""
        for name in names:
            self._between(self._stage)
            began = time.monotonic()
            self._connection.execute(sql.SQL(named[name]).format(**self._parts, **values))
            _log.debug("catalog step", step=name, seconds=round(time.monotonic() - began, 2))

    def rows(self, text: LiteralString) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.SQL(text).format(**self._parts)).fetchall()

    def number(self, text: LiteralString) -> int:
        return int(self.rows(text)[0][0])

    def forget(self) -> None:
        """Drop what only joining needs."""
        for named in (_JOIN, _MOVIES, _SEARCH):
            self.all(named, ("drop",))

    def settle(self) -> None:
        """Statistics, and all that PostgreSQL notes on a page when it is first read, outside of any transaction.

        Otherwise the first readers write it, into the log too: for three seconds after a publish of a million movies
        searches and facets took two seconds, and autovacuum ran beside them a minute later.
        """
        for (table,) in self.rows(_INDEXES["tables"]):
            self._between(self._stage)
            relation = sql.Identifier(self._schema, table)
            self._connection.execute(sql.SQL("vacuum (freeze, analyze, index_cleanup off) {}").format(relation))

    def show_sources(self) -> None:
        """The views of what it was built from."""
        for declared in tables():
            relation = self._relations.get(declared.full_name)
            self._connection.execute(view(self._schema, declared, relation))


def _vectors(connection: Connection) -> str | None:
    """Where pgvector is, installed now if the server has it and we may."""
    place = extension_schema(connection, "vector")
    if place is None and connection.execute(_SIMILAR["vector_is_available"]).fetchone() is not None:
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute(_SIMILAR["install_vector"])
            place = extension_schema(connection, "vector")
    return place


def _year_ends() -> Iterator[int]:
    """The seconds (since 1970, UTC) at which each year begins, from 1971."""
    return (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in range(1971, _LAST_YEAR))
