"""`reelbase sample`: files in the publishers' formats, made up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reelbase.cli.context import err, out
from reelbase.errors import UsageError
from reelbase.sample import SAMPLES, counts


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    dataset: Annotated[str, typer.Option(help="movielens, or all.")] = "all",
    scale: Annotated[float, typer.Option(help="1 is MovieLens 20M.")] = 0.01,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 1,
) -> None:
    """Write made-up files in the publishers' exact formats, at any scale."""
    writers = [(name, write) for name, write in SAMPLES if dataset in (name, "all")]
    if not writers:
        known = ", ".join(name for name, _ in SAMPLES)
        raise UsageError(f"There is no sample of {dataset!r}.", f"Known are: {known}, all.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    for name, write in writers:
        with Progress(*columns, console=err(), disable=not err().is_terminal) as progress:
            bar = progress.add_task(name, total=counts(scale).records)
            files = write(folder, scale=scale, seed=seed, progress=lambda records: progress.advance(bar, records))  # noqa: B023
        for file in files:
            out().print(f"{file} ({file.stat().st_size / 1e6:,.1f} MB)", highlight=False, soft_wrap=True)
