"""Scripts, style sheets and pictures out of the package, under addresses that change with what is in them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request

from reelbase.serving.answers import Answer, RawHeaders, takes_gzip
from reelbase.serving.problems import not_found

_KINDS = {
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "svg": b"image/svg+xml",
    "png": b"image/png",
}
_FOR_EVER = b"public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is, and packed as small as it gets: once for each start, 4 ms for all of them."""

    kind: bytes
    plain: bytes
    packed: bytes


class Assets:
    """Every file below static/, read and packed once.

    One digest for all of them: a module may import its neighbour by a relative name, and gets the one of its own time.
    """

    def __init__(self) -> None:
        self._files = dict(_files(resources.files("reelbase.web") / "static"))
        digest = blake2b(digest_size=8)
        for path, file in sorted(self._files.items()):
            digest.update(path.encode() + b"\0" + file.plain)
        self.digest = digest.hexdigest()

    def url(self, path: str) -> str:
        """The address of a file; KeyError when there is none."""
        if path not in self._files:
            raise KeyError(path)
        return f"/static/{self.digest}/{path}"

    def answer(self, request: Request) -> Answer:
        """The file; for ever where the address is of this very content, not kept where it is of another."""
        return self._answer(request, request.path_params["path"], request.path_params["digest"] == self.digest)

    def icon(self, request: Request) -> Answer:
        """The picture that browsers look for beside an answer that names none."""
        return self._answer(request, "favicon.svg", is_current=False)

    def _answer(self, request: Request, path: str, is_current: bool) -> Answer:
        file = self._files.get(path)
        if file is None:
            raise not_found("There is no such file.")
        headers: RawHeaders = [
            (b"content-type", file.kind),
            (b"cache-control", _FOR_EVER if is_current else b"no-store"),
            (b"vary", b"accept-encoding"),
        ]
        sent = file.plain
        if takes_gzip(request.scope):
            sent = file.packed
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", str(len(sent)).encode()))
        return Answer(200, sent, headers)


def _files(folder: Traversable, above: str = "") -> Iterator[tuple[str, File]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _files(one, f"{above}{one.name}/")
        elif kind := _KINDS.get(one.name.rpartition(".")[2]):
            plain = one.read_bytes()
            yield f"{above}{one.name}", File(kind, plain, gzip.compress(plain, 9, mtime=0))


@cache
def assets() -> Assets:
    """The files, once for each process."""
    return Assets()


async def show_asset(request: Request) -> Answer:
    """GET /static/{digest}/{path}."""
    return assets().answer(request)


async def show_icon(request: Request) -> Answer:
    """GET /favicon.ico."""
    return assets().icon(request)
