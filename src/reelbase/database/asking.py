"""Questions apart from the way they are asked: a generator gives statements and gets their rows.

So what is asked stands in one place, for callers that wait in a thread and for those that wait in an event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, LiteralString, TypeAlias, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import BaseRowFactory, dict_row, tuple_row

from reelbase.database.connect import AsyncDictConnection

T = TypeVar("T")


@dataclass(slots=True)
class Ask:
    """A statement with its parameters; `binary` says how values come, `plain` that rows are tuples instead of dicts.

    `prepare` False has it planned for its values each time; None prepares what is often asked.
    """

    text: LiteralString | sql.Composed
    values: dict[str, Any] | None = None
    binary: bool = False
    plain: bool = False
    prepare: bool | None = None


Question: TypeAlias = Generator[Ask, list[Any], T]
"""Gives statements, is sent the rows of each (or thrown the driver's error), and returns the answer."""


def answer(connection: psycopg.Connection[Any], question: Question[T]) -> T:
    """Ask it on a connection, and wait."""
    talk = _Talk(question)
    while (ask := talk.ask) is not None:
        try:
            cursor = connection.cursor(row_factory=_rows(ask))
            rows = cursor.execute(ask.text, ask.values, binary=ask.binary, prepare=ask.prepare).fetchall()
        except psycopg.Error as error:
            talk.tell_error(error)
        else:
            talk.tell(rows)
    return talk.answer


async def answer_async(connection: AsyncDictConnection, question: Question[T]) -> T:
    """As `answer`, in an event loop."""
    cursor = connection.questions
    talk = _Talk(question)
    while (ask := talk.ask) is not None:
        try:
            cursor.row_factory = _rows(ask)
            await cursor.execute(ask.text, ask.values, binary=ask.binary, prepare=ask.prepare)
            rows = await cursor.fetchall()
        except psycopg.Error as error:
            talk.tell_error(error)
        else:
            talk.tell(rows)
    return talk.answer


def _rows(ask: Ask) -> BaseRowFactory[Any]:
    return tuple_row if ask.plain else dict_row


class _Talk(Generic[T]):
    """How far a question has come: what it asks next (None: nothing more), and its answer then."""

    answer: T

    def __init__(self, question: Question[T]) -> None:
        self._question = question
        self._go_on(lambda: next(question))

    def tell(self, rows: list[Any]) -> None:
        self._go_on(lambda: self._question.send(rows))

    def tell_error(self, error: psycopg.Error) -> None:
        self._go_on(lambda: self._question.throw(error))

    def _go_on(self, step: Callable[[], Ask]) -> None:
        self.ask: Ask | None = None
        try:
            self.ask = step()
        except StopIteration as end:
            self.answer = end.value
