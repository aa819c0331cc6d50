"""Every MUST of tus 1.0, core and extensions, looked at from outside."""

from __future__ import annotations

import email.utils
import os
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.tus.client import BODY_TYPE, Tus, b64, checksum
from tests.tus.conftest import Own

DATA = bytes(range(256)) * 40


def whole(tus: Tus, data: bytes = DATA, **headers: str) -> str:
    url = tus.create(len(data), **headers)
    assert tus.patch(url, 0, data).status_code == 204
    return url


# Core


def test_options_says_what_the_server_can_do_without_being_told_a_version(tus: Tus) -> None:
    answer = tus.ask("OPTIONS", Tus_Resumable="")
    assert answer.status_code in (200, 204)
    assert "1.0.0" in answer.headers["tus-version"].split(",")
    assert {"creation", "termination"} <= set(answer.headers["tus-extension"].split(","))


@pytest.mark.parametrize("version", ["", "0.2.2", "1.0.0, 1.0.0", "2"])
@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
def test_another_version_is_refused_and_nothing_is_done(tus: Tus, method: str, version: str) -> None:
    url = tus.create(len(DATA))
    headers = {"Content_Type": BODY_TYPE, "Upload_Offset": "0", "Upload_Length": "1"}
    answer = tus.ask(method, "" if method == "POST" else url, Tus_Resumable=version, **headers)
    assert answer.status_code == 412
    assert "1.0.0" in answer.headers["tus-version"]
    assert "location" not in answer.headers
    assert tus.offset(url) == 0


def test_head_says_how_far_it_is_and_is_not_kept(tus: Tus) -> None:
    url = tus.create(len(DATA))
    assert tus.patch(url, 0, DATA[:100]).headers["upload-offset"] == "100"
    answer = tus.head(url)
    assert (answer.status_code, answer.headers["upload-offset"]) == (200, "100")
    assert answer.headers["upload-length"] == str(len(DATA))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.content == b""


def test_pieces_in_order_make_the_file(tus: Tus, ours: Own | None) -> None:
    url = tus.create(len(DATA))
    for start in range(0, len(DATA), 1000):
        answer = tus.patch(url, start, DATA[start : start + 1000])
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(min(start + 1000, len(DATA)))
        assert answer.headers["tus-resumable"] == "1.0.0"
    if ours:
        assert ours.received(url).path.read_bytes() == DATA


@pytest.mark.parametrize("offset", [0, 99, 101, len(DATA), len(DATA) + 1])
def test_a_wrong_offset_is_a_conflict(tus: Tus, offset: int) -> None:
    url = tus.create(len(DATA))
    tus.patch(url, 0, DATA[:100])
    answer = tus.patch(url, offset, DATA[:50])
    assert answer.status_code == 409
    assert tus.offset(url) == 100


@pytest.mark.parametrize("offset", ["", "-1", "1e3", "0x0", "٣", "99999999999999999999"])
def test_an_offset_that_is_no_number_is_refused(tus: Tus, offset: str) -> None:
    url = tus.create(len(DATA))
    answer = tus.ask(
        "PATCH", url, b"x", Content_Type=BODY_TYPE, **({"Upload_Offset": offset.encode()} if offset else {})
    )
    assert answer.status_code == 400
    assert tus.offset(url) == 0


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "text/plain", BODY_TYPE + "x"])
def test_another_type_is_refused(tus: Tus, kind: str) -> None:
    url = tus.create(len(DATA))
    assert tus.patch(url, 0, DATA, Content_Type=kind).status_code == 415
    assert tus.offset(url) == 0


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["0" * 32, "nothing", "..%2f..%2fetc%2fpasswd", "%00", "é"])
def test_an_upload_that_is_not_there(tus: Tus, method: str, name: str) -> None:
    answer = tus.ask(
        method, f"{tus.url}/{name}", b"" if method == "PATCH" else None, Content_Type=BODY_TYPE, Upload_Offset="0"
    )
    assert answer.status_code == 404
    assert "upload-offset" not in answer.headers


