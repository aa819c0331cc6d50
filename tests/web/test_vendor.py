"""What is vendored is what its lock says, with its licence beside it."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

import reelbase

LOCKS = (
    Path(reelbase.__file__).parent / "web/static/vendor/vendor.toml",
    Path(__file__).parent.parent / "browser/vendor/vendor.toml",
)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parts[-4])
def test_every_file_is_the_one_that_was_locked(lock: Path) -> None:
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))
    folders = {f"{name}-{package['version']}": package for name, package in packages.items()}
    assert {path.name for path in lock.parent.iterdir() if path.is_dir()} == set(folders)
    for folder, package in folders.items():
        there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (lock.parent / folder).iterdir()}
        assert there == package["files"]
        assert "LICENSE" in there
        assert package["licence"]
