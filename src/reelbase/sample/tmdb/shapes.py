"""The three shapes of a TMDb-style file of movies: v11, movies_metadata, and the export of fifteen columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reelbase.sample.blocks import field
from reelbase.sample.tmdb.movies import Movie
from reelbase.sample.tmdb.words import GENRE_IDS


@dataclass(frozen=True, slots=True)
class Shape:
    """A file's name and header, and what writes a movie's record."""

    file: str
    header: str
    record: Callable[[Movie], str]


def v11(movie: Movie) -> str:
    """A record of TMDB_movie_dataset_v11.csv: lists are words between commas."""
    fields = (
        str(movie.id),
        field(movie.film.title),
        _thousandths(movie.average),
        str(movie.votes),
        movie.status,
        movie.release_date,
        str(movie.revenue),
        str(movie.film.runtime or 0),
        str(movie.film.adult),
        movie.backdrop,
        str(movie.budget),
        movie.homepage,
        movie.imdb_id,
        movie.languages[0].code,
        field(movie.original_title),
        field(movie.overview),
        _thousandths(movie.popularity),
        movie.poster,
        field(movie.tagline),
        field(", ".join(movie.genres)),
        field(", ".join([name for _, name in movie.companies])),
        field(", ".join([language.country for language in movie.languages])),
        field(", ".join([language.english for language in movie.languages])),
        field(", ".join([word for _, word in movie.keywords])),
    )
    return ",".join(fields) + "\n"


def metadata(movie: Movie) -> str:
    """A record of movies_metadata.csv: lists are Python literals, the runtime is a float."""
    companies = [{"name": name, "id": number} for number, name in movie.companies]
    countries = [{"iso_3166_1": language.country_code, "name": language.country} for language in movie.languages]
    spoken = [{"iso_639_1": language.code, "name": language.own} for language in movie.languages]
    collection = {
        "id": movie.id % 500_000,
        "name": movie.collection,
        "poster_path": movie.poster,
        "backdrop_path": movie.backdrop or None,
    }
    fields = (
        str(movie.film.adult),
        field(repr(collection)) if movie.collection else "",
        str(movie.budget),
        field(repr([{"id": GENRE_IDS[name], "name": name} for name in movie.genres])),
        movie.homepage,
        str(movie.id),
        movie.imdb_id,
        movie.languages[0].code,
        field(movie.original_title),
        field(movie.overview),
        _thousandths(movie.popularity),
        movie.poster,
        field(repr(companies)),
        field(repr(countries)),
        movie.release_date,
        str(movie.revenue),
        _float(movie.film.runtime),
        field(repr(spoken)),
        movie.status,
        field(movie.tagline),
        field(movie.film.title),
        "False",
        f"{movie.average // 1000}.{movie.average // 100 % 10}",
        str(movie.votes),
    )
    return ",".join(fields) + "\n"


def fifteen(movie: Movie) -> str:
    """A record of the export without ids: whole numbers are floats, 1 stands for an unknown genre or company."""
    fields = (
        f"{movie.budget}.0",
        movie.homepage,
        movie.languages[0].code,
        field(movie.original_title),
        field(movie.overview),
        movie.release_date,
        f"{movie.revenue}.0",
        "" if movie.film.runtime is None else str(movie.film.runtime),
        movie.status,
        field(movie.film.title),
        f"{movie.average // 1000}.{movie.average // 100 % 10}",
        f"{movie.votes}.0",
        str(movie.companies[0][0] if movie.companies else 1),
        str(GENRE_IDS[movie.genres[0]] if movie.genres else 1),
        field(repr([language.own for language in movie.languages])),
    )
    return ",".join(fields) + "\n"


SHAPES = {
    "v11": Shape(
        "TMDB_movie_dataset_v11.csv",
        "id,title,vote_average,vote_count,status,release_date,revenue,runtime,adult,backdrop_path,budget,homepage,"
        "imdb_id,original_language,original_title,overview,popularity,poster_path,tagline,genres,production_companies,"
        "production_countries,spoken_languages,keywords",
        v11,
    ),
    "metadata": Shape(
        "movies_metadata.csv",
        "adult,belongs_to_collection,budget,genres,homepage,id,imdb_id,original_language,original_title,overview,"
        "popularity,poster_path,production_companies,production_countries,release_date,revenue,runtime,"
        "spoken_languages,status,tagline,title,video,vote_average,vote_count",
        metadata,
    ),
    "fifteen": Shape(
        "tmdb_movies.csv",
        "budget,homepage,original_language,original_title,overview,release_date,revenue,runtime,status,title,"
        "vote_average,vote_count,production_company_id,genre_id,languages",
        fifteen,
    ),
}


def _thousandths(number: int) -> str:
    """7.5 and 81 rather than 7.500 and 81.000, as the files have it."""
    whole, rest = divmod(number, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").removesuffix(".")


def _float(number: int | None) -> str:
    return "" if number is None else f"{number}.0"
