"""genome-scores.csv: for each of the genome's movies every tag's relevance, dense, sorted by movie and tag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import getitem
from random import Random

from reelbase.sample.dice import stream

HEADER = "movieId,tagId,relevance"

_STEPS = 4000  # relevances of ml-20m lie on a grid of 1/4000
_POOL = 256  # relevances to pick from by one random byte

# The upper ends of relevance pools, in steps, as often as tags use them: most tags mean little for most movies.
_LEVELS = (180, 180, 240, 240, 240, 320, 320, 400, 400, 560, 560, 800, 1100, 1600, 2600, 3980)


def pieces(movie_ids: Sequence[int], kinds: Sequence[str], *, tags: int, seed: int) -> Iterator[tuple[int, str]]:
    """Each movie's lines.

    Movies of one kind (their first genre) have like relevances, so that likeness means something.
    """
    rng = stream(seed, "genome scores")
    pools = {most: _relevances(rng, most) for most in sorted(set(_LEVELS))}
    profiles = {kind: [pools[_LEVELS[rng.getrandbits(4)]] for _ in range(tags)] for kind in sorted(set(kinds))}
    template = "".join(f"@,{tag},%s\r\n" for tag in range(1, tags + 1))
    for movie_id, kind in zip(movie_ids, kinds, strict=True):
        relevances = map(getitem, profiles[kind], rng.randbytes(tags))
        yield tags, template.replace("@", str(movie_id)) % tuple(relevances)


def _relevances(rng: Random, most: int) -> list[str]:
    """Numbers as the publisher prints them: 0.025000000000000022 (what 1 - 0.975 leaves in binary) or plain 0.02475."""
    texts = []
    for _ in range(_POOL):
        steps = 1 + int((rng.random() + rng.random()) / 2 * most)
        rest = 1 - (_STEPS - steps) / _STEPS
        texts.append(repr(rest if rng.random() < 0.5 else steps / _STEPS))
    return texts
