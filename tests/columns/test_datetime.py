"""Dates, times and both: calendars, units, bounds and special days."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.registry import column_type
from kinsynth.errors import SettingsError
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

ROWS = 5_000
RNG = np.random.default_rng(11)
DAYS = RNG.integers(9_000, 14_000, ROWS)
DATES = pa.array(DAYS.astype(np.int32)).cast(pa.date32())
MOMENTS = pa.array(DAYS * 86_400 + RNG.integers(8 * 60, 18 * 60, ROWS) * 60).cast(pa.timestamp("s"))


def build(array, kind, text=None, **settings):
    made = column_type(kind)
    return made.build(made.fit((array,), np.arange(len(array))), Column(**settings), Protection(), text=text)


def back_and_forth(codec, array, seed=0):
    codes = codec.encode((array,))
    return codec.decode(codes, np.random.default_rng(seed).random((len(array), codec.draws)))[0]


def days(array):
    return array.cast(pa.date32()).cast(pa.int32()).to_numpy()


def test_weekdays_are_kept_where_they_matter():
    working = pa.array(DAYS[(DAYS + 3) % 7 < 5].astype(np.int32)).cast(pa.date32())
    codec = build(working, "date")
    after = days(back_and_forth(codec, working))
    assert ((after + 3) % 7 < 5).all()
    # A day of the week that fewer than five roots hold in a bin becomes another one.
    assert (after % 7 == days(working) % 7).mean() > 0.98
    assert len(codec.sub_columns) == 2
    assert len(build(DATES, "date").sub_columns) == 1


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_days_that_stand_for_a_year_stay_the_first_of_one_though_few_hold_each(kind):
    year = DAYS.astype("datetime64[D]").astype("datetime64[Y]")
    early = (year - (DAYS % 300).astype("timedelta64[Y]")).astype("datetime64[D]").astype(np.int64)
    mixed = np.where(np.arange(ROWS) % 4 == 0, early, DAYS)
    array = pa.array(mixed.astype(np.int32)).cast(pa.date32())
    array = array.cast(pa.timestamp("s")) if kind == "datetime" else array
    after = days(back_and_forth(build(array, kind), array))

    def firsts(day):
        return (
            day.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
            == day
        )

    assert firsts(mixed).mean() > 0.25
    assert (firsts(after) == firsts(mixed)).mean() > 0.98
    assert np.abs(after - mixed).mean() < 5 * 365
    assert (np.unique(after[firsts(after)]) != np.unique(mixed[firsts(mixed)])[0]).all(), "an extreme"


@pytest.mark.parametrize(("unit", "pattern"), [("month", "%d"), ("year", "%m%d")])
def test_whole_months_and_years(unit, pattern):
    firsts = pa.array(
        days(DATES).astype("datetime64[D]").astype(f"datetime64[{unit[0].upper()}]").astype("datetime64[D]")
    )
    after = back_and_forth(build(firsts, "date"), firsts).to_pylist()
    assert {one.strftime(pattern) for one in after} == {"01" * (len(pattern) // 2)}
    declared = back_and_forth(build(DATES, "date", granularity=unit), DATES).to_pylist()
    assert {one.strftime(pattern) for one in declared} == {"01" * (len(pattern) // 2)}


def test_special_days_are_kept_exactly():
    array = pa.concat_arrays([DATES, pa.array([dt.date(1900, 1, 1)] * 2)])
    codec = build(array, "date", special_values=("1900-01-01",))
    after = back_and_forth(codec, array).to_pylist()
    assert after[-2:] == [dt.date(1900, 1, 1)] * 2
    assert min(after[:-2]) > dt.date(1990, 1, 1)


def test_bounds_in_the_sources_format():
    text = TextFormat(pattern="%d/%m/%Y")
    codec = build(DATES, "date", text, minimum="01/02/2000", maximum="28/02/2000")
    after = back_and_forth(codec, DATES).to_pylist()
    assert min(after) >= dt.date(2000, 2, 1)
    assert max(after) <= dt.date(2000, 2, 28)


def test_a_declared_format_wins():
    codec = build(DATES, "date", TextFormat(pattern="%d/%m/%Y"), format="%m/%d/%Y", minimum="02/01/2000")
    assert min(back_and_forth(codec, DATES).to_pylist()) >= dt.date(2000, 2, 1)


def test_what_is_no_date_is_refused():
    with pytest.raises(SettingsError) as error:
        build(DATES, "date", minimum="soon")
    assert error.value.code == "treatment.value"


def test_days_never_generated():
    refused = days(DATES)[:3].astype("datetime64[D]").astype(str).tolist()
    codec = build(DATES, "date", never=tuple(refused))
    assert not set(refused) & {str(one) for one in back_and_forth(codec, DATES).to_pylist()}


def test_minutes_stay_whole_and_in_office_hours():
    after = back_and_forth(build(MOMENTS, "datetime"), MOMENTS)
    seconds = after.cast(pa.int64()).to_numpy()
    assert (seconds % 60 == 0).all()
    assert (seconds % 86_400).min() >= 8 * 3_600
    assert (seconds % 86_400).max() < 18 * 3_600
    # Within the bin: a bin holds about one fiftieth of 5,000 days.
    assert np.abs(days(after) - days(MOMENTS)).mean() < 100


def test_midnights_stay_midnight():
    array = pa.array(DAYS * 86_400).cast(pa.timestamp("s"))
    codec = build(array, "datetime")
    assert (back_and_forth(codec, array).cast(pa.int64()).to_numpy() % 86_400 == 0).all()


def test_datetime_bounds_and_special_moments():
    special = dt.datetime(1900, 1, 1, 12, 30)
    array = pa.concat_arrays([MOMENTS, pa.array([special] * 2, MOMENTS.type)])
    codec = build(array, "datetime", special_values=("1900-01-01 12:30:00",))
    assert back_and_forth(codec, array).to_pylist()[-2:] == [special] * 2
    codec = build(MOMENTS, "datetime", minimum="2000-02-01 10:00:00", maximum="2000-02-03 09:00:00")
    after = back_and_forth(codec, MOMENTS).to_pylist()
    assert min(after) >= dt.datetime(2000, 2, 1, 10)
    assert max(after) <= dt.datetime(2000, 2, 3, 9)


def test_moments_never_generated():
    array = pa.array([dt.datetime(2000, 1, day, 12) for day in range(1, 29)] * 20)
    codec = build(array, "datetime", never=("2000-01-05 12:00:00",))
    assert dt.datetime(2000, 1, 5, 12) not in back_and_forth(codec, array).to_pylist()


def test_declared_granularity_of_datetimes():
    after = back_and_forth(build(MOMENTS, "datetime", granularity="hour"), MOMENTS)
    assert (after.cast(pa.int64()).to_numpy() % 3_600 == 0).all()
    after = back_and_forth(build(MOMENTS, "datetime", granularity="day"), MOMENTS)
    assert (after.cast(pa.int64()).to_numpy() % 86_400 == 0).all()


@pytest.mark.parametrize("storage", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Rome"])
def test_storage_and_zone_are_kept(storage, zone):
    kind = pa.timestamp(storage, tz=zone)
    array = MOMENTS.cast(pa.timestamp(storage)).cast(pa.int64()).cast(kind)
    assert back_and_forth(build(array, "datetime"), array).type == kind


def test_times_keep_quarters():
    array = pa.array(RNG.integers(0, 96, ROWS) * 900).cast(pa.int32()).cast(pa.time32("s"))
    after = back_and_forth(build(array, "time"), array)
    assert after.equals(array)
    assert min(back_and_forth(build(array, "time", minimum="10:00"), array).to_pylist()) >= dt.time(10)


def test_a_bound_finer_than_the_times_holds():
    array = pa.array([dt.time(0)] * 50 + [dt.time(12)] * 50)
    codec = build(array, "time", minimum="23:30:15")
    assert set(back_and_forth(codec, array).to_pylist()) == {dt.time(23, 30, 15)}


@pytest.mark.parametrize("unit", ["month", "year"])
def test_bounds_that_impute_hold_in_months_and_years(unit):
    settings = {"minimum": "2000-01-01", "maximum": "2005-12-31", "outliers": "impute", "granularity": unit}
    after = back_and_forth(build(MOMENTS, "datetime", **settings), MOMENTS).to_pylist()
    years = {one.year for one in after}
    assert years == set(range(2000, 2006))


def test_a_refused_moment_at_a_bound_moves_inwards():
    midnights = pa.array((DAYS % 5 + 10_957) * 86_400).cast(pa.timestamp("s"))
    settings = {"minimum": "2000-01-02", "maximum": "2000-01-04"}
    for never in (("2000-01-02",), ("2000-01-04",), ("2000-01-03", "2000-01-04")):
        after = back_and_forth(build(midnights, "datetime", never=never, **settings), midnights).to_pylist()
        left = {dt.datetime(2000, 1, day) for day in (2, 3, 4)} - {
            dt.datetime.fromisoformat(one) for one in never
        }
        assert set(after) <= left


@pytest.mark.parametrize(("kind", "values"), [("date", DATES), ("datetime", MOMENTS)])
def test_a_day_that_parts_states_is_told_and_places_are_finer(kind, values):
    made, cut = column_type(kind), int(np.median(DAYS)) + 30
    part = made.fit((values,), np.arange(ROWS))
    plain, cutting = (made.build(part, Column(), Protection(), cuts=cuts) for cuts in (None, (cut,)))

    def states_of(codec, late):
        return {*codec.encode((values,))[(cut < DAYS) == late, 0].tolist()}

    assert len(states_of(plain, late=False) & states_of(plain, late=True)) == 1
    assert not states_of(cutting, late=False) & states_of(cutting, late=True)
    after = days(back_and_forth(cutting, values))
    assert ((after > cut) == (cut < DAYS)).mean() > 0.999
    assert np.abs(after - DAYS).mean() < 0.2 * np.abs(days(back_and_forth(plain, values)) - DAYS).mean()


def test_a_day_beyond_all_others_parts_nothing():
    made = column_type("date")
    part = made.fit((DATES,), np.arange(ROWS))
    outside, none = (made.build(part, Column(), Protection(), cuts=cuts) for cuts in ((1, 99_999), ()))
    assert outside.to_json() == none.to_json()
