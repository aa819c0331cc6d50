"""Where we may go: nobody sends us into a private network, by whatever spelling, name or redirect."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelbase.errors import ConnectionDropped, DownloadFailed, SourceNotAllowed
from reelbase.outgoing.client import Client, Patience
from reelbase.outgoing.guard import Allowed, addresses, checked_url, is_public, shown_url
from tests.publisher import Fault, Publisher, publisher

ANY = Allowed()
PRIVATE = Allowed(private=True)
PUBLISHERS = Allowed(hosts=("datasets.imdbws.com", "files.grouplens.org"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a",
        "gopher://example.org/a",
        "//example.org/a",
        "http://example.org/a",
        "https://",
        "https:///a",
        "https://user@example.org/a",
        "https://user:secret@example.org/a",
        "https://datasets.imdbws.com@evil.example/a",
        "https://example.org:22/a",
        "https://example.org:8443/a",
        "https://example.org:99999/a",
        "https://example.org:port/a",
        "https://example.org\\@127.0.0.1/a",
        "https://exam ple.org/a",
        "https://example.org/a\r\nHost: evil.example",
        "https://[::1/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/a",
        "https://example.org/" + "a" * 9000,
    ],
)
def test_a_url_that_may_not_be_asked_for(url: str) -> None:
    with pytest.raises(SourceNotAllowed) as caught:
        checked_url(url, ANY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host", "asked"),
    [
        ("https://example.org", "example.org", "https://example.org/"),
        ("https://EXAMPLE.org./a?b=c#d", "example.org", "https://example.org/a?b=c"),
        ("https://example.org:443/a", "example.org", "https://example.org/a"),
        ("https://example.org:80/a", "example.org", "https://example.org:80/a"),
        (
            "https://bücher.example/é ü".replace(" ", ""),
            "xn--bcher-kva.example",
            "https://xn--bcher-kva.example/%C3%A9%C3%BC",
        ),
        ("https://[2606:4700::1111]/a%20b", "2606:4700::1111", "https://[2606:4700::1111]/a%20b"),
    ],
)
def test_a_url_that_may(url: str, host: str, asked: str) -> None:
    place = checked_url(url, ANY)
    assert (place.host, place.url) == (host, asked)


def test_only_the_hosts_that_are_allowed() -> None:
    assert checked_url("https://Datasets.IMDbws.com/a", PUBLISHERS).host == "datasets.imdbws.com"
    for url in ("https://evil.example/a", "https://datasets.imdbws.com.evil.example/a", "https://imdbws.com/a"):
        with pytest.raises(SourceNotAllowed, match="REELBASE_DOWNLOAD_HOSTS"):
            checked_url(url, PUBLISHERS)
    with_port = Allowed(hosts=("127.0.0.1:8001",), private=True)
    assert checked_url("http://127.0.0.1:8001/a", with_port).port == 8001
    with pytest.raises(SourceNotAllowed):
        checked_url("http://127.0.0.1:8002/a", with_port)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "0.0.0.0",
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *("169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1"),
        *("2002:7f00:1::", "2002:a9fe:a9fe::", "2002:c0a8:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "52.84.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_one_private_address_among_others_is_enough() -> None:
    place = checked_url("https://example.org/a", ANY)
    assert addresses(place, ANY, lambda host, port: ["1.1.1.1"]) == ["1.1.1.1"]
    for answers in (["1.1.1.1", "10.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%eth0"], ["169.254.169.254"]):
        with pytest.raises(SourceNotAllowed, match="no public address"):
            addresses(place, ANY, lambda host, port, answers=answers: answers)  # type: ignore[misc]
    assert addresses(place, PRIVATE, lambda host, port: ["10.0.0.1"]) == ["10.0.0.1"]


def test_a_host_that_is_not_found_is_said() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(DownloadFailed, match=r"nowhere\.example"):
        addresses(checked_url("https://nowhere.example/a", ANY), ANY, nobody)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_spellings_of_loopback_are_seen_through(host: str) -> None:
    with pytest.raises((SourceNotAllowed, DownloadFailed)), Client().ask("GET", f"https://{host}/a", ANY):
        pytest.fail("it was asked")


# The client


@pytest.fixture
def server() -> Iterator[Publisher]:
    with publisher() as made:
        yield made


def body(client: Client, url: str, allowed: Allowed = PRIVATE) -> bytes:
    with client.ask("GET", url, allowed) as answer:
        assert answer.status == 200
        return b"".join(answer.blocks())


def test_it_connects_to_the_address_that_was_checked(server: Publisher) -> None:
    """A name server that changes its mind is not asked a second time."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    server.put("a", b"data")
    assert body(Client(resolve=rebinding), f"http://files.example:{server.port}/a") == b"data"
    assert asked == ["files.example"]
    assert server.asked[0].headers["host"] == f"files.example:{server.port}"