def test_the_method_can_be_told_in_a_header(tus: Tus) -> None:
    url = tus.create(len(DATA))
    headers = {"X_HTTP_Method_Override": "PATCH", "Content_Type": BODY_TYPE, "Upload_Offset": "0"}
    assert tus.ask("POST", url, DATA, **headers).status_code == 204
    answer = tus.ask("POST", url, X_HTTP_Method_Override="HEAD")
    assert (answer.status_code, answer.headers["upload-offset"]) == (200, str(len(DATA)))
    assert tus.ask("POST", url, X_HTTP_Method_Override="DELETE").status_code == 204


# Creation


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload_Length": "-1"},
        {"Upload_Length": "ten"},
        {"Upload_Length": "1.5"},
        {"Upload_Length": "99999999999999999999"},
        {"Upload_Length": "5", "Upload_Defer_Length": "1"},
        {"Upload_Defer_Length": "2"},
        {"Upload_Defer_Length": "true"},
    ],
)
def test_a_length_that_is_missing_or_impossible(tus: Tus, headers: dict[str, str]) -> None:
    assert tus.ask("POST", **headers).status_code in (400, 413)


def test_more_than_the_server_takes(tus: Tus) -> None:
    most = tus.ask("OPTIONS").headers.get("tus-max-size")
    if most is None:
        pytest.skip("the server has no Tus-Max-Size")
    assert tus.ask("POST", Upload_Length=str(int(most) + 1)).status_code == 413


@pytest.mark.parametrize("metadata", ["", "empty", f"filename {b64(b'a.csv')}", f"a {b64(b'x')},b,c {b64(b'y')}"])
def test_metadata_comes_back(tus: Tus, metadata: str) -> None:
    url = tus.create(1, **({"Upload_Metadata": metadata} if metadata else {}))
    told = tus.head(url).headers.get("upload-metadata", "")
    assert [pair.strip() for pair in told.split(",")] == [pair.strip() for pair in metadata.split(",")]


@pytest.mark.parametrize("metadata", ["a !!!", "a YQ", "a YQ==,a YQ==", ",", "a YQ==,", "ä YQ==", "a YQ== YQ=="])
def test_metadata_that_cannot_be_read(tus: Tus, metadata: str) -> None:
    assert tus.ask("POST", Upload_Length="1", Upload_Metadata=metadata.encode()).status_code == 400


def test_zero_bytes_are_a_file(tus: Tus, ours: Own | None) -> None:
    url = tus.create(0)
    assert tus.offset(url) == 0
    assert tus.patch(url, 0, b"").status_code == 204
    if ours:
        assert ours.received(url).bytes == 0


def test_a_location_without_a_host_leads_to_the_upload(tus: Tus) -> None:
    answer = tus.ask("POST", Upload_Length="1")
    assert tus.head(str(httpx.URL(tus.url).join(answer.headers["location"]))).status_code == 200


# Creation with upload


def test_a_whole_file_in_one_request(tus: Tus, ours: Own | None) -> None:
    answer = tus.ask("POST", content=DATA, Upload_Length=str(len(DATA)), Content_Type=BODY_TYPE)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(DATA)))
    url = str(httpx.URL(tus.url).join(answer.headers["location"]))
    assert tus.offset(url) == len(DATA)
    if ours:
        assert ours.received(url).path.read_bytes() == DATA


def test_the_first_piece_in_the_first_request(tus: Tus) -> None:
    answer = tus.ask("POST", content=DATA[:10], Upload_Length=str(len(DATA)), Content_Type=BODY_TYPE)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "10")
    url = str(httpx.URL(tus.url).join(answer.headers["location"]))
    assert tus.patch(url, 10, DATA[10:]).headers["upload-offset"] == str(len(DATA))


@pytest.mark.parametrize("is_chunked", [False, True])
def test_more_in_the_first_request_than_was_announced(tus: Tus, ours: Own | None, is_chunked: bool) -> None:
    before = set(ours.path("/x").parent.iterdir()) if ours else set()
    content = iter([DATA, DATA]) if is_chunked else DATA + DATA
    answer = tus.ask("POST", content=content, Upload_Length=str(len(DATA)), Content_Type=BODY_TYPE)
    assert answer.status_code in (400, 413)
    assert "location" not in answer.headers
    if ours:
        assert set(ours.path("/x").parent.iterdir()) == before


