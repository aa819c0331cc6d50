"""What the public files are: declarations only."""

from reelbase.datasets.imdb import IMDB
from reelbase.datasets.model import Column, ColumnType, Dataset, Dialect, Form, Layout, Published, Reference, Table
from reelbase.datasets.movielens import MOVIELENS
from reelbase.datasets.tmdb import TMDB

DATASETS: tuple[Dataset, ...] = (MOVIELENS, IMDB, TMDB)

__all__ = [
    "DATASETS",
    "IMDB",
    "MOVIELENS",
    "TMDB",
    "Column",
    "ColumnType",
    "Dataset",
    "Dialect",
    "Form",
    "Layout",
    "Published",
    "Reference",
    "Table",
]
