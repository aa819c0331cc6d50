"""What a request comes down to: one import for each dataset, its files looked at as far as they are here.

A wrong file is refused at once, with a sentence. What has to be downloaded, or unpacked for long, is looked at by the
worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from reelbase.database.connect import Connection
from reelbase.datasets import DATASETS
from reelbase.errors import BadParameter, MixedDatasets, UnknownHeader, UsageError
from reelbase.imports.limits import reject_limit
from reelbase.imports.sources import UPLOAD, URL, ImportRequest, Source, SourceRules, files_here, sources
from reelbase.reading import unpack
from reelbase.reading.survey import Survey, survey
from reelbase.receiving import uploads
from reelbase.receiving.paths import Given, given

ALL = "all"
MODES = ("replace", "merge")
# The headers in a tar are found by reading all of it: some tenths of a second for so much, packed.
_TAR_AT_ONCE_BYTES = 64 << 20

Upload = Callable[[str], Given]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One import to make. Without a `survey` the files are not known yet, and perhaps the dataset is not."""

    dataset: str | None
    sources: tuple[Source, ...]
    survey: Survey | None


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is here, and whether something is left to be looked at later."""

    survey: Survey | None
    rest: bool


def wanted(request: ImportRequest, rules: SourceRules, upload: Upload) -> list[Wanted]:
    """The imports that a request asks for: one, or with dataset `all` one for each dataset; nothing is changed.

    `upload` finds the file of an upload by its id. Raises UsageError or SourceError.
    """
    _check(request)
    asked = sources(request.sources, rules)
    looked = _look(asked, rules, upload)
    known = _datasets(asked, looked)
    is_known = not looked.rest and all(source.kind != URL or source.dataset for source in asked)
    if request.dataset == ALL:
        if not is_known:
            raise UsageError(
                "What is downloaded tells its dataset only then.", "Give each source by itself, or name its dataset."
            )
        return [_one(name, asked, looked, passed_over=False) for name in known]
    return [_one(_chosen(request.dataset, known, is_known=is_known), asked, looked, passed_over=True)]


def chosen(found: Survey, dataset: str | None) -> tuple[str, Survey]:
    """The dataset that files are of, and those of them that are; the others are passed over.

    Raises MixedDatasets when there are several and none was named.
    """
    names = list(dict.fromkeys(file.table.dataset for file in found.files))
    name = _chosen(dataset, names, is_known=True)
    assert name is not None  # noqa: S101  # a survey has files
    return name, of_dataset(found, name, passed_over=True)


def of_dataset(found: Survey, dataset: str, *, passed_over: bool) -> Survey:
    """The files of one dataset; those of others are passed over, unless they get an import of their own."""
    files = tuple(file for file in found.files if file.table.dataset == dataset)
    others = tuple(file.name for file in found.files if file.table.dataset != dataset) if passed_over else ()
    return replace(found, files=files, skipped=(*found.skipped, *others))


def finder(connected: Callable[[], AbstractContextManager[Connection]]) -> Upload:
    """What finds uploads over a connection that is opened when there is one to find."""

    def find(upload_id: str) -> Given:
        with connected() as connection:
            return uploaded(connection, upload_id)

    return find


def uploaded(connection: Connection, upload_id: str) -> Given:
    """The file of a finished upload, under the name that its sender gave it."""
    file = uploads.received(connection, upload_id)
    [found] = given([str(file.path)])
    return replace(found, name=file.name)


def _check(request: ImportRequest) -> None:
    if request.mode not in MODES:
        raise BadParameter("mode", f"The mode is {request.mode!r}.", "It must be replace or merge.")
    reject_limit(request.max_rejects)
    names = [dataset.name for dataset in DATASETS]
    if request.dataset not in (None, ALL, *names):
        raise BadParameter("dataset", f"There is no dataset {request.dataset!r}.", f"Known are: {', '.join(names)}.")


def _look(asked: Sequence[Source], rules: SourceRules, upload: Upload) -> _Looked:
    files: list[Given] = []
    for source in asked:
        if source.kind == UPLOAD:
            files.append(upload(source.location))
        elif source.kind != URL:
            files += files_here(source, rules)
    at_once = [file for file in files if rules.is_local or not _takes_long(file)]
    found = survey(at_once, DATASETS) if at_once else None
    return _Looked(found, rest=len(at_once) < len(files))


def _takes_long(file: Given) -> bool:
    if file.bytes <= _TAR_AT_ONCE_BYTES:
        return False
    try:
        return unpack.container(file.path) == unpack.TAR
    except UnknownHeader:
        return False  # the survey tells


def _datasets(asked: Sequence[Source], looked: _Looked) -> list[str]:
    """Every dataset that is known to be among what was asked for."""
    here = [file.table.dataset for file in looked.survey.files] if looked.survey else []
    return list(dict.fromkeys([*here, *(source.dataset for source in asked if source.dataset)]))


def _chosen(dataset: str | None, known: Sequence[str], *, is_known: bool) -> str | None:
    """The dataset to import; None when that is seen only later."""
    if dataset is not None:
        if is_known and dataset not in known:
            raise UsageError(f"There is no file of {dataset} among what was given.")
        return dataset
    if len(known) > 1:
        raise MixedDatasets(
            f"The files are of several datasets: {', '.join(known)}.",
            f"Choose one (--dataset {known[0]}), or import each by itself (--dataset all).",
        )
    return known[0] if is_known else None


def _one(dataset: str | None, asked: Sequence[Source], looked: _Looked, *, passed_over: bool) -> Wanted:
    """The import of one dataset: what is published of another is not even fetched."""
    mine = tuple(source for source in asked if source.dataset in (None, dataset) or dataset is None)
    is_whole = not looked.rest and all(source.kind != URL for source in mine)
    if not is_whole or looked.survey is None or dataset is None:
        return Wanted(dataset, mine, None)
    return Wanted(dataset, mine, of_dataset(looked.survey, dataset, passed_over=passed_over))
