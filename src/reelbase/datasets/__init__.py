"""What the public files are: declarations only."""

from reelbase.datasets.imdb import IMDB
from reelbase.datasets.model import Column, ColumnType, Dataset, Dialect, Reference, Table
from reelbase.datasets.movielens import MOVIELENS

DATASETS: tuple[Dataset, ...] = (MOVIELENS, IMDB)

__all__ = ["DATASETS", "IMDB", "MOVIELENS", "Column", "ColumnType", "Dataset", "Dialect", "Reference", "Table"]
