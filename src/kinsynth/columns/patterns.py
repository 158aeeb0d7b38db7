"""Patterns in which dates, times and timestamps are written, found from their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from kinsynth.schema.names import words
from kinsynth.schema.table import Column, TextFormat

_DATES = {
    r"\d{4}-\d{2}-\d{2}": ("%Y-%m-%d",),
    r"(1[89]|20|21)\d{2}-(0[1-9]|1[0-2])": ("%Y-%m",),
    r"\d{4}/\d{2}/\d{2}": ("%Y/%m/%d",),
    r"\d{4}\.\d{2}\.\d{2}": ("%Y.%m.%d",),
    r"\d{2}/\d{2}/\d{4}": ("%d/%m/%Y", "%m/%d/%Y"),
    r"\d{2}\.\d{2}\.\d{4}": ("%d.%m.%Y",),
    r"\d{2}-\d{2}-\d{4}": ("%d-%m-%Y", "%m-%d-%Y"),
    r"\d{1,2}/\d{1,2}/\d{4}": ("%-d/%-m/%Y", "%-m/%-d/%Y"),
    r"\d{1,2}\.\d{1,2}\.\d{4}": ("%-d.%-m.%Y",),
    r"\d{1,2}-\d{1,2}-\d{4}": ("%-d-%-m-%Y", "%-m-%-d-%Y"),
    r"\d{2} [A-Z][a-z]{2} \d{4}": ("%d %b %Y",),
    r"\d{2}-[A-Z][a-z]{2}-\d{4}": ("%d-%b-%Y",),
    r"[A-Z][a-z]{2} \d{2}, \d{4}": ("%b %d, %Y",),
    r"\d{1,2} [A-Z][a-z]+ \d{4}": ("%-d %B %Y", "%-d %b %Y"),
    r"[A-Z][a-z]+ \d{1,2}, \d{4}": ("%B %-d, %Y", "%b %-d, %Y"),
}
_COMPACT = r"^(1[89]\d\d|20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$"
_TIME = r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?( [AP]M)?"
_ZONE = r"(?P<zone>Z|[+-]\d{2}:?\d{2}|[+-]\d{2})"
_DAY_FIRST = ("%d/%m/%Y", "%-d/%-m/%Y", "%d-%m-%Y", "%-d-%-m-%Y")

Reading = tuple[Column, float, str]


def moment_columns(texts: list[str], distinct: pa.ChunkedArray, name: str) -> Iterator[Reading]:
    """Give the dates, times and timestamps as which the cells could be read, likeliest first.

    Args:
        texts: A sample of the distinct cells.
        distinct: All distinct cells.
        name: Name of the column.
    """
    if all(re.fullmatch(_TIME, text) for text in texts):
        for pattern in _time_patterns(distinct):
            yield Column(name, "time", "time64[us]", text=TextFormat(pattern=pattern)), 0.95, _reason(pattern)
        return
    if _is_compact(distinct, name):
        text = TextFormat(pattern="%Y%m%d")
        yield Column(name, "date", "date32[day]", text=text), 0.8, "eight digits that are all days; %Y%m%d"
    for shape, dates in _DATES.items():
        if all(re.fullmatch(shape, text) for text in texts):
            for date in dates:
                confidence, reason = _certainty(date, distinct)
                column = Column(name, "date", "date32[day]", text=TextFormat(pattern=date))
                yield column, confidence, reason
        else:
            yield from _timestamps(shape, dates, texts, distinct, name)


def _timestamps(
    shape: str, dates: tuple[str, ...], texts: list[str], distinct: pa.ChunkedArray, name: str
) -> Iterator[Reading]:
    """Give timestamps whose date has one of the patterns."""
    whole = re.compile(rf"{shape}(?P<separator>[ T]){_TIME}{_ZONE}?")
    matches = [whole.fullmatch(text) for text in texts]
    first = matches[0]
    if first is None or not all(matches):
        return
    zone = first["zone"] or ""
    storage = f"timestamp[us, tz={_zone_name(zone)}]" if zone else "timestamp[us]"
    for date in dates:
        for time in _time_patterns(distinct):
            pattern = f"{date}{first['separator']}{time}{zone}"
            column = Column(name, "datetime", storage, text=TextFormat(pattern=pattern))
            yield column, _certainty(date, distinct)[0], _reason(pattern)


def _time_patterns(distinct: pa.ChunkedArray) -> tuple[str, ...]:
    """Give the patterns of the time of day that all cells could have."""
    cells = pl.Series(distinct)
    half = bool(cells.str.contains(r" [AP]M").any())
    padded = not cells.str.contains(r"(^|[ T])\d:").any()
    hour = ("%" if padded else "%-") + ("I" if half else "H")
    return tuple(f"{hour}:%M{rest}{' %p' if half else ''}" for rest in _second_patterns(cells))


def _second_patterns(cells: pl.Series) -> tuple[str, ...]:
    """Give the patterns of seconds that all cells could have."""
    if not cells.str.contains(r"\d{1,2}:\d{2}:\d{2}").any():
        return ("",)
    digits = cells.str.extract(r":\d{2}\.(\d+)").str.len_bytes().fill_null(0).to_numpy()
    least, most = int(digits.min()), int(digits.max())
    if most == 0:
        return (":%S",)
    fixed = {3: ":%S.%3f", 6: ":%S.%f"}
    same = (fixed[most],) if least == most and most in fixed else ()
    return (*same, ":%S%.f")


def _zone_name(zone: str) -> str:
    """Spell an offset as Arrow does."""
    if zone == "Z":
        return "UTC"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _is_compact(distinct: pa.ChunkedArray, name: str) -> bool:
    """Tell whether eight digits are dates: all are days, and there are many or the name says so."""
    cells = pl.Series(distinct)
    return bool(cells.str.contains(_COMPACT).all()) and (words(name).is_moment or len(cells) >= 50)


def _certainty(date: str, distinct: pa.ChunkedArray) -> tuple[float, str]:
    """Give confidence and reason; less where day and month could be exchanged."""
    if date in _DAY_FIRST:
        cells = pl.Series(distinct)
        if not cells.str.contains(r"^(1[3-9]|2\d|3\d)|^\d+[/-](1[3-9]|2\d|3\d)").any():
            return 0.5, f"{_reason(date)}; day and month could be exchanged: no number is above 12"
    return 0.97, _reason(date)


def _reason(pattern: str) -> str:
    """Name the pattern."""
    return f"all written as {pattern}"
