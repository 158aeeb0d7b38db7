"""How numbers and dates of workbooks are put into text: exactly, in their shortest form."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

Moment = Literal["date", "datetime", "time", "elapsed"]

_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_LARGEST_WHOLE = 1e16
_DAY_MS = 86_400_000
_END_1900, _END_1904 = 2_958_466, 2_957_004  # 1 January 10000
_DATE_FORMATS = {*range(14, 18), *range(27, 32), 36, *range(50, 55), 57, 58}
_TIME_FORMATS = {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)


def number_text(raw: str) -> str:
    """Put a number as a file holds it into its shortest exact form.

    >>> [number_text(raw) for raw in ("5", "5.0", "0.10000000000000001", "1E-3", "12345678901234567890")]
    ['5', '5', '0.1', '0.001', '12345678901234567890']
    """
    return raw if _WHOLE.fullmatch(raw) else float_text(float(raw))


def float_text(value: float) -> str:
    """Give the shortest text of a double; whole numbers without a point."""
    if value.is_integer() and abs(value) < _LARGEST_WHOLE:
        return str(int(value))
    return repr(value)


def format_kind(number: int, code: str | None) -> Moment | None:
    r"""Tell whether a number format of a workbook shows dates or times; None for numbers.

    >>> format_kind(14, None), format_kind(170, 'yyyy\\-mm\\-dd hh:mm'), format_kind(171, '0.00 "days"')
    ('date', 'datetime', None)
    """
    if code is None:
        return _builtin_kind(number)
    if code.lower().startswith("general"):
        return None
    letters = _LITERAL.sub("", code.split(";")[0]).lower()
    if "[" in letters:
        return "elapsed"
    has_date = "y" in letters or "d" in letters
    has_time = "h" in letters or "s" in letters
    if has_date:
        return "datetime" if has_time else "date"
    if has_time:
        return "time"
    return "date" if "m" in letters else None


def _builtin_kind(number: int) -> Moment | None:
    if number == 22:
        return "datetime"
    if number == 46:
        return "elapsed"
    if number in _DATE_FORMATS:
        return "date"
    return "time" if number in _TIME_FORMATS else None


def serial_text(serial: float, kind: Moment, *, epoch_1904: bool = False) -> str | None:
    """Put a day number into ISO text, to the millisecond.

    In the 1900 system day 60 is a 29 February that never was, so that days before it count from
    31 December 1899 and days after it from 30 December 1899. A number below 1 is a time of day
    unless the format shows the date only.

    Args:
        serial: The day number.
        kind: What the number format shows.
        epoch_1904: Whether day 0 is 1 January 1904.

    Returns:
        ``2024-02-29``, ``2024-02-29 13:00:00``, ``13:00:00`` or ``30:00:00`` (elapsed); None for day
        numbers that are no date: days 0 and 60, negative ones, those after the year 9999.

    >>> [serial_text(day, "date") for day in (1, 59, 60, 61, -1)]
    ['1900-01-01', '1900-02-28', None, '1900-03-01', None]
    """
    if not 0 <= serial < (_END_1904 if epoch_1904 else _END_1900):
        return None
    ms = round(serial * _DAY_MS)
    if kind == "elapsed" or (kind == "time" and ms >= _DAY_MS and not epoch_1904):
        return clock_text(ms)
    if kind == "time" or (kind == "datetime" and serial < 1 and not epoch_1904):
        return clock_text(ms % _DAY_MS)
    day = ms // _DAY_MS
    if epoch_1904:
        start = datetime(1904, 1, 1)
    elif day in {0, 60}:
        return None
    else:
        start = datetime(1899, 12, 31) if day < 60 else datetime(1899, 12, 30)
    date = f"{start + timedelta(days=day):%Y-%m-%d}"
    rest = ms % _DAY_MS
    return date if kind == "date" and not rest else f"{date} {clock_text(rest)}"


def clock_text(ms: int) -> str:
    """Put milliseconds into hours, minutes and seconds, with a fraction only where there is one.

    >>> clock_text(108_000_250)
    '30:00:00.25'
    """
    seconds, fraction = divmod(ms, 1000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + f".{fraction:03d}".rstrip("0") if fraction else text
