"""What an import is to take, as people write it: a path, an upload, a URL, or the name of something published.

`SourceRules` say what may be named: everything on the terminal; over HTTP uploads, paths in the allowed folders, and
hosts that are allowed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from reelbase.datasets import DATASETS, Published
from reelbase.errors import SourceMissing, SourceNotAllowed, UsageError
from reelbase.outgoing.guard import Allowed, checked_url, shown_url
from reelbase.receiving.paths import Given, given, given_within
from reelbase.settings import Settings

PATH, UPLOAD, URL = "path", "upload", "url"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What somebody asks for: sources as they are written, and how to import them."""

    sources: tuple[str, ...]
    dataset: str | None = None
    mode: str = "replace"
    max_rejects: str = "1%"


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What may be named as a source. `is_local`: by somebody on this machine, who can read and fetch it anyway."""

    import_dirs: tuple[Path, ...] = ()
    download_hosts: tuple[str, ...] | None = None
    allow_private_downloads: bool = False
    imdb_url: str = "https://datasets.imdbws.com/"
    movielens_url: str = "https://files.grouplens.org/datasets/movielens/"
    is_local: bool = False

    @classmethod
    def of(cls, settings: Settings, *, is_local: bool) -> SourceRules:
        """As the settings have them."""
        return cls(
            import_dirs=settings.import_dirs,
            download_hosts=settings.download_hosts,
            allow_private_downloads=settings.allow_private_downloads,
            imdb_url=settings.imdb_url,
            movielens_url=settings.movielens_url,
            is_local=is_local,
        )

    def allowed(self, *, published: bool, is_local: bool) -> Allowed:
        """Which hosts such a source may come from; redirects are held to it too."""
        if is_local:
            return Allowed(hosts=None, private=self.allow_private_downloads)
        publishers = tuple(urlsplit(self.place(name)).netloc for name in ("imdb", "movielens"))
        hosts = publishers if self.download_hosts is None else self.download_hosts
        return Allowed(hosts=(*hosts, *(publishers if published else ())), private=self.allow_private_downloads)

    def place(self, dataset: str) -> str:
        """Where the files of a dataset are published."""
        return {"imdb": self.imdb_url, "movielens": self.movielens_url}[dataset]


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to import: `location` is a path, the id of an upload, or a URL; `name` is what people know it by."""

    kind: str
    name: str
    location: str
    is_local: bool
    published: str | None = None
    has_md5: bool = False

    @property
    def dataset(self) -> str | None:
        """The dataset, where it is known without a look: of what is published."""
        return None if self.published is None else _publications()[self.published][0]


def sources(words: Sequence[str], rules: SourceRules) -> list[Source]:
    """Read the words; raises SourceNotAllowed and others for what may not be named. Nothing is opened yet."""
    if not words:
        raise SourceMissing("There is nothing to import.", "Give a file, a folder, an archive or a URL.")
    return [source for word in words for source in _read(word, rules)]


def files_here(source: Source, rules: SourceRules) -> list[Given]:
    """The files behind a path; raises SourceMissing and SourceNotAllowed."""
    return given([source.location]) if source.is_local else given_within(source.location, rules.import_dirs)


def datasets_published() -> tuple[str, ...]:
    """Every name of something published."""
    return tuple(_publications())


def same_day(name: str) -> bool:
    """Whether the files of that name must be of one day."""
    return _publications()[name][1].of_one_day


def _read(word: str, rules: SourceRules) -> list[Source]:
    if word.startswith(("https://", "http://")):
        return [_remote(word, rules)]
    if rules.is_local and _is_there(word):
        return [Source(PATH, word, word, is_local=True)]
    if word.startswith("upload:"):
        return [Source(UPLOAD, word, word.removeprefix("upload:"), rules.is_local)]
    if word in _publications():
        return _published(word, rules)
    if rules.is_local:
        return [Source(PATH, word, word, is_local=True)]
    if word.startswith("path:"):
        path = word.removeprefix("path:")
        return [Source(PATH, path, path, is_local=False)]
    raise SourceNotAllowed(
        f"{word[:200]!r} cannot be imported from here.",
        f"Give upload:ID, an https:// URL, path:… in a folder that REELBASE_IMPORT_DIRS names, or one of "
        f"{', '.join(datasets_published())}.",
    )


def _is_there(word: str) -> bool:
    """Whether a file or folder here has that name: it wins over what is published under it."""
    try:
        return os.path.lexists(Path(word).expanduser())
    except (OSError, ValueError, RuntimeError):
        return False


def _remote(url: str, rules: SourceRules) -> Source:
    checked_url(url, rules.allowed(published=False, is_local=rules.is_local))
    if unquote(urlsplit(url).path).endswith("/") or not urlsplit(url).path:
        raise UsageError(f"{shown_url(url)} is not the URL of a file.", "Give the URL of one file or archive.")
    return Source(URL, shown_url(url), url, rules.is_local)


def _published(name: str, rules: SourceRules) -> list[Source]:
    dataset, published = _publications()[name]
    allowed = rules.allowed(published=True, is_local=rules.is_local)
    found = []
    for file in published.files:
        url = urljoin(rules.place(dataset), file)
        checked_url(url, allowed)
        found.append(Source(URL, file, url, rules.is_local, published=name, has_md5=published.has_md5))
    return found


def _publications() -> dict[str, tuple[str, Published]]:
    return {published.name: (dataset.name, published) for dataset in DATASETS for published in dataset.published}
