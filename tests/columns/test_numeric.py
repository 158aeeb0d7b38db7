"""Numbers: lattices, spikes, protection and what the settings ask for."""

from __future__ import annotations

import decimal
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.registry import column_type
from kinsynth.columns.restriction import without_values
from kinsynth.columns.scale import END, NumberScale
from kinsynth.errors import SettingsError
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

ROWS = 6_000


def build(array, kind="integer", protection=None, text=None, **settings):
    made = column_type(kind)
    part = made.fit((array,), np.arange(len(array)))
    return made.build(part, Column(type=kind, **settings), protection or Protection(), text=text)


def back_and_forth(codec, array, seed=0):
    codes = codec.encode((array,))
    return codec.decode(codes, np.random.default_rng(seed).random((len(array), codec.draws)))[0]


def drawn(codec, rows=ROWS, seed=0):
    """Draw every allowed state equally often, the other tokens at random."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.choice(np.flatnonzero(~sub.forbidden_K) if sub.forbidden_K is not None else sub.cardinality, rows)
        for sub in codec.sub_columns
    ]
    return codec.decode(np.stack(columns, axis=1).astype(np.int32), rng.random((rows, codec.draws)))[0]


@pytest.fixture
def amounts():
    rng = np.random.default_rng(5)
    plain = rng.integers(1, 300_000, ROWS)
    return pa.array(np.where(rng.random(ROWS) < 0.5, plain // 1_000 * 1_000, plain))


def test_few_values_come_back_exactly():
    array = pa.array(np.random.default_rng(0).integers(17, 60, ROWS))
    codec = build(array)
    assert back_and_forth(codec, array).equals(array)
    assert len(codec.sub_columns) == 1


def test_states_have_ascending_positions(amounts):
    position = build(amounts).sub_columns[0].position_K
    assert np.isnan(position[:2]).all()
    assert (np.diff(position[2:]) > 0).all()
    assert 0 <= position[2] < position[-1] <= 1


def test_round_values_keep_their_share(amounts):
    shares = [
        np.mean(array.to_numpy() % 1_000 == 0) for array in (amounts, back_and_forth(build(amounts), amounts))
    ]
    # Three standard deviations of a share of one half.
    assert abs(shares[0] - shares[1]) < 3 * (0.25 / ROWS) ** 0.5


@pytest.mark.parametrize("steps", [40, 4_000], ids=["mostly single values", "mostly ranges"])
@pytest.mark.parametrize(("odd_roots", "kept"), [(0, True), (4, True), (5, False)])
def test_a_step_holds_unless_enough_roots_break_it(steps, odd_roots, kept):
    rng = np.random.default_rng(3)
    plain = 10_000 * rng.geometric(8 / steps, ROWS)
    odd = rng.permutation(ROWS)[:odd_roots]
    plain[odd] = plain[odd] // 10_000 * 10_000 + rng.integers(1, 10_000, odd_roots)
    codec = build(pa.array(plain))
    after = np.concatenate([drawn(codec).to_numpy(), back_and_forth(codec, pa.array(plain)).to_numpy()])
    assert (codec.line.classes[-1] == (10_000, 0)) == kept
    assert not kept or not (after % 10_000).any()
    assert plain.min() <= after.min() <= after.max() <= plain.max()


def test_the_step_of_one_root_does_not_count_however_many_rows_it_has():
    plain = 10_000 * np.random.default_rng(3).integers(1, 2_000, ROWS)
    plain[:300] += np.arange(300)
    root_R = np.where(np.arange(ROWS) < 300, 0, np.arange(ROWS))
    made = column_type("integer")
    codec = made.build(made.fit((pa.array(plain),), root_R), Column(type="integer"), Protection(), text=None)
    assert codec.line.classes[-1] == (10_000, 0)


def test_ties_keep_their_share():
    rng = np.random.default_rng(1)
    array = pa.array(np.where(rng.random(ROWS) < 0.1, 12_345, rng.integers(0, 10**6, ROWS)))
    after = back_and_forth(build(array), array).to_numpy()
    assert (after == 12_345).sum() == (array.to_numpy() == 12_345).sum()


def test_no_value_of_one_root_is_stored(amounts):
    values, counts = np.unique(amounts.to_numpy(), return_counts=True)
    lonely = set(values[counts < 5].tolist())
    line = build(amounts).line
    single = line.low_L[line.low_L == line.high_L]
    assert not lonely & set(single.tolist())


def test_every_range_spans_several_possible_values(amounts):
    line = build(amounts).line
    moduli = np.array([one[0] for one in line.classes])[line.class_L]
    wide = line.high_L > line.low_L
    assert ((line.high_L - line.low_L)[wide] // moduli[wide] >= 1).mean() > 0.9


def test_largest_values_are_protected():
    rng = np.random.default_rng(2)
    array = pa.array(np.concatenate([rng.lognormal(8, 1, ROWS), [1e9, 2e9, 3e9, 4e9]]).round(2))
    codec = build(array, "numeric")
    assert np.nanmax(drawn(codec).to_numpy()) < 1e8
    assert "1000000000" not in json.dumps(codec.to_json())


def test_extremes_are_counted_by_root():
    array = pa.array(np.concatenate([np.arange(1_000) % 50, np.full(100, 9_999)]))
    roots = np.concatenate([np.arange(1_000), np.full(100, 5_000)])
    made = column_type("integer")
    codec = made.build(made.fit((array,), roots), Column(), Protection())
    assert np.nanmax(drawn(codec).to_numpy()) < 50


def test_last_digits_of_prices_are_kept():
    rng = np.random.default_rng(3)
    array = pa.array(rng.integers(1, 2_000, ROWS) + rng.choice([0.99, 0.95], ROWS, p=[0.8, 0.2]))
    after = np.round(back_and_forth(build(array, "numeric"), array).to_numpy() * 100) % 100
    assert set(after) == {95.0, 99.0}
    assert abs((after == 99).mean() - 0.8) < 4 * (0.16 / ROWS) ** 0.5


@pytest.mark.parametrize("digits", [0, 1, 2, 5])
def test_decimals_are_those_of_the_source(digits):
    array = pa.array(np.random.default_rng(4).normal(0, 100, ROWS).round(digits))
    after = back_and_forth(build(array, "numeric"), array).to_numpy()
    assert np.array_equal(after, after.round(digits))


def test_a_single_roots_precision_does_not_count():
    numbers = np.random.default_rng(4).normal(0, 100, ROWS).round(1)
    numbers[:3] += 0.000123
    after = back_and_forth(build(pa.array(numbers), "numeric"), pa.array(numbers)).to_numpy()
    assert np.array_equal(after, after.round(1))


def test_declared_decimals():
    array = pa.array(np.random.default_rng(4).normal(0, 100, ROWS))
    after = drawn(build(array, "numeric", decimals=1)).drop_null().to_numpy()
    assert np.array_equal(after, after.round(1))


def test_measures_without_decimals_are_new_values():
    array = pa.array(np.random.default_rng(4).normal(0, 1, ROWS))
    after = back_and_forth(build(array, "numeric"), array).to_numpy()
    assert not set(after.tolist()) & set(array.to_pylist())
    # Thirty bins of a standard normal: the middle ones are under 0.1 wide, the last few under 1.
    assert np.median(np.abs(after - array.to_numpy())) < 0.1


def test_wide_decimals_stay_exact():
    array = pa.array([decimal.Decimal("12345678901234.56")] * 60 + [decimal.Decimal("-0.01")] * 60)
    codec = build(array, "numeric")
    assert back_and_forth(codec, array).equals(array)


def test_special_values_are_kept_exactly_even_when_rare():
    rng = np.random.default_rng(6)
    array = pa.array(np.concatenate([rng.integers(1, 100_000, ROWS), [-1, -1]]))
    codec = build(array, special_values=("-1",))
    assert back_and_forth(codec, array).to_pylist()[-2:] == [-1, -1]
    after = drawn(codec).to_numpy()
    assert set(after[after < 1]) == {-1}


def test_values_never_generated(amounts):
    most = int(np.bincount(amounts.to_numpy()).argmax())
    codec = build(amounts, never=(str(most), "777", "1000"))
    assert codec.sub_columns[0].forbidden_K[codec.encode((pa.array([most, 777]),))[:, 0]].all()
    after = set(drawn(codec, 50_000).to_pylist()) | set(back_and_forth(codec, amounts).to_pylist())
    assert not after & {most, 777, 1_000}


def test_never_within_a_dense_range():
    array = pa.array(np.random.default_rng(0).integers(0, 400, 3_000))
    codec = build(array, never=tuple(str(value) for value in range(100, 140)))
    after = drawn(codec, 50_000).to_numpy()
    assert not ((after >= 100) & (after < 140)).any()


def test_nothing_left_is_refused():
    with pytest.raises(SettingsError) as error:
        build(pa.array([1] * 50 + [2] * 50), never=("1", "2"), missing="impute")
    assert error.value.code == "treatment.nothing_left"


@pytest.mark.parametrize("outliers", ["clip", "impute"])
def test_bounds_hold(amounts, outliers):
    codec = build(amounts, minimum="5000", maximum="20,000".replace(",", ""), outliers=outliers)
    after = drawn(codec).drop_null().to_numpy()
    assert after.min() >= 5_000
    assert after.max() <= 20_000
    outside = codec.encode((pa.array([1, 299_999]),))[:, 0]
    assert codec.sub_columns[0].forbidden_K[outside].all() == (outliers == "impute")
    if outliers == "clip":
        assert back_and_forth(codec, pa.array([1, 299_999])).to_pylist() == [5_000, 20_000]


def test_not_negative():
    array = pa.array(np.random.default_rng(0).normal(0, 10, ROWS).round(2))
    assert drawn(build(array, "numeric", non_negative=True)).drop_null().to_numpy().min() >= 0


def test_outlier_share(amounts):
    low, high = np.quantile(amounts.to_numpy(), [0.1, 0.9])
    after = drawn(build(amounts, outlier_quantile=0.1)).drop_null().to_numpy()
    assert after.min() >= low - 2_000
    assert after.max() <= high + 2_000


def test_settings_with_a_decimal_comma():
    array = pa.array(np.random.default_rng(0).normal(0, 10, ROWS).round(2))
    text = TextFormat(decimal_mark=",")
    assert drawn(build(array, "numeric", text=text, minimum="-2,50")).drop_null().to_numpy().min() >= -2.5


@pytest.mark.parametrize("field", ["minimum", "maximum", "never", "special_values"])
def test_settings_that_are_no_number_are_refused(amounts, field):
    value = ("abc",) if field in {"never", "special_values"} else "abc"
    with pytest.raises(SettingsError) as error:
        build(amounts, **{field: value})
    assert error.value.code == "treatment.value"
    assert error.value.where == field


def test_crossed_bounds_are_refused(amounts):
    with pytest.raises(SettingsError) as error:
        build(amounts, minimum="10", maximum="5")
    assert error.value.code == "treatment.bounds"


def test_infinite_and_undefined_numbers_are_missing():
    array = pa.array([1.5] * 50 + [float("inf"), float("-inf"), float("nan")])
    after = back_and_forth(build(array, "numeric"), array)
    assert after.to_pylist() == [1.5] * 50 + [None] * 3


def test_unsigned_and_small_integers_keep_their_type():
    for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.uint32()):
        array = pa.array(np.arange(600) % 100).cast(kind)
        assert back_and_forth(build(array), array).type == kind


def test_bounds_off_the_lattice_are_rounded_inwards():
    array = pa.array(np.random.default_rng(0).normal(0, 10, ROWS).round(1))
    after = drawn(build(array, "numeric", minimum="-0.55", maximum="0.55")).drop_null().to_numpy()
    assert after.min() >= -0.5
    assert after.max() <= 0.5


def test_the_outlier_share_counts_between_the_bounds():
    array = pa.array(np.arange(1_000))
    after = drawn(build(array, minimum="900", outlier_quantile=0.2)).drop_null().to_numpy()
    assert after.min() >= 900


def test_tens_among_fives_are_found():
    """Neighbouring moduli of ratio two: half of all fives are tens by chance, nearly all here."""
    rng = np.random.default_rng(9)
    array = pa.array(
        np.where(rng.random(ROWS) < 0.9, rng.integers(1, 10**5, ROWS) * 10, rng.integers(1, 10**6, ROWS))
    )
    after = back_and_forth(build(array), array).to_numpy()
    # Three standard deviations of a share of 0.91.
    assert abs((after % 10 == 0).mean() - (array.to_numpy() % 10 == 0).mean()) < 3 * (0.09 / ROWS) ** 0.5


@pytest.mark.parametrize("outliers", ["clip", "impute"])
def test_the_bound_of_outliers_is_nobodys_own_value(outliers):
    amounts = np.unique(np.random.default_rng(3).integers(10**6, 10**9, ROWS))
    line = build(pa.array(amounts), outlier_quantile=0.02, outliers=outliers).line
    assert not {line.low, line.high} & set(amounts.tolist())
    within = ((amounts >= line.low) & (amounts <= line.high)).mean()
    assert abs(within - 0.96) < 2 / len(amounts)
    often = np.concatenate([amounts, np.full(3_000, 777_777)])
    assert build(pa.array(often), outlier_quantile=0.02, outliers=outliers).line.low == 777_777


def test_a_single_roots_size_does_not_count():
    cents = np.random.default_rng(5).integers(1, 10**6, ROWS) / 100
    with_giant = np.append(cents, 3.7e16)
    assert build(pa.array(with_giant), "numeric").scale == build(pa.array(cents), "numeric").scale
    measures = np.random.default_rng(5).normal(0, 1, ROWS)
    giant = build(pa.array(np.append(measures, 1e9)), "numeric").scale
    assert giant == build(pa.array(measures), "numeric").scale


def test_unsigned_integers_beyond_63_bits_keep_their_leading_digits():
    values = np.random.default_rng(6).integers(0, 2**64 - 1, ROWS, dtype=np.uint64)
    after = back_and_forth(build(pa.array(values)), pa.array(values)).to_numpy()
    assert after.dtype == np.uint64
    assert values.min() <= after.min() < after.max() <= values.max()
    assert len(np.unique(after)) > ROWS / 2


def test_decimals_longer_than_64_bits_keep_their_leading_digits():
    leading = np.random.default_rng(6).integers(10**17, 10**18, ROWS).tolist()
    values = pa.array([Decimal(number * 10**9 + 7) / 100 for number in leading], pa.decimal128(30, 2))
    after = back_and_forth(build(values, "numeric"), values)
    assert after.type == values.type
    mean, drawn = (np.mean(part.cast(pa.float64()).to_numpy()) for part in (values, after))
    assert abs(drawn / mean - 1) < 0.05
    assert len(after.unique()) > ROWS / 2


def test_no_edge_is_one_roots_own_where_there_is_room():
    for seed in range(3):
        values = np.unique(np.random.default_rng(seed).lognormal(15, 2, ROWS).astype(np.int64))
        line = build(pa.array(values)).line
        edges = np.unique([*line.low_L, *line.high_L, *line.cell_low_F])
        own = np.searchsorted(values, edges[np.isin(edges, values)])
        near = np.minimum(np.diff(values, prepend=-(10**18))[own], np.diff(values, append=10**18)[own])
        assert (near <= 2).all()


def test_numbers_beyond_the_line_stand_at_its_end():
    scale = NumberScale("double", decimals=3)
    tick_R, valid_R = scale.to_ticks(pa.array([1e308, -1e308, 1.5, np.inf]))
    assert tick_R.tolist()[:3] == [END, -END, 1_500]
    assert valid_R.tolist() == [True, True, True, False]


@pytest.mark.parametrize("largest", [2**61, 2**62, 2**63 - 1])
@pytest.mark.parametrize("never", [(), ("0", "17", "-4611686018427387000")])
def test_numbers_near_the_ends_of_their_type_stay_in_their_range(largest, never):
    """No sum, difference or product of ticks leaves 64 bits: spread values come back spread, and in range."""
    chance = np.random.default_rng(1)
    values = pa.array(chance.integers(-largest, largest, 3_000))
    codec = build(values, never=never)
    for one in (codec, without_values(codec, pa.array([5, 2**61 + 3, -largest]))):
        line = one.line
        assert (line.mass_L > 0).all()
        assert (line.low_L <= line.high_L).all()
        back = one.decode(one.encode((values,)), chance.random((3_000, 1)))[0].to_numpy()
        ends = values.to_numpy()
        assert (back >= ends.min()).all()
        assert (back <= ends.max()).all()
        # The share below zero within four standard errors, the median of magnitudes within a tenth.
        assert abs((back < 0).mean() - (values.to_numpy() < 0).mean()) < 4 * (0.25 / 3_000) ** 0.5
        assert abs(np.median(np.abs(back.astype(float))) / np.median(np.abs(ends.astype(float))) - 1) < 0.1
