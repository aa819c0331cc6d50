"""The embedded server's life, with a real server.

As root, pytest's folders (0700) are ones that the server's own user cannot enter: the hard case is the usual one here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from reelbase.database import binaries, embedded, postmaster
from reelbase.database.account import Account, account
from reelbase.database.embedded import EmbeddedServer
from reelbase.errors import ServerUnavailable

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="needs root: it becomes another user")

START = """
import sys
from pathlib import Path
from reelbase.database.embedded import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).start())
"""
# The interpreter may lie where another user cannot go, so it is started as root and steps down when all is loaded.
START_AS_ANOTHER = """
import os, sys
from pathlib import Path
import psycopg
from reelbase.database.embedded import EmbeddedServer
os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))
server = EmbeddedServer(Path(sys.argv[1]))
print(server.start())
with psycopg.connect(server.url) as connection:
    print(connection.execute("SELECT current_user").fetchone()[0])
"""


def popen(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    environment = {"PATH": os.defpath}  # neither LANG nor LC_*
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def value(server: EmbeddedServer, query: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def kill(server: EmbeddedServer) -> None:
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while server.status().running:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedServer, list[str]]]:
    """One cluster for all tests, started by four processes at the same time."""
    home = tmp_path_factory.mktemp("home")
    starters = [popen(START, home) for _ in range(4)]
    said = [starter.communicate()[0].strip() for starter in starters]
    server = EmbeddedServer(home)
    yield server, said
    server.stop()
    assert not server.status().running


@pytest.fixture
def server(started: tuple[EmbeddedServer, list[str]]) -> EmbeddedServer:
    started[0].start()
    return started[0]


@pytest.fixture
def nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def test_of_four_that_start_at_once_one_does_it(started: tuple[EmbeddedServer, list[str]]) -> None:
    server, said = started
    assert sorted(said) == ["False", "False", "False", "True"]
    assert server.status().running
    assert not server.start()
    assert server.data.stat().st_mode & 0o777 == 0o700


def test_status_names_the_server(server: EmbeddedServer) -> None:
    status = server.status()
    assert status.pid is not None
    assert psutil.Process(status.pid).name() == "postgres"
    assert value(server, "SHOW server_version") == status.version
    assert status.socket is not None
    assert (status.socket / f".s.PGSQL.{status.port}").is_socket()


def test_it_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(server: EmbeddedServer) -> None:
    pid = server.status().pid
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)
    assert psutil.Process(pid).ppid() != os.getpid()


def test_a_server_whose_starter_died_before_writing_it_down_is_found(server: EmbeddedServer) -> None:
    before = server.status()
    (server.data.parent / "server.json").unlink()
    assert server.status().running
    assert not server.start()
    assert server.status() == before
    assert value(server, "SELECT 1") == 1


def test_letters_outside_ascii_count_without_any_locale_set(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    # show_trgm shows a trigram with é as a hash. With LC_CTYPE=C é would end the word, and `lie` begin another.
    assert value(server, "SELECT '  l' = ANY (show_trgm('Amélie'))") is False
    assert value(server, "SELECT '  l' = ANY (show_trgm('Am-lie'))") is True
    assert value(server, "SELECT similarity('AMÉLIE', 'amélie')") == 1
    assert value(server, "SELECT lower('ÇA')") == "ça"
    assert value(server, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"


@as_root
def test_a_home_below_closed_folders_is_reached_without_opening_them(server: EmbeddedServer) -> None:
    assert not account(server.data).can_enter(server.data)
    assert value(server, "SHOW data_directory") == "/proc/self/cwd"
    assert server.home.parent.stat().st_mode & 0o077 == 0
    assert server.home.parent.stat().st_uid == 0


def test_parallel_workers_and_checkpoints_work(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS big")
        connection.execute("CREATE TABLE big AS SELECT i, repeat('x', 50) t FROM generate_series(1, 200000) i")
        connection.execute("ANALYZE big")
        connection.execute("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0")
        connection.execute("SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0")
        plan = connection.execute("EXPLAIN (ANALYZE) SELECT count(*) FROM big WHERE t LIKE '%x'").fetchall()
        assert any("Workers Launched" in line and "Launched: 0" not in line for (line,) in plan)
        connection.execute("CHECKPOINT")


def test_the_network_cannot_reach_it(server: EmbeddedServer) -> None:
    assert value(server, "SHOW listen_addresses") == ""
    assert value(server, "SELECT count(*) FROM pg_hba_file_rules") == 1


@as_root
def test_another_user_cannot_connect(server: EmbeddedServer, nobody: pwd.struct_passwd) -> None:
    psql = binaries.find().program("psql")
    other = Account(nobody.pw_uid, nobody.pw_gid, switched=True)
    if not other.can_execute(psql) or account(server.data).uid == nobody.pw_uid:
        pytest.skip("`nobody` cannot run psql here, or runs the server")
    socket = server.status().socket
    assert socket is not None
    refused = other.run([psql, server.url, "-c", "SELECT 1"])
    assert refused.returncode
    assert "Permission denied" in refused.stdout
    socket.chmod(0o755)  # were the folder open, PostgreSQL itself would refuse
    try:
        refused = other.run([psql, server.url, "-c", "SELECT 1"])
    finally:
        socket.chmod(0o700)
    assert refused.returncode
    assert "Peer authentication failed" in refused.stdout


def test_stop_if_alone_leaves_a_server_that_somebody_uses(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url):
        assert not server.stop(only_if_alone=True)
        assert server.status().running
    deadline = time.monotonic() + 10  # the backend of a closed connection takes a moment to go
    while not server.stop(only_if_alone=True):
        assert time.monotonic() < deadline
    assert not server.status().running
    assert not server.stop()
    assert server.start()


def test_stop_ends_open_connections(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url) as connection:
        assert server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_killed_server_recovers_and_waits_for_its_orphans(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    busy = psycopg.connect(server.url)

    def work() -> None:
        # Computing, a backend does not notice for a while that its postmaster is gone.
        with suppress(psycopg.OperationalError):
            busy.execute("SELECT sum(i) FROM generate_series(1, 15000000) i")

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.3)
    kill(server)
    assert server.start()
    assert value(server, "SELECT answer FROM kept") == 42
    thread.join()
    busy.close()


def test_a_pid_that_now_means_another_process_does_not_block_the_start(server: EmbeddedServer) -> None:
    pid = server.status().pid
    kill(server)
    lock = server.data / "postmaster.pid"
    lines = lock.read_text().replace(str(pid), str(os.getpid()), 1)
    lock.write_text(lines)
    assert not server.status().running
    assert not server.stop()
    assert server.start()


def test_the_users_own_settings_win_and_a_broken_one_is_named(server: EmbeddedServer) -> None:
    server.stop()
    path = server.data / "postgresql.conf"
    before = path.read_text()
    try:
        path.write_text(f"{before}work_mem = '5MB'\n")
        server.start()
        assert value(server, "SHOW work_mem") == "5MB"
        server.stop()
        path.write_text(f"{before}nonsense = 1\n")
        with pytest.raises(ServerUnavailable, match="nonsense"):
            server.start()
        assert not server.status().running
    finally:
        path.write_text(before)


def test_a_long_home_with_a_comma_and_a_half_made_cluster(tmp_path: Path) -> None:
    home = tmp_path / ("long, " * 30) / "home"
    (home / "postgresql" / "data.partial" / "base").mkdir(parents=True)
    server = EmbeddedServer(home)
    with pytest.raises(ServerUnavailable, match="no database"):
        _ = server.url
    assert not server.status().running
    assert server.start()
    socket = server.status().socket
    try:
        assert value(server, "SELECT current_user") == "reelbase"
        assert not (home / "postgresql" / "data.partial").exists()
        assert socket is not None
        assert socket.parent == Path("/tmp")
    finally:
        server.stop()
    assert not socket.exists()


@as_root
def test_an_ordinary_user_starts_it_and_root_may_stop_it(nobody: pwd.struct_passwd) -> None:
    if not Account(nobody.pw_uid, nobody.pw_gid, switched=True).can_execute(binaries.find().program("postgres")):
        pytest.skip("`nobody` cannot run the binaries here")
    home = Path(tempfile.mkdtemp(prefix="reelbase-test-", dir="/tmp"))
    server = EmbeddedServer(home)
    try:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        said, _ = popen(START_AS_ANOTHER, home, nobody.pw_uid, nobody.pw_gid).communicate()
        assert said.split() == ["True", "reelbase"]
        assert value(server, "SHOW data_directory") == str(server.data)
        assert {path.stat().st_uid for path in home.rglob("*")} == {nobody.pw_uid}
        assert server.stop()
        assert server.start()
        assert {path.stat().st_uid for path in home.rglob("*")} == {nobody.pw_uid}
        said, _ = popen(START_AS_ANOTHER, home, nobody.pw_uid, nobody.pw_gid).communicate()
        assert said.split() == ["False", "reelbase"]
    finally:
        server.stop()
        shutil.rmtree(home)


def test_a_cluster_of_another_major_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "postgresql" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(ServerUnavailable, match=r"made by PostgreSQL 9\.6"):
        EmbeddedServer(tmp_path).start()


def test_a_socket_folder_that_somebody_else_prepared_is_refused(tmp_path: Path) -> None:
    user = Account(os.geteuid(), os.getegid(), switched=False)
    (tmp_path / "run").symlink_to(tmp_path)
    with pytest.raises(ServerUnavailable, match="only the server's user"):
        embedded._socket_folder(tmp_path, user)
    (tmp_path / "run").unlink()
    (tmp_path / "run").mkdir(mode=0o755)
    with pytest.raises(ServerUnavailable, match="only the server's user"):
        embedded._socket_folder(tmp_path, user)


def test_a_server_is_told_from_a_process_with_its_pid(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n5432\n/tmp\n\n  1  1\nready   \n")
    assert postmaster.process(data) is None


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["true"])
    process = psutil.Process(child.pid)
    deadline = time.monotonic() + 10
    while postmaster.alive(process):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.wait()


def test_the_binaries_can_be_copied_for_another_user(tmp_path: Path) -> None:
    found = binaries.find()
    copied = binaries.public_copy(found, (tmp_path,))
    assert copied.folder.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / f"postgresql-{found.version}"]
    answer = subprocess.run([copied.program("initdb"), "--version"], capture_output=True, text=True, check=True)
    assert found.postgresql in answer.stdout
    assert binaries.public_copy(found, (tmp_path,)) == copied
    (tmp_path / f"postgresql-{found.version}").chmod(0o777)
    with pytest.raises(ServerUnavailable, match="does not belong to us"):
        binaries.public_copy(found, (tmp_path,))


@as_root
def test_binaries_below_a_closed_folder_are_seen_as_unusable(tmp_path: Path, nobody: pwd.struct_passwd) -> None:
    other = Account(nobody.pw_uid, nobody.pw_gid, switched=True)
    shutil.copy("/bin/true", tmp_path / "postgres")
    assert not other.can_execute(str(tmp_path / "postgres"))
