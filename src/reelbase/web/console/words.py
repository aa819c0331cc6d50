"""What states, reasons and checks are called on a page, and what to do about them."""

from __future__ import annotations

from types import MappingProxyType

STEPS = MappingProxyType(
    {
        "queued": ("Queued", "Waiting for a worker"),
        "receiving": ("Receiving", "Fetching and recognising the files"),
        "loading": ("Loading", "Copying records into PostgreSQL"),
        "indexing": ("Indexing", "Building keys and indexes, checking"),
        "publishing": ("Publishing", "Building the catalog, then one swap"),
        "completed": ("Completed", "Readers see it"),
    }
)

KINDS = MappingProxyType({"import": "Import", "refresh": "Refresh", "rollback": "Rollback", "remove": "Removal"})

REASONS = MappingProxyType(
    {
        "wrong_type": "A field is not of its column's type.",
        "out_of_range": "A value is outside what the column allows.",
        "too_few_columns": "The record has fewer fields than the header.",
        "too_many_columns": "The record has more fields than the header. A delimiter in a text needs quotes around it.",
        "missing_key": "A field of the key is empty.",
        "missing_value": "A field that may not be empty is.",
        "unclosed_quote": "A quote was opened and never closed.",
        "malformed_quote": "A quote stands in the middle of a field. Inside quotes it is doubled.",
        "invalid_utf8": "Some bytes are not UTF-8.",
        "nul_byte": "There is a NUL byte, which PostgreSQL cannot hold.",
        "record_too_long": "The record is longer than 16 MiB.",
        "duplicate_key": "The same key comes again later; the last one was loaded. Nothing to mend.",
        "refused": "PostgreSQL refused it.",
    }
)

CHECKS = MappingProxyType(
    {
        "empty_file": "Header and nothing else",
        "blank_records": "Blank lines passed over",
        "identical_records": "Records that are there twice",
        "ratings_of_unknown_movies": "Ratings of movies that are not in the list",
        "tags_of_unknown_movies": "Tags of movies that are not in the list",
        "links_of_unknown_movies": "Links of movies that are not in the list",
        "genome_scores_of_unknown_movies": "Genome scores of movies that are not in the list",
    }
)

# What helps besides the sentence that an error brings itself.
REMEDIES = MappingProxyType(
    {
        "interrupted": "Retry goes on where it stopped: what is loaded is not loaded again.",
        "too_many_rejects": "Look at the rejects below. Mend the file and import it again, or allow more of them.",
        "source_changed": "The file is another one now. Import it anew.",
        "disk_full": "Make room on the disk, then retry.",
        "download_failed": "Retry goes on where the download stopped.",
        "superseded": "A later import has published these tables. Import again if this one is still wanted.",
        "upload_damaged": "Upload the file again.",
        "unknown_header": "Check that the first line of the file is its header.",
        "server_unavailable": "Retry when the database is back.",
    }
)


def reason_label(reason: str) -> str:
    """wrong_type → Wrong type."""
    return reason.replace("_", " ").capitalize().replace("utf8", "UTF-8").replace("Nul ", "NUL ")


def check_label(name: str) -> str:
    """What a check is called; its own name made readable where we have no better one."""
    return CHECKS.get(name) or name.replace("_", " ").capitalize()
