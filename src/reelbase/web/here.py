"""Links from a page to itself with another state: everything that narrows, orders or shows it is in its address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from reelbase.serving.query import Pairs

_PLACE = ("cursor", "page")


@dataclass(frozen=True, slots=True)
class Here:
    """An address: its path, and what its query says apart from the place in the list."""

    path: str
    given: Pairs

    @classmethod
    def at(cls, path: str, given: Pairs) -> Here:
        return cls(path, [(name, value) for name, value in given if name not in _PLACE])

    def url(self) -> str:
        """The address with this query."""
        return f"{self.path}?{urlencode(self.given)}" if self.given else self.path

    def to(self, path: str) -> Here:
        """The same query elsewhere."""
        return Here(path, self.given)

    def adding(self, name: str, value: object) -> Here:
        """With one more value of a parameter that may be repeated."""
        return Here(self.path, [*self.given, (name, str(value))])

    def having(self, **values: object) -> Here:
        """With these values in place of others; None takes a parameter away."""
        kept = [pair for pair in self.given if pair[0] not in values]
        put = [(name, str(value)) for name, value in values.items() if value is not None]
        return Here(self.path, [*kept, *put])

    def without(self, *names: str) -> Here:
        """Without these parameters."""
        return Here(self.path, [pair for pair in self.given if pair[0] not in names])

    def less(self, name: str, value: str) -> Here:
        """Without one value of a parameter that is repeated."""
        return Here(self.path, [pair for pair in self.given if pair != (name, value)])
