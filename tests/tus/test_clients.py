"""The official clients as they are: killed midway, they go on; the server killed midway, they go on too."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelbase.receiving.uploads import Received
from tests.tus.client import wait_until
from tests.tus.conftest import Own

HERE = Path(__file__).parent
MB = 1_000_000
SIZES = [150 * MB, pytest.param(1000 * MB, marks=[pytest.mark.long, pytest.mark.timeout(500)])]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that uploads with tus-js-client."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "upload.js"):
        shutil.copy(HERE / "node" / name, folder)
    made = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"tus-js-client cannot be installed: {made.stderr[-300:]}")
    return ["node", str(folder / "upload.js")]


@pytest.fixture(params=["tuspy", "tus-js-client"])
def command(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "tuspy":
        return [sys.executable, str(HERE / "python_upload.py")]
    found: list[str] = request.getfixturevalue("node")
    return found


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    path, dice = tmp_path / "ratings.csv", random.Random(1)
    with path.open("wb") as written:
        for _ in range(request.param // MB):
            written.write(dice.randbytes(MB))
    yield path
    path.unlink()


def start(command: list[str], address: str, file: Path) -> subprocess.Popen[str]:
    words = [*command, address, str(file), str(file.with_suffix(".memory"))]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_midway(own: Own, file: Path) -> None:
    """Until some of it, but not all, has been written."""
    folder = own.path("/x").parent
    wait_until(
        lambda: folder.exists() and any(one.stat().st_size > file.stat().st_size // 10 for one in folder.iterdir())
    )


def end(process: subprocess.Popen[str], own: Own) -> tuple[Received, str]:
    """What has arrived once it is done, and what the client said."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return own.received(out.strip()), err


@pytest.mark.parametrize("file", SIZES, indirect=True)
def test_a_client_that_was_killed_goes_on(own: Own, command: list[str], file: Path) -> None:
    address = own.start()
    first = start(command, address, file)
    until_midway(own, file)
    first.kill()
    with first:
        pass
    found, said = end(start(command, address, file), own)
    assert "resumes" in said
    _is_the_same(found, file)


@pytest.mark.parametrize("file", SIZES, indirect=True)
def test_a_client_goes_on_with_a_server_that_was_killed(own: Own, command: list[str], file: Path) -> None:
    first = start(command, own.start(), file)
    until_midway(own, file)
    own.kill()
    own.start()
    found, _ = end(first, own)
    _is_the_same(found, file)


def _is_the_same(found: Received, file: Path) -> None:
    assert (found.name, found.bytes) == (file.name, file.stat().st_size)
    with found.path.open("rb") as there, file.open("rb") as here:
        assert hashlib.file_digest(there, "sha256").digest() == hashlib.file_digest(here, "sha256").digest()
