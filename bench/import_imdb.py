"""How long an import of IMDb takes beside what one would write by hand, and beside imdb-sqlite.

    python bench/import_imdb.py [--scale 0.05] [--rounds 3] [--data FOLDER] [--only NAME]... [--url URL] [--keep]

imdb-sqlite takes part only when it is named (`--only sqlite`): it is installed from PyPI into a folder of its own.
See rounds.py for how it is measured and README.md for what is compared.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from rounds import HERE, SEED, Rival, compete, complete, options, reelbase, sample, url_of_reelbase

from reelbase.sample import write_imdb

UNLESS_NAMED = ("reelbase", "psql", "two")
RIVALS = (*UNLESS_NAMED, "sqlite")
IMDB_SQLITE = "imdb-sqlite==2.1.0"


def main() -> None:
    """Make the sample, run the rivals in turn, print the figures."""
    chosen = options("Times imports of IMDb.", RIVALS, scale=0.05, scale_one="all of IMDb")
    names = chosen.only or UNLESS_NAMED
    folder = sample(
        chosen.data / f"imdb-{chosen.scale:g}-seed-{SEED}",
        lambda part: write_imdb(part, scale=chosen.scale, seed=SEED, plain=True),
    )
    url = chosen.url or url_of_reelbase()
    rivals = [
        Rival("reelbase", [reelbase(), "-v", "import", str(folder), "--json"], judge=complete(7)),
        Rival("psql", ["sh", str(HERE / "imdb_psql.sh"), str(folder), url], leaves="bench_psql"),
        Rival("two", [sys.executable, str(HERE / "imdb_two_connections.py"), str(folder), url], leaves="bench_two"),
    ]
    folders = [folder]
    if "sqlite" in names:
        packed = sample(
            folder.with_name(f"{folder.name}-gz"), lambda part: write_imdb(part, scale=chosen.scale, seed=SEED)
        )
        rivals.append(imdb_sqlite(chosen.data, packed))
        folders.append(packed)
    taking_part = [rival for rival in rivals if rival.name in names]
    compete(taking_part, folders, url=url, rounds=chosen.rounds, keep=chosen.keep)


def imdb_sqlite(data: Path, packed: Path) -> Rival:
    """Reads the packed files where it would keep its downloads, so that it downloads nothing."""
    place, database = data / "imdb-sqlite", data / "imdb-sqlite.db"
    command = place / "bin" / "imdb-sqlite"
    if not command.exists():
        print(f"installing {IMDB_SQLITE} in {place}", flush=True)
        venv.create(place, clear=True, with_pip=True)
        subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", IMDB_SQLITE], check=True)
    return Rival(
        "sqlite",
        [str(command), "--db", str(database), "--cache-dir", str(packed)],
        before=lambda: database.unlink(missing_ok=True),
        judge=lambda _: database.unlink(),
    )


if __name__ == "__main__":
    main()
