"""Choose the type of each column from all its cells: never from a sample, and never losing a character.

A typed reading of text is chosen only when writing the typed values gives every cell back unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.columns import forms
from kinsynth.columns.patterns import moment_columns
from kinsynth.columns.personal import find_personal
from kinsynth.schema.literals import reads_back, unparsable_rows
from kinsynth.schema.names import words
from kinsynth.schema.table import Column, TextFormat
from kinsynth.system.mapping import let_go

_SAMPLE = 200
_ENOUGH_ROWS = 20
_MANY_ROWS = 100
_NEARLY_UNIQUE = 0.95
_LONG_TEXT = 40
_SENTENCE_WORDS = 4
_MOSTLY = 0.98

_BOOLEANS = tuple(
    TextFormat(true=true, false=false)
    for true, false in (
        ("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("yes", "no"), ("Yes", "No"), ("YES", "NO"),
        ("t", "f"), ("T", "F"), ("y", "n"), ("Y", "N"),
    )
)  # fmt: skip
_INFINITE = r"(?i)^[+-]?inf(inity)?$"
_INTEGER = r"^-?\d+$"
_DECIMAL = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
_COMMA_DECIMAL = r"^-?\d+(,\d+)?$"
_THOUSANDS = r"^-?([1-9]\d{0,2}(,\d{3})+|\d{1,3})$"
_KINDS = {
    "e-mail addresses": forms.EMAIL,
    "UUIDs": forms.UUID,
    "bank account numbers": forms.IBAN,
    "web addresses": forms.WEB_ADDRESS,
}
_CODE = r"^[^\s]{1,40}$"


_STORED: dict[str, Callable[[pa.DataType], bool]] = {
    "boolean": pa.types.is_boolean,
    "integer": lambda kind: pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale <= 0),
    "numeric": lambda kind: pa.types.is_floating(kind) or pa.types.is_decimal(kind),
    "date": pa.types.is_date32,
    "datetime": lambda kind: pa.types.is_timestamp(kind) or pa.types.is_date64(kind),
    "time": pa.types.is_time,
}


@dataclass(frozen=True)
class Detected:
    """What a column was found to be.

    Attributes:
        type: One of ``settings.treatment.COLUMN_TYPES``.
        storage: Arrow type of the typed values.
        text: How the values are written in the source's text; None for a source that is typed itself.
        nullable: Whether a missing value occurs.
        confidence: Between 0 and 1.
        reason: Why, in words a user reads; names and counts, never a value.
        alternatives: Other types the values could have.
        pair: The column with the other coordinate of the place.
        personal: Why it seems to be about a person; empty where nothing says so.
    """

    type: str
    storage: str
    text: TextFormat | None
    nullable: bool
    confidence: float
    reason: str
    alternatives: tuple[str, ...] = ()
    pair: str | None = None
    personal: str = ""

    def column(self, name: str) -> Column:
        """Give the column of the schema."""
        return Column(name, self.type, self.storage, nullable=self.nullable, text=self.text, pair=self.pair)


def detect_table(table: pa.Table) -> dict[str, Detected]:
    """Choose the type of every column of a table.

    Returns:
        What was found by column name, in the table's order; pairs of coordinates know each other.
    """
    found = {}
    for name in table.column_names:
        found[name] = detect(table.column(name), name)
        let_go()
    for latitude, longitude in coordinate_pairs(table, found):
        for name, other in ((latitude, longitude), (longitude, latitude)):
            found[name] = replace(
                found[name],
                type="coordinates",
                pair=other,
                confidence=0.95,
                reason=f"name and range of a coordinate; pair with {other}",
            )
    for name, why in find_personal(table).items():
        found[name] = replace(found[name], personal=why)
    return found


def detect(values: pa.ChunkedArray, name: str) -> Detected:
    """Choose the type of one column.

    Args:
        values: All cells: strings, or the types of a source that is typed itself.
        name: Name of the column; breaks ties only.

    Guarantees:
        When the cells are text, writing the typed values gives every cell back unchanged.

    >>> detect(pa.chunked_array([["00123", "04711"]]), "zip").type
    'categorical'
    >>> detect(pa.chunked_array([["1.50", "2.00"]]), "amount").storage
    'double'
    """
    nullable = values.null_count > 0
    distinct = _distinct(values)
    if not len(distinct):
        storage = "string" if pa.types.is_null(values.type) else str(values.type)
        text = TextFormat() if is_text(values.type) else None
        return Detected("categorical", storage, text, nullable, 0.2, "no value at all")
    if not is_text(values.type):
        return replace(_detect_typed(values, distinct, name), nullable=nullable)
    return replace(_detect_text(values, distinct, name), nullable=nullable)


def is_text(storage: pa.DataType) -> bool:
    """Tell whether cells are strings."""
    return any(
        check(storage) for check in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _distinct(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give the distinct values that are not missing."""
    return pa.chunked_array([pc.drop_null(pc.unique(values))])


