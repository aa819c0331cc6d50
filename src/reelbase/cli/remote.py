"""`import --server`: files are sent to another Reelbase server, which imports them.

What has been begun to be sent is noted in the home folder. The same command, given again after it was stopped, goes on
where it was.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from reelbase.cli.context import err
from reelbase.cli.follow import FINAL, shown
from reelbase.errors import Interrupted, UsageError
from reelbase.imports.sources import URL, ImportRequest, SourceRules, sources
from reelbase.imports.wanted import wanted
from reelbase.outgoing.server import RemoteServer, Sending
from reelbase.reading.survey import SourceFile
from reelbase.receiving.paths import Given
from reelbase.settings import Settings

_LOOK_SECONDS = 0.5
_LINE_SECONDS = 5.0


def send(server: RemoteServer, settings: Settings, request: ImportRequest) -> list[int]:
    """Send the files behind a request and ask for their imports; returns the imports' numbers on the server."""
    rules = SourceRules.of(settings, is_local=True)
    kinds = {source.kind == URL for source in sources(request.sources, rules)}
    if kinds == {True, False}:
        raise UsageError(
            "Files of this machine and what the server fetches by itself cannot be one import.", "Give them apart."
        )
    server.check()
    if kinds == {True}:
        return [_ask(server, request, request.dataset, request.sources)]
    begun = _Begun(settings.home / "sending", server.url)
    names: dict[Path, str] = {}
    imports: list[int] = []
    for one in wanted(request, rules, _not_here):
        files = one.survey.files if one.survey else ()
        for file in files:
            if file.path not in names:
                names[file.path] = _send(server, begun, file)
        uploads = tuple(dict.fromkeys(names[file.path] for file in files))
        imports.append(_ask(server, request, one.dataset, uploads))
    for path in names:
        begun.forget(path)
    return imports


def _ask(server: RemoteServer, request: ImportRequest, dataset: str | None, named: Sequence[str]) -> int:
    asked = server.request_import(named, dataset=dataset, mode=request.mode, max_rejects=request.max_rejects)
    return int(asked["id"])


def _not_here(upload_id: str) -> Given:
    raise UsageError(f"upload:{upload_id} is on a server already.", "Ask that server for an import of it.")


def follow(server: RemoteServer, import_id: int) -> dict[str, Any]:
    """Watch an import of the server to its end."""
    with shown(lambda: server.show_import(import_id)) as show:
        try:
            while (found := show())["state"] not in FINAL:
                time.sleep(_LOOK_SECONDS)
        except KeyboardInterrupt:
            raise Interrupted(f"Import {import_id} goes on at {server.url} without being watched.") from None
    return found


def _send(server: RemoteServer, begun: _Begun, file: SourceFile) -> str:
    """Send one file, or the rest of it; returns how a source names it."""
    name = file.path.name if file.member else Path(file.name).name
    sending = begun.known(file.path, name, file.fingerprint)
    if sending is None or not server.is_there(sending):
        sending = server.begin(file.path, name)
        begun.note(sending, file.fingerprint)
    try:
        with _sending(sending) as tell:
            server.send(sending, tell)
    except KeyboardInterrupt:
        raise Interrupted(f"{file.path} was not sent to its end.", "The same command again goes on with it.") from None
    return f"upload:{sending.upload_id}"


class _Begun:
    """What has been begun to be sent to a server: one small file for each, in a folder of the home."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url

    def known(self, path: Path, name: str, fingerprint: str) -> Sending | None:
        """The upload of this very file, if one was begun."""
        try:
            noted = json.loads(self._note(path).read_text(encoding="utf-8"))
            if noted["fingerprint"] == fingerprint:
                return Sending(path, name, int(noted["bytes"]), str(noted["place"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # never begun, or a note that is of no use
        return None

    def note(self, sending: Sending, fingerprint: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        noted = {"place": sending.place, "bytes": sending.bytes, "fingerprint": fingerprint}
        self._note(sending.path).write_text(json.dumps(noted), encoding="utf-8")

    def forget(self, path: Path) -> None:
        with suppress(OSError):
            self._note(path).unlink()

    def _note(self, path: Path) -> Path:
        return self._folder / hashlib.blake2b(f"{self._url}\0{path}".encode(), digest_size=16).hexdigest()


@contextmanager
def _sending(sending: Sending) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, else a line every few seconds."""
    console = err()
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task(f"sending {sending.name}", total=sending.bytes)
        last = time.monotonic()

        def tell(sent: int) -> None:
            nonlocal last
            progress.update(bar, completed=sent)
            if progress.disable and time.monotonic() - last >= _LINE_SECONDS:
                last = time.monotonic()
                share = sent / sending.bytes if sending.bytes else 1
                err().print(f"sending {sending.name}: {share:.0%}", highlight=False, soft_wrap=True)

        yield tell