# Deferred length


def test_a_length_that_is_told_later_is_told_once(tus: Tus, ours: Own | None) -> None:
    url = tus.create(None)
    assert tus.head(url).headers["upload-defer-length"] == "1"
    assert "upload-length" not in tus.head(url).headers
    assert tus.patch(url, 0, DATA[:10]).status_code == 204
    assert tus.patch(url, 10, DATA[10:20], Upload_Length=str(len(DATA))).status_code == 204
    answer = tus.head(url)
    assert answer.headers["upload-length"] == str(len(DATA))
    assert "upload-defer-length" not in answer.headers
    assert tus.patch(url, 20, DATA[20:30], Upload_Length="20000").status_code == 400
    assert tus.patch(url, 20, DATA[20:], Upload_Length=str(len(DATA))).status_code == 204
    if ours:
        assert ours.received(url).path.read_bytes() == DATA


def test_a_length_below_what_has_come_is_refused(tus: Tus) -> None:
    url = tus.create(None)
    assert tus.patch(url, 0, DATA[:10]).status_code == 204
    assert tus.patch(url, 10, b"", Upload_Length="5").status_code in (400, 413)
    assert tus.patch(url, 10, b"", Upload_Length="10").status_code == 204
    assert tus.head(url).headers["upload-length"] == "10"


# Checksum


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_pieces_with_the_right_checksum(tus: Tus, algorithm: str) -> None:
    known = tus.ask("OPTIONS").headers.get("tus-checksum-algorithm", "").split(",")
    if algorithm not in known:
        pytest.skip(f"the server has no {algorithm}")
    url = tus.create(len(DATA))
    assert tus.patch(url, 0, DATA[:100], Upload_Checksum=checksum(DATA[:100], algorithm)).status_code == 204
    assert tus.patch(url, 100, DATA[100:], Upload_Checksum=checksum(DATA[100:], algorithm)).status_code == 204
    assert tus.offset(url) == len(DATA)


def test_a_piece_with_a_wrong_checksum_is_not_kept(tus: Tus, ours: Own | None) -> None:
    tus.needs("checksum")
    url = tus.create(len(DATA))
    assert tus.patch(url, 0, DATA[:100]).status_code == 204
    assert tus.patch(url, 100, DATA[100:], Upload_Checksum=checksum(b"other")).status_code == 460
    assert tus.offset(url) == 100
    assert tus.patch(url, 100, DATA[100:]).status_code == 204
    if ours:
        assert ours.received(url).path.read_bytes() == DATA


@pytest.mark.parametrize("said", ["crc0 AAAA", "sha1", "sha1 !!", "sha1 AAAA", ""])
def test_a_checksum_that_cannot_be_checked(tus: Tus, said: str) -> None:
    tus.needs("checksum")
    url = tus.create(len(DATA))
    headers = {"Upload-Checksum": said, "Content-Type": BODY_TYPE, "Upload-Offset": "0", "Tus-Resumable": "1.0.0"}
    assert tus.http.patch(url, content=DATA, headers=headers).status_code == 400
    assert tus.offset(url) == 0


# Expiration and termination


def test_every_answer_says_until_when_it_is_kept(tus: Tus) -> None:
    tus.needs("expiration")
    answer = tus.ask("POST", Upload_Length=str(len(DATA)))
    url = str(httpx.URL(tus.url).join(answer.headers["location"]))
    for one in (answer, tus.patch(url, 0, DATA[:1]), tus.head(url)):
        until = email.utils.parsedate_to_datetime(one.headers["upload-expires"])
        assert one.headers["upload-expires"].endswith(" GMT")
        assert until.timestamp() > time.time()