def _detect_typed(values: pa.ChunkedArray, distinct: pa.ChunkedArray, name: str) -> Detected:
    """Take the type of a source that is typed itself."""
    storage, spelled = values.type, str(values.type)
    found = Detected("categorical", spelled, None, False, 0.5, f"stored as {spelled}")
    for kind, holds in _STORED.items():
        if holds(storage):
            found = replace(found, type=kind, confidence=1.0)
            break
    return _integer_or_identifier(found, values, distinct, name) if found.type == "integer" else found


def _detect_text(values: pa.ChunkedArray, distinct: pa.ChunkedArray, name: str) -> Detected:
    """Find the first typed reading that loses nothing; strings are told apart by their shape."""
    sample = distinct.filter(pc.invert(is_infinite(distinct))).slice(0, _SAMPLE)
    near: Column | None = None
    for column, confidence, reason in _readings(sample, distinct, name):
        if reads_back(distinct, column):
            found = Detected(column.type, column.storage, column.text, False, confidence, reason)
            if column.type == "integer":
                return _integer_or_identifier(found, values, distinct, name)
            return found
        near = near or column
    found = _detect_string(values, distinct, name)
    return found if near is None else _explain(found, near, distinct)


def is_infinite(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell which texts are a word for infinity: no number, yet found in columns of numbers.

    >>> is_infinite(pa.chunked_array([["-inf", "1.5", "Infinity"]])).to_pylist()
    [True, False, True]
    """
    return pc.match_substring_regex(cells, _INFINITE)


def _explain(found: Detected, near: Column, distinct: pa.ChunkedArray) -> Detected:
    """Say why a column that begins like a number or a date stays text."""
    other = len(unparsable_rows(distinct, near))
    if other:
        why = f"{other:,} of {len(distinct):,} distinct values do not read as {near.type}"
    else:
        why = f"as {near.type} (write type: {near.type} if they are) they would not be written as before"
    return replace(found, reason=f"{found.reason}; {why}", alternatives=(near.type,), confidence=0.7)


def _readings(
    sample: pa.ChunkedArray, distinct: pa.ChunkedArray, name: str
) -> Iterator[tuple[Column, float, str]]:
    """Give typed readings that fit the sample, likeliest first, with confidence and reason."""
    texts = sample.to_pylist()
    if not texts:
        return
    for text in _BOOLEANS:
        present = {text.true, text.false} & set(texts)
        both = len(present) == 2 or (len(present) == 1 and len(text.true) > 3)
        if both and len(distinct) == len(present):
            yield Column(name, "boolean", "bool", text=text), 0.98, "the two words of yes and no"
    yield from moment_columns(texts, distinct, name)
    if words(name).is_number_in_name_only:
        return
    if all(re.match(_INTEGER, text) for text in texts):
        yield Column(name, "integer", "int64", text=TextFormat()), 0.95, "whole numbers"
        long = Column(name, "integer", "decimal128(38, 0)", text=TextFormat())
        yield long, 0.8, "whole numbers of up to 38 digits"
    if all(re.match(_DECIMAL, text) for text in texts):
        yield from _numeric_columns(distinct, name, mark=".")
    if all(re.match(_COMMA_DECIMAL, text) for text in texts) and not is_grouped(distinct):
        yield from _numeric_columns(distinct, name, mark=",")


def is_grouped(distinct: pa.ChunkedArray) -> bool:
    """Tell whether a comma could as well separate thousands."""
    return bool(pl.Series(distinct).str.contains(_THOUSANDS).all())


def _numeric_columns(
    distinct: pa.ChunkedArray, name: str, *, mark: str
) -> Iterator[tuple[Column, float, str]]:
    """Give the ways to write decimals that could fit."""
    digits = (
        pl.Series(distinct).str.extract(rf"{re.escape(mark)}(\d+)$").str.len_bytes().fill_null(0).to_numpy()
    )
    least, most = int(digits.min()), int(digits.max())
    point_zero = least != 0 or bool(pl.Series(distinct).str.contains(r"[eE]").any())
    free = TextFormat(decimal_mark=mark, point_zero=point_zero)
    ways = [replace(free, decimals=int(most))] if least == most and most else []
    ways.append(free)
    if ways[0].decimals and not pl.Series(distinct).str.contains(rf"{re.escape(mark)}\d*[1-9]").any():
        yield (
            Column(name, "integer", "int64", text=ways[0]),
            0.9,
            f"whole numbers written with {most} decimals",
        )
    for text in ways:
        how = f"numbers with {most} decimals" if text.decimals else f"numbers with up to {most} decimals"
        yield Column(name, "numeric", "double", text=text), 0.95, how
    for text in ways:
        if 0 < most <= 38:
            column = Column(name, "numeric", f"decimal128(38, {most})", text=text)
            yield column, 0.85, f"exact numbers with {most} decimals"


def _integer_or_identifier(
    found: Detected, values: pa.ChunkedArray, distinct: pa.ChunkedArray, name: str
) -> Detected:
    """Call whole numbers an identifier when none repeats and the name says so."""
    rows = len(values) - values.null_count
    if rows >= 2 and len(distinct) == rows and words(name).is_identifier:
        reason = f"{rows:,} whole numbers, none twice, and the name of an identifier"
        return replace(found, type="identifier", reason=reason)
    return found


def _detect_string(values: pa.ChunkedArray, distinct: pa.ChunkedArray, name: str) -> Detected:
    """Tell categories, identifiers and free text apart."""
    rows = len(values) - values.null_count
    size = f"{len(distinct):,} distinct texts in {rows:,} rows"
    kind, confidence, what = _string_kind(pl.Series(distinct), rows, name)
    reason = f"{what}; {size}" if what else size
    alternatives = ("categorical",) if confidence < 0.7 else ()
    return Detected(kind, "string", TextFormat(), False, confidence, reason, alternatives)


def _string_kind(cells: pl.Series, rows: int, name: str) -> tuple[str, float, str]:
    """Give type, confidence and a word for distinct strings."""
    known = _known_kind(cells, name) if len(cells) >= 3 else None
    if known:
        return "identifier", 0.9, known
    uniqueness = len(cells) / rows
    length = float(cells.str.len_chars().to_numpy().mean())
    spaced = 1 + float(cells.str.count_matches(r"\s+").to_numpy().mean())
    long = length > _LONG_TEXT or (spaced >= _SENTENCE_WORDS and rows >= _ENOUGH_ROWS)
    if long and uniqueness > 0.4 and len(cells) >= 3:
        return "text", 0.8, "long texts"
    if uniqueness < _NEARLY_UNIQUE or rows < _ENOUGH_ROWS:
        return "categorical", 0.9, ""
    if _share(cells, _CODE) >= _MOSTLY and (_share(cells, r"\d") >= 0.8 or words(name).is_identifier):
        return "identifier", 0.85, "codes"
    if rows < _MANY_ROWS:
        return "categorical", 0.6, ""
    return ("text" if spaced >= 1.5 else "identifier"), 0.6, "nearly unique texts"


def _known_kind(cells: pl.Series, name: str) -> str | None:
    """Name a known form of identifiers that the cells have."""
    for kind, pattern in _KINDS.items():
        if _share(cells, pattern) >= _MOSTLY:
            return kind
    return "phone numbers" if words(name).is_phone and _share(cells, forms.PHONE) >= 0.8 else None


def _share(cells: pl.Series, pattern: str) -> float:
    """Give the share of values that contain a pattern."""
    return float(cells.str.contains(pattern).to_numpy().mean())


def coordinate_pairs(table: pa.Table, found: Mapping[str, Detected]) -> list[tuple[str, str]]:
    """Find columns that hold latitude and longitude of one place, by name and range."""
    numbers = [name for name in table.column_names if found[name].type in ("numeric", "integer")]
    pairs = []
    for latitude in numbers:
        rest = words(latitude).without_latitude
        if rest is None or not _within(table.column(latitude), found[latitude], 90):
            continue
        for longitude in numbers:
            if words(longitude).without_longitude == rest and _within(
                table.column(longitude), found[longitude], 180
            ):
                pairs.append((latitude, longitude))
                break
    return pairs


def _within(values: pa.ChunkedArray, found: Detected, limit: float) -> bool:
    """Tell whether all values lie between plus and minus the limit."""
    numbers = values
    if is_text(values.type):
        mark = found.text.decimal_mark if found.text else "."
        numbers = pc.replace_substring(values, mark, ".").cast(pa.float64())
    largest = pc.max(pc.abs(numbers.cast(pa.float64()))).as_py()
    return largest is not None and largest <= limit
