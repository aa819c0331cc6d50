"""`reelbase sample`: files in the publishers' formats, made up.

What makes them is imported only when it is asked for: no other command should wait for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reelbase.cli.context import err, out
from reelbase.errors import UsageError

if TYPE_CHECKING:
    from reelbase.sample import Sample, Wish


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    dataset: Annotated[
        str, typer.Option(help="movielens, imdb, tmdb, or all: each in a folder of its own in DIR, belonging together.")
    ] = "all",
    scale: Annotated[
        float,
        typer.Option(
            help="1 is full size: MovieLens 20M with its genome (32.2 million records), all of IMDb (212.7 million), "
            "a million TMDb movies."
        ),
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 1,
    movielens_scale: Annotated[
        float | None,
        typer.Option(help="The scale of the MovieLens sample, which the others belong to, where it is another."),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Leave IMDb's files unpacked.")] = False,
    shape: Annotated[str, typer.Option(help="The shape of TMDb's file: v11, metadata or fifteen.")] = "v11",
) -> None:
    """Write made-up files in the publishers' exact formats, at any scale."""
    from reelbase.sample import SAMPLES, Wish

    wish = Wish(scale, seed, movielens_scale, plain, shape)
    chosen = [one for one in SAMPLES if dataset in (one.name, "all")]
    if not chosen:
        known = ", ".join(one.name for one in SAMPLES)
        raise UsageError(f"There is no sample of {dataset!r}.", f"Known are: {known}, all.")
    for one in chosen:
        one.records(wish)  # refuses what cannot be made before anything is written
    for one in chosen:
        _make(one, folder / one.name if dataset == "all" else folder, wish)


def _make(one: Sample, folder: Path, wish: Wish) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), disable=not err().is_terminal) as progress:
        bar = progress.add_task(one.name, total=one.records(wish))
        files = one.write(folder, wish, lambda records: progress.advance(bar, records))
    for file in files:
        out().print(f"{file} ({file.stat().st_size / 1e6:,.1f} MB)", highlight=False, soft_wrap=True)
