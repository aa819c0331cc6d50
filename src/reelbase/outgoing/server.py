"""Another Reelbase server, spoken to over HTTP: files are sent to it (tus 1.0) and imports asked for.

A file goes in parts, each with its checksum, so that a line that drops costs one part at most. Who is stopped in the
middle goes on where the server says it is.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urljoin, urlsplit

import orjson
import urllib3

from reelbase import __version__
from reelbase.errors import RemoteLost, RemoteRefusal, UsageError

T = TypeVar("T")

_API = "/api/v1"
_TUS = {"Tus-Resumable": "1.0.0"}
_BLOCK_BYTES = 1 << 20
# A part that breaks off is sent again as a whole (its checksum is that of all of it): parts grow while the line holds.
_FIRST_PART_BYTES = 4 << 20
_MOST_PART_BYTES = 64 << 20
_LEAST_PART_BYTES = 256 << 10
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 120.0
_LONGEST_PAUSE_SECONDS = 30.0
# So many times in a row without a byte more; with the pauses between them that is some four minutes.
_TRIES = 12
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Sending:
    """A file on its way: `place` is the upload's path on the server."""

    path: Path
    name: str
    bytes: int
    place: str

    @property
    def upload_id(self) -> str:
        """What `upload:ID` names it by."""
        return self.place.rstrip("/").rpartition("/")[2]


