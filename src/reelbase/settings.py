"""Settings: declared once as data, read once from the environment and `reelbase.toml` in the home folder.

Nobody else reads the environment. The list feeds `doctor`, the generated reference and its test. A variable of the
environment wins over the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
import psutil

from reelbase.errors import SettingError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its variable, its default as people would write it, and what it does, in a sentence."""

    variable: str
    default: str
    sentence: str

    @property
    def key(self) -> str:
        """The name in reelbase.toml."""
        return self.variable.removeprefix("REELBASE_").lower()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "REELBASE_HOME",
        "the platform's user data folder",
        "The folder of the embedded PostgreSQL, the file store and reelbase.toml.",
    ),
    Setting(
        "REELBASE_DATABASE_URL",
        "embedded",
        "A PostgreSQL 15-18 of your own instead of the embedded one; it needs pg_trgm and unaccent.",
    ),
    Setting(
        "REELBASE_HOST",
        "127.0.0.1",
        "The address that `serve` listens on.",
    ),
    Setting(
        "REELBASE_PORT",
        "8000",
        "The port that `serve` listens on; 0 takes a free one.",
    ),
    Setting(
        "REELBASE_ALLOWED_HOSTS",
        "none",
        "Host names besides localhost by which this server is known, separated by commas.",
    ),
    Setting(
        "REELBASE_CORS_ORIGINS",
        "none",
        "Origins whose pages may read from the API and upload, such as https://example.org, separated by commas.",
    ),
    Setting(
        "REELBASE_REQUESTS_PER_MINUTE",
        "600",
        "Requests a minute for each address; on loopback there is no limit.",
    ),
    Setting(
        "REELBASE_API_CONNECTIONS",
        "4",
        "How many questions the API asks PostgreSQL at a time, in threads and in its loop each.",
    ),
    Setting(
        "REELBASE_QUERY_SECONDS",
        "15",
        "Seconds after which a question of the API is given up.",
    ),
    Setting(
        "REELBASE_IMPORT_DIRS",
        "none",
        "Folders that the API may import files of this machine from, separated as in PATH.",
    ),
    Setting(
        "REELBASE_DOWNLOAD_HOSTS",
        "the publishers'",
        "Hosts that the API may download from, separated by commas; the terminal takes any https URL.",
    ),
    Setting(
        "REELBASE_ALLOW_PRIVATE_DOWNLOADS",
        "false",
        "Whether downloads may also come over http, and from private and loopback addresses.",
    ),
    Setting(
        "REELBASE_IMDB_URL",
        "https://datasets.imdbws.com/",
        "Where IMDb's files are published; a mirror has the same names.",
    ),
    Setting(
        "REELBASE_MOVIELENS_URL",
        "https://files.grouplens.org/datasets/movielens/",
        "Where MovieLens' archives are published; a mirror has the same names.",
    ),
    Setting(
        "REELBASE_DOWNLOAD_MAX_BYTES",
        "107374182400",
        "How many bytes one downloaded file may have.",
    ),
    Setting(
        "REELBASE_DOWNLOAD_DAYS",
        "1",
        "Days for which a downloaded file is kept after its import, for the next one, if its publisher has not changed "
        "it; 0 keeps none.",
    ),
    Setting(
        "REELBASE_STORE_URL",
        "the folder store in the home",
        "The folder for files that are uploaded; servers on several hosts need one that all of them mount.",
    ),
    Setting(
        "REELBASE_UPLOAD_MAX_BYTES",
        "1099511627776",
        "How many bytes one upload may have.",
    ),
    Setting(
        "REELBASE_UPLOAD_QUOTA_BYTES",
        "1099511627776",
        "How many bytes all uploads together may have that are unfinished or not imported yet.",
    ),
    Setting(
        "REELBASE_UPLOAD_FREE_BYTES",
        "1073741824",
        "How many bytes of its disk the store leaves free.",
    ),
    Setting(
        "REELBASE_UPLOAD_DAYS",
        "3",
        "Days after which an upload that nobody goes on with, or imports, is removed.",
    ),
    Setting(
        "REELBASE_UPLOAD_IDLE_SECONDS",
        "60",
        "Seconds without a byte after which a connection that uploads is given up; what has arrived is kept.",
    ),
    Setting(
        "REELBASE_UPLOADS_AT_A_TIME",
        "8",
        "How many uploads one server receives at a time; each needs a connection to PostgreSQL.",
    ),
    Setting(
        "REELBASE_IMPORT_CONNECTIONS",
        "the number of cores",
        "How many connections one import loads and builds indexes with.",
    ),
    Setting(
        "REELBASE_LEASE_SECONDS",
        "30",
        "Seconds without a sign of life after which a worker loses what it is doing.",
    ),
    Setting(
        "REELBASE_CHUNK_BYTES",
        "8388608",
        "Size in bytes of the pieces a file is loaded in; what a killed import has to load again is at most one for "
        "each connection.",
    ),
    Setting(
        "REELBASE_STAGING_DAYS",
        "3",
        "Days for which the loaded part of a failed import is kept for a retry.",
    ),
    Setting(
        "REELBASE_LOG_LEVEL",
        "INFO for workers, WARNING for other commands",
        "The least level that is logged: DEBUG, INFO, WARNING or ERROR.",
    ),
    Setting(
        "REELBASE_LOG_FORMAT",
        "console on a terminal, else json",
        "How log lines are written: console or json.",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as values of the right type."""

    home: Path
    database_url: str | None
    host: str
    port: int
    allowed_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    requests_per_minute: int
    api_connections: int
    query_seconds: float
    import_dirs: tuple[Path, ...]
    download_hosts: tuple[str, ...] | None
    allow_private_downloads: bool
    imdb_url: str
    movielens_url: str
    download_max_bytes: int
    download_days: float
    store_url: Path
    upload_max_bytes: int
    upload_quota_bytes: int
    upload_free_bytes: int
    upload_days: float
    upload_idle_seconds: float
    uploads_at_a_time: int
    import_connections: int
    lease_seconds: float
    chunk_bytes: int
    staging_days: float
    log_level: str | None
    log_format: str | None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read every setting; raises SettingError with the variable's name and what it should look like."""
    environment = os.environ if environment is None else environment
    home = _home(environment)
    written = _Written(environment, _configured(home / "reelbase.toml"), home / "reelbase.toml")
    url = written.get("REELBASE_DATABASE_URL", str, "a postgresql:// URL", "embedded")
    return Settings(
        home=home,
        database_url=None if url in ("", "embedded") else _checked_url(url),
        host=written.get("REELBASE_HOST", _word, "an address or the name of a host", "127.0.0.1"),
        port=written.get("REELBASE_PORT", _between(0, 65535, int), "a port from 0 to 65535", 8000),
        allowed_hosts=written.get("REELBASE_ALLOWED_HOSTS", _list, "names separated by commas", ()),
        cors_origins=written.get("REELBASE_CORS_ORIGINS", _origins, "origins such as https://example.org", ()),
        requests_per_minute=written.get(
            "REELBASE_REQUESTS_PER_MINUTE", _between(1, 10**6, int), "a whole number from 1 to 1000000", 600
        ),
        api_connections=written.get(
            "REELBASE_API_CONNECTIONS", _between(1, 100, int), "a whole number from 1 to 100", 4
        ),
        query_seconds=written.get(
            "REELBASE_QUERY_SECONDS", _between(0.1, 3600, float), "seconds from 0.1 to 3600", 15.0
        ),
        import_dirs=written.get("REELBASE_IMPORT_DIRS", _folders, f"absolute paths separated by {os.pathsep}", ()),
        download_hosts=written.get("REELBASE_DOWNLOAD_HOSTS", _hosts, "names of hosts separated by commas", None),
        allow_private_downloads=written.get("REELBASE_ALLOW_PRIVATE_DOWNLOADS", _truth, "true or false", False),
        imdb_url=written.get("REELBASE_IMDB_URL", _web_url, _WEB_URL, "https://datasets.imdbws.com/"),
        movielens_url=written.get(
            "REELBASE_MOVIELENS_URL", _web_url, _WEB_URL, "https://files.grouplens.org/datasets/movielens/"
        ),
        download_max_bytes=written.get(
            "REELBASE_DOWNLOAD_MAX_BYTES", _between(1, 2**62, int), "a whole number of bytes", 100 * 2**30
        ),
        download_days=written.get("REELBASE_DOWNLOAD_DAYS", _between(0, 3650, float), "days from 0 to 3650", 1.0),
        store_url=written.get("REELBASE_STORE_URL", _folder, _STORES, home / "store"),
        upload_max_bytes=written.get("REELBASE_UPLOAD_MAX_BYTES", *_BYTES, 2**40),
        upload_quota_bytes=written.get("REELBASE_UPLOAD_QUOTA_BYTES", *_BYTES, 2**40),
        upload_free_bytes=written.get("REELBASE_UPLOAD_FREE_BYTES", *_BYTES, 2**30),
        upload_days=written.get("REELBASE_UPLOAD_DAYS", _between(0.00001, 3650, float), "days up to 3650", 3.0),
        upload_idle_seconds=written.get(
            "REELBASE_UPLOAD_IDLE_SECONDS", _between(0.1, 3600, float), "seconds from 0.1 to 3600", 60.0
        ),
        uploads_at_a_time=written.get(
            "REELBASE_UPLOADS_AT_A_TIME", _between(1, 100, int), "a whole number from 1 to 100", 8
        ),
        import_connections=written.get(
            "REELBASE_IMPORT_CONNECTIONS", _between(1, 64, int), "a whole number from 1 to 64", _cores()
        ),
        lease_seconds=written.get("REELBASE_LEASE_SECONDS", _between(1, 3600, float), "seconds from 1 to 3600", 30.0),
        chunk_bytes=written.get(
            "REELBASE_CHUNK_BYTES", _between(4096, 2**24, int), "bytes from 4096 to 16777216", 8 * 2**20
        ),
        staging_days=written.get("REELBASE_STAGING_DAYS", _between(0, 3650, float), "days from 0 to 3650", 3.0),
        log_level=written.get("REELBASE_LOG_LEVEL", _level, "DEBUG, INFO, WARNING or ERROR", None),
        log_format=written.get("REELBASE_LOG_FORMAT", _log_format, "console or json", None),
    )


class _Written:
    """What has been written down, in the environment or the file, and the complaint about what cannot be read."""

    def __init__(self, environment: Mapping[str, str], configured: Mapping[str, Any], path: Path) -> None:
        self._environment = environment
        self._configured = configured
        self._path = path
        # The file lies in the home folder: it cannot say where that is.
        known = {setting.key for setting in SETTINGS} - {"home"}
        for key in configured:
            if key not in known:
                raise SettingError(
                    f"{path} has a setting {key!r} that does not exist.",
                    f"Known are: {', '.join(sorted(known))}.",
                )

    def get(self, variable: str, read: Callable[[str], T], expected: str, default: T) -> T:
        text = self._environment.get(variable)
        place = variable
        if text is None:
            key = variable.removeprefix("REELBASE_").lower()
            if key not in self._configured:
                return default
            text, place = str(self._configured[key]), f"{key} in {self._path}"
        try:
            return read(text.strip())
        except ValueError as error:
            raise SettingError(f"{place} is {text!r}.", f"It must be {expected}.") from error


def _home(environment: Mapping[str, str]) -> Path:
    written = environment.get("REELBASE_HOME")
    home = Path(written).expanduser() if written else platformdirs.user_data_path("reelbase", appauthor=False)
    return home.absolute()


def _configured(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path} cannot be read: {error}.") from error


def _checked_url(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        # The URL may hold a password: it is not repeated.
        raise SettingError("REELBASE_DATABASE_URL is not a postgresql:// URL.", "Leave it out for the embedded one.")
    return url


def _between(low: float, high: float, number: Callable[[str], T]) -> Callable[[str], T]:
    def read(text: str) -> T:
        value = number(text)
        if not low <= value <= high:  # type: ignore[operator]  # int and float both compare
            raise ValueError(text)
        return value

    return read


_BYTES = (_between(0, 2**62, int), "a whole number of bytes")
_STORES = "the absolute path of a folder (s3:// comes in a later version)"


def _folder(text: str) -> Path:
    path = Path(text.removeprefix("file://"))
    if not path.is_absolute():
        raise ValueError(text)
    return path


def _word(text: str) -> str:
    if not text or any(character.isspace() for character in text):
        raise ValueError(text)
    return text


def _list(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    return () if words == ("none",) else words


def _folders(text: str) -> tuple[Path, ...]:
    if text == "none":
        return ()
    folders = tuple(Path(word).expanduser() for word in text.split(os.pathsep) if word)
    if not all(folder.is_absolute() for folder in folders):
        raise ValueError(text)
    return folders


def _hosts(text: str) -> tuple[str, ...] | None:
    if text == "the publishers'":
        return None
    hosts = _list(text)
    if not all(re.fullmatch(r"[^\s/@?#]+", host) for host in hosts):
        raise ValueError(text)
    return hosts


_WEB_URL = "a URL such as https://example.org/files/"


def _web_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", text):
        raise ValueError(text)
    return text if text.endswith("/") else f"{text}/"


def _truth(text: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _origins(text: str) -> tuple[str, ...]:
    origins = _list(text)
    if not all(re.fullmatch(r"https?://[^/\s]+", origin) for origin in origins):
        raise ValueError(text)
    return origins


def _level(text: str) -> str | None:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(text)
    return text.upper()


def _log_format(text: str) -> str | None:
    if text.lower() not in ("console", "json"):
        raise ValueError(text)
    return text.lower()


def _cores() -> int:
    """The cores this process may use: fewer than the machine has where it is confined to some of them."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):
        return max(1, min(64, len(process.cpu_affinity())))
    return max(1, min(64, os.cpu_count() or 1))
