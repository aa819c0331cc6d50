"""How long an import takes beside what one would write by hand: `reelbase import`, psql, two raw connections.

    python bench/import_movielens.py [--scale 1] [--rounds 3] [--data FOLDER] [--only NAME]... [--url URL] [--keep]

See rounds.py for how it is measured and README.md for what is compared.
"""

from __future__ import annotations

import sys

from rounds import HERE, SEED, Rival, compete, complete, options, reelbase, sample, url_of_reelbase

from reelbase.sample import write_movielens

RIVALS = ("reelbase", "psql", "two")


def main() -> None:
    """Make the sample, run the rivals in turn, print the figures."""
    chosen = options("Times imports of MovieLens.", RIVALS, scale=1.0, scale_one="MovieLens 20M")
    folder = sample(
        chosen.data / f"movielens-{chosen.scale:g}-seed-{SEED}",
        lambda part: write_movielens(part, scale=chosen.scale, seed=SEED),
    )
    url = chosen.url or url_of_reelbase()
    rivals = (
        Rival("reelbase", [reelbase(), "-v", "import", str(folder), "--json"], judge=complete(6)),
        Rival("psql", ["sh", str(HERE / "movielens_psql.sh"), str(folder), url], leaves="bench_psql"),
        Rival(
            "two",
            [sys.executable, str(HERE / "movielens_two_connections.py"), str(folder), url],
            leaves="bench_two",
        ),
    )
    taking_part = [rival for rival in rivals if rival.name in (chosen.only or RIVALS)]
    compete(taking_part, [folder], url=url, rounds=chosen.rounds, keep=chosen.keep)


if __name__ == "__main__":
    main()
