"""Every registered column type through the same promises."""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
import json
import string

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.base import count_part
from kinsynth.columns.echo import build_echo
from kinsynth.columns.line import FIRST
from kinsynth.columns.registry import COLUMN_TYPES, codec_from_json, column_type
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

ROWS = 4_000
PROTECTION = Protection(rare_minimum=5, extreme_minimum=5)


def boolean(rng, rows):
    return (pa.array(rng.random(rows) < 0.3),)


def categorical(rng, rows):
    return (pa.array(rng.choice(["a", "b", "c", "d,\u00e9", ""], rows, p=[0.5, 0.2, 0.2, 0.05, 0.05])),)


def very_many_categories(rng, rows):
    return (pa.array([f"code {value}" for value in rng.integers(0, 1_500, rows * 6)]),)


def names(rng, rows):
    parts = rng.choice(["mar", "lo", "tin", "ka", "bre", "sen", "vi", "dal"], (rows, 4))
    made = ["".join(several) for several in parts.tolist()]
    return (pa.array(np.where(rng.random(rows) < 0.4, "Smith", made), pa.string()),)


def integer(rng, rows):
    return (pa.array(rng.geometric(0.02, rows) * rng.choice([-1, 1], rows)),)


def large_integer(rng, rows):
    round_values = rng.integers(1, 400, rows) * 1_000
    return (pa.array(np.where(rng.random(rows) < 0.6, round_values, rng.integers(1, 400_000, rows))),)


def numeric(rng, rows):
    return (pa.array(np.round(rng.lognormal(3, 1.5, rows), 2)),)


def measure(rng, rows):
    return (pa.array(rng.normal(0, 1, rows)),)


def prices(rng, rows):
    return (pa.array(rng.integers(1, 900, rows) + rng.choice([0.99, 0.95, 0.5], rows)),)


def decimals(rng, rows):
    cents = rng.integers(-(10**7), 10**7, rows)
    return (pa.array([decimal.Decimal(int(cent)).scaleb(-2) for cent in cents], pa.decimal128(12, 2)),)


def date(rng, rows):
    days = rng.integers(8_000, 12_000, rows)
    return (pa.array(days[(days + 3) % 7 < 5].astype(np.int32)).cast(pa.date32()),)


def few_dates(rng, rows):
    return (pa.array(rng.choice([1, 31, 59], rows).astype(np.int32)).cast(pa.date32()),)


def time(rng, rows):
    return (pa.array(rng.integers(0, 96, rows) * 900_000_000).cast(pa.time64("us")),)


def datetime(rng, rows):
    seconds = rng.integers(10**9, 12 * 10**8, rows)
    return (
        pa.array(
            np.where(rng.random(rows) < 0.3, seconds // 86_400 * 86_400, seconds) * 10**6, pa.timestamp("us")
        ),
    )


def zoned_datetime(rng, rows):
    seconds = rng.integers(10**9, 12 * 10**8, rows) // 60 * 60
    return (pa.array(seconds * 1_000, pa.timestamp("ms", tz="Europe/Rome")),)


def coordinates(rng, rows):
    centre = rng.integers(0, 3, rows)
    latitude = np.round(45 + centre + rng.normal(0, 0.1, rows), 4)
    return (pa.array(latitude), pa.array(np.round(9 - centre + rng.normal(0, 0.1, rows), 4)))


def identifier(rng, rows):
    return (pa.array([f"ID-{value:06d}" for value in rng.permutation(500_000)[:rows]]),)


def reference(rng, rows):
    return (pa.array(rng.integers(0, 77, rows)),)


CASES = {
    "boolean": (boolean,),
    "categorical": (categorical, very_many_categories, names),
    "integer": (integer, large_integer),
    "numeric": (numeric, measure, prices, decimals),
    "date": (date, few_dates),
    "time": (time,),
    "datetime": (datetime, zoned_datetime),
    "coordinates": (coordinates,),
    "identifier": (identifier,),
    "reference": (reference,),
}
PAIRS = [
    pytest.param(name, make, id=f"{name}-{make.__name__}") for name, cases in CASES.items() for make in cases
]
MODELLED = [pair for pair in PAIRS if pair.values[0] != "identifier"]
SECRETS = {
    "categorical": ("secret",),
    "integer": (987_654_321,),
    "numeric": (987_654_321.37,),
    "date": (dt.date(1871, 3, 7),),
    "time": (dt.time(23, 59, 57, 123_457),),
    "datetime": (dt.datetime(1871, 3, 7, 4, 5, 6),),
    "coordinates": (-77.12345, 166.54321),
}


def sample(make, rows=ROWS, seed=7, missing=0.1):
    rng = np.random.default_rng(seed)
    values = make(rng, rows)
    lost = rng.random(len(values[0])) < missing
    return tuple(pa.array(array.to_pylist(), array.type, mask=lost) for array in values)


def fitted(name, values, roots=None, settings=None):
    kind = column_type(name)
    roots = np.arange(len(values[0])) if roots is None else roots
    return kind.build(kind.fit(values, roots), settings or Column(), PROTECTION)


def decoded(codec, codes, seed=3):
    return codec.decode(codes, np.random.default_rng(seed).random((len(codes), codec.draws)))


def numbers(array):
    """Put values on a line, missing ones left out."""
    array = array.drop_null()
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("us", tz=array.type.tz)).cast(pa.int64()).to_numpy().astype(float)
    if pa.types.is_date32(array.type):
        return array.cast(pa.int32()).to_numpy().astype(float)
    if pa.types.is_time(array.type):
        return array.cast(pa.int64()).to_numpy().astype(float)
    if pa.types.is_decimal(array.type):
        return array.cast(pa.float64()).to_numpy()
    return array.to_numpy(zero_copy_only=False).astype(float)


