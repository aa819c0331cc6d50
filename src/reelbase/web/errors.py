"""Problems as pages, for whoever came by a browser: what happened, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

from reelbase.serving.answers import Answer, found
from reelbase.serving.problems import Problem
from reelbase.web.pages import pages

# What programs ask has its problems as JSON, whoever asks.
_OF_PROGRAMS = ("/api/", "/openapi.json", "/docs", "/livez", "/readyz", "/metrics", "/uploads")


@dataclass(frozen=True, slots=True)
class Words:
    """What a status is called on a page, and what helps where the problem itself does not say."""

    title: str
    help: str


_WORDS = {
    400: Words("That address leads nowhere", "Begin at the catalog."),
    403: Words("That is not allowed", "Open the page here and try again from it."),
    404: Words("There is nothing here", "Check the address, or search the catalog."),
    405: Words("That cannot be done here", "Open the page again and use its own buttons."),
    409: Words("That does not go together", "Open the page again to see how things are now."),
    410: Words("That list has changed", "The catalog has been published anew since. Begin at its first page."),
    413: Words("That was too much", "Send less at once."),
    414: Words("That address is too long", "Take some of the filters away."),
    421: Words("This server goes by another name", "Open it by the address that it printed when it began."),
    422: Words("That cannot be understood", "Correct the address, or begin at the catalog."),
    429: Words("That was too quick", "Wait a moment, then load the page again."),
    503: Words("Not at the moment", "Wait a moment, then load the page again."),
}
_OTHERWISE = Words("Something went wrong here", "The server's log tells more, under the number of this request.")


def explain(scope: Scope, problem: Problem, request_id: str) -> Answer | None:
    """The problem as a page; None where it is to be JSON."""
    if scope["path"].startswith(_OF_PROGRAMS) or not _takes_pages(scope):
        return None
    words = _WORDS.get(problem.status, _OTHERWISE)
    values = {
        "status": problem.status,
        "heading": words.title,
        "detail": problem.detail,
        "faults": [fault.shown() for fault in problem.faults] if len(problem.faults) > 1 else [],
        "help": problem.remedy or words.help,
        "request_id": request_id,
    }
    body = pages().body(scope, "error.html", values)
    body.headers = tuple((name.encode(), value.encode("latin-1", "replace")) for name, value in problem.headers.items())
    return found(scope, body, None, status=problem.status)


def _takes_pages(scope: Scope) -> bool:
    """A browser says so; a program that does not gets the problem as JSON."""
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
