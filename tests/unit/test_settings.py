"""Settings: the environment wins over the file, and whatever cannot be read is named with what is expected."""

from __future__ import annotations

import os
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelbase.errors import SettingError
from reelbase.settings import SETTINGS, Settings, read_settings


class Home:
    """A home folder with a reelbase.toml."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, text: str) -> None:
        (self.path / "reelbase.toml").write_text(text)

    def read(self, **environment: str) -> Settings:
        variables = {f"REELBASE_{name.upper()}": value for name, value in environment.items()}
        return read_settings({"REELBASE_HOME": str(self.path), **variables})

    def refused(self, **environment: str) -> str:
        with pytest.raises(SettingError) as caught:
            self.read(**environment)
        assert caught.value.exit_code == 2
        return str(caught.value)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_every_setting_has_a_default_and_every_value_a_setting(home: Home) -> None:
    found = home.read()
    assert {field.name for field in fields(found)} == {setting.key for setting in SETTINGS}
    assert found.database_url is None
    assert (found.lease_seconds, found.chunk_bytes, found.staging_days) == (30, 8388608, 3)
    assert 1 <= found.import_connections <= (os.cpu_count() or 64)


def test_what_the_sentences_call_the_default_is_the_default(home: Home) -> None:
    found = home.read()
    for setting in SETTINGS:
        if setting.default.isdigit():
            assert getattr(found, setting.key) == int(setting.default)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(home: Home) -> None:
    home.write('lease_seconds = 10\nlog_level = "debug"\nchunk_bytes = "65536"\n')
    found = home.read(lease_seconds="20")
    assert (found.lease_seconds, found.log_level, found.chunk_bytes) == (20, "DEBUG", 65536)


def test_a_wrong_value_in_the_file_does_not_matter_where_the_environment_wins(home: Home) -> None:
    home.write("lease_seconds = 0\n")
    assert home.read(lease_seconds="20").lease_seconds == 20


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("import_connections", "0", "a whole number from 1 to 64"),
        ("import_connections", "65", "a whole number from 1 to 64"),
        ("import_connections", "1.5", "a whole number from 1 to 64"),
        ("import_connections", "", "a whole number from 1 to 64"),
        ("lease_seconds", "soon", "seconds from 1 to 3600"),
        ("lease_seconds", "nan", "seconds from 1 to 3600"),
        ("chunk_bytes", "8 MB", "bytes from 4096 to 16777216"),
        ("chunk_bytes", "16777217", "bytes from 4096 to 16777216"),
        ("staging_days", "-1", "days from 0 to 3650"),
        ("log_level", "loud", "DEBUG, INFO, WARNING or ERROR"),
        ("log_format", "xml", "console or json"),
    ],
)
def test_a_value_out_of_range_is_named_with_what_is_expected(home: Home, name: str, value: str, expected: str) -> None:
    message = home.refused(**{name: value})
    assert f"REELBASE_{name.upper()} is {value!r}. It must be {expected}." == message
    home.write(f'{name} = "{value}"\n')
    message = home.refused()
    assert name in message
    assert "reelbase.toml" in message
    assert expected in message


@pytest.mark.parametrize("key", ["lease_second", "REELBASE_LEASE_SECONDS", "home", "database"])
def test_an_unknown_key_in_the_file_is_an_error_that_names_the_known_ones(home: Home, key: str) -> None:
    home.write(f"{key} = 30\n")
    message = home.refused()
    assert repr(key) in message
    assert "lease_seconds" in message


@pytest.mark.parametrize("text", ["lease_seconds = ", "[", "lease_seconds: 30"])
def test_a_file_that_is_not_toml_is_named(home: Home, text: str) -> None:
    home.write(text)
    assert "reelbase.toml cannot be read" in home.refused()


def test_a_file_that_cannot_be_read_is_named(home: Home) -> None:
    (home.path / "reelbase.toml").mkdir()
    assert "reelbase.toml cannot be read" in home.refused()


@pytest.mark.parametrize("url", ["postgresql://me:secret@db.example.org/films", "postgres:///films"])
def test_a_postgresql_url_is_taken_as_it_is(home: Home, url: str) -> None:
    assert home.read(database_url=url).database_url == url


@pytest.mark.parametrize("url", ["", "embedded", " embedded "])
def test_no_url_means_the_embedded_server(home: Home, url: str) -> None:
    assert home.read(database_url=url).database_url is None


@pytest.mark.parametrize("url", ["mysql://me:secret@host/films", "me:secret@host", "host=a password=secret"])
def test_a_url_with_a_password_is_never_repeated(home: Home, url: str) -> None:
    assert "secret" not in home.refused(database_url=url)
    home.write(f'database_url = "{url}"\n')
    assert "secret" not in home.refused()
    home.write(f'databaseurl = "{url}"\n')
    assert "secret" not in home.refused()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.sampled_from([s.key for s in SETTINGS if s.key != "home"]), value=st.text(max_size=20))
def test_any_text_is_a_value_or_a_setting_error(home: Home, name: str, value: str) -> None:
    try:
        home.read(**{name: value})
    except SettingError as error:
        assert f"REELBASE_{name.upper()}" in str(error)  # noqa: PT017  # not every text is refused


def test_the_home_is_the_platforms_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    found = read_settings({}).home
    if sys.platform == "darwin":
        assert found == tmp_path / "Library/Application Support/reelbase"
    else:
        assert found == tmp_path / "data" / "reelbase"
    assert not found.exists()


def test_a_home_of_ones_own_may_begin_with_a_tilde_or_be_relative(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert read_settings({"REELBASE_HOME": "~/films"}).home == tmp_path / "films"
    assert read_settings({"REELBASE_HOME": "films"}).home == tmp_path / "films"
