"""Identifiers: new values in the source's own type and format, made from row numbers.

A maker turns numbers 0, 1, 2, ... into different values. It holds a format, never a value of the source.
"""

from __future__ import annotations

import math
import re
import uuid
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Part, Rows, Values
from kinsynth.columns.storage import as_array
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.errors import SettingsError
from kinsynth.privacy.protection import Roots, count_roots
from kinsynth.schema.storage import cast_values, storage_type
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

DIGITS, UPPER, LOWER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_HEX = re.compile(r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$")
_PRIMES = (1, 2, 3, 5, 7, 11, 17, 29, 53, 101, 211, 401, 809, 1601, 3203, 6421, 12809, 25601, 51203, 102407)
_MASK = (1 << 62) - 1
_INT64 = (-(2**63), 2**63 - 1)


class Maker(Protocol):
    """Makes different values of different numbers."""

    kind: ClassVar[str]

    def make(self, number_R: Rows) -> pa.Array:
        """Give a value for each number, from 0 on; equal numbers give equal values."""

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""


@dataclass(frozen=True)
class Sequence:
    """Whole numbers ``start``, ``start + step``, ...

    Attributes:
        storage: Arrow type of the values.
        start: Value of number 0.
        step: Distance of neighbours, not 0.
    """

    kind: ClassVar[str] = "sequence"
    storage: str
    start: int
    step: int = 1

    def make(self, number_R: Rows) -> pa.Array:
        """Give a value for each number.

        Raises:
            SettingsError: The storage type holds fewer values.
        """
        kind = storage_type(self.storage)
        if len(number_R) and int(number_R.max()) >= self.room:
            raise SettingsError(
                "generation.key_room",
                f"Keys stored as {kind} have room for {self.room:,} new values; "
                f"{int(number_R.max()) + 1:,} are needed.",
                where="generation.rows",
                remedy="Ask for fewer rows, or store the key in a wider type.",
            )
        return _from_integers(self.start + self.step * number_R, kind)

    @property
    def room(self) -> int:
        """How many values the storage type holds from the start on."""
        low, high = _limits(storage_type(self.storage))
        return ((high - self.start) if self.step > 0 else (self.start - low)) // abs(self.step) + 1

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {"kind": self.kind, "storage": self.storage, "start": self.start, "step": self.step}


@dataclass(frozen=True)
class Uuid:
    """Random-looking UUIDs of version 4.

    Attributes:
        upper: Whether letters are capitals.
        hyphens: Whether the groups are divided.
        salt: Makes the values of one codec differ from those of another.
    """

    kind: ClassVar[str] = "uuid"
    upper: bool
    hyphens: bool
    salt: int

    def make(self, number_R: Rows) -> pa.Array:
        """Give a value for each number."""
        texts = [self._text(int(number)) for number in number_R]
        return pa.array([text.upper() for text in texts] if self.upper else texts, pa.string())

    def _text(self, number: int) -> str:
        # The lower 62 bits are a bijection of the number, so that no two values are equal.
        low = _scramble(number ^ (self.salt & _MASK))
        high = _scramble(low ^ (self.salt >> 62)) & ((1 << 60) - 1)
        bits = (high >> 12) << 80 | 0x4 << 76 | (high & 0xFFF) << 64 | 0b10 << 62 | low
        made = uuid.UUID(int=bits)
        return str(made) if self.hyphens else made.hex

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {"kind": self.kind, "upper": self.upper, "hyphens": self.hyphens, "salt": str(self.salt)}


@dataclass(frozen=True)
class Pattern:
    """Texts of fixed signs and slots, such as ``C-#####``.

    Attributes:
        slots: The signs each place may take; one sign for a fixed place.
        grown: Place of the slot that repeats when all combinations are used.
        width: Fewest signs of a grown pattern: more than the longest value of the source has.
        modulus, remainder: Only every ``modulus``-th combination is used, from ``remainder`` on.
    """

    kind: ClassVar[str] = "pattern"
    slots: tuple[str, ...]
    grown: int
    width: int
    modulus: int = 1
    remainder: int = 0

    def make(self, number_R: Rows) -> pa.Array:
        """Give a value for each number."""
        made = np.empty(len(number_R), dtype=object)
        slots, first = self.slots, 0
        while True:
            held = (_capacity(slots) - 1 - self.remainder) // self.modulus + 1
            here = (number_R >= first) & (number_R - first < held)
            made[here] = _fill(slots, (number_R[here] - first) * self.modulus + self.remainder)
            if not (number_R - first >= held).any():
                return pa.array(made, pa.string())
            slots, first = _grow(slots, self.grown, self.width), first + held

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {"kind": self.kind, **asdict(self), "slots": list(self.slots)}


@dataclass(frozen=True)
class IdentifierCodec:
    """Codes of an identifier: present or missing; the value itself is made from the row's number.

    Attributes:
        maker: Makes the values.
        nullable: Whether missing values occurred.
        missing: Whether missing values are generated.
        distinct: Different values for each present row, at most 1: how often values repeat.
    """

    kind: ClassVar[str] = "identifier"
    maker: Maker
    nullable: bool
    missing: bool
    distinct: float = 1.0

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Missing or present, where missing values occurred; else none."""
        if not self.nullable:
            return ()
        return (SubColumn(0, 2, forbidden_K=np.array([not self.missing, False])),)

    @property
    def draws(self) -> int:
        """None."""
        return 0

    @property
    def room(self) -> int | None:
        """How many values can be made; None where there is no limit."""
        return self.maker.room if isinstance(self.maker, Sequence) else None

    def encode(self, values: Values) -> IntArray:
        """Turn values into codes: 0 missing, 1 present."""
        array = as_array(values[0])
        present_R = array.is_valid().to_numpy(zero_copy_only=False)
        return present_R.astype(np.int32)[:, None] if self.nullable else np.zeros((len(array), 0), np.int32)

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Values:
        """Make values for rows 0, 1, 2, ...; use ``decode_at`` for other rows."""
        del uniform_RD
        return self.decode_at(codes_RC, np.arange(len(codes_RC)))

    def decode_at(self, codes_RC: IntArray, number_R: Rows) -> Values:
        """Turn codes into new values, given a number for each row that no other row has."""
        made = self.values_at(np.floor(number_R * self.distinct).astype(np.int64))
        if not self.sub_columns or not self.missing:
            return (made,)
        return (pc.if_else(pa.array(codes_RC[:, 0] == 1), made, pa.scalar(None, made.type)),)

    def values_at(self, number_R: Rows) -> pa.Array:
        """Give a key value for each number; different numbers give different values."""
        return self.maker.make(number_R)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        plain = {"nullable": self.nullable, "missing": self.missing, "distinct": self.distinct}
        return {"kind": self.kind, "maker": self.maker.to_json(), **plain}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> IdentifierCodec:
        """Make a codec of ``to_json``'s document."""
        maker = _read_maker(document["maker"])
        return cls(maker, document["nullable"], document["missing"], document["distinct"])


def build_identifier(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None = None
) -> IdentifierCodec:
    """Make new values of the source's format, none of which occurs in the source.

    Whole numbers start above the source's largest, at a power of ten. Texts use only combinations with
    one remainder by a small modulus that no source value has; where there is none, the pattern grows by
    a place, so that every new value is longer than every value of the source. Nothing else of the source
    is kept: a sign stands fixed only where at least ``rare_minimum`` roots have it.

    Raises:
        SettingsError: The storage type has no room for new values, or the settings refuse one of them.
    """
    del text
    values = part.values[0]
    distinct = _distinct(values)
    rows = int(part.rows[values.is_valid().to_numpy(zero_copy_only=False)].sum())
    share = len(distinct) / rows if rows else 1.0
    maker = _fresh_maker(distinct, part, protection.rare_minimum)
    _refuse_named(maker, settings)
    null = bool(values.null_count)
    missing = (null and settings.missing == "reproduce") or not rows
    return IdentifierCodec(maker, null or not rows, missing, min(share, 1.0))


def build_key(part: Part, protection: Protection) -> IdentifierCodec:
    """Make key values in the source's type and format; they may equal the source's, as 1, 2, 3 do."""
    distinct = _distinct(part.values[0])
    return IdentifierCodec(_key_maker(distinct, part, protection.rare_minimum), nullable=False, missing=False)


def _key_maker(distinct: pa.Array, part: Part, minimum: int) -> Maker:
    if not _is_text(distinct.type):
        return _key_sequence(distinct)
    texts = pc.cast(distinct, pa.string())
    if _all_uuids(texts):
        return _uuid_maker(texts)
    slots = _slots(part, minimum)
    return Pattern(slots, _growing(slots), _longest(texts) + 1)


def _key_sequence(distinct: pa.Array) -> Sequence:
    """Start at 0, 1 or a power of ten at most the smallest value; step as the values do, where regular."""
    if not len(distinct):
        return Sequence(str(distinct.type), 1)
    smallest, largest = _ends(distinct)
    start = smallest if smallest in {0, 1} else 10 ** (len(str(smallest)) - 1) if smallest > 1 else 1
    regular = len(distinct) >= 20 and largest - smallest <= _INT64[1]
    common = int(np.gcd.reduce(_to_integers(distinct) - smallest)) if regular else 1
    step = max((one for one in (1, 5, 10, 100, 1000) if common and common % one == 0), default=1)
    return Sequence(str(distinct.type), start, step)


def _fresh_maker(distinct: pa.Array, part: Part, minimum: int) -> Maker:
    if not _is_text(distinct.type):
        return _fresh_sequence(distinct)
    texts = pc.cast(distinct, pa.string())
    if _all_uuids(texts):
        return _uuid_maker(texts)
    slots = _slots(part, minimum)
    place, width = _growing(slots), _longest(texts) + 1
    found = _free_remainder(texts, slots)
    return (
        Pattern(_grow(slots, place, width), place, width)
        if found is None
        else Pattern(slots, place, width, *found)
    )


def _fresh_sequence(distinct: pa.Array) -> Sequence:
    """Start beyond all values at a round number; where the type ends before, below all of them.

    Raises:
        SettingsError: The type has no room for as many new values.
    """
    smallest, largest = _ends(distinct) if len(distinct) else (1, 1)
    unit = 10 ** (len(str(max(largest, 1))) - 1)
    starts = [
        Sequence(str(distinct.type), 10 * unit),
        Sequence(str(distinct.type), (max(largest, 1) // unit + 1) * unit),
        Sequence(str(distinct.type), -(10 ** len(str(-smallest))) if smallest < 0 else -1, -1),
    ]
    for wanted in (4 * max(len(distinct), 1_000), max(len(distinct), 1)):
        for one in starts:
            if one.room >= wanted:
                return one
    raise SettingsError(
        "treatment.identifier_room",
        f"The storage type {distinct.type} has no room for {len(distinct):,} new values beside the source's.",
        where="type",
        remedy="Declare another type for the column, or treatment: leave_out.",
    )


def _longest(texts: pa.Array) -> int:
    return int(pc.max(pc.utf8_length(texts)).as_py() or 0)


def _refuse_named(maker: Maker, settings: Column) -> None:
    """Refuse a value that must never be generated but has the format of the new ones."""
    tried = min(1_000, maker.room) if isinstance(maker, Sequence) else 1_000
    made = set(pc.cast(maker.make(np.arange(tried)), pa.string()).to_pylist())
    if made & set(settings.never):
        raise SettingsError(
            "treatment.never_identifier",
            "A listed value has the format of new identifiers, which differ from the source anyway.",
            where="never",
            remedy="Remove it from the list.",
        )


def _distinct(values: pa.Array) -> pa.Array:
    """Give the distinct values that can be told apart from others: not missing, and finite."""
    distinct = pc.unique(values.drop_null())
    return distinct.filter(pc.is_finite(distinct)) if pa.types.is_floating(distinct.type) else distinct


def _to_integers(values: pa.Array) -> Rows:
    numbers: Rows = pc.cast(_plain(values), pa.int64(), safe=False).to_numpy()
    return numbers


def _plain(values: pa.Array) -> pa.Array:
    """Give dates and times as the numbers they are stored as."""
    if pa.types.is_date32(values.type) or pa.types.is_time32(values.type):
        return pc.cast(values, pa.int32())
    return pc.cast(values, pa.int64()) if pa.types.is_temporal(values.type) else values


def _ends(values: pa.Array) -> tuple[int, int]:
    """Give the smallest and the largest value, exactly whatever their type."""
    ends = pc.min_max(_plain(values)).as_py()
    return math.floor(ends["min"]), math.ceil(ends["max"])


def _limits(kind: pa.DataType) -> tuple[int, int]:
    """Give the smallest and the largest whole number that a type holds and that can be counted to."""
    if pa.types.is_boolean(kind):
        return 0, 1
    if pa.types.is_decimal(kind):
        largest = min(10 ** (kind.precision - kind.scale) - 1, _INT64[1])
        return -largest, largest
    if pa.types.is_floating(kind):
        exact = {16: 2**11, 32: 2**24, 64: 2**53}[kind.bit_width]
        return -exact, exact
    if pa.types.is_time(kind):
        return 0, 86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit] - 1
    if pa.types.is_unsigned_integer(kind):
        return 0, min(2**kind.bit_width - 1, _INT64[1])
    return -(2 ** (kind.bit_width - 1)), 2 ** (kind.bit_width - 1) - 1


def _from_integers(number_R: Rows, target: pa.DataType) -> pa.Array:
    numbers = pa.array(number_R, pa.int64())
    return cast_values(pc.cast(numbers, pa.int32()) if pa.types.is_date32(target) else numbers, target)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _all_uuids(texts: pa.Array) -> bool:
    return bool(len(texts)) and bool(pc.all(pc.match_substring_regex(texts, _HEX.pattern)).as_py())


def _uuid_maker(texts: pa.Array) -> Uuid:
    upper = bool(pc.all(pc.equal(texts, pc.utf8_upper(texts))).as_py())
    hyphens = bool(pc.all(pc.match_substring(texts, "-")).as_py())
    return Uuid(upper, hyphens, salt=_scramble(len(texts)) << 62 | _scramble(len(texts) + 1))


def _slots(part: Part, minimum: int) -> tuple[str, ...]:
    """Induce fixed signs and slots from the length that most roots have.

    A sign is fixed where all values of that length have it and at least ``minimum`` roots have such a value.
    """
    known_P = part.values[0].is_valid()
    texts, roots = pc.cast(part.values[0].filter(known_P), pa.string()), part.roots[known_P.to_numpy(False)]
    lengths = pc.utf8_length(texts).to_numpy().astype(np.int64)
    roots_L = count_roots(lengths, roots, codes=int(lengths.max(initial=0)) + 1)
    width = int(roots_L.argmax())
    if width == 0:
        return (DIGITS,) * 8
    chosen, roots = texts.filter(pa.array(lengths == width)), roots[lengths == width]
    few = int(roots_L[width]) < minimum
    places = (pc.utf8_slice_codeunits(chosen, at, at + 1) for at in range(width))
    slots = tuple(_slot(signs, roots, minimum, few=few) for signs in places)
    return slots if any(len(slot) > 1 for slot in slots) else (*slots, DIGITS)


def _slot(sign_P: pa.Array, root_P: Roots, minimum: int, *, few: bool) -> str:
    """Give the signs a place may take: classes of signs, marks, and other signs that enough roots have."""
    signs = pc.unique(sign_P)
    found = set(signs.to_pylist())
    if len(found) == 1 and not few:
        return str(signs[0])
    classes = "".join(kind for kind in (DIGITS, UPPER, LOWER) if found & set(kind))
    others = found - set(classes)
    if {sign for sign in others if not _is_mark(sign)}:
        code_P = pc.index_in(sign_P, value_set=signs).to_numpy().astype(np.int64)
        often = count_roots(code_P, root_P, codes=len(signs)) >= minimum
        others &= {sign for sign in others if _is_mark(sign)} | set(signs.filter(pa.array(often)).to_pylist())
    if not others and classes:
        return _narrow(classes, found)
    return "".join(sorted(others | set(classes))) or LOWER


def _is_mark(sign: str) -> bool:
    """Tell whether a sign is punctuation, which says nothing about a person."""
    return sign.isascii() and not sign.isalnum()


def _narrow(allowed: str, signs: set[str]) -> str:
    """Keep to hexadecimal signs where only they occur."""
    for hexadecimal in ("0123456789abcdef", "0123456789ABCDEF"):
        if signs & set(DIGITS) and signs <= set(hexadecimal) and len(signs) > 10:
            return hexadecimal
    return allowed


def _growing(slots: tuple[str, ...]) -> int:
    """Give the place that repeats when a pattern is too small: the last digits, else the last slot."""
    open_places = [place for place, slot in enumerate(slots) if len(slot) > 1]
    digits = [place for place in open_places if slots[place] == DIGITS]
    return (digits or open_places)[-1]


def _capacity(slots: tuple[str, ...]) -> int:
    return math.prod(len(slot) for slot in slots)


def _grow(slots: tuple[str, ...], place: int, width: int) -> tuple[str, ...]:
    """Repeat a slot once, and until the pattern has enough signs."""
    more = max(width - len(slots), 1)
    return (*slots[:place], *((slots[place],) * more), *slots[place:])


def _fill(slots: tuple[str, ...], number_R: Rows) -> NDArray[Any]:
    """Write numbers in the slots, the last slot counting fastest."""
    columns: list[NDArray[Any]] = []
    for slot in reversed(slots):
        columns.append(np.array(list(slot))[number_R % len(slot)])
        number_R = number_R // len(slot)
    texts = pc.binary_join_element_wise(*(pa.array(column) for column in reversed(columns)), "")
    filled: NDArray[Any] = texts.to_numpy(zero_copy_only=False)
    return filled


def _free_remainder(texts: pa.Array, slots: tuple[str, ...]) -> tuple[int, int] | None:
    """Find a modulus and a remainder that no source value has, with room for four times as many values."""
    capacity, wanted = _capacity(slots), 4 * max(len(texts), 1_000)
    if capacity > 2**62:
        return None
    used = _combinations(texts, slots)
    for modulus in _PRIMES:
        if capacity // modulus < wanted:
            return None
        free = np.setdiff1d(np.arange(modulus), used % modulus)
        if len(free):
            return modulus, int(free[0])
    return None


def _combinations(texts: pa.Array, slots: tuple[str, ...]) -> Rows:
    """Give the number of each text that the pattern could make."""
    fitting = texts.filter(pc.equal(pc.utf8_length(texts), len(slots)))
    number_R = np.zeros(len(fitting), dtype=np.int64)
    known_R = np.ones(len(fitting), dtype=bool)
    for place, slot in enumerate(slots):
        signs = pc.utf8_slice_codeunits(fitting, place, place + 1)
        index_R = pc.index_in(signs, value_set=pa.array(list(slot))).fill_null(-1).to_numpy()
        known_R &= index_R >= 0
        number_R = number_R * len(slot) + index_R
    return number_R[known_R]


def _scramble(number: int) -> int:
    """Map 62-bit numbers one to one to 62-bit numbers without visible order."""
    for factor, shift in ((0x1E3779B97F4A7C15, 31), (0x3F58476D1CE4E5B9, 29), (0x14D049BB133111EB, 32)):
        number = (number * factor) & _MASK
        number ^= number >> shift
    return number


def _read_maker(document: dict[str, Any]) -> Maker:
    kind = document["kind"]
    if kind == Sequence.kind:
        return Sequence(document["storage"], document["start"], document["step"])
    if kind == Uuid.kind:
        return Uuid(document["upper"], document["hyphens"], int(document["salt"]))
    fields = {key: value for key, value in document.items() if key != "kind"}
    return Pattern(**{**fields, "slots": tuple(fields["slots"])})
