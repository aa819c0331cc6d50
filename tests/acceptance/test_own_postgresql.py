"""A PostgreSQL of one's own: the oldest that we work with, as Debian has it, on a socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg import sql

from reelbase.database.connect import connect
from tests.acceptance.conftest import Reelbase, command
from tests.importing import MOVIES, RATINGS, write

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
pytestmark = pytest.mark.skipif(not (PROGRAMS / "initdb").exists(), reason=f"needs PostgreSQL 15 in {PROGRAMS}")


def user() -> pwd.struct_passwd:
    """Who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """The folder of its socket; whoever can enter it may connect as `owner`."""
    folder = Path(tempfile.mkdtemp(prefix="reelbase-own-", dir="/tmp"))
    runs, switch = user(), os.geteuid() == 0

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [str(PROGRAMS / program), *words],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            user=runs.pw_uid if switch else None,
            group=runs.pw_gid if switch else None,
            extra_groups=[] if switch else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    data = str(folder / "data")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    try:
        if switch:
            os.chown(folder, runs.pw_uid, runs.pw_gid)
        run("initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "start", "-w", "-D", data, "-l", str(folder / "log"), "-o", options)
        try:
            yield str(folder)
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def own(own_server: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Reelbase]:
    """The command on a database of the encoding that the test asks for."""
    encoding = getattr(request, "param", "UTF8")
    name = f"of_{encoding.lower()}"
    url = f"postgresql://owner@/postgres?host={quote(own_server, safe='')}"
    with connect(url) as connection:
        connection.execute(
            sql.SQL("create database {} encoding {} locale 'C' template template0").format(
                sql.Identifier(name), sql.Literal(encoding)
            )
        )
    with command(REELBASE_DATABASE_URL=url.replace("/postgres?", f"/{name}?"), REELBASE_HOME=str(tmp_path)) as made:
        yield made


def test_imports_merges_and_rollbacks_work_on_it(own: Reelbase, tmp_path: Path) -> None:
    assert own.rows("select current_setting('server_version_num')::int / 10000") == [(15,)]
    path = tmp_path / "r.csv"
    write(path, RATINGS, *(f"1,{movie},3.5,5" for movie in range(1000)), "1,1,0.5,6", "bad", "1,7,9.5,5")
    write(tmp_path / "m.csv", MOVIES, "1,Amélie (2001),Drama")
    found = own.json("import", path, tmp_path / "m.csv", REELBASE_CHUNK_BYTES="4096")
    assert (found["state"], [file["rows_rejected"] for file in found["files"]]) == ("completed", [3, 0])
    reasons = "select reason from reelbase.rejects order by line"
    assert own.rows(reasons) == [("duplicate_key",), ("too_few_columns",), ("out_of_range",)]
    assert own.rows("select rating from movielens.ratings where movie_id = 1") == [(0.5,)]
    own("import", write(path, RATINGS, "1,1,5,7", "2,1,4,7", "2,1,4.5,8"), "--mode", "merge")
    ratings = "select count(*), sum(rating) filter (where movie_id = 1) from movielens.ratings"
    assert own.rows(ratings) == [(1001, 9.5)]
    own("rollback", "movielens")
    assert own.rows(ratings) == [(1000, 0.5)]
    assert "✗" not in own("doctor").stdout


@pytest.mark.parametrize("own", ["LATIN1", "SQL_ASCII"], indirect=True)
def test_another_encoding_is_refused_with_a_sentence(own: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    sentence = own.refused("import", path, code=1)
    assert "encoding is" in sentence
    assert "create database … encoding 'UTF8'" in sentence
    assert own.rows("select count(*) from pg_namespace where nspname = 'reelbase'") == [(0,)]
