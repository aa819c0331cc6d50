"""--max-rejects: a number or a share, and no file is given up that could still come right."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbase.errors import UsageError
from reelbase.imports.limits import RejectLimit, reject_limit

LIMITS = st.integers(0, 10**6).map(lambda n: RejectLimit(count=n)) | st.decimals(0, 100, places=2).map(
    lambda share: RejectLimit(percent=share)
)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("0", RejectLimit(count=0)),
        (" 100 ", RejectLimit(count=100)),
        ("1%", RejectLimit(percent=Decimal(1))),
        ("0.05 %", RejectLimit(percent=Decimal("0.05"))),
        ("100%", RejectLimit(percent=Decimal(100))),
    ],
)
def test_a_number_and_a_share_are_read(text: str, limit: RejectLimit) -> None:
    assert reject_limit(text) == limit


@pytest.mark.parametrize("text", ["", "%", "-1", "-1%", "101%", "nan%", "inf%", "1.5", "many", "1%%", "1 000"])
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(UsageError, match=r"--max-rejects is .* a number such as 100, or a share such as 1%") as caught:
        reject_limit(text)
    assert repr(text) in str(caught.value)


@given(st.text())
def test_any_text_is_a_limit_or_wrong_usage(text: str) -> None:
    try:
        limit = reject_limit(text)
    except UsageError:
        return
    assert limit.allows(read=10, rejected=0)


@pytest.mark.parametrize(
    ("limit", "read", "rejected", "allowed"),
    [
        ("0", 10, 0, True),
        ("0", 10, 1, False),
        ("3", 3, 3, True),
        ("3", 10**9, 4, False),
        ("1%", 100, 1, True),
        ("1%", 99, 1, False),
        ("1%", 0, 0, True),
        ("0%", 10**9, 1, False),
        ("100%", 5, 5, True),
    ],
)
def test_the_bound_itself_is_allowed(limit: str, read: int, rejected: int, allowed: bool) -> None:
    assert reject_limit(limit).allows(read=read, rejected=rejected) is allowed


@given(LIMITS, st.integers(0, 10**7), st.integers(0, 10**7), st.floats(1e-12, 1) | st.just(0.0))
def test_a_hopeless_file_is_over_its_limit_now_and_would_be_if_the_rest_were_good(
    limit: RejectLimit, good: int, rejected: int, share: float
) -> None:
    read = good + rejected
    if limit.is_hopeless(read=read, rejected=rejected, share_read=share):
        assert not limit.allows(read=read, rejected=rejected)
        assert not limit.allows(read=int(read / share), rejected=rejected)


def test_a_file_is_not_given_up_for_a_bad_beginning() -> None:
    limit = reject_limit("1%")
    assert not limit.is_hopeless(read=9_999, rejected=9_999, share_read=0.5)
    assert not limit.is_hopeless(read=20_000, rejected=20_000, share_read=0.001)
    assert not limit.is_hopeless(read=20_000, rejected=20_000, share_read=0)
    assert limit.is_hopeless(read=20_000, rejected=20_000, share_read=0.5)
    assert reject_limit("5").is_hopeless(read=10**6, rejected=10_000, share_read=0.001)
