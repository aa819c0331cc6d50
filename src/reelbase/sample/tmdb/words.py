"""Words for TMDb-style files: sentences, companies, languages, keywords. No list of TMDb's is behind them."""

from __future__ import annotations

from random import Random

from reelbase.sample.dice import pick
from reelbase.sample.titles import ADJECTIVES, NAMES, NOUNS, PLACES

# TMDb's numbers of genres, as published, and IMDb's words that mean them.
GENRE_IDS = {
    "Action": 28, "Adventure": 12, "Animation": 16, "Comedy": 35, "Crime": 80, "Documentary": 99, "Drama": 18,
    "Family": 10751, "Fantasy": 14, "History": 36, "Horror": 27, "Music": 10402, "Mystery": 9648, "Romance": 10749,
    "Science Fiction": 878, "TV Movie": 10770, "Thriller": 53, "War": 10752, "Western": 37,
}  # fmt: skip
OTHER_WORDS = {"Sci-Fi": "Science Fiction", "Musical": "Music", "Film-Noir": "Crime", "Biography": "History"}

# How often, code, English name, own name, country code, country.
LANGUAGES = (
    (520, "en", "English", "English", "US", "United States of America"),
    (90, "en", "English", "English", "GB", "United Kingdom"),
    (70, "fr", "French", "Français", "FR", "France"),
    (60, "ja", "Japanese", "日本語", "JP", "Japan"),
    (55, "es", "Spanish", "Español", "ES", "Spain"),
    (50, "de", "German", "Deutsch", "DE", "Germany"),
    (40, "ru", "Russian", "Pусский", "RU", "Russia"),  # noqa: RUF001 (TMDb writes it with a Latin P)
    (35, "pt", "Portuguese", "Português", "BR", "Brazil"),
    (30, "it", "Italian", "Italiano", "IT", "Italy"),
    (30, "hi", "Hindi", "हिन्दी", "IN", "India"),
    (30, "zh", "Mandarin", "普通话", "CN", "China"),
    (25, "ko", "Korean", "한국어/조선말", "KR", "South Korea"),
    (12, "cs", "Czech", "Český", "CZ", "Czech Republic"),
    (12, "sv", "Swedish", "svenska", "SE", "Sweden"),
    (10, "pl", "Polish", "Polski", "PL", "Poland"),
    (6, "xx", "No Language", "No Language", "CA", "Canada"),
)
STATUSES = (
    ("Released", 965), ("In Production", 9), ("Post Production", 9), ("Planned", 7), ("Rumored", 4), ("Canceled", 2),
    ("", 4),
)  # fmt: skip

_COMPANY = ("Pictures", "Films", "Film", "Entertainment", "Productions", "Studios", "Media", "Cinema", "Filmproduktion")
_VERBS = ("find", "leave", "save", "forget", "return to", "sell", "hide from", "fall in love with", "fight for")


def companies() -> tuple[str, ...]:
    """Names of companies; some hold quotes, apostrophes or an ampersand."""
    plain = [f"{noun} {_COMPANY[place % len(_COMPANY)]}" for place, noun in enumerate(NOUNS)]
    named = [f"{name} & {other} {_COMPANY[0]}" for name, other in zip(NAMES, reversed(NAMES), strict=True)]
    odd = ['"Lantern" Productions GmbH & Co. KG', "Les Films de l'Étoile", "Studio d'Été", "Česká televize", "東京映画"]
    return (*plain, *named, *odd)


def keywords() -> tuple[str, ...]:
    """Lower case, one or two words, as people write them."""
    return (
        *(noun.lower() for noun in NOUNS),
        *(f"{adjective} {noun}".lower() for adjective in ADJECTIVES[::4] for noun in NOUNS[::5]),
        *(
            "based on novel or book",
            "women's prison",
            "new year's eve",
            "aftercreditsstinger",
            "rock 'n' roll",
            "d-day",
        ),
    )


def sentence(rng: Random) -> str:
    """One sentence of an overview, always with a comma, now and then with quotes, a line break or an odd blank."""
    name, place = pick(rng, NAMES), pick(rng, PLACES)
    adjective, noun, other = (pick(rng, words).lower() for words in (ADJECTIVES, NOUNS, NOUNS))
    adjective = f"{'an' if adjective[0] in 'aeiou' else 'a'} {adjective}"
    verb, time = pick(rng, _VERBS), ("one winter", "years later", "before the war", "on a single night")
    forms = (
        f"When {name} comes to {place}, {adjective} {noun} makes it hard to {verb} the {other}.",
        f"{name}, {adjective} {noun} from {place}, has to {verb} the {other}, {pick(rng, time)}.",
        f"In {place}, {pick(rng, time)}, one {noun} and one {other} {verb} each other; nobody knows why.",
        f"Led by {name}, the {noun}s of {place} {verb} everything, until {adjective} {other} arrives.",
        f"A story of love, loss and {noun}s: {name} must {verb} {place}, whatever the {other} says.",
        f'They call it "the {noun}", but to {name} it is only {adjective} {other}.',
        f"{pick(rng, time).capitalize()}, {name} wakes up without a name.\nOnly the {noun} can {verb} the {other}.",
        f"Part one: the {noun}, in {place}.\r\nPart two: {adjective} {other}.\u2028“{name}” returns…",
    )
    return forms[min(len(forms) - 1, int(rng.random() * rng.random() * 11))]