def test_every_type_has_a_case():
    assert set(CASES) == set(COLUMN_TYPES)


@pytest.mark.parametrize(("name", "make"), PAIRS)
class TestEveryType:
    def test_codes_keep_their_shape_and_range(self, name, make):
        values = sample(make)
        codec = fitted(name, values)
        codes = codec.encode(values)
        assert codes.dtype == np.int32
        assert codes.shape == (len(values[0]), len(codec.sub_columns))
        for place, sub in enumerate(codec.sub_columns):
            assert codes[:, place].min() >= 0
            assert codes[:, place].max() < sub.cardinality

    def test_missing_stays_missing_and_storage_is_kept(self, name, make):
        values = sample(make)
        codec = fitted(name, values)
        back = decoded(codec, codec.encode(values))
        for before, after in zip(values, back, strict=True):
            assert after.type == before.type
            assert after.is_null().equals(before.is_null())

    def test_same_seed_same_bytes(self, name, make):
        values = sample(make)
        first, second = fitted(name, values), fitted(name, values)
        assert json.dumps(first.to_json()) == json.dumps(second.to_json())
        codes = first.encode(values)
        assert decoded(first, codes) == decoded(second, codes)

    def test_json_holds_everything(self, name, make):
        values = sample(make)
        codec = fitted(name, values)
        again = codec_from_json(json.loads(json.dumps(codec.to_json())))
        codes = codec.encode(values)
        assert np.array_equal(again.encode(values), codes)
        assert decoded(again, codes) == decoded(codec, codes)
        assert again.to_json() == codec.to_json()

    def test_merging_is_associative_and_equal_to_one_fit(self, name, make):
        values = sample(make)
        kind, roots = column_type(name), np.arange(len(values[0])) // 3
        cuts = np.searchsorted(roots, [200, 700])
        bounds = [0, *cuts, len(roots)]
        parts = [
            kind.fit(tuple(array[start:stop] for array in values), roots[start:stop])
            for start, stop in itertools.pairwise(bounds)
        ]
        whole = kind.fit(values, roots)
        left = kind.merge([kind.merge(parts[:2]), parts[2]])
        right = kind.merge([parts[0], kind.merge(parts[1:])])
        assert whole.pairs.equals(left.pairs)
        assert whole.pairs.equals(right.pairs)

    @pytest.mark.parametrize("rows", [0, 1, 3])
    def test_few_rows_give_nothing_away(self, name, make, rows):
        values = tuple(array[:rows] for array in sample(make, missing=0))
        codec = fitted(name, values)
        codes = codec.encode(values)
        back = decoded(codec, codes)
        assert all(len(array) == rows for array in back)
        if name not in {"identifier", "reference"}:
            assert all(array.null_count == rows for array in back)
        for sub in codec.sub_columns:
            assert sub.forbidden_K is None or not sub.forbidden_K.all()

    def test_all_missing(self, name, make):
        values = sample(make, missing=1.1)
        codec = fitted(name, values)
        back = decoded(codec, codec.encode(values))
        assert all(array.null_count == len(array) for array in back)

    def test_one_value(self, name, make):
        values = tuple(array.take(pa.array([0] * 50)) for array in sample(make, missing=0))
        codec = fitted(name, values)
        back = decoded(codec, codec.encode(values))
        if name == "identifier":
            assert not set(back[0].to_pylist()) & set(values[0].to_pylist())
        else:
            assert back == values

    def test_unseen_values_are_encoded_as_something_known(self, name, make):
        values = sample(make, missing=0)
        codec = fitted(name, tuple(array[:500] for array in values))
        others = sample(make, seed=99)
        codes = codec.encode(others)
        for place, sub in enumerate(codec.sub_columns):
            assert (codes[:, place] < sub.cardinality).all()
        for before, after in zip(others, decoded(codec, codes), strict=True):
            assert after.type == before.type
            # Missing was never seen, so it is not generated; with too few roots nothing else is.
            assert after.null_count in {0, len(after)}

    def test_imputing_never_gives_a_missing_value(self, name, make):
        values = sample(make)
        codec = fitted(name, values, settings=Column(missing="impute"))
        if codec.sub_columns:
            assert codec.sub_columns[0].forbidden_K[0]
        back = decoded(codec, codec.encode(values))
        assert all(array.null_count == 0 for array in back)

    def test_any_code_decodes(self, name, make):
        """The model may draw chains that no row has."""
        codec = fitted(name, sample(make))
        rng = np.random.default_rng(0)
        codes = [rng.integers(0, sub.cardinality, 500) for sub in codec.sub_columns]
        codes = np.stack(codes, axis=1).astype(np.int32) if codes else np.zeros((500, 0), np.int32)
        assert all(len(array) == 500 for array in decoded(codec, codes))

    def test_allowed_codes_never_give_a_forbidden_state(self, name, make):
        codec = fitted(name, sample(make, missing=0))
        for sub in codec.sub_columns[:1]:
            assert sub.forbidden_K[0]  # nothing was missing
            allowed = np.flatnonzero(~sub.forbidden_K)
            codes = np.zeros((len(allowed), len(codec.sub_columns)), np.int32)
            codes[:, 0] = allowed
            assert all(array.null_count == 0 for array in decoded(codec, codes))


