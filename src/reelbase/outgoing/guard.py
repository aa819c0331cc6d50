"""Where we may go: URLs and addresses are checked before the first byte, lest somebody send us into a private network.

A name is resolved once, and whoever connects does so to the addresses that were checked: a name server that answers
otherwise the second time (DNS rebinding) is not asked a second time.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from reelbase.errors import DownloadFailed, SourceNotAllowed

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], list[str]]

_PORTS = {"https": 443, "http": 80}
_LONGEST_URL = 8192
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_FORBIDDEN_V6 = (
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # NAT64 of somebody's own network
    ipaddress.IPv6Network("fec0::/10"),  # site-local, as it was once
)
_LOW_HALF = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be reached: these hosts (None: any), each perhaps with a port; `private` also http and any address."""

    hosts: tuple[str, ...] | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A URL that was found harmless as far as it can be without asking a name server."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The URL as it is asked for."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def checked_url(url: str, allowed: Allowed) -> Place:
    """The parts of a URL; raises SourceNotAllowed for one that may not be asked for."""
    if len(url) > _LONGEST_URL or re.search(r"[\x00-\x20\x7f\\]", url):
        raise SourceNotAllowed("A URL has no spaces, backslashes or control characters in it, and is not endless.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _host(parts.hostname or "")
    except ValueError as error:
        raise SourceNotAllowed(f"{shown_url(url)} is not a URL that can be asked for.") from error
    if parts.scheme not in ("https", "http"):
        raise SourceNotAllowed(f"A URL that begins with {parts.scheme}: cannot be asked for.", "Give an https:// one.")
    if "@" in parts.netloc:
        # What stands before it may be a password: it is not repeated.
        raise SourceNotAllowed("A URL may have no user name or password in it.", "Leave out what stands before the @.")
    if not host:
        raise SourceNotAllowed(f"{shown_url(url)} names no host.")
    place = Place(parts.scheme, host, port or _PORTS[parts.scheme], _path(parts.path, parts.query))
    if not _is_host_allowed(place, allowed):
        raise SourceNotAllowed(
            f"Downloads from {place.host} are not allowed here.", "REELBASE_DOWNLOAD_HOSTS names the hosts that are."
        )
    if allowed.private:
        return place
    if place.scheme != "https":
        raise SourceNotAllowed(f"{shown_url(url)} is not encrypted.", "Give an https:// URL.")
    if place.port not in _PORTS.values():
        raise SourceNotAllowed(f"{shown_url(url)} names port {place.port}.", "Only ports 443 and 80 are asked.")
    literal = _literal(place.host)
    if literal is not None:
        _check_public(place.host, [literal])
    return place


def addresses(place: Place, allowed: Allowed, resolve: Resolve) -> list[str]:
    """The addresses to connect to, asked for once; raises SourceNotAllowed when one of them is not public."""
    try:
        found = resolve(place.host, place.port)
    except (OSError, UnicodeError) as error:
        raise DownloadFailed(
            f"The host {place.host} cannot be found.", "Look at its name, and at the network."
        ) from error
    if not found:
        raise DownloadFailed(f"The host {place.host} has no address.")
    if not allowed.private:
        _check_public(place.host, [ipaddress.ip_address(address.partition("%")[0]) for address in found])
    return found


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as this machine's resolver has them."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def is_public(address: Address) -> bool:
    """Whether an address is out on the internet, also one that stands for another in it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(inner)
        if any(address in network for network in _FORBIDDEN_V6):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def shown_url(url: str) -> str:
    """A URL as it may be shown and logged: without user, password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "The URL"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"[:500]


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to an IPv6 address end up at: mapped, 6to4, NAT64, or compatible."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or int(address) <= _LOW_HALF:
        return ipaddress.IPv4Address(int(address) & _LOW_HALF)
    return None


def _check_public(host: str, found: Iterable[Address]) -> None:
    for address in found:
        if not is_public(address):
            raise SourceNotAllowed(
                f"{host} is at {address}, which is no public address.",
                "REELBASE_ALLOW_PRIVATE_DOWNLOADS allows such ones.",
            )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _host(host: str) -> str:
    """A host's name in small ASCII letters, without the dot at its end."""
    if _literal(host) is not None:
        return host
    name = host.encode("idna").decode("ascii").lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9._-]*", name):
        raise ValueError(host)
    return name


def _path(path: str, query: str) -> str:
    # What is not ASCII is spelled in percent signs; what is spelled already stays.
    safe = quote(path or "/", safe="/%:@!$&'()*+,;=~")
    return f"{safe}?{quote(query, safe='/%:@!$&()*+,;=~?')}" if query else safe


def _is_host_allowed(place: Place, allowed: Allowed) -> bool:
    if allowed.hosts is None:
        return True
    names = {place.host, f"{place.host}:{place.port}", f"[{place.host}]", f"[{place.host}]:{place.port}"}
    return any(host.lower().rstrip(".") in names for host in allowed.hosts)
