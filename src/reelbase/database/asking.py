"""Questions apart from the way they are asked: a generator gives statements and gets their rows.

So what is asked stands in one place, for callers that wait in a thread and for those that wait in an event loop.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, LiteralString, TypeAlias, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

from reelbase.database.connect import AsyncDictConnection, DictConnection

T = TypeVar("T")


@dataclass(slots=True)
class Ask:
    """A statement with its parameters; `binary` says how the rows come."""

    text: LiteralString | sql.Composed
    values: dict[str, Any] | None = None
    binary: bool = False


Question: TypeAlias = Generator[Ask, list[DictRow], T]
"""Gives statements, is sent the rows of each (or thrown the driver's error), and returns the answer."""


def answer(connection: DictConnection, question: Question[T]) -> T:
    """Ask it on a connection, and wait."""
    try:
        ask = next(question)
        while True:
            try:
                rows = connection.execute(ask.text, ask.values, binary=ask.binary).fetchall()
            except psycopg.Error as error:
                ask = question.throw(error)
            else:
                ask = question.send(rows)
    except StopIteration as end:
        found: T = end.value
        return found


async def answer_async(connection: AsyncDictConnection, question: Question[T]) -> T:
    """As `answer`, in an event loop."""
    try:
        ask = next(question)
        while True:
            try:
                cursor = await connection.execute(ask.text, ask.values, binary=ask.binary)
                rows = await cursor.fetchall()
            except psycopg.Error as error:
                ask = question.throw(error)
            else:
                ask = question.send(rows)
    except StopIteration as end:
        found: T = end.value
        return found