@pytest.mark.parametrize(("name", "make"), MODELLED)
def test_marginal_distribution_survives(name, make):
    """Kolmogorov-Smirnov distance of decoded and original values, or total variation of categories."""
    values = sample(make)
    codec = fitted(name, values)
    back = decoded(codec, codec.encode(values))
    for before, after in zip(values, back, strict=True):
        rows = len(before) - before.null_count
        # Both are drawn from one distribution: 99.9 % quantile of the two-sample statistic is
        # 1.95 * sqrt(2 / n). Rare values are moved, at most about rare_minimum rows at each end.
        tolerance = 1.95 * (2 / rows) ** 0.5 + 10 / rows
        if name in {"boolean", "categorical"}:
            left, right = before.drop_null().to_pylist(), after.drop_null().to_pylist()
            levels = sorted(set(left) | set(right))
            one = np.array([left.count(level) for level in levels[:50]]) / rows
            two = np.array([right.count(level) for level in levels[:50]]) / rows
            assert 0.5 * np.abs(one - two).sum() < tolerance
            continue
        one, two = np.sort(numbers(before)), np.sort(numbers(after))
        grid = np.concatenate([one, two])
        distance = np.abs(
            np.searchsorted(one, grid, side="right") / len(one)
            - np.searchsorted(two, grid, side="right") / len(two)
        )
        assert distance.max() < tolerance