class RemoteServer:
    """A server by its URL, such as http://127.0.0.1:8000."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise UsageError(f"{url!r} is not the URL of a server.", "It looks like http://127.0.0.1:8000.")
        self.url = url.rstrip("/")
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS)
        self._pool = urllib3.PoolManager(
            headers={"User-Agent": f"reelbase/{__version__}"}, retries=False, timeout=timeout, maxsize=1
        )

    def close(self) -> None:
        self._pool.clear()

    def check(self) -> None:
        """Raise RemoteLost or RemoteRefusal at once where no server is: later on, one that is away is waited for."""
        self._json("GET", "/livez")

    # Imports

    def request_import(self, sources: Sequence[str], **asked: str | None) -> dict[str, Any]:
        """Ask for an import; returns it. A repeated request, after an answer that was lost, makes no second one."""
        body = {"sources": list(sources), **{name: value for name, value in asked.items() if value is not None}}
        key = secrets.token_hex(16)
        return self._persistently(lambda: self._json("POST", f"{_API}/imports", body, {"Idempotency-Key": key}))

    def show_import(self, import_id: int) -> dict[str, Any]:
        """An import as it is now."""
        return self._persistently(lambda: self._json("GET", f"{_API}/imports/{import_id}"))

    # Files

    def begin(self, path: Path, name: str) -> Sending:
        """Announce a file."""
        size = path.stat().st_size
        headers = {**_TUS, "Upload-Length": str(size), "Upload-Metadata": f"filename {_base64(name.encode())}"}
        answer = self._persistently(lambda: self._call("POST", f"{_API}/uploads", b"", headers))
        # A server may answer with its whole URL; where it is reached from here is known better here.
        place = urlsplit(urljoin(f"{self.url}{_API}/uploads", answer.headers["location"])).path
        return Sending(path, name, size, place.removeprefix(urlsplit(self.url).path.rstrip("/")))

    def is_there(self, sending: Sending) -> bool:
        """Whether the server still knows an upload that was begun earlier."""
        try:
            return self._persistently(lambda: self._length(sending.place)) == sending.bytes
        except RemoteRefusal as error:
            if error.status in _GONE:
                return False
            raise

    def send(self, sending: Sending, tell: Callable[[int], None]) -> None:
        """Send what the server does not have yet; `tell` hears how many bytes it has."""
        with sending.path.open("rb") as file:
            tries, part = 0, _FIRST_PART_BYTES
            offset = self._persistently(lambda: self._offset(sending.place))
            while offset < sending.bytes:
                tell(offset)
                before = offset
                try:
                    offset = self._send_part(file, sending, offset, min(part, sending.bytes - offset))
                except (RemoteLost, RemoteRefusal) as error:
                    if not (error.again or _is_elsewhere(error)):
                        raise
                    part = max(part // 4, _LEAST_PART_BYTES)
                    tries += 1
                    _pause(tries, error)
                    offset = self._persistently(lambda: self._offset(sending.place))
                else:
                    part = min(part * 2, _MOST_PART_BYTES)
                if offset > before:
                    tries = 0
        tell(offset)

    def _send_part(self, file: BinaryIO, sending: Sending, offset: int, size: int) -> int:
        headers = {
            **_TUS,
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(size),
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {_base64(_digest(file, offset, size))}",
        }
        answer = self._call("PATCH", sending.place, _blocks(file, offset, size), headers)
        return int(answer.headers["upload-offset"])

    def _offset(self, place: str) -> int:
        return int(self._call("HEAD", place, None, _TUS).headers["upload-offset"])

    def _length(self, place: str) -> int:
        return int(self._call("HEAD", place, None, _TUS).headers.get("upload-length", -1))

    # HTTP

    def _persistently(self, ask: Callable[[], T]) -> T:
        """Ask again while that may help."""
        tries = 0
        while True:
            try:
                return ask()
            except (RemoteLost, RemoteRefusal) as error:
                if not error.again:
                    raise
                tries += 1
                _pause(tries, error)

    def _json(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        sent = None if body is None else orjson.dumps(body)
        answer = self._call(method, path, sent, {"Content-Type": "application/json", **(headers or {})})
        try:
            found = orjson.loads(answer.data)
        except ValueError as error:
            raise self._no_reelbase() from error
        if not isinstance(found, dict):
            raise self._no_reelbase()
        return found

    def _no_reelbase(self) -> RemoteRefusal:
        return RemoteRefusal(f"What answers at {self.url} is no Reelbase server.", "Check the address.")

    def _call(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        try:
            answer = self._pool.request(method, f"{self.url}{path}", body=body, headers=dict(headers), redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise RemoteLost(f"{self.url} does not answer ({_reason(error)}).", "Is the server up?") from error
        if answer.status >= 300:
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: urllib3.BaseHTTPResponse) -> RemoteRefusal:
        """What the server's problem says (RFC 9457)."""
        try:
            problem = orjson.loads(answer.data)
            detail, remedy = str(problem["detail"]), str(problem.get("remedy", ""))
            code = str(problem.get("type", "")).rpartition(":")[2]
        except (ValueError, TypeError, KeyError):
            detail, remedy, code = f"The server answered {answer.status}.", "", ""
        return RemoteRefusal(f"{self.url}: {detail}", remedy, status=answer.status, code=code)


def _is_elsewhere(error: RemoteLost | RemoteRefusal) -> bool:
    """Whether the server has another offset than we thought: part of what broke off had arrived."""
    return isinstance(error, RemoteRefusal) and error.status == 409


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _digest(file: BinaryIO, offset: int, size: int) -> bytes:
    digest = hashlib.sha256()
    for block in _blocks(file, offset, size):
        digest.update(block)
    return digest.digest()


def _blocks(file: BinaryIO, offset: int, size: int) -> Iterator[bytes]:
    file.seek(offset)
    while size and (block := file.read(min(_BLOCK_BYTES, size))):
        size -= len(block)
        yield block
    if size:
        raise RemoteRefusal(f"{file.name} has become shorter while it was sent.", "Import it again.")


def _pause(tries: int, error: RemoteLost | RemoteRefusal) -> None:
    """Wait longer each time; raises the error when it has been often enough."""
    if tries >= _TRIES:
        raise error
    time.sleep(min(0.2 * 2.0**tries, _LONGEST_PAUSE_SECONDS))


def _reason(error: Exception) -> str:
    """The last part of what urllib3 says, which is for people."""
    return str(error).rpartition(": ")[2] or type(error).__name__
