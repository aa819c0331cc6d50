"""Imports of more than files named on the terminal: published names, URLs, uploads, folders that are allowed."""

from __future__ import annotations

import hashlib
import os
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reelbase.database.connect import connect, connect_dicts
from reelbase.errors import (
    BadParameter,
    MixedDatasets,
    ReelbaseError,
    SourceMissing,
    SourceNotAllowed,
    UnknownHeader,
    UnknownUpload,
    UploadUnfinished,
    UsageError,
)
from reelbase.imports import commands, leftovers, read, wanted
from reelbase.imports.resources import Resources, Web
from reelbase.imports.run import run_import
from reelbase.imports.sources import ImportRequest, SourceRules
from reelbase.sample import write_imdb
from tests.importing import MOVIES, RATINGS, write
from tests.publisher import DAY, Fault, Publisher, publisher

LINES = "".join(f"{user},{movie},3.5,5\n" for user in range(500) for movie in range(40))
ROWS = 500 * 40


@dataclass
class Room:
    """A database, a file store and what may be imported; `api` asks as somebody far away does."""

    url: str
    folder: Path
    server: Publisher
    hosts: tuple[str, ...] | None = ("127.0.0.1",)
    dirs: tuple[Path, ...] = ()
    keep_days: float = 1.0
    private: bool = True
    stops: list[Resources] = field(default_factory=list)

    def rules(self, *, is_local: bool) -> SourceRules:
        return SourceRules(
            import_dirs=self.dirs,
            download_hosts=self.hosts,
            allow_private_downloads=self.private,
            imdb_url=f"{self.server.url}imdb/",
            movielens_url=f"{self.server.url}movielens/",
            is_local=is_local,
        )

    def api(self, *words: str, **how: Any) -> int:
        return self._ask(words, how, is_local=False)

    def terminal(self, *words: object, **how: Any) -> int:
        return self._ask(tuple(map(str, words)), how, is_local=True)

    def _ask(self, words: tuple[str, ...], how: dict[str, Any], *, is_local: bool) -> int:
        with connect(self.url) as connection:
            request = ImportRequest(words, **{"max_rejects": "0", **how})
            return commands.request_import(connection, request, self.rules(is_local=is_local), 1 << 20)

    def resources(self) -> Resources:
        web = Web(self.folder / "downloads", self.rules(is_local=False), 100 << 20, self.keep_days)
        made = Resources(connections=2, lease_seconds=30, staging_days=3, disk=None, web=web)
        self.stops.append(made)
        return made

    def run(self, import_id: int) -> dict[str, Any]:
        run_import(self.url, import_id, self.resources())
        return self.show(import_id)

    def retry(self, import_id: int) -> dict[str, Any]:
        with connect(self.url) as connection:
            commands.retry(connection, import_id, 30)
        return self.run(import_id)

    def cancel(self, import_id: int) -> None:
        with connect(self.url) as connection:
            commands.cancel(connection, import_id, 30)

    def show(self, import_id: int) -> dict[str, Any]:
        with connect_dicts(self.url) as connection:
            return read.one_import(connection, import_id)

    def count(self, table: str) -> int:
        with connect(self.url) as connection:
            row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
            assert row is not None
            return int(row[0])

    def imports(self) -> int:
        return self.count("reelbase.imports")

    def copies(self) -> list[str]:
        """Every file of bytes in the store."""
        files = (self.folder / "downloads").glob("*/*")
        return sorted(path.name for path in files if path.suffix != ".json" and path.name != "lock")

    def upload(self, name: str, data: bytes, *, sha256: str | None = None, state: str = "received") -> str:
        """A finished upload, as the uploads room leaves it."""
        upload_id = hashlib.sha256(name.encode()).hexdigest()[:32]
        path = self.folder / "uploads" / upload_id
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
        length = len(data) if state == "received" else len(data) + 1
        with connect(self.url) as connection:
            connection.execute(
                "insert into reelbase.uploads (id, state, length, received, name, path, sha256, expires_at) "
                "values (%s, %s, %s, %s, %s, %s, %s, now() + interval '1 day')",
                (upload_id, state, length, len(data), name, str(path), sha256),
            )
        return upload_id


