"""What a codec states of its values holds of whatever it gives, and tells no more than protection allows."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.domain import Categories, Range, domain_from_json, state_domains
from kinsynth.settings.treatment import Column
from laws.test_column_types import CASES, MODELLED, fitted, names, numbers, sample

ALTERED = {
    "integer": (
        Column(minimum="-20", maximum="35"),
        Column(special_values=("0", "999999")),
        Column(never=("7",)),
    ),
    "numeric": (Column(decimals=0), Column(outlier_quantile=0.02), Column(minimum="2", outliers="impute")),
    "date": (Column(granularity="month"), Column(granularity="year"), Column(minimum="1995-03-04")),
    "time": (Column(granularity="hour"),),
    "datetime": (
        Column(granularity="month"),
        Column(granularity="minute"),
        Column(special_values=("2003-03-03 03:03:03",)),
        Column(minimum="2003-01-01 10:00:00", maximum="2005-01-01 11:30:00"),
        Column(never=("2003-03-03 00:00:00",)),
    ),
    "categorical": (Column(rare_replacement="label"), Column(never=("a",))),
}
# Of references and of made-up texts nothing is stated.
PLAIN = [pair for pair in MODELLED if pair.values[0] != "reference" and pair.values[1] is not names]
CHANGED = [
    pytest.param(name, make, settings, id=f"{make.__name__}-{number}")
    for name, several in ALTERED.items()
    for make in CASES[name]
    if make is not names
    for number, settings in enumerate(several)
]


def any_values(codec, rows=3_000):
    """Decode codes that no row has, with uniforms at both ends."""
    rng = np.random.default_rng(1)
    codes = np.stack([rng.integers(0, sub.cardinality, rows) for sub in codec.sub_columns], axis=1)
    uniforms = rng.choice([0.0, 0.3, 0.999999, np.nextafter(1, 0)], (rows, max(1, codec.draws)))
    uniforms = np.where(rng.random(uniforms.shape) < 0.5, rng.random(uniforms.shape), uniforms)
    return codec.decode(codes.astype(np.int32), uniforms)


def broken(codec, back):
    """Count values that break what is stated, by column."""
    stated = state_domains(codec)
    assert len(stated) == len(back)
    again = [
        [domain_from_json(json.loads(json.dumps(one.to_json()))) for one in several] for several in stated
    ]
    assert [tuple(several) for several in again] == list(stated)
    return [
        (int(one.outside(array).sum()), int(one.off_step(array).sum()) if isinstance(one, Range) else 0)
        for several, array in zip(again, back, strict=True)
        for one in several
    ]


@pytest.mark.parametrize(("name", "make"), PLAIN)
def test_whatever_is_decoded_keeps_to_the_domain(name, make):
    codec = fitted(name, sample(make))
    assert {*broken(codec, any_values(codec))} == {(0, 0)}


@pytest.mark.parametrize(("name", "make", "settings"), CHANGED)
def test_so_do_treated_columns(name, make, settings):
    codec = fitted(name, sample(make), settings=settings)
    assert {*broken(codec, any_values(codec))} == {(0, 0)}


@pytest.mark.parametrize(
    ("name", "make"), [pair for pair in PLAIN if pair.values[0] not in ("boolean", "categorical")]
)
def test_bounds_and_steps_are_those_of_the_source(name, make):
    """No bound lies beyond the value of the fifth outermost root, and the source lies on the steps."""
    values = sample(make)
    codec = fitted(name, values)
    for several, array in zip(state_domains(codec), values, strict=True):
        ordered = np.sort(numbers(array))
        low, high = ordered[4], ordered[-5]
        first = several[0]
        unit = (
            10.0**first.digits
            if first.unit == "decimal"
            else 2.0**first.digits
            if first.unit == "binary"
            else 1
        )
        scale = 86_400_000_000 if name == "datetime" and first.unit == "day" else 1
        reach = 86_400_000_000 if name == "datetime" else 0  # days and times are protected one by one
        assert first.low / unit * scale >= low - reach - 1e-9 * abs(low)
        assert first.high / unit * scale <= high + reach + 1e-9 * abs(high)
        assert not any(one.off_step(array).any() for one in several)


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize(("name", "make"), PLAIN)
def test_too_few_rows_allow_nothing(name, make, rows):
    values = sample(make, missing=0)
    codec = fitted(name, tuple(array[:rows] for array in values))
    if name == "boolean":
        return
    for several, array in zip(state_domains(codec), values, strict=True):
        assert any(one.outside(array).all() for one in several)


WRONG = {
    "integer": (Range("decimal", 0, 90, 5), pa.array([5, 7, 95, None]), 1, 1),
    "decimals": (Range("decimal", 0, 900, digits=1), pa.array([0.1, 0.25, 90.1, None, 0.3]), 1, 1),
    "float32": (Range("decimal", 0, 900, digits=1), pa.array([0.1, 0.25, 90.1, None], pa.float32()), 1, 1),
    "decimal": (
        Range("decimal", -10, 900, digits=1),
        pa.array([decimal.Decimal("0.10"), decimal.Decimal("0.25"), decimal.Decimal("-1.10"), None]),
        1,
        1,
    ),
    "unsigned": (Range("decimal", 0, 90), pa.array([5, 2**64 - 1], pa.uint64()), 1, 0),
    "binary": (Range("binary", -4, 4, digits=2), pa.array([1.0, 0.3, 1.01, None]), 1, 0),
    "date": (
        Range("day", 0, 70, 7),
        pa.array([dt.date(1970, 1, 8), dt.date(1970, 1, 9), dt.date(1971, 1, 7)]),
        1,
        1,
    ),
    "month": (
        Range("month", 0, 11),
        pa.array([dt.date(1970, 2, 1), dt.date(1970, 2, 2), dt.date(1971, 1, 1)]),
        1,
        1,
    ),
    "time": (
        Range("time", 0, 10**9, 10**6),
        pa.array([dt.time(0, 0, 1), dt.time(0, 0, 1, 5), dt.time(1)]),
        1,
        1,
    ),
    "moment": (
        Range("moment", 0, 10**9, 10**6),
        pa.array(
            [dt.datetime(1970, 1, 1, 0, 0, 1), dt.datetime(1970, 1, 1, 0, 0, 1, 5), dt.datetime(1969, 1, 1)]
        ),
        1,
        1,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_value_beyond_or_between_is_counted(case):
    domain, values, beyond, between = WRONG[case]
    assert (int(domain.outside(values).sum()), int(domain.off_step(values).sum())) == (beyond, between)


def test_a_category_that_is_not_listed_is_counted():
    assert Categories("string", ("a", "b")).outside(pa.array(["a", "c", None])).tolist() == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
@pytest.mark.parametrize("digits", [2, 9, 13])
def test_numbers_with_more_digits_than_their_type_holds_keep_to_the_domain(kind, digits):
    numbers_R = np.random.default_rng(3).normal(0, 1_000_000, 2_000)
    codec = fitted("numeric", (pa.array(numbers_R).cast(kind),), settings=Column(decimals=digits))
    assert {*broken(codec, any_values(codec))} == {(0, 0)}