@pytest.mark.parametrize(("name", "make"), [pair for pair in MODELLED if pair.values[0] in SECRETS])
def test_one_large_subject_gives_nothing_away(name, make):
    """A value that only a few roots hold is in no codec and in no decoded row, however often they hold it."""
    values = tuple(array[:3_000] for array in sample(make, missing=0))
    secret = SECRETS[name]
    if pa.types.is_decimal(values[0].type):
        secret = (decimal.Decimal("9876543.21"),)
    if pa.types.is_timestamp(values[0].type) and values[0].type.tz:
        secret = (secret[0].replace(tzinfo=dt.UTC),)
    hidden = tuple(
        pa.concat_arrays([array, pa.array([one] * 400, array.type)])
        for array, one in zip(values, secret, strict=True)
    )
    count = len(values[0])
    roots = np.concatenate([np.arange(count), count + np.arange(400) % 4])
    codec = fitted(name, hidden, roots)
    back = decoded(codec, codec.encode(hidden))
    assert all(one not in array.to_pylist() for array, one in zip(back, secret, strict=True))
    text = json.dumps(codec.to_json())
    if name in {"categorical", "integer"}:
        assert str(secret[0]) not in text
    if name in {"numeric", "coordinates"} and not pa.types.is_decimal(values[0].type):
        digits = "".join(sign for sign in str(secret[0]) if sign in string.digits)
        assert digits not in text


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="expected one of"):
        column_type("colour")


@pytest.mark.parametrize(("name", "make"), PAIRS)
def test_the_order_of_rows_changes_nothing(name, make):
    rng = np.random.default_rng(5)
    values = make(rng, 1_500)
    roots = rng.integers(0, 600, len(values[0]))
    order = rng.permutation(len(roots))
    shuffled = tuple(array.take(pa.array(order)) for array in values)
    documents = [
        json.dumps(column_type(name).build(count_part(part, owner), Column(), PROTECTION).to_json())
        for part, owner in ((values, roots), (shuffled, roots[order]))
    ]
    assert documents[0] == documents[1]


ORDERED = [pair for pair in PAIRS if pair.values[0] in ("integer", "numeric", "date", "time")]


@pytest.mark.parametrize(("name", "make"), ORDERED)
def test_a_decoded_value_lies_in_the_bin_of_the_encoded_one(name, make):
    rng = np.random.default_rng(9)
    values = make(rng, ROWS)
    rows = len(values[0])
    codec = column_type(name).build(count_part(values, np.arange(rows)), Column(type=name), PROTECTION)
    codes = codec.encode(values)
    after = codec.decode(codes, rng.random((rows, codec.draws)))
    tick_R, _ = codec.scale.to_ticks(after[0])
    line, state_R = codec.line, codes[:, 0] - FIRST
    within = (line.low_L <= tick_R[:, None]) & (tick_R[:, None] <= line.high_L)
    assert (within & (line.state_L == state_R[:, None])).any(axis=1).all()


def test_the_case_with_names_makes_texts_up():
    assert fitted("categorical", sample(names)).other == "invent"


@pytest.mark.parametrize("replacement", ["auto", "resample", "label", "drop"])
@pytest.mark.parametrize("missing", ["reproduce", "impute"])
def test_categories_are_kept_ones_the_label_or_missing(replacement, missing):
    values = [*("a" * 40), *("b" * 40), "rare", "rarer", None, None]
    settings = Column(rare_replacement=replacement, rare_label="few", missing=missing)
    codec = column_type("categorical").build(
        count_part((pa.array(values),), np.arange(len(values))), settings, PROTECTION
    )
    every = np.arange(codec.sub_columns[0].cardinality, dtype=np.int32).repeat(50)[:, None]
    found = set(codec.decode(every, np.random.default_rng(0).random((len(every), 1)))[0].to_pylist())
    assert found <= {"a", "b", None, *(["few"] if replacement == "label" else [])}
    assert {"a", "b"} <= found


@pytest.mark.parametrize(("name", "make"), PAIRS)
def test_own_roots_make_the_codec_that_numbered_roots_make(name, make):
    values, kind = sample(make), column_type(name)
    settings = Column(outlier_quantile=0.01) if name in ("integer", "numeric") else Column()
    numbered, own = (
        kind.build(kind.fit(values, roots), settings, PROTECTION)
        for roots in (np.arange(len(values[0])), None)
    )
    assert own.to_json() == numbered.to_json()


