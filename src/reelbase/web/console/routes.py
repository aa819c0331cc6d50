"""The routes of the import console."""

from __future__ import annotations

from starlette.routing import Route

from reelbase.serving.application import route
from reelbase.web.console import datasets, listing, new, one, tables


def routes() -> list[Route]:
    """Every page of it; what changes something is a POST, and answered with 303."""
    return [
        route("/imports", listing.list_imports),
        route("/imports/new", new.new_import),
        route("/imports/new", new.create_import, "POST"),
        route("/imports/{id}", one.show_import),
        route("/imports/{id}/chunks", one.show_chunks),
        route("/imports/{id}/rejects", one.list_rejects),
        route("/imports/{id}/rejects/{file}", one.download_raw),
        route("/imports/{id}/cancel", one.ask_cancel),
        route("/imports/{id}/cancel", one.cancel_import, "POST"),
        route("/imports/{id}/retry", one.retry_import, "POST"),
        route("/imports/{id}/confirm", one.confirm_import, "POST"),
        route("/datasets", datasets.list_datasets),
        route("/datasets/{name}", datasets.show_dataset),
        route("/datasets/{name}/rollback", datasets.ask_rollback),
        route("/datasets/{name}/rollback", datasets.roll_back, "POST"),
        route("/datasets/{name}/remove", datasets.ask_removal),
        route("/datasets/{name}/remove", datasets.remove_dataset, "POST"),
        route("/datasets/{name}/tables/{table}", tables.show_table),
    ]
