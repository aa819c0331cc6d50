"""Questions in the event loop: connections that are shared, that the server ends, and clients that go away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from reelbase.database.asking import Ask, Question
from reelbase.database.connect import connect
from reelbase.serving.lines import GoneAway, Limits, Lines


def _sleep(seconds: float) -> Callable[[], Question[int]]:
    def question() -> Question[int]:
        [row] = yield Ask("select pg_sleep(%(seconds)s), pg_backend_pid() as pid", {"seconds": seconds})
        return int(row["pid"])

    return question


async def _stays() -> Any:
    await asyncio.Event().wait()


async def _leaves() -> Any:
    await asyncio.sleep(0.05)
    return {"type": "http.disconnect"}


def _running(url: str) -> int:
    with connect(url) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"
        ).fetchone()
    return row[0] if row else 0


def test_more_questions_than_connections_take_turns_in_their_order(loaded_url: str) -> None:
    async def ask() -> tuple[list[int], list[int]]:
        lines = Lines(loaded_url, Limits(2, 5))
        done: list[int] = []

        async def one(number: int) -> int:
            pid = await lines.ask(_stays, _sleep(0.01))
            done.append(number)
            return pid

        pids = await asyncio.gather(*(one(number) for number in range(20)))
        await lines.close()
        return pids, done

    pids, done = asyncio.run(ask())
    assert len(set(pids)) == 2
    assert all(abs(number - place) <= 2 for place, number in enumerate(done))


def test_a_connection_that_the_server_ended_is_opened_again(loaded_url: str) -> None:
    async def ask() -> tuple[int, int]:
        lines = Lines(loaded_url, Limits(1, 5))
        first = await lines.ask(_stays, _sleep(0))
        await asyncio.to_thread(_terminate, loaded_url, first)
        await asyncio.sleep(0.1)
        second = await lines.ask(_stays, _sleep(0))
        await asyncio.to_thread(_terminate, loaded_url, second)
        third = await lines.ask(_stays, _sleep(0))  # at once: the loop has not heard of it yet
        await lines.close()
        assert third != second
        return first, second

    first, second = asyncio.run(ask())
    assert first != second


def _terminate(url: str, pid: int) -> None:
    with connect(url) as connection:
        connection.execute("select pg_terminate_backend(%s, 1000)", (pid,))


def test_the_query_of_a_client_that_goes_away_is_cancelled(loaded_url: str) -> None:
    async def ask() -> int:
        lines = Lines(loaded_url, Limits(1, 30))
        with pytest.raises(GoneAway):
            await lines.ask(_leaves, _sleep(20))
        assert await asyncio.to_thread(_running, loaded_url) == 0
        found = await lines.ask(_stays, _sleep(0))
        await lines.close()
        return found

    began = time.monotonic()
    assert asyncio.run(ask())
    assert time.monotonic() - began < 10


def test_a_task_that_is_cancelled_leaves_no_query_and_no_place_behind(loaded_url: str) -> None:
    async def ask() -> int:
        lines = Lines(loaded_url, Limits(1, 30))
        asking = [asyncio.ensure_future(lines.ask(_stays, _sleep(20))) for _ in range(3)]
        await asyncio.sleep(0.3)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert await asyncio.to_thread(_running, loaded_url) == 0
        found = await lines.ask(_stays, _sleep(0))
        await lines.close()
        return found

    assert asyncio.run(ask())


def test_a_question_ends_when_its_time_is_over(loaded_url: str) -> None:
    async def ask() -> None:
        lines = Lines(loaded_url, Limits(1, 0.2))
        with pytest.raises(psycopg.errors.QueryCanceled):
            await lines.ask(_stays, _sleep(5))
        await lines.close()

    asyncio.run(ask())
