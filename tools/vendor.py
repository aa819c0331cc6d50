"""Fetches what is vendored, as vendor.toml names it, and writes the SHA-256 of each file there.

    python tools/vendor.py            needs npm; afterwards look at what has changed, and commit it

For another version, change it in vendor.toml, and the name of the folder where a page asks for it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (ROOT / "src/reelbase/web/static/vendor/vendor.toml", ROOT / "tests/browser/vendor/vendor.toml")


def main() -> None:
    """Fetch everything again."""
    for lock in LOCKS:
        text = lock.read_text(encoding="utf-8")
        for name, package in tomllib.loads(text).items():
            folder = lock.parent / f"{name}-{package['version']}"
            for old in lock.parent.glob(f"{name}-*"):
                shutil.rmtree(old)
            fetch(package, folder)
            text = with_digests(text, name, folder)
            sys.stdout.write(f"{folder.relative_to(ROOT)}\n")
        lock.write_text(text, encoding="utf-8")


def fetch(package: dict[str, Any], folder: Path) -> None:
    """The named files of a package, and its licence, into a folder."""
    with tempfile.TemporaryDirectory() as place:
        word = f"{package['package']}@{package['version']}"
        subprocess.run(["npm", "pack", "--silent", word], cwd=place, check=True, stdout=subprocess.DEVNULL)
        [archive] = Path(place).glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(place, filter="data")
        folder.mkdir(parents=True)
        for file in package["files"]:
            found = min(Path(place, "package").rglob(file), key=lambda path: len(path.parts))
            shutil.copyfile(found, folder / file)


def with_digests(text: str, name: str, folder: Path) -> str:
    """The lock with the digests of what lies there now."""
    lines = "".join(f'"{file}" = "{digest}"\n' for file, digest in digests(folder).items())
    return re.sub(rf"(\[{re.escape(name)}\.files\]\n)(?:\".*\n)*", lambda found: found[1] + lines, text)


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


if __name__ == "__main__":
    main()
