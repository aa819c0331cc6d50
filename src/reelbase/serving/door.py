"""What every request passes first and every answer last: one small ASGI layer.

Who may come in (Host, Origin, how often), what the request is called in logs, what is written of it, and that whatever
goes wrong inside is a problem with that name.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reelbase.serving.answers import Answer
from reelbase.serving.limits import Limiter
from reelbase.serving.lines import GoneAway
from reelbase.serving.metrics import Metrics
from reelbase.serving.problems import Problem, problem_of

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LONGEST_PATH = 2048
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CSP = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: list[tuple[bytes, bytes]] = [
    (b"content-security-policy", _CSP),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]



@dataclass(frozen=True, slots=True)
class Leave:
    """What pages of the origins may do below a path (CORS): methods and headers to send, headers to read."""

    path: str
    methods: str
    headers: str
    exposed: str


_READING = Leave("/", "GET, HEAD", "if-none-match, authorization, x-request-id", "link, etag, x-request-id")


@dataclass(frozen=True, slots=True)
class Rules:
    """Who is let in: further names of this host, and the origins whose pages may read (CORS).

    `leaves` says where they may do more than that.
    """

    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    leaves: tuple[Leave, ...] = ()

    def leave(self, path: str) -> Leave:
        """What holds for a path."""
        return next((one for one in self.leaves if path == one.path or path.startswith(f"{one.path}/")), _READING)


Explain = Callable[[Scope, Problem, str], Answer | None]
"""Says a problem in another way than as JSON, given the request and its id; None: as JSON."""


class Door:
    """The layer around the application."""

    def __init__(
        self, app: ASGIApp, rules: Rules, limiter: Limiter | None, metrics: Metrics, explain: Explain | None = None
    ) -> None:
        self._app = app
        self._otherwise = explain
        self._rules = rules
        self._limiter = limiter
        self._metrics = metrics
        self._names = {"localhost", *(host.lower() for host in rules.hosts)}
        self._known_hosts: dict[bytes, bool] = {}
        self._log = structlog.get_logger("reelbase.api").bind()  # once: a request need not look for its processors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, send, self._cors(scope))
        scope = visit.inner(scope)
        try:
            self._check(scope, visit)
            if visit.asks_leave and scope["method"] == "OPTIONS":
                await Answer(204, b"", _granted(self._rules.leave(scope["path"])))(scope, receive, visit.send)
            else:
                await self._app(scope, receive, visit.send)
        except GoneAway:
            visit.status = 499
        except Exception as error:  # noqa: BLE001  # the last place where it can become an answer
            await self._explain(error, visit, scope, receive)
        finally:
            self._tell(visit, scope)

    # Who may come in

    def _check(self, scope: Scope, visit: _Visit) -> None:
        if len(scope["raw_path"]) > _LONGEST_PATH:
            raise Problem(414, "too_long", f"A path is at most {_LONGEST_PATH} bytes long.")
        host, origin, site = visit.host, visit.origin, visit.site
        if not self._is_ours(host):
            raise Problem(
                421, "wrong_host", "This server is not known by the name in the Host header.",
                remedy="REELBASE_ALLOWED_HOSTS names further hosts.",
            )  # fmt: skip
        may_write = visit.asks_leave and self._rules.leave(scope["path"]) is not _READING
        if scope["method"] in _UNSAFE and not may_write and _is_from_elsewhere(host, origin, site):
            raise Problem(403, "cross_site", "A page of another site cannot change anything here.")
        if self._limiter is not None:
            visit.extra += self._limiter.admit(scope)

    def _is_ours(self, host: bytes) -> bool:
        known = self._known_hosts.get(host)
        if known is None:
            known = self._names_us(host)
            if len(self._known_hosts) < 1000:
                self._known_hosts[host] = known
        return known

    def _names_us(self, host: bytes) -> bool:
        """An address is nobody's to point elsewhere; a name must be known (DNS rebinding)."""
        try:
            name = urlsplit(f"//{host.decode('ascii')}").hostname or ""
            port = urlsplit(f"//{host.decode('ascii')}").port
        except (ValueError, UnicodeDecodeError):
            return False
        if not re.fullmatch(rb"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", host) or port == 0:
            return False
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _cors(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        if not self._rules.origins:
            return []
        for name, value in scope["headers"]:
            if name == b"origin" and value.decode("latin-1") in self._rules.origins:
                return [
                    (b"access-control-allow-origin", value),
                    (b"access-control-expose-headers", self._rules.leave(scope["path"]).exposed.encode()),
                    (b"vary", b"origin"),
                ]
        return []

    # What went wrong

    async def _explain(self, error: Exception, visit: _Visit, scope: Scope, receive: Receive) -> None:
        problem = problem_of(error)
        if problem is None and isinstance(error, HTTPException):
            headers = {name.lower(): value for name, value in (error.headers or {}).items()}
            problem = Problem(error.status_code, f"http_{error.status_code}", str(error.detail), headers=headers)
        if problem is None or problem.status >= 500:
            self._log.error("request failed", request_id=visit.id, exc_info=error)
        if visit.has_begun:
            raise error  # the connection breaks off: half an answer must not look like a whole one
        problem = problem or Problem(500, "internal", "Something went wrong here; the log has the request's id.")
        said = self._otherwise(scope, problem, visit.id) if self._otherwise else None
        answer = said or problem.answer(scope["path"][:_LONGEST_PATH], visit.id)
        await answer(scope, receive, visit.send)

    # What is written of it

    def _tell(self, visit: _Visit, scope: Scope) -> None:
        seconds = time.perf_counter() - visit.began
        route = getattr(scope.get("route"), "path", None) or scope.get("reelbase.route") or "none"
        self._metrics.observe(route, visit.method, visit.status, seconds, visit.sent)
        client = scope.get("client")
        self._log.info(
            "request",
            request_id=visit.id,
            method=visit.method,
            # Percent-encoded again: nothing in it can look like another line or another field.
            path=quote(scope["path"][:_LONGEST_PATH], safe="/:@!$&'()*+,;=~"),
            status=visit.status,
            ms=round(seconds * 1000, 2),
            bytes=visit.sent,
            client=client[0] if client else None,
        )


class _Visit:
    """One request on its way through: its id, and what is sent back."""

    __slots__ = (
        "_cors", "_is_head", "_send", "asks_leave", "began", "extra", "has_begun", "host", "id", "method", "origin",
        "sent", "site", "status",
    )  # fmt: skip

    def __init__(self, scope: Scope, send: Send, cors: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._cors = cors
        self.began = time.perf_counter()
        self.method: str = scope["method"] if scope["method"].isalpha() else "OTHER"
        self.status = 500
        self.sent = 0
        self.has_begun = False
        self.extra: list[tuple[bytes, bytes]] = []
        self.host = self.origin = self.site = given = b""
        for name, value in scope["headers"]:
            if name == b"host":
                self.host = value
            elif name == b"origin":
                self.origin = value
            elif name == b"sec-fetch-site":
                self.site = value
            elif name == b"x-request-id":
                given = value
        self.id = _request_id(given)
        self.asks_leave = bool(cors)
        self._is_head = scope["method"] == "HEAD"

    def inner(self, scope: Scope) -> Scope:
        """Every GET can be a HEAD: the same headers, no body. The server's own scope still says what was asked."""
        return {**scope, "method": "GET", "reelbase.is_head": True} if self._is_head else scope

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self.status = message["status"]
            headers: list[tuple[bytes, bytes]] = message["headers"]
            own = [*_HEADERS, (b"x-request-id", self.id.encode()), *self._cors, *self.extra]
            message = {**message, "headers": [*headers, *own]}
        elif message["type"] == "http.response.body":
            if self._is_head:
                message = {**message, "body": b""}
            self.sent += len(message.get("body", b""))
        await self._send(message)


def _request_id(given: bytes) -> str:
    """The caller's own, where it is one that can be trusted in a log."""
    text = given.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else secrets.token_hex(8)


def _granted(leave: Leave) -> list[tuple[bytes, bytes]]:
    """What a page is told that asks first."""
    return [
        (b"access-control-allow-methods", leave.methods.encode()),
        (b"access-control-allow-headers", leave.headers.encode()),
        (b"access-control-max-age", b"600"),
    ]


def _is_from_elsewhere(host: bytes, origin: bytes, site: bytes) -> bool:
    """A browser says where a request comes from; who is no browser says nothing."""
    if site:
        return site not in (b"same-origin", b"none")
    return bool(origin) and urlsplit(origin).netloc != host
