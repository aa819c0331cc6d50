"""Tables as every command prints them: narrow enough for 80 columns, plain enough for a pipe."""

from __future__ import annotations

from collections.abc import Collection

from rich import box
from rich.table import Table


def table(*columns: str, right: Collection[str] = ()) -> Table:
    """An empty table; the columns named in `right` hold numbers."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    return made
