"""What is known of headers, as JSON: enough for a browser to tell what a file is before it is sent.

It must come to the same answer as reelbase.reading.recognise; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from reelbase.datasets import DATASETS, Column, Dataset, Layout, Table
from reelbase.reading.recognise import HEADER_BYTES


def known_headers() -> dict[str, Any]:
    """Every dataset with its tables, and how their files are told."""
    return {"header_bytes": HEADER_BYTES, "datasets": [_dataset(dataset) for dataset in DATASETS]}


def _dataset(dataset: Dataset) -> dict[str, Any]:
    return {"name": dataset.name, "title": dataset.title, "tables": [_table(table) for table in dataset.tables]}


def _table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "columns": [_column(column) for column in table.written],
        "telltales": list(table.telltales),
        "telltales_needed": table.telltales_needed,
        "layouts": [_layout(layout) for layout in table.every_layout],
    }


def _column(column: Column) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": column.name, "header": column.header, "type": column.type.value}
    if column.required:
        shown["required"] = True
    if column.aliases:
        shown["aliases"] = list(column.aliases)
    return shown


def _layout(layout: Layout) -> dict[str, Any]:
    """How a file is written; the first of a table is the publisher's own way."""
    dialect = layout.dialect
    shown: dict[str, Any] = {
        "delimiter": dialect.delimiter.decode(),
        "quote": dialect.quote.decode() if dialect.quote else None,
        "null": dialect.null.decode(),
    }
    if dialect.escape:
        shown["escape"] = dialect.escape.decode()
    if layout.quoted_header:
        shown["quoted_header"] = True
    if layout.file_names:
        shown["file_names"] = list(layout.file_names)
        shown["order"] = list(layout.order)
    return shown
