"""The movies that TMDb-style files tell of, whatever the shape of the file."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from reelbase.sample.dice import dealt, deck, pick, quota, stream
from reelbase.sample.films import Film
from reelbase.sample.ids import Ids, Stretch
from reelbase.sample.imdb.words import HEADS, tails
from reelbase.sample.tmdb.words import GENRE_IDS, LANGUAGES, OTHER_WORDS, STATUSES, companies, keywords, sentence

_BLOCK = 4_096
_IDS_PER_MOVIE = 1.5  # ids up to about 1.5 million for a million movies
_KNOWN_TO_IMDB = 0.87  # share of the movies that have an imdb_id: an estimate


@dataclass(frozen=True, slots=True)
class Language:
    """A language and the country where it is spoken."""

    code: str
    english: str
    own: str
    country_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Movie:
    """One movie as TMDb tells it; `imdb_id` and `release_date` are '' where not known, `average` is in thousandths."""

    id: int
    film: Film
    imdb_id: str
    release_date: str
    status: str
    languages: tuple[Language, ...]
    overview: str
    tagline: str
    genres: tuple[str, ...]
    companies: tuple[tuple[int, str], ...]
    keywords: tuple[tuple[int, str], ...]
    budget: int
    revenue: int
    average: int
    votes: int
    popularity: int
    homepage: str
    poster: str
    backdrop: str
    collection: str
    tied: bool

    @property
    def heard_of(self) -> bool:
        """Whether many people know it."""
        return self.tied or self.votes > 50

    @property
    def original_title(self) -> str:
        """What it is called where it was made."""
        return self.film.original_title


class Movies:
    """`count` movies in the order of their ids: the tied films, IMDb's movies in their order, some of TMDb's own."""

    def __init__(self, *, count: int, films: Sequence[Film], others: Callable[[], Iterator[Film]], seed: int) -> None:
        self._films: dict[int, Film] = {}
        for film in films:
            if film.in_tmdb and film.tmdb_id is not None:
                self._films.setdefault(film.tmdb_id, film)
        past = max(3 + int(_IDS_PER_MOVIE * max(count, 1_000_000)), *self._films, 0) + 1
        self._ids = Ids(
            "tmdb ids",
            (Stretch(2, past, count),),
            blocks=-(-count // _BLOCK),
            seed=seed,
            given=sorted(self._films),
        )
        self._source, self._seed = others, seed
        rng = stream(seed, "tmdb decks")
        self._sentences = dealt([sentence(rng) for _ in range(8_192)])
        self._languages = deck([(Language(*words), times) for times, *words in LANGUAGES])
        self._statuses = deck(STATUSES)
        self._companies = list(enumerate(companies(), start=2))
        self._keywords = list(enumerate(keywords(), start=378))
        self._heads, self._tails = HEADS, tails()

    @property
    def tied(self) -> int:
        """How many of them MovieLens' links lead to."""
        return self._ids.given

    @property
    def untied(self) -> int:
        """How many they do not lead to."""
        return self._ids.spread

    def __iter__(self) -> Iterator[Movie]:
        others = self._source()
        for block in range(self._ids.blocks):
            rng = stream(self._seed, f"tmdb movies {block}")
            for number in self._ids.block(block).numbers:
                film = self._films.get(number) or self._other(rng, others)
                yield self._movie(rng, number, film)

    def _other(self, rng: Random, others: Iterator[Film]) -> Film:
        film = next(others, None) if rng.random() < _KNOWN_TO_IMDB else None
        if film is not None:
            return film
        title = pick(rng, self._heads) + pick(rng, self._tails)
        year = 2026 - int(110 * rng.random() * rng.random())
        return Film(0, None, "movie", title, title, year, 1 + int(rng.random() * 130), ())

    def _movie(self, rng: Random, number: int, film: Film) -> Movie:
        tied = number in self._films
        languages = self._spoken(rng, foreign=film.original_title != film.title)
        votes = self._votes(rng, film, tied=tied)
        heard_of = tied or votes > 50
        chance = rng.random()
        return Movie(
            id=number,
            film=film if film.genres or tied else replace(film, genres=_genres(rng)),
            imdb_id=f"tt{film.imdb_id:07d}" if film.imdb_id and (not tied or chance < 0.97) else "",
            release_date=_date(rng, film.year),
            status="Released" if tied else self._statuses[rng.getrandbits(16)],
            languages=languages,
            overview=self._overview(rng) if heard_of or chance < 0.8 else "",
            tagline=self._sentences[rng.getrandbits(16)].split(",")[0] + "." if heard_of and chance < 0.7 else "",
            genres=_in_tmdbs_words(film),
            companies=self._some(rng, self._companies, 5 if heard_of else 2),
            keywords=self._some(rng, self._keywords, 14 if heard_of else 3),
            budget=int(rng.random() * rng.random() * 200) * 1_000_000 if votes > 500 else 0,
            revenue=_revenue(rng, votes),
            average=_average(rng, film, votes, tied=tied),
            votes=votes,
            popularity=600 + votes * 4 + rng.getrandbits(12),
            homepage=f"https://example.org/{number}" if chance < 0.1 else "",
            poster=_image(rng) if heard_of or chance < 0.7 else "",
            backdrop=_image(rng) if heard_of or chance < 0.3 else "",
            collection=f"{film.title} Collection" if heard_of and chance < 0.1 else "",
            tied=tied,
        )

    def _spoken(self, rng: Random, *, foreign: bool) -> tuple[Language, ...]:
        first = self._languages[rng.getrandbits(16)]
        while foreign and first.code == "en":
            first = self._languages[rng.getrandbits(16)]
        others = [self._languages[rng.getrandbits(16)] for _ in range(int(rng.random() * rng.random() * 3))]
        return tuple({language.code: language for language in (first, *others)}.values())

    def _overview(self, rng: Random) -> str:
        texts = [self._sentences[rng.getrandbits(16)] for _ in range(2 + int(rng.random() * 3))]
        return " ".join(texts)

    def _some(self, rng: Random, listed: Sequence[tuple[int, str]], most: int) -> tuple[tuple[int, str], ...]:
        count = int(rng.random() * rng.random() * (most + 1))
        return tuple(dict.fromkeys([pick(rng, listed) for _ in range(count)]))

    def _votes(self, rng: Random, film: Film, *, tied: bool) -> int:
        """A tied film has one for each 80 on IMDb; half of the others have none."""
        if tied:
            return film.votes // 80
        chance = rng.random()
        return int(0.8 * chance * chance / (1.00002 - chance) - 0.4) if chance > 0.5 else 0