@pytest.mark.parametrize("size", [0, 10, len(DATA)])
def test_an_upload_that_is_ended_is_gone(tus: Tus, ours: Own | None, size: int) -> None:
    url = tus.create(len(DATA))
    assert tus.patch(url, 0, DATA[:size]).status_code == 204
    assert tus.ask("DELETE", url).status_code == 204
    assert tus.head(url).status_code in (404, 410)
    assert tus.patch(url, size, DATA[size:]).status_code in (404, 410)
    assert tus.ask("DELETE", url).status_code in (404, 410)
    if ours:
        assert not ours.path(url).exists()


# What goes beyond


@pytest.mark.parametrize("is_chunked", [False, True])
def test_nothing_behind_the_end_is_written(tus: Tus, ours: Own | None, is_chunked: bool) -> None:
    url = tus.create(len(DATA))
    assert tus.patch(url, 0, DATA[:100]).status_code == 204
    content = _pieces(DATA) if is_chunked else DATA
    assert tus.patch(url, 100, content).status_code in (400, 413)
    assert tus.offset(url) == 100
    if ours:
        assert ours.path(url).stat().st_size == 100
    assert tus.patch(url, 100, DATA[100:]).status_code == 204
    assert tus.patch(url, len(DATA), b"x").status_code in (400, 403, 409, 413)
    assert tus.patch(url, len(DATA), iter([b"x"])).status_code in (400, 403, 409, 413)
    if ours:
        assert ours.received(url).path.read_bytes() == DATA


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def test_a_chunked_body_is_as_good_as_another(tus: Tus, ours: Own | None) -> None:
    url = tus.create(len(DATA))
    assert tus.patch(url, 0, _pieces(DATA)).status_code == 204
    if ours:
        assert ours.received(url).path.read_bytes() == DATA


def test_a_body_that_comes_byte_by_byte(tus: Tus, ours: Own | None) -> None:
    url = tus.create(300)
    with tus.raw(url, Upload_Offset="0", Content_Length="300") as raw:
        for byte in DATA[:300]:
            raw.send(bytes([byte]))
        assert raw.status() == 204
    if ours:
        assert ours.received(url).path.read_bytes() == DATA[:300]


# Of our server


def test_a_page_of_an_origin_that_may_uploads(tus: Tus, own_only: Own) -> None:
    origin = {"Origin": "https://else.org", "Sec_Fetch_Site": "cross-site"}
    asked = tus.ask("OPTIONS", Access_Control_Request_Method="PATCH", **origin)
    assert {"PATCH", "HEAD", "DELETE"} <= set(asked.headers["access-control-allow-methods"].split(", "))
    assert "upload-offset" in asked.headers["access-control-allow-headers"].lower()
    url = tus.create(1, **origin)
    answer = tus.patch(url, 0, b"x", **origin)
    assert answer.status_code == 204
    exposed = answer.headers["access-control-expose-headers"].lower()
    assert all(name in exposed for name in ("location", "upload-offset", "upload-length", "tus-resumable"))
    assert tus.ask("POST", Upload_Length="1", Origin="https://evil.org").status_code == 403


def test_a_name_is_only_shown(tus: Tus, own_only: Own) -> None:
    name = "../../\x1b[2J\u202egpj\n.exe"
    url = tus.create(0, Upload_Metadata=f"filename {b64(name.encode())}")
    found = own_only.received(url)
    assert found.name == "../../[2Jgpj.exe"
    assert found.path.name == url.rsplit("/", 1)[1]


def test_the_digest_of_a_whole_file_is_kept_for_the_import(tus: Tus, own_only: Own) -> None:
    digest = os.urandom(32).hex()
    url = tus.create(0, Upload_Metadata=f"sha256 {b64(digest.upper().encode())}")
    assert own_only.received(url).sha256 == digest
    assert tus.ask("POST", Upload_Length="0", Upload_Metadata=f"sha256 {b64(b'abc')}").status_code == 400


def test_an_answer_that_is_an_error_is_a_problem_with_a_name(tus: Tus, own_only: Own) -> None:
    answer = tus.head(f"{tus.url}/{'0' * 32}")
    assert answer.headers["tus-resumable"] == "1.0.0"
    answer = tus.ask("DELETE", f"{tus.url}/{'0' * 32}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code" if "code" in answer.json() else "type"].endswith("not_found")
