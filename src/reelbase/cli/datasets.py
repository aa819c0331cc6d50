"""What is loaded: `datasets`, `rollback`, `remove`, `prune`."""

from __future__ import annotations

from typing import Annotated

import typer

from reelbase.cli.context import Context, JsonFlag, context, err, out, print_json
from reelbase.cli.follow import follow, settle
from reelbase.cli.tables import table
from reelbase.imports import commands, leftovers, read
from reelbase.publishing import prune as pruning

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="For instance movielens.")]


def datasets(as_json: JsonFlag = False) -> None:
    """List what is loaded."""
    here = context()
    with here.dicts() as connection:
        found = read.datasets(connection)
    if as_json:
        print_json({"items": found})
        return
    if not any(dataset["tables"] for dataset in found):
        err().print("Nothing is loaded yet. `reelbase import FILE` loads something.")
        return
    shown = table("table", "rows", "size", "import", right=("rows", "size", "import"))
    for dataset in found:
        for one in dataset["tables"]:
            shown.add_row(
                f"{dataset['name']}.{one['name']}",
                f"{one['rows']:,}",
                f"{one['bytes'] / 1e6:,.1f} MB",
                str(one["import"]),
            )
    out().print(shown)


def rollback(dataset: DatasetName, as_json: JsonFlag = False) -> None:
    """Bring the release before the live one back."""
    here = context()
    with here.connection() as connection:
        import_id = commands.create_rollback(connection, dataset)
    _finish(here, import_id, as_json, f"{dataset} is back at its previous release.")


def remove(
    dataset: DatasetName,
    as_json: JsonFlag = False,
) -> None:
    """Take a dataset away from readers; `rollback` brings it back until it is pruned."""
    here = context()
    with here.connection() as connection:
        import_id = commands.create_removal(connection, dataset)
    _finish(here, import_id, as_json, f"{dataset} is removed. `reelbase prune --all` gives its space back.")


def prune(
    everything: Annotated[
        bool, typer.Option("--all", help="Also what rollback would bring back and failed imports would go on with.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Drop what is no longer needed and give its space back."""
    here = context()
    with here.connection() as connection:
        done = pruning.prune(
            connection,
            staging_days=0 if everything else here.settings.staging_days,
            keep_previous=not everything,
        )
        folder = here.settings.store_url / "downloads"
        staging_days = 0 if everything else here.settings.staging_days
        files = leftovers.sweep(connection, folder, keep_days=0, staging_days=staging_days)
    dropped = (*done.dropped, *map(str, files))
    if as_json:
        print_json({"dropped": dropped, "in_use": done.in_use})
        return
    for name in dropped:
        out().print(f"dropped {name}", highlight=False)
    for name in done.in_use:
        err().print(f"{name} is still used by somebody; prune again later.", highlight=False)
    if not dropped and not done.in_use:
        out().print("There was nothing to drop.")


def _finish(here: Context, import_id: int, as_json: bool, sentence: str) -> None:
    result = follow(here, import_id)
    if as_json:
        print_json(result)
    settle(result)
    if not as_json:
        out().print(sentence, highlight=False)