@pytest.fixture
def server() -> Iterator[Publisher]:
    with publisher() as made:
        yield made


@pytest.fixture
def room(database: str, tmp_path: Path, server: Publisher) -> Room:
    return Room(database, tmp_path / "store", server)


def ratings(lines: str = LINES) -> bytes:
    return f"{RATINGS}\n{lines}".encode()


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"ml/{name}.csv", data)
    return path


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Running(threading.Thread):
    """An import that runs meanwhile."""

    def __init__(self, room: Room, import_id: int) -> None:
        super().__init__(target=room.run, args=(import_id,), daemon=True)
        self.start()


# Downloads


def test_a_url_is_downloaded_looked_at_and_loaded(room: Room) -> None:
    url = room.server.put("files/ratings.csv", ratings())
    import_id = room.api(url)
    assert room.show(import_id)["dataset"] is None
    assert not room.server.asked, "nothing is fetched before a worker does"
    found = room.run(import_id)
    assert (found["state"], found["dataset"], found["error"]) == ("completed", "movielens", None)
    assert [(file["name"], file["rows_loaded"]) for file in found["files"]] == [(url, ROWS)]
    assert room.count("movielens.ratings") == ROWS


def test_an_archive_of_movielens_is_had_by_its_name(room: Room, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", ratings=ratings(), movies=f"{MOVIES}\n1,One (2001),Drama\n".encode())
    room.server.put("movielens/ml-latest-small.zip", archive, md5=True)
    found = room.run(room.api("movielens/latest-small"))
    assert (found["state"], found["dataset"]) == ("completed", "movielens")
    assert sorted(file["name"] for file in found["files"]) == ["ml/movies.csv", "ml/ratings.csv"]
    assert [asked.path.rpartition("/")[2] for asked in room.server.asked] == [
        "ml-latest-small.zip",
        "ml-latest-small.zip.md5",
    ]


@pytest.fixture(scope="module")
def imdb_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_imdb(tmp_path_factory.mktemp("imdb"), scale=0.0005, seed=1, movielens_scale=0.0005)


def publish_imdb(room: Room, files: list[Path], **served: Any) -> None:
    for path in files:
        room.server.put(f"imdb/{path.name}", path, **served)


def test_all_seven_files_of_imdb_are_had_by_its_name(room: Room, imdb_files: list[Path]) -> None:
    publish_imdb(room, imdb_files)
    import_id = room.api("imdb")
    assert room.show(import_id)["dataset"] == "imdb"
    found = room.run(import_id)
    assert (found["state"], found["error"]) == ("completed", None)
    assert sorted(file["name"] for file in found["files"]) == sorted(path.name for path in imdb_files)
    assert room.count("imdb.title_basics") > 100


def test_files_of_several_days_are_not_imported(room: Room, imdb_files: list[Path]) -> None:
    publish_imdb(room, imdb_files)
    newer = DAY + timedelta(days=1)
    room.server.put("imdb/title.akas.tsv.gz", b"", modified=newer)
    import_id = room.api("imdb")
    found = room.run(import_id)
    assert (found["state"], found["error"]["code"]) == ("failed", "download_failed")
    assert "title.akas.tsv.gz of 2026-08-16" in found["error"]["detail"]
    assert not [asked for asked in room.server.asked if asked.method == "GET"]
    publish_imdb(room, imdb_files, modified=newer)
    assert room.retry(import_id)["state"] == "completed"


def test_a_file_that_is_replaced_during_the_download_is_noticed(room: Room, imdb_files: list[Path]) -> None:
    publish_imdb(room, imdb_files)
    newer = DAY + timedelta(days=1)
    first = imdb_files[0]
    fault = Fault(after=first.stat().st_size, then=lambda: publish_imdb(room, imdb_files, modified=newer))
    room.server.fault("imdb/title.basics.tsv.gz", fault)
    import_id = room.api("imdb")
    found = room.run(import_id)
    assert (found["state"], found["error"]["code"]) == ("failed", "download_failed")
    assert room.retry(import_id)["state"] == "completed"


def test_a_missing_file_fails_with_its_name_and_a_retry_goes_on(room: Room) -> None:
    import_id = room.api(f"{room.server.url}files/ratings.csv")
    found = room.run(import_id)
    assert (found["state"], found["error"]["code"]) == ("failed", "download_failed")
    assert "files/ratings.csv" in found["error"]["detail"]
    assert "404" in found["error"]["detail"]
    room.server.put("files/ratings.csv", ratings())
    assert room.retry(import_id)["state"] == "completed"


def test_what_it_turns_out_not_to_be_is_said(room: Room, tmp_path: Path) -> None:
    page = room.server.put("ratings.csv", b"<html>\n<p>Log in</p>\n")
    found = room.run(room.api(page))
    assert (found["state"], found["error"]["code"]) == ("failed", "unknown_header")
    mixed = zipped(tmp_path / "m.zip", ratings=ratings(), keywords=b"id,keywords\n1,[]\n")
    url = room.server.put("m.zip", mixed)
    found = room.run(room.api(url))
    assert (found["state"], found["error"]["code"]) == ("failed", "mixed_datasets")
    found = room.run(room.api(url, dataset="tmdb"))
    assert (found["state"], found["dataset"], found["skipped"]) == ("completed", "tmdb", ["ml/ratings.csv"])
    found = room.run(room.api(url, dataset="imdb"))
    assert (found["state"], found["error"]["code"]) == ("failed", "usage")


def test_progress_while_it_receives_is_that_of_the_download(room: Room) -> None:
    data = ratings()
    url = room.server.put("ratings.csv", data)
    room.server.fault("ratings.csv", Fault(pause=0.3, block=len(data) // 8))
    import_id = room.api(url)
    running = Running(room, import_id)
    seen: list[dict[str, Any]] = []
    while running.is_alive():
        found = room.show(import_id)
        if found["state"] == "receiving" and found["progress"]["bytes_total"]:
            seen.append(found["progress"])
        time.sleep(0.05)
    assert room.show(import_id)["state"] == "completed"
    done = [progress["bytes_done"] for progress in seen]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert {progress["bytes_total"] for progress in seen} == {len(data)}
    assert any(progress["eta_seconds"] for progress in seen)


def test_cancelling_takes_no_two_seconds_and_leaves_nothing(room: Room) -> None:
    url = room.server.put("ratings.csv", ratings())
    room.server.fault("ratings.csv", Fault(after=1000, stalls=True))
    import_id = room.api(url)
    running = Running(room, import_id)
    until(lambda: room.copies() == ["partial"])
    began = time.monotonic()
    room.cancel(import_id)
    running.join(20)
    assert room.show(import_id)["state"] == "cancelled"
    assert time.monotonic() - began < 5  # 2 s, on a machine that has nothing else to do
    assert room.copies() == []
    assert not list((room.folder / "downloads").iterdir())


def test_an_interrupted_download_is_gone_on_with(room: Room) -> None:
    data = ratings()
    url = room.server.put("ratings.csv", data)
    room.server.fault("ratings.csv", Fault(after=100_000, stalls=True))
    import_id = room.api(url)
    running = Running(room, import_id)
    until(lambda: any(path.stat().st_size == 100_000 for path in (room.folder / "downloads").glob("*/partial")))
    for resources in room.stops:
        resources.stop()
    running.join(20)
    found = room.show(import_id)
    assert (found["state"], found["error"]["code"]) == ("failed", "interrupted")
    assert room.retry(import_id)["state"] == "completed"
    assert room.server.gets("ratings.csv")[-1].headers["range"] == "bytes=100000-"


def test_a_second_import_of_the_same_file_uses_the_copy(room: Room) -> None:
    url = room.server.put("ratings.csv", ratings())
    for _ in range(2):
        assert room.run(room.api(url))["state"] == "completed"
    assert [asked.status for asked in room.server.gets("ratings.csv")] == [200, 304]
    assert len(room.copies()) == 1


def test_a_copy_is_dropped_when_no_import_needs_it(room: Room) -> None:
    room.keep_days = 0
    url = room.server.put("ratings.csv", ratings())
    bad = room.server.put("bad.csv", ratings("1,1,9,5\n"))
    failed = room.api(bad)
    assert room.run(failed)["error"]["code"] == "too_many_rejects"
    assert room.run(room.api(url))["state"] == "completed"
    assert len(room.copies()) == 1, "that of the failed import, which may be retried"
    room.cancel(failed)
    assert room.copies() == []


def test_a_retry_needs_no_publisher_as_long_as_the_copy_is_there(room: Room) -> None:
    bad = room.server.put("bad.csv", ratings("1,1,9,5\n"))
    import_id = room.api(bad)
    assert room.run(import_id)["state"] == "failed"
    room.server.files.clear()
    with connect(room.url) as connection:
        commands.retry(connection, import_id, 30, "100%")
    assert room.run(import_id)["state"] == "completed"


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_retry_without_the_copy_fetches_it_again(room: Room, *, is_changed: bool) -> None:
    lines = LINES + "".join(f"x{number}\n" for number in range(5))
    url = room.server.put("ratings.csv", ratings(lines))
    import_id = room.api(url)
    assert room.run(import_id)["error"]["code"] == "too_many_rejects"
    for path in (room.folder / "downloads").glob("*/*"):
        path.unlink()
    if is_changed:
        room.server.put("ratings.csv", ratings("1,1,0.5,5\n"), modified=DAY + timedelta(days=1))
    with connect(room.url) as connection:
        commands.retry(connection, import_id, 30, "5")
    found = room.run(import_id)
    assert (found["state"], found["error"]) == ("completed", None)
    assert room.count("movielens.ratings") == (1 if is_changed else ROWS)
    assert found["files"][0]["rows_read"] == found["files"][0]["rows_loaded"] + found["files"][0]["rows_rejected"]


def test_hosts_that_are_not_allowed_are_refused_at_once_and_behind_redirects(room: Room) -> None:
    url = room.server.put("ratings.csv", ratings())
    for word in ("https://evil.example/ratings.csv", url.replace("127.0.0.1", "localhost"), "file:///etc/passwd"):
        with pytest.raises(SourceNotAllowed):
            room.api(word)
    assert room.imports() == 0
    room.server.fault("old.csv", Fault(status=302, headers={"Location": url.replace("127.0.0.1", "localhost")}))
    found = room.run(room.api(f"{room.server.url}old.csv"))
    assert (found["state"], found["error"]["code"]) == ("failed", "source_not_allowed")
    assert not room.server.gets("ratings.csv")


def test_private_addresses_are_refused_on_the_terminal_too(room: Room) -> None:
    room.private = False
    for word in ("https://127.0.0.1/a.csv", "http://example.org/a.csv", "https://user@example.org/a.csv", "imdb"):
        with pytest.raises(SourceNotAllowed):
            room.terminal(word)
    # A name tells where it leads only when it is asked for.
    found = room.run(room.terminal("https://localhost/ratings.csv"))
    assert (found["state"], found["error"]["code"]) == ("failed", "source_not_allowed")


# Uploads


def test_an_upload_is_imported_under_the_name_that_its_sender_gave(room: Room) -> None:
    upload_id = room.upload("ratings.dat", b"1::2::3.5::5\n2::2::4::5\n")
    found = room.run(room.api(f"upload:{upload_id}"))
    assert (found["state"], found["dataset"]) == ("completed", "movielens")
    assert [(file["name"], file["rows_loaded"]) for file in found["files"]] == [("ratings.dat", 2)]


def test_uploads_are_dropped_when_no_import_needs_them(room: Room) -> None:
    upload_id = room.upload("ratings.csv", ratings())
    path = room.folder / "uploads" / upload_id
    first, second = room.api(f"upload:{upload_id}"), room.api(f"upload:{upload_id}")
    assert room.run(first)["state"] == "completed"
    assert path.exists()
    room.cancel(second)
    assert not path.exists()
    with pytest.raises(UnknownUpload):
        room.api(f"upload:{upload_id}")


def test_a_damaged_upload_is_not_loaded(room: Room) -> None:
    data = ratings()
    good = room.upload("good.csv", data, sha256=hashlib.sha256(data).hexdigest())
    bad = room.upload("bad.csv", data, sha256="0" * 64)
    assert room.run(room.api(f"upload:{good}"))["state"] == "completed"
    found = room.run(room.api(f"upload:{bad}"))
    assert (found["state"], found["error"]["code"]) == ("failed", "upload_damaged")
    assert found["files"][0]["rows_read"] == 0


def test_uploads_that_are_not_there_or_not_whole_are_refused_at_once(room: Room) -> None:
    for word in ("upload:" + "0" * 32, "upload:../../etc/passwd", "upload:"):
        with pytest.raises(UnknownUpload):
            room.api(word)
    with pytest.raises(UploadUnfinished):
        room.api("upload:" + room.upload("half.csv", b"123", state="receiving"))
    with pytest.raises(UnknownHeader):
        room.api("upload:" + room.upload("page.html", b"<html>\n"))
    assert room.imports() == 0


# Allowed folders


@pytest.fixture
def allowed(room: Room, tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    room.dirs = (folder,)
    write(folder / "ratings.csv", RATINGS, "1,1,3.5,5")
    return folder


def test_a_path_in_an_allowed_folder_is_imported(room: Room, allowed: Path, tmp_path: Path) -> None:
    (allowed / "sub").mkdir()
    for word in (f"{allowed}/ratings.csv", "ratings.csv", f"{allowed}/sub/../ratings.csv", f"{allowed}"):
        found = room.run(room.api(f"path:{word}"))
        assert (found["state"], found["dataset"]) == ("completed", "movielens"), word
    link = tmp_path / "link"
    link.symlink_to(allowed)
    room.dirs = (link,)
    assert room.run(room.api(f"path:{link}/ratings.csv"))["state"] == "completed"


def test_tricks_with_paths_are_refused(room: Room, allowed: Path, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.csv", RATINGS, "1,1,3.5,5")
    (tmp_path / "allowed-too").mkdir()
    write(tmp_path / "allowed-too" / "r.csv", RATINGS, "1,1,3.5,5")
    (allowed / "link.csv").symlink_to(outside)
    (allowed / "up").symlink_to(tmp_path)
    (allowed / "round").symlink_to(allowed / "round")
    for word in (
        *("/etc/passwd", "path:/etc/passwd", f"path:{outside}", f"path:{tmp_path}/allowed-too/r.csv", str(outside)),
        *(f"path:{allowed}/../outside.csv", "path:../outside.csv", f"path:{allowed}/link.csv", "path:link.csv"),
        *(f"path:{allowed}/up/outside.csv", f"path:{allowed}/round", f"path:{allowed}/nul\0.csv", "path:~/x"),
        *(
            "path:",
            "path:file:///etc/passwd",
            f"file://{allowed}/ratings.csv",
            "ratings.csv",
            "..",
            "",
        ),
        f"path:{tmp_path}/nowhere.csv",
    ):
        with pytest.raises(SourceNotAllowed):
            room.api(word)
    (allowed / "round").unlink()  # it cannot even be looked at
    with pytest.raises(SourceNotAllowed, match="link"):
        room.api(f"path:{allowed}")
    for word in (f"path:{allowed}/nowhere.csv", "path:" + "a" * 9999):
        with pytest.raises(SourceMissing):
            room.api(word)
    assert room.imports() == 0


def test_without_allowed_folders_no_path_is(room: Room, tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.csv", RATINGS, "1,1,3.5,5")
    for word in (f"path:{path}", "path:ratings.csv", str(path)):
        with pytest.raises(SourceNotAllowed):
            room.api(word)


def test_a_large_packed_tar_is_looked_at_by_the_worker(
    room: Room, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted, "_TAR_AT_ONCE_BYTES", 100)
    with tarfile.open(allowed / "ml.tar.gz", "w:gz") as archive:
        archive.add(allowed / "ratings.csv", "ml/ratings.csv")
    import_id = room.api(f"path:{allowed}/ml.tar.gz")
    assert room.show(import_id)["files"] == []
    found = room.run(import_id)
    assert (found["state"], found["dataset"], found["files"][0]["name"]) == ("completed", "movielens", "ml/ratings.csv")


# What is wrong at once


def test_what_can_be_known_at_once_is_said_at_once(room: Room, allowed: Path, tmp_path: Path) -> None:
    good, other = f"path:{allowed}/ratings.csv", f"path:{allowed}/keywords.csv"
    write(allowed / "keywords.csv", "id,keywords", "1,[]")
    for how, name in (
        ({"dataset": "movielense"}, "dataset"),
        ({"dataset": "all"}, "dataset"),
        ({"mode": "append"}, "mode"),
        ({"max_rejects": "many"}, "max_rejects"),
    ):
        with pytest.raises(BadParameter) as caught:
            room.api(good, **how)
        assert caught.value.name == name
    with pytest.raises(MixedDatasets):
        room.api(good, other)
    with pytest.raises(MixedDatasets):
        room.api("imdb", "movielens/1m")
    with pytest.raises(UsageError, match="no file of imdb"):
        room.api(good, dataset="imdb")
    with pytest.raises(UsageError, match="no file of imdb"):
        room.api("movielens/1m", dataset="imdb")
    with pytest.raises(ReelbaseError):
        room.api()
    with pytest.raises(UsageError):
        room.api(room.server.url)
    assert room.imports() == 0
    assert not room.server.asked


def test_published_names_of_several_datasets_become_an_import_of_each(room: Room, tmp_path: Path) -> None:
    here = write(tmp_path / "ratings.csv", RATINGS, "1,1,3.5,5")
    asked = ImportRequest((str(here), "imdb", "movielens/1m"), "all")
    with connect(room.url) as connection:
        found = wanted.wanted(asked, room.rules(is_local=True), pytest.fail)
        assert [(one.dataset, len(one.sources)) for one in found] == [("movielens", 2), ("imdb", 8)]
        with pytest.raises(UsageError):
            wanted.wanted(
                replace(asked, sources=(f"{room.server.url}a.csv",)),
                room.rules(is_local=True),
                pytest.fail,
            )
        assert leftovers.sweep(connection, None, keep_days=0, staging_days=0) == []


def test_a_file_here_wins_over_what_is_published_under_its_name(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imdb").mkdir()
    write(tmp_path / "imdb" / "title.ratings.tsv", "tconst\taverageRating\tnumVotes", "tt0000001\t5.5\t10")
    monkeypatch.chdir(tmp_path)
    found = room.run(room.terminal("imdb"))
    assert (found["state"], [file["name"] for file in found["files"]]) == ("completed", ["imdb/title.ratings.tsv"])
    assert not room.server.asked
    assert os.sep in found["files"][0]["name"]
