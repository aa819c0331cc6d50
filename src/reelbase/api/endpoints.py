"""Every endpoint once: its path, what answers it, and what OpenAPI says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from reelbase.api import (
    datasets,
    events,
    exports,
    facets,
    health,
    imports,
    metrics,
    movies,
    own,
    people,
    rejects,
    requests,
    schemas,
    tables,
)
from reelbase.serving import movie_list
from reelbase.serving.application import Handler
from reelbase.serving.query import Nothing, Query

BASE = movies.BASE


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path; `place` describes what is between braces in the path, with an example that works.

    `form`: the fields that a form with files has; `has_key`: an Idempotency-Key is honoured.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    query: type[Query] = Nothing
    place: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    status: int = 200
    answer: type[BaseModel] | None = None
    media_type: str | None = None
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    has_key: bool = False
    problems: tuple[int, ...] = (422,)
    is_kept: bool = False


_MOVIE = {"id": ("A UUID, tt0113277 (IMDb), movielens:6 or tmdb:949", "movielens:1")}
_OWN_MOVIE = {"id": ("The id that a movie of one's own was given", "00000000-0000-4000-8000-000000000000")}
_DATASET = {"name": ("movielens, imdb or tmdb", "movielens")}
_TABLE = {**_DATASET, "table": ("A table of its live release", "movies")}
_WHO = {"nconst": ("IMDb's id", "nm0000001")}
_IMPORT = {"id": ("Its number", "1")}

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET", f"{BASE}/movies", movies.list_movies, "Movies: filtered, searched, sorted", "movies",
        query=movie_list.MovieQuery, answer=schemas.MovieList, problems=(400, 410, 422), is_kept=True,
    ),
    Endpoint(
        "POST", f"{BASE}/movies", own.add_movie, "Add a movie of one's own", "own movies",
        status=201, answer=schemas.Movie, body=schemas.OwnMovieGiven, problems=(400, 409, 413, 415, 422),
    ),
    Endpoint(
        "GET", f"{BASE}/movies.csv", exports.export_csv, "The list as CSV", "exports",
        query=exports.CsvQuery, media_type="text/csv", problems=(422, 429),
    ),
    Endpoint(
        "GET", f"{BASE}/movies.ndjson", exports.export_ndjson, "The list as JSON lines", "exports",
        query=exports.ExportQuery, media_type="application/x-ndjson", problems=(422, 429),
    ),
    Endpoint(
        "GET", f"{BASE}/movies.parquet", exports.export_parquet, "The list as Parquet", "exports",
        query=exports.ExportQuery, media_type="application/vnd.apache.parquet", problems=(422, 429),
    ),
    Endpoint(
        "GET", f"{BASE}/movies/{{id}}", movies.show_movie, "One movie with all that is known of it", "movies",
        place=_MOVIE, answer=schemas.MovieDetail, problems=(308, 404, 422), is_kept=True,
    ),
    Endpoint(
        "PATCH", f"{BASE}/movies/{{id}}", own.change_movie, "Change a movie of one's own", "own movies",
        place=_OWN_MOVIE, answer=schemas.Movie, body=schemas.OwnMovieChange,
        problems=(308, 400, 404, 409, 413, 415, 422),
    ),
    Endpoint(
        "DELETE", f"{BASE}/movies/{{id}}", own.remove_movie, "Take a movie of one's own away", "own movies",
        place=_OWN_MOVIE, status=204, problems=(308, 404, 409, 422),
    ),
    Endpoint(
        "GET", f"{BASE}/movies/{{id}}/ratings", movies.movie_ratings, "MovieLens' ratings of a movie", "movies",
        place=_MOVIE, answer=schemas.MovieRatings, problems=(308, 404, 422), is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/movies/{{id}}/similar", movies.similar_movies, "Movies like this one", "movies",
        query=movies.SimilarQuery, place=_MOVIE, answer=schemas.SimilarMovies, problems=(308, 404, 422), is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/genres", facets.list_genres, "Genres of a list, counted", "facets",
        query=movie_list.MovieFilters, answer=schemas.Counts, is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/languages", facets.list_languages, "Languages of a list, counted", "facets",
        query=movie_list.MovieFilters, answer=schemas.Counts, is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/facets", facets.list_facets, "Every facet of a list, counted", "facets",
        query=movie_list.MovieFilters, answer=schemas.Facets, is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/people", people.list_people, "People by name", "people",
        query=people.PeopleQuery, answer=schemas.PersonList, problems=(400, 410, 422), is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/people/{{nconst}}", people.show_person, "A person and their work", "people",
        place=_WHO, answer=schemas.PersonDetail, problems=(404, 422), is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/datasets", datasets.list_datasets, "What is loaded", "datasets", answer=schemas.LoadedDatasets,
    ),
    Endpoint(
        "GET", f"{BASE}/datasets/{{name}}", datasets.show_dataset, "One dataset", "datasets",
        place=_DATASET, answer=schemas.LoadedDataset, problems=(404, 422),
    ),
    Endpoint(
        "DELETE", f"{BASE}/datasets/{{name}}", datasets.remove_dataset, "Take a dataset away from readers", "datasets",
        place=_DATASET, status=202, answer=schemas.Import, problems=(404, 409, 422),
    ),
    Endpoint(
        "GET", f"{BASE}/datasets/{{name}}/releases", datasets.list_releases, "Its releases", "datasets",
        place=_DATASET, answer=schemas.DatasetReleases, problems=(404, 422),
    ),
    Endpoint(
        "POST", f"{BASE}/datasets/{{name}}/rollback", datasets.roll_back, "Bring the last release back", "datasets",
        place=_DATASET, status=202, answer=schemas.Import, problems=(404, 409, 422),
    ),
    Endpoint(
        "GET", f"{BASE}/datasets/{{name}}/tables/{{table}}", tables.list_rows,
        "Rows of a table; every column is a filter, with `_min` and `_max` too", "datasets",
        query=tables.RowsQuery, place=_TABLE, answer=schemas.TableRows, problems=(400, 404, 410, 422), is_kept=True,
    ),
    Endpoint(
        "GET", f"{BASE}/imports", imports.list_imports, "Imports, newest first", "imports",
        query=imports.ImportsQuery, answer=schemas.ImportList, problems=(400, 422),
    ),
    Endpoint(
        "POST", f"{BASE}/imports", requests.create_import,
        "Import sources, or the files of a form; with an `Idempotency-Key` it can be sent again safely", "imports",
        status=202, answer=schemas.Import, body=schemas.ImportGiven, form=schemas.ImportOptions, has_key=True,
        problems=(400, 404, 408, 409, 413, 415, 422, 507),
    ),
    Endpoint(
        "GET", f"{BASE}/imports/{{id}}", imports.show_import, "One import", "imports",
        place=_IMPORT, answer=schemas.Import, problems=(404, 422),
    ),
    Endpoint(
        "GET", f"{BASE}/imports/{{id}}/chunks", imports.list_chunks, "Its chunks, in the order of its files", "imports",
        query=imports.ChunksQuery, place=_IMPORT, answer=schemas.ChunkList, problems=(400, 404, 422),
    ),
    Endpoint(
        "GET", f"{BASE}/imports/{{id}}/rejects", rejects.list_rejects,
        "Its bad records; as CSV all of them (`Accept: text/csv`, or `format=csv`)", "imports",
        query=rejects.RejectsQuery, place=_IMPORT, answer=schemas.RejectList, media_type="text/csv",
        problems=(400, 404, 422, 429),
    ),
    Endpoint(
        "GET", f"{BASE}/imports/{{id}}/events", events.watch_import,
        "Watch it: events named `import`, each with the whole of it (server-sent events)", "imports",
        place=_IMPORT, media_type="text/event-stream", problems=(404, 422),
    ),
    Endpoint(
        "POST", f"{BASE}/imports/{{id}}/cancel", imports.cancel_import, "Stop it for good; nothing of it is left",
        "imports", place=_IMPORT, status=202, answer=schemas.Import, problems=(404, 409, 422),
    ),
    Endpoint(
        "POST", f"{BASE}/imports/{{id}}/retry", imports.retry_import, "Go on with one that has failed", "imports",
        place=_IMPORT, status=202, answer=schemas.Import, problems=(404, 409, 422),
    ),
    Endpoint(
        "POST", f"{BASE}/imports/{{id}}/confirm", imports.confirm_import, "Publish one that is held", "imports",
        place=_IMPORT, status=202, answer=schemas.Import, problems=(404, 409, 422),
    ),
    Endpoint(
        "GET", f"{BASE}/workers", imports.list_workers, "Who runs imports", "imports", answer=schemas.WorkerList,
    ),
    Endpoint("GET", "/livez", health.alive, "Whether the process lives", "health", answer=schemas.Health, problems=()),
    Endpoint(
        "GET", "/readyz", health.ready, "Whether the database answers", "health", answer=schemas.Health, problems=(),
    ),
    Endpoint(
        "GET", "/metrics", metrics.show_metrics, "Numbers for Prometheus", "health", media_type="text/plain",
    ),
)  # fmt: skip
