"""tags.csv and genome-tags.csv: what people write about movies, as free as they write it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from reelbase.sample.blocks import field
from reelbase.sample.dice import pick, portions, shuffle, stream
from reelbase.sample.ratings import LAST_SECOND, popularity_bag, popularity_order
from reelbase.sample.titles import ADJECTIVES, NAMES, NOUNS, PLACES

HEADER = "userId,movieId,tag,timestamp"
GENOME_HEADER = "tagId,tag"

TAGGERS = 7_801  # users of ml-20m who wrote tags, of 138,493
WORDS = 38_643  # different tags of ml-20m
FIRST_SECOND = 1_135_429_210  # 2005-12-24, the oldest tag of ml-20m

_GENOME_FIRST = (
    "007",
    "007 (series)",
    "18th century",
    "1920s",
    "1930s",
    "1950s",
    "1960s",
    "1970s",
    "1980s",
    "19th century",
)
_COMMON = (
    "sci-fi", "based on a book", "atmospheric", "comedy", "action", "surreal", "twist ending", "visually appealing",
    "dystopia", "thought-provoking", "funny", "classic", "dark comedy", "quirky", "romance", "fantasy", "stylized",
    "psychology", "time travel", "disturbing", "nudity (topless)", "black & white", "Oscar (Best Picture)", "r", "BD-R",
)  # fmt: skip
# Written by hand to be hard on readers: commas, quotes, accents, digits, words for null, spaces, other scripts.
_ODD = (
    "", "6,5-filmaffinity", "1970", "3", "00123", 'the "good" one', '"', '""', "dark, slow, beautiful", "café",
    "Amélie would like it", "naïve", "señor", "Łódź", "日本", "кино", "null", "NULL", "NA", "None", "nan", "N/A", "\\N",
    "\\.", "'", "it's", "100%", "a|b", "semi;colon", "  two spaces", "trailing ", "=1+1", "-", ":)", "🎬",
)  # fmt: skip


def pieces(movie_ids: Sequence[int], *, tags: int, users: int, seed: int) -> Iterator[tuple[int, str]]:
    """Each tagger's lines, in the order of the file: by user, then movie. No record comes twice."""
    rng = stream(seed, "tags")
    bag = popularity_bag(rng, popularity_order(len(movie_ids), seed) or [0])
    words = _vocabulary(rng, max(500, round(WORDS * tags / 465_564)))
    taggers = min(tags, users, max(1, round(users * TAGGERS / 138_493)))
    sizes = portions(rng, tags, taggers, least=1, most=max(-(-tags // taggers), tags // 20))
    odd = [field(text) for text in (*_ODD, "", "")]
    for place, size in enumerate(sizes):
        user = 1 + place * users // taggers
        pairs: dict[tuple[int, str], None] = {}
        if odd:
            pairs[(bag[int(rng.random() * len(bag))], odd.pop())] = None
        while len(pairs) < size:
            word = words[int(rng.random() * rng.random() * rng.random() * len(words))]
            pairs[(bag[int(rng.random() * len(bag))], word)] = None
        yield size, "".join(_lines(rng, user, movie_ids, sorted(pairs)))


def _lines(rng: Random, user: int, movie_ids: Sequence[int], pairs: list[tuple[int, str]]) -> Iterator[str]:
    first = FIRST_SECOND + int(rng.random() * (LAST_SECOND - FIRST_SECOND - 86_400))
    for movie, word in pairs:
        yield f"{user},{movie_ids[movie]},{word},{first + int(rng.random() * 86_400)}\r\n"


def genome_words(count: int, seed: int) -> list[str]:
    """So many different tags, in the order of their numbers: alphabetical, as the publisher's."""
    rng = stream(seed, "genome tags")
    words = dict.fromkeys([*_GENOME_FIRST, *_COMMON, *(noun.lower() for noun in NOUNS)][:count])
    while len(words) < count:
        words[_two_words(rng)] = None
    return sorted(words)


def _two_words(rng: Random) -> str:
    return f"{pick(rng, ADJECTIVES)} {pick(rng, NOUNS)}".lower()


def _vocabulary(rng: Random, count: int) -> list[str]:
    """Fields ready to be written, the common ones first, the odd ones among the others."""
    rare: dict[str, None] = dict.fromkeys(_ODD[1:])
    while len(rare) < count:
        rare[_free_text(rng)] = None
    shuffled = list(rare)
    shuffle(rng, shuffled)
    return [field(text) for text in (*_COMMON, *shuffled)]


def _free_text(rng: Random) -> str:
    return pick(rng, _FORMS)(rng)


def _of_a_name(rng: Random) -> str:
    return f"{pick(rng, NAMES)} {pick(rng, NOUNS)}"


def _set_in(rng: Random) -> str:
    return f"set in {pick(rng, PLACES)}, {pick(rng, NOUNS).lower()}"


def _both(rng: Random) -> str:
    return f"{pick(rng, NOUNS).lower()} and {pick(rng, NOUNS).lower()}"


def _three_words(rng: Random) -> str:
    return f"{pick(rng, NOUNS).lower()} {_two_words(rng)}"


def _quoted(rng: Random) -> str:
    return f'"{pick(rng, NOUNS)}" by {pick(rng, NAMES)}'


def _year(rng: Random) -> str:
    return str(1900 + int(rng.random() * 116))


_FORMS = (*3 * (_two_words, _of_a_name, _both, _three_words), _set_in, _quoted, _year)
