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
from kinsynth.columns.storage import as_array, storage_type
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.errors import SettingsError
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

DIGITS, UPPER, LOWER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_HEX = re.compile(r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$")
_PRIMES = (1, 2, 3, 5, 7, 11, 17, 29, 53, 101, 211, 401, 809, 1601, 3203, 6421, 12809, 25601, 51203, 102407)
_MASK = (1 << 62) - 1


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
        """Give a value for each number."""
        return _from_integers(self.start + self.step * number_R, storage_type(self.storage))

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
    is kept.
    """
    del protection, text
    values = part.values[0]
    distinct = pc.unique(values.drop_null())
    rows = int(part.rows[values.is_valid().to_numpy(zero_copy_only=False)].sum())
    share = len(distinct) / rows if rows else 1.0
    maker = _fresh_maker(distinct)
    _refuse_named(maker, settings)
    null = bool(values.null_count)
    missing = (null and settings.missing == "reproduce") or not rows
    return IdentifierCodec(maker, null or not rows, missing, min(share, 1.0))


def build_key(part: Part) -> IdentifierCodec:
    """Make key values in the source's type and format; they may equal the source's, as 1, 2, 3 do."""
    distinct = pc.unique(part.values[0].drop_null())
    return IdentifierCodec(_key_maker(distinct), nullable=False, missing=False)


def _key_maker(distinct: pa.Array) -> Maker:
    if not _is_text(distinct.type):
        return _key_sequence(distinct)
    texts = pc.cast(distinct, pa.string())
    if _all_uuids(texts):
        return _uuid_maker(texts)
    slots = _slots(texts)
    return Pattern(slots, _growing(slots), _longest(texts) + 1)


def _key_sequence(distinct: pa.Array) -> Sequence:
    """Start at 0, 1 or a power of ten at most the smallest value; step as the values do, where regular."""
    numbers = _to_integers(distinct)
    if not len(numbers):
        return Sequence(str(distinct.type), 1)
    smallest = int(numbers.min())
    start = smallest if smallest in {0, 1} else 10 ** int(math.log10(smallest)) if smallest > 1 else 1
    common = int(np.gcd.reduce(numbers - smallest)) if len(numbers) >= 20 else 1
    step = max((one for one in (1, 5, 10, 100, 1000) if common and common % one == 0), default=1)
    return Sequence(str(distinct.type), start, step)


def _fresh_maker(distinct: pa.Array) -> Maker:
    if not _is_text(distinct.type):
        numbers = _to_integers(distinct)
        largest = max(int(numbers.max()), 1) if len(numbers) else 1
        return Sequence(str(distinct.type), 10 ** len(str(largest)))
    texts = pc.cast(distinct, pa.string())
    if _all_uuids(texts):
        return _uuid_maker(texts)
    slots = _slots(texts)
    place, width = _growing(slots), _longest(texts) + 1
    found = _free_remainder(texts, slots)
    return (
        Pattern(_grow(slots, place, width), place, width)
        if found is None
        else Pattern(slots, place, width, *found)
    )


def _longest(texts: pa.Array) -> int:
    return int(pc.max(pc.utf8_length(texts)).as_py() or 0)


def _refuse_named(maker: Maker, settings: Column) -> None:
    """Refuse a value that must never be generated but has the format of the new ones."""
    made = set(pc.cast(maker.make(np.arange(1_000)), pa.string()).to_pylist())
    if made & set(settings.never):
        raise SettingsError(
            "treatment.never_identifier",
            "A listed value has the format of new identifiers, which differ from the source anyway.",
            where="never",
            remedy="Remove it from the list.",
        )


def _to_integers(values: pa.Array) -> Rows:
    plain = pc.cast(values, pa.int32()) if pa.types.is_date32(values.type) else values
    numbers: Rows = pc.cast(plain, pa.int64(), safe=False).to_numpy()
    return numbers


def _from_integers(number_R: Rows, target: pa.DataType) -> pa.Array:
    numbers = pa.array(number_R, pa.int64())
    return pc.cast(pc.cast(numbers, pa.int32()) if pa.types.is_date32(target) else numbers, target)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _all_uuids(texts: pa.Array) -> bool:
    return bool(len(texts)) and bool(pc.all(pc.match_substring_regex(texts, _HEX.pattern)).as_py())


def _uuid_maker(texts: pa.Array) -> Uuid:
    upper = bool(pc.all(pc.equal(texts, pc.utf8_upper(texts))).as_py())
    hyphens = bool(pc.all(pc.match_substring(texts, "-")).as_py())
    return Uuid(upper, hyphens, salt=_scramble(len(texts)) << 62 | _scramble(len(texts) + 1))


def _slots(texts: pa.Array) -> tuple[str, ...]:
    """Induce fixed signs and slots from the most frequent length."""
    if not len(texts):
        return (DIGITS,) * 8
    lengths = pc.utf8_length(texts)
    width = int(pc.mode(lengths)[0]["mode"].as_py())
    if width == 0:
        return (DIGITS,) * 8
    chosen = texts.filter(pc.equal(lengths, width))
    columns = [set(pc.unique(pc.utf8_slice_codeunits(chosen, at, at + 1)).to_pylist()) for at in range(width)]
    slots = tuple(_slot(signs, few=len(chosen) < 2) for signs in columns)
    return slots if any(len(slot) > 1 for slot in slots) else (*slots, DIGITS)


def _slot(signs: set[str], *, few: bool) -> str:
    """Give the class of signs a place may take: the classes its signs belong to, or one fixed sign."""
    if len(signs) == 1 and not few:
        return next(iter(signs))
    classes = [kind for kind in (DIGITS, UPPER, LOWER) if signs & set(kind)]
    if classes and all(sign in "".join(classes) for sign in signs):
        return _narrow("".join(classes), signs)
    return "".join(sorted(signs)) if len(signs) == 1 else "".join(sorted(signs | set("".join(classes))))


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