class Credited:
    """Which movies have credits: as many as `total`, the tied ones first, the others spread evenly; noted as they pass.

    A number is that of a movie that people have heard of, a negative one that of another.
    """

    def __init__(self, movies: Movies, total: int) -> None:
        tied = min(total, movies.tied)
        self._wanted = {True: (tied, movies.tied), False: (total - tied, movies.untied)}
        self._seen = {True: 0, False: 0}
        self.numbers = array("q")

    def note(self, movie: Movie) -> None:
        """Called for every movie in turn."""
        wanted, of = self._wanted[movie.tied]
        seen = self._seen[movie.tied]
        if quota(wanted, seen, seen + 1, of):
            self.numbers.append(movie.id if movie.heard_of else -movie.id)
        self._seen[movie.tied] = seen + 1


def _in_tmdbs_words(film: Film) -> tuple[str, ...]:
    named = [OTHER_WORDS.get(name, name) for name in film.genres]
    known = dict.fromkeys(name for name in named if name in GENRE_IDS)
    return (*known, "TV Movie") if film.kind == "tvMovie" else tuple(known)


def _genres(rng: Random) -> tuple[str, ...]:
    names = tuple(GENRE_IDS)
    return tuple(dict.fromkeys(pick(rng, names) for _ in range(int(rng.random() * 3))))


def _date(rng: Random, year: int | None) -> str:
    if year is None or rng.random() < 0.02:
        return ""
    return f"{year}-{1 + int(rng.random() * 12):02d}-{1 + int(rng.random() * 28):02d}"


def _average(rng: Random, film: Film, votes: int, *, tied: bool) -> int:
    if not votes:
        return 0
    if tied:
        return min(10_000, film.average * 100 + int(rng.random() * 600) - 300)
    return 3_000 + int((rng.random() + rng.random()) * 3_500)


def _revenue(rng: Random, votes: int) -> int:
    """Not known of what few people know; of the best known ones more than four bytes hold."""
    if votes <= 500:
        return 0
    return int((2_200_000_000 if votes > 30_000 else 0) + rng.random() * rng.random() * 700_000_000)


def _image(rng: Random) -> str:
    """A path such as /rhIRbceoE9lR4veEXuwCC2wARtG.jpg."""
    return f"/{rng.getrandbits(108):027x}.jpg"
