"""Values as people read them: filters of the templates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

import orjson

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def number(value: float | None, digits: int = 0) -> str:
    """12345 → 12,345; nothing for None."""
    return "" if value is None else f"{value:,.{digits}f}"


def short_number(value: int | None) -> str:
    """12345 → 12k, 1234567 → 1.2M; nothing for None."""
    if value is None:
        return ""
    for limit, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if value >= limit:
            shown = value / limit
            return f"{shown:.1f}{unit}" if shown < 10 and round(shown, 1) % 1 else f"{shown:.0f}{unit}"
    return str(value)


def of(value: int, one: str, many: str | None = None) -> str:
    """1 movie, 1,234 movies."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def minutes(value: int | None) -> str:
    """134 → 2 h 14 min; nothing for None."""
    if value is None:
        return ""
    hours, rest = divmod(value, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )


def size(value: float | None) -> str:
    """1234567 → 1.2 MB, in units of a thousand; nothing for None."""
    if value is None:
        return ""
    shown, unit = float(value), 0
    while shown >= 999.5 and unit < len(_UNITS) - 1:
        shown, unit = shown / 1000, unit + 1
    return f"{_rounded(shown, 1 if unit and shown < 10 else 0)} {_UNITS[unit]}"


def _rounded(value: float, digits: int) -> Decimal:
    """A tie goes up, as in the browser (console-words.js): Python would go to the even digit."""
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def seconds(value: float | None) -> str:
    """3.25 → 3.3 s, 75 → 1 min 15 s, 7260 → 2 h 1 min; nothing for None."""
    if value is None:
        return ""
    if value < 10:
        return f"{_rounded(value, 1)} s"
    whole = int(_rounded(value, 0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return minutes(whole // 60)


def moment(value: datetime | str | None) -> str:
    """2026-11-21 14:05 UTC; nothing for None."""
    if value is None:
        return ""
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def iso(value: datetime | str | None) -> str:
    """For the datetime attribute of a <time>."""
    if value is None:
        return ""
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return when.astimezone(UTC).isoformat(timespec="seconds")


def day(value: date | str | None) -> str:
    """12 May 1995; nothing for None."""
    if value is None:
        return ""
    when = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{when.day} {when:%B} {when.year}"


def strings(text: str | None) -> list[str]:
    """`["Neil McCauley"]` → Neil McCauley; what is no such list stays as it is."""
    if not text:
        return []
    try:
        found = orjson.loads(text)
    except ValueError:
        return [text]
    return [str(one) for one in found] if isinstance(found, list) else [text]


FILTERS = {
    "number": number,
    "short_number": short_number,
    "of": of,
    "minutes": minutes,
    "size": size,
    "seconds": seconds,
    "moment": moment,
    "iso": iso,
    "day": day,
}
