"""Titles made of words, with the oddities that MovieLens' titles have. No publisher's list is behind them.

Counts of oddities are those of ml-20m's 27,278 titles; each appears at least once in a sample of a hundred or more.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from reelbase.sample.dice import pick, shuffle


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


NOUNS = words(
    """
    Harbor Winter River Garden Stranger Letter Orchard Lantern Station Island Promise Mirror Shadow Summer Bridge
    Thief Widow Soldier Dancer Painter Captain Empire Forest Desert Mountain Ocean Circus Carnival Hotel Train Voyage
    Secret Silence Storm Tiger Wolf Raven Sparrow Horse Crown Sword Diamond Gold Silver Iron Glass Paper Stone Fire
    Rain Snow Dust Smoke Moon Sun Star Comet Night Morning Evening Sunday Monday December October Spring Autumn
    Wedding Funeral Birthday Holiday Journey Return Escape Chase Duel Game Gambit Trial Verdict Witness Judge Lawyer
    Doctor Nurse Teacher Student Baker Butcher Tailor Pilot Sailor Cowboy Sheriff Outlaw Gangster Detective Spy Agent
    Ghost Vampire Witch Monster Robot Alien Machine Engine Signal Code Number Room House Castle Tower Cellar Attic
    Window Door Key Clock Map Compass Road Street Highway Village City Kingdom Frontier Valley Canyon Lake Shore Reef
    Lighthouse Ship Submarine Rocket Planet Galaxy Dream Memory Heart Soul Blood Bone Hand Face Eye Voice Song Waltz
    Tango Blues Opera Ballad Rhapsody Symphony Orphan Brother Sister Mother Father Daughter Son Uncle Neighbor
    Friend Lover Bride Groom King Queen Prince Princess Fool Saint Sinner Angel Devil Hunter Fisherman Farmer
    """
)
ADJECTIVES = words(
    """
    Silent Broken Golden Hidden Lost Last First Distant Burning Frozen Crimson Scarlet Emerald Blue Black White
    Red Green Dark Bright Cold Warm Wild Quiet Restless Reckless Gentle Cruel Brave Foolish Lonely Happy Sad Strange
    Familiar Forgotten Forbidden Endless Eternal Perfect Imperfect Invisible Impossible Incredible Dangerous Deadly
    Fatal Innocent Guilty Honest Crooked Hollow Heavy Empty Second Third Seventh Thirteenth Sweet Bitter Savage Noble
    Royal Common Electric Mechanical Digital Secret Sleeping Dancing Running Falling Rising Singing Midnight
    """
)
PLACES = words(
    """
    Lisbon Vienna Cairo Havana Oslo Prague Naples Toledo Boston Memphis Dakota Alaska Nevada Texas Shanghai Kyoto
    Bombay Nairobi Tangier Istanbul Athens Warsaw Dublin Glasgow Rio Lima Quito Bogotá Córdoba Málaga Zürich
    Reykjavík Tromsø Łódź Düsseldorf Besançon Niš Mars Venus Eden Babylon Arcadia
    """
)
NAMES = words(
    """
    Anna Clara Edith Frances Greta Harriet Ida Josephine Laura Martha Nora Olive Pauline Rosa Sylvia Theresa Vera
    Walter Arthur Bernard Charlie Daniel Edgar Felix George Henry Isaac Jacob Leonard Martin Norman Oscar Peter
    Robert Samuel Thomas Victor William Zoë Chloë François René José Jürgen Søren Björn Renée Aimée Ramón
    """
)
FOREIGN = (
    ("Les", "Enfants perdus"), ("Les", "Années oubliées"), ("La", "Fenêtre d'été"), ("La", "Forêt brûlée"),
    ("L'", "Étoile du matin"), ("L'", "Été dernier"), ("Le", "Château de verre"), ("Le", "Garçon à la fenêtre"),
    ("Une", "Journée à la mer"), ("El", "Último verano"), ("El", "Corazón del niño"), ("La", "Montaña azul"),
    ("Los", "Años difíciles"), ("Las", "Mañanas"), ("Der", "Müde König"), ("Der", "Schlüssel zum Glück"),
    ("Die", "Brücke über den Fluß"), ("Das", "Mädchen aus Köln"), ("Il", "Papà perduto"), ("La", "Città più bella"),
    ("O", "Coração da noite"), ("Den", "Sista båten"), ("Det", "Røde hus"), ("", "Černá růže"), ("", "Zażółcona łąka"),
    ("", "Köy güneşi"), ("", "Pāni aur patthar"), ("", "Ødemarken"), ("", "Août à Genève"), ("", "Señoras y señores"),
)  # fmt: skip
GENRES = (
    ("Drama", 13_344), ("Comedy", 8_374), ("Thriller", 4_178), ("Romance", 4_127), ("Action", 3_520), ("Crime", 2_939),
    ("Horror", 2_611), ("Documentary", 2_471), ("Adventure", 2_329), ("Sci-Fi", 1_743), ("Mystery", 1_514),
    ("Fantasy", 1_412), ("War", 1_194), ("Children", 1_139), ("Musical", 1_036), ("Animation", 1_027),
    ("Western", 676), ("Film-Noir", 330), ("IMAX", 196),
)  # fmt: skip
NO_GENRES = "(no genres listed)"

_ALL_GENRES = 27_278  # titles that the counts of GENRES and of the oddities below come from
_NO_GENRES = 246
_LAST_YEAR = 2015


def titles(rng: Random, count: int) -> list[str]:
    """So many titles; but for the pairs made on purpose, no two are the same."""
    made: dict[str, None] = {}
    while len(made) < count:
        made[_title(rng)] = None
    listed = list(made)
    places = list(range(count))
    shuffle(rng, places)
    for share, odd in _ODDITIES:
        for number in range(max(1, round(count * share / _ALL_GENRES))):
            if places:
                listed[places.pop()] = odd(rng, number)
    for _ in range(max(1, round(count * 16 / _ALL_GENRES))):
        if len(places) > 1:
            listed[places.pop()] = listed[places.pop()]
    return listed


def genres(rng: Random, count: int) -> list[str]:
    """For each movie its genres, in the alphabetical order of the files, or the marker that there are none."""
    bag = [name for name, times in GENRES for _ in range(times // 10)]
    joined = ["|".join(sorted({pick(rng, bag) for _ in range(_how_many_genres(rng))})) for _ in range(count)]
    places = list(range(count))
    shuffle(rng, places)
    for place in places[: max(min(1, count // 2), round(count * _NO_GENRES / _ALL_GENRES))]:
        joined[place] = NO_GENRES
    return joined


def _how_many_genres(rng: Random) -> int:
    """Two on average, as in ml-20m, at most six."""
    return 1 + min(5, int(rng.random() * rng.random() * 5.5))


def _year(rng: Random) -> int:
    """1915 to 2015, half of them after 1990."""
    return _LAST_YEAR - int(100 * rng.random() * rng.random())


def _title(rng: Random) -> str:
    chance = rng.random()
    for below, form in _FORMS:
        if chance < below:
            return f"{form(rng)} ({_year(rng)})"
    return f"{_two_words(rng)} ({_year(rng)})"


def _two_words(rng: Random) -> str:
    return f"{pick(rng, ADJECTIVES)} {pick(rng, NOUNS)}"


def _with_article(rng: Random) -> str:
    return f"{_two_words(rng)}, {pick(rng, ('The', 'The', 'The', 'A'))}"


def _of_a_place(rng: Random) -> str:
    return f"{pick(rng, NOUNS)} of {pick(rng, PLACES)}, The"


def _and(rng: Random) -> str:
    return f"{pick(rng, NOUNS)} and the {_two_words(rng)}, The"


def _of_a_name(rng: Random) -> str:
    return f"{pick(rng, NAMES)}'s {pick(rng, NOUNS)}"


def _two_names(rng: Random) -> str:
    return f"{pick(rng, NAMES)} & {pick(rng, NAMES)}"


def _one_noun(rng: Random) -> str:
    return f"{pick(rng, NOUNS)} in {pick(rng, PLACES)}"


def _sequel(rng: Random) -> str:
    return f"{_two_words(rng)} {pick(rng, ('2', '3', 'II', 'III', 'IV'))}"


def _with_colon(rng: Random) -> str:
    return f"{pick(rng, NAMES)}: {_two_words(rng)}"


def _question(rng: Random) -> str:
    return f"{pick(rng, ('Who', 'What', 'Where', 'Why'))} Is the {pick(rng, NOUNS)} of {pick(rng, PLACES)}?"


def _list(rng: Random) -> str:
    return f"{pick(rng, NOUNS)}, {pick(rng, NOUNS)} & {pick(rng, NOUNS)}"


def _foreign(rng: Random) -> str:
    article, words = pick(rng, FOREIGN)
    addition = pick(rng, ("", f" de {pick(rng, NAMES)}", f" - {pick(rng, NAMES)}", f" {pick(rng, PLACES)}"))
    return f"{words}{addition}, {article}" if article else words + addition


def _translated(rng: Random) -> str:
    return f"{_with_article(rng)} ({_foreign(rng)})"


def _also_known(rng: Random) -> str:
    return f"{_with_article(rng)} (a.k.a. {_two_words(rng)})"


_FORMS: tuple[tuple[float, Callable[[Random], str]], ...] = (
    (0.20, _with_article),
    (0.30, _of_a_place),
    (0.36, _of_a_name),
    (0.40, _two_names),
    (0.48, _one_noun),
    (0.51, _sequel),
    (0.55, _with_colon),
    (0.57, _question),
    (0.59, _list),
    (0.65, _foreign),
    (0.73, _translated),
    (0.76, _also_known),
    (0.82, _and),
)


def _quoted(rng: Random, number: int) -> str:
    del number
    return f'"{pick(rng, ADJECTIVES)} {pick(rng, NOUNS)}" {pick(rng, NAMES)} ({_year(rng)})'


def _quoted_within(rng: Random, number: int) -> str:
    del number
    return f'{pick(rng, NAMES)} "The {pick(rng, NOUNS)}" {pick(rng, PLACES)}, The ({_year(rng)})'


def _moved_articles_twice(rng: Random, number: int) -> str:
    del number
    return f"{_of_a_place(rng)} (a.k.a. {_foreign(rng)}) ({_foreign(rng)}) ({_year(rng)})"


def _trailing_space(rng: Random, number: int) -> str:
    del number
    return _title(rng) + " "


def _without_year(rng: Random, number: int) -> str:
    forms = (
        f"{pick(rng, PLACES)} {1 + number}",
        f"{pick(rng, ADJECTIVES)} Towers (1975-1979)",
        f"{_with_article(rng)} (2007-)",
        f"{_title(rng)})",
        f"{_two_names(rng)} 2013",
    )
    return forms[number % len(forms)]


def _number_inside(rng: Random, number: int) -> str:
    forms = (
        f"{2001 + number}: A {pick(rng, NOUNS)} Odyssey ({_year(rng)})",
        f"{pick(rng, NOUNS)} {pick(rng, NOUNS)} 2000 ({_year(rng)})",
        f"{pick(rng, NOUNS)} {1930 + number % 80} ({_year(rng)})",
        f"{1900 + number % 100} ({_year(rng)})",
    )
    return forms[number % len(forms)]


def _year_twice(rng: Random, number: int) -> str:
    del number
    year = _year(rng)
    return f"{_two_words(rng)} ({year}) ({year})"


def _null_word(rng: Random, number: int) -> str:
    return f"{('None', 'NA', 'null', 'nan', 'N/A')[number % 5]} ({_year(rng)})"


# How many in 27,278. Without year, trailing space, number inside: ml-20m; the others are estimates.
_ODDITIES: tuple[tuple[int, Callable[[Random, int], str]], ...] = (
    (30, _quoted),
    (60, _quoted_within),
    (40, _moved_articles_twice),
    (26, _trailing_space),
    (23, _without_year),
    (97, _number_inside),
    (2, _year_twice),
    (5, _null_word),
)
