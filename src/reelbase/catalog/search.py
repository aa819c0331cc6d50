"""Finding movies and people: words, prefixes, accents ignored, typos forgiven, other titles too.

What was typed is turned into a text search query over whole titles. A word that no title has is replaced by the words
most like it. The best known of the matches are then put in order: how well the title fits, and how well known it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql

from reelbase.catalog.browse import EXACT_UP_TO, Total, counted_where_few
from reelbase.catalog.filters import Filters, conditions
from reelbase.database.asking import Ask, Question
from reelbase.database.connect import DictConnection
from reelbase.database.extensions import extension_schema
from reelbase.database.statements import statements

_SQL = statements("reelbase.catalog", "search.sql")

WINDOW = 300
"""How many of the best known matches are ranked; a list by relevance ends there."""
_MANY = 20_000
"""Matches above which the best known movies are looked at one by one: of a million, 15,000 have WINDOW such matches."""
_MOST_LETTERS, _MOST_WORDS = 300, 12  # what is typed beyond does not make a title clearer
_LEAST_LETTERS = 3  # of a word that may be a typo: two letters are like too much
_SIMILARITY = 0.3  # pg_trgm's threshold: space is no nearer to "spce"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, and the text search query it became (None: there is no word in it).

    One that `is_broad` matches more than can be worth counting: the beginning of a word, of a letter or two.
    """

    typed: str
    tsquery: str | None
    is_broad: bool = False

    @property
    def condition(self) -> sql.Composable:
        """As a condition on m, for lists in another order than relevance."""
        if self.tsquery is None:
            return sql.SQL("false")
        return sql.SQL("exists (select from catalog.search s where s.id = m.id and s.document @@ {}::tsquery)").format(
            sql.Literal(self.tsquery)
        )


def movie_query(connection: DictConnection, typed: str) -> Query:
    """Understand what was typed as words of titles."""
    return _understand(connection, typed, sql.Identifier("catalog", "words"))


def person_query(connection: DictConnection, typed: str) -> Query:
    """Understand what was typed as words of names."""
    return _understand(connection, typed, sql.Identifier("catalog", "person_words"))


@dataclass(frozen=True, slots=True)
class Found:
    """Movies, the best first, and how many match in all where that was seen on the way."""

    rows: list[Row]
    total: Total | None = None


def movies(
    connection: DictConnection, query: Query, filters: Filters, *, limit: int = 20, offset: int = 0
) -> list[Row]:
    """The best matches, best first; at most WINDOW and a few."""
    return find(connection, query, filters, limit=limit, offset=offset).rows


def find(connection: DictConnection, query: Query, filters: Filters, *, limit: int, offset: int = 0) -> Found:
    """As `movies`, with how many there are if they were few."""
    if query.tsquery is None:
        return Found([], Total(0, True))
    parts = {**_parts(query, limit, offset), **_narrowed(filters), "too_many": sql.Literal(_MANY)}
    for name in ("ranked", "namesakes"):
        parts[name] = sql.SQL(_SQL[name]).format(**parts)
    if not query.is_broad:
        rows = _planned(connection, "by_words", "movies", parts)
        if rows[0]["matches"] <= _MANY:
            passed = rows[0]["passed"]
            return Found(_cleaned(row for row in rows if row["id"] is not None), Total(passed, passed <= EXACT_UP_TO))
    return Found(_cleaned(_planned(connection, "by_votes", "movies_by_votes", parts)))


def counting(query: Query, filters: Filters) -> Question[Total]:
    """How many match: counted where that is cheap, otherwise estimated."""
    if query.tsquery is None:
        return Total(0, True)
    return (yield from counted_where_few(_asking(query, filters, "estimate"), _asking(query, filters, "count")))


def _asking(query: Query, filters: Filters, name: str) -> Ask:
    parts = {"query": sql.Literal(query.tsquery), "limit": sql.Literal(EXACT_UP_TO + 1), **_narrowed(filters)}
    return Ask(sql.SQL(_SQL[name]).format(**parts))


def people(connection: DictConnection, query: Query, *, limit: int = 20, offset: int = 0) -> list[Row]:
    """The people of that name, the best known first."""
    if query.tsquery is None:
        return []
    statement = sql.SQL(_SQL["people"]).format(**_parts(query, limit, offset))
    return _cleaned(connection.execute(statement).fetchall())


def _planned(connection: DictConnection, plan: str, name: str, parts: Mapping[str, sql.Composable]) -> list[Row]:
    """Ask with a setting of PostgreSQL's planner that holds for this question."""
    with connection.transaction():
        connection.execute(_SQL[plan])
        return connection.execute(sql.SQL(_SQL[name]).format(**parts)).fetchall()


def _narrowed(filters: Filters) -> dict[str, sql.Composable]:
    """The filters, and where they look: the usual ones need only what `catalog.search` has, not the movies' rows."""
    usual = filters == Filters(types=filters.types, adult=filters.adult)
    return {
        "found": sql.Identifier("m" if usual else "s"),
        "joined": sql.SQL("" if usual else "join catalog.movies m on m.id = s.id"),
        "where": conditions(filters),
    }


def _parts(query: Query, limit: int, offset: int) -> dict[str, sql.Composable]:
    return {
        "query": sql.Literal(query.tsquery),
        "typed": sql.Literal(query.typed),
        "window": sql.Literal(WINDOW),
        "limit": sql.Literal(limit),
        "offset": sql.Literal(offset),
    }


def _cleaned(rows: Iterable[Row]) -> list[Row]:
    """Without what only the ranking needs."""
    return [{key: value for key, value in row.items() if key not in ("relevance", "matches", "passed")} for row in rows]


def _understand(connection: DictConnection, typed: str, words: sql.Identifier) -> Query:
    typed = typed.replace("\0", " ")[:_MOST_LETTERS]
    tokens = connection.execute(sql.SQL(_SQL["tokens"]).format(words=words), {"typed": typed}).fetchall()
    tokens = tokens[:_MOST_WORDS]
    terms = [_term(connection, token, words, is_last=token is tokens[-1]) for token in tokens]
    is_broad = len(tokens) == 1 and len(tokens[0]["word"]) < _LEAST_LETTERS
    return Query(typed, " & ".join(terms) if terms else None, is_broad)


def _term(connection: DictConnection, token: Row, words: sql.Identifier, *, is_last: bool) -> str:
    """One word as a part of the query: itself, the beginning of a word, or what is like it."""
    word = token["word"]
    if is_last and token["begins_one"]:
        return f"{_quoted(word)}:*"
    if token["is_known"] or len(word) < _LEAST_LETTERS or word.isdigit():
        return _quoted(word)
    alike = _alike(connection, word, words)
    options = [f"{_quoted(word)}:*", *map(_quoted, alike)]
    return options[0] if len(options) == 1 else f"({' | '.join(options)})"


def _alike(connection: DictConnection, word: str, words: sql.Identifier) -> Sequence[str]:
    trigrams = sql.Identifier(extension_schema(connection, "pg_trgm") or "public")
    with connection.transaction():
        connection.execute(_SET_THRESHOLD, (str(_SIMILARITY),))
        statement = sql.SQL(_SQL["alike"]).format(words=words, trigrams=trigrams)
        return [row["word"] for row in connection.execute(statement, {"word": word})]


_SET_THRESHOLD: LiteralString = "select set_config('pg_trgm.similarity_threshold', %s, true)"


def _quoted(word: str) -> str:
    """A word as a lexeme of a tsquery. Which signs are letters is PostgreSQL's to say: vowel signs are, to it."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