def test_a_name_that_leads_to_loopback_is_refused_without_a_connection(server: Publisher) -> None:
    client = Client(resolve=lambda host, port: ["127.0.0.1"])
    with pytest.raises(SourceNotAllowed, match="no public address"):
        body(client, "https://files.example/a", ANY)
    assert not server.asked


def test_redirects_are_followed_as_far_as_they_are_allowed(server: Publisher) -> None:
    server.put("a", b"data")
    server.fault("old", *[Fault(status=302, headers={"Location": "/a"})] * 9)
    server.fault("older", *[Fault(status=308, headers={"Location": f"{server.url}old"})] * 9)
    assert body(Client(), f"{server.url}older") == b"data"
    server.fault("round", *[Fault(status=302, headers={"Location": "/round"})] * 9)
    with pytest.raises(DownloadFailed, match="redirects"):
        body(Client(), f"{server.url}round")
    assert len(server.gets("round")) == 6


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{port}/a",
        "http://127.0.0.2:{port}/a",
        "file:///etc/passwd",
        "http://user@127.0.0.1:{port}/a",
        "//evil.example/a",
        "https://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_redirect_to_somewhere_else_is_not(server: Publisher, target: str) -> None:
    server.put("a", b"data")
    server.fault("old", Fault(status=302, headers={"Location": target.format(port=server.port)}))
    only = Allowed(hosts=("127.0.0.1",), private=True)
    with pytest.raises(SourceNotAllowed):
        body(Client(), f"{server.url}old", only)
    assert [asked.path for asked in server.asked] == ["/old"]


def test_proxies_of_the_environment_are_not_used(server: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.put("a", b"data")
    assert body(Client(), f"{server.url}a") == b"data"


def test_nobody_there_is_said_with_the_host() -> None:
    with publisher() as gone:
        url = f"{gone.url}a"
    with pytest.raises(ConnectionDropped, match=r"127\.0\.0\.1 cannot be reached"):
        body(Client(), url)


def test_an_answer_that_does_not_begin_is_given_up(server: Publisher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        with pytest.raises(ConnectionDropped):
            body(Client(Patience(answer_seconds=0.3)), url)


def test_what_is_shown_of_a_url_holds_no_secret() -> None:
    assert shown_url("https://user:word@example.org/a/b?token=x#y") == "https://example.org/a/b"


# TLS

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A server with a certificate for files.example, which this process trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=files.example"),
            *("-addext", "subjectAltName=DNS:files.example"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with publisher(context) as made:
        yield made


@needs_openssl
def test_the_certificate_is_that_of_the_name_in_the_url(secure: Publisher) -> None:
    secure.put("a", b"data")
    client = Client(resolve=lambda host, port: ["127.0.0.1"])
    assert body(client, f"https://files.example:{secure.port}/a") == b"data"
    with pytest.raises(DownloadFailed, match=r"certificate of other\.example cannot be trusted"):
        body(client, f"https://other.example:{secure.port}/a")


@needs_openssl
def test_a_certificate_that_nobody_vouches_for_is_refused(secure: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    client = Client(resolve=lambda host, port: ["127.0.0.1"])
    with pytest.raises(DownloadFailed, match="certificate"):
        body(client, f"https://files.example:{secure.port}/a")
    assert not secure.asked