ECHOED = [pair for pair in PAIRS if pair.values[0] not in ("coordinates", "identifier", "reference")]


def echoing(name, make, own=0.2, missing=0.1):
    """Give an echo of a type, values a share of which is not that of other cells, and those cells."""
    values, rng = sample(make, missing=missing)[0], np.random.default_rng(11)
    moved = values.take(pa.array(rng.permutation(len(values))))
    there = pa.array(
        np.where(rng.random(len(values)) < own, moved.to_pylist(), values.to_pylist()).tolist(), values.type
    )
    inner, roots = fitted(name, (values,)), np.arange(len(values))
    return build_echo(inner, values, there, roots, minimum=5), values, there


@pytest.mark.parametrize(("name", "make"), ECHOED)
class TestEveryTypeThatRepeatsCells:
    def test_codes_keep_their_shape_and_range(self, name, make):
        codec, values, there = echoing(name, make)
        codes = codec.encode(values, there)
        assert codes.shape == (len(values), len(codec.sub_columns))
        for place, sub in enumerate(codec.sub_columns):
            assert codes[:, place].min() >= 0
            assert codes[:, place].max() < sub.cardinality

    def test_what_is_repeated_is_exact_and_the_rest_as_without(self, name, make):
        codec, values, there = echoing(name, make)
        codes, uniform = (
            codec.encode(values, there),
            np.random.default_rng(3).random((len(values), codec.draws)),
        )
        back = codec.decode(codes, uniform, there)
        echoed = np.array(codes[:, 0] == codec.sub_columns[0].cardinality - 1)
        assert 0.7 < echoed.mean() < 1
        assert back.type == values.type
        assert back.is_null().equals(values.is_null())
        assert back.filter(pa.array(echoed)).equals(there.filter(pa.array(echoed)))
        without = codec.inner.decode(codec.inner.encode((values,)), uniform)[0]
        assert back.filter(pa.array(~echoed)).equals(without.filter(pa.array(~echoed)))

    def test_any_code_decodes_and_json_holds_everything(self, name, make):
        codec, values, there = echoing(name, make)
        rng, again = np.random.default_rng(0), codec_from_json(json.loads(json.dumps(codec.to_json())))
        codes = np.stack([rng.integers(0, sub.cardinality, len(values)) for sub in codec.sub_columns], axis=1)
        uniform = rng.random((len(values), codec.draws))
        back = codec.decode(codes.astype(np.int32), uniform, there)
        assert len(back) == len(values)
        assert again.decode(codes.astype(np.int32), uniform, there).equals(back)
        assert np.array_equal(again.encode(values, there), codec.encode(values, there))

    def test_no_value_is_missing_where_none_was(self, name, make):
        codec, values, there = echoing(name, make, missing=0)
        lost = pa.nulls(len(values), values.type)
        uniform = np.random.default_rng(3).random((len(values), codec.draws))
        assert codec.decode(codec.encode(values, there), uniform, lost).null_count == 0


@pytest.mark.parametrize(("name", "make"), [pair for pair in ECHOED if pair.values[0] in SECRETS])
def test_own_values_of_few_roots_are_not_told_beside_repeated_ones(name, make):
    values = sample(make, missing=0)[0]
    secret = (decimal.Decimal("9876543.21"),) if pa.types.is_decimal(values.type) else SECRETS[name]
    if pa.types.is_timestamp(values.type) and values.type.tz:
        secret = (secret[0].replace(tzinfo=dt.UTC),)
    hidden = pa.concat_arrays([values, pa.array([*secret] * 400, values.type)])
    there = pa.concat_arrays([values, values.slice(0, 400)])
    roots = np.concatenate([np.arange(len(values)), len(values) + np.arange(400) % 4])
    codec = build_echo(fitted(name, (hidden,), roots), hidden, there, roots, minimum=5)
    assert not codec.own
    uniform = np.random.default_rng(3).random((len(hidden), codec.draws))
    assert secret[0] not in codec.decode(codec.encode(hidden, there), uniform, there).to_pylist()
