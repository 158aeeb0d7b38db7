"""Categories: which are kept, and what becomes of the others."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.registry import codec_from_json, column_type
from kinsynth.errors import SettingsError
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

LETTERS = pa.array(["a"] * 60 + ["b"] * 30 + ["rare"] * 3)


def build(array, roots=None, kind="categorical", text=None, **settings):
    made = column_type(kind)
    part = made.fit((array,), np.arange(len(array)) if roots is None else roots)
    return made.build(part, Column(**settings), Protection(), text=text)


def back_and_forth(codec, array, seed=0):
    uniforms = np.random.default_rng(seed).random((len(array), codec.draws))
    return codec.decode(codec.encode((array,)), uniforms)[0].to_pylist()


def test_rare_values_are_resampled():
    codec = build(LETTERS)
    after = back_and_forth(codec, LETTERS)
    assert after[:90] == LETTERS.to_pylist()[:90]
    assert set(after[90:]) <= {"a", "b"}
    assert "rare" not in json.dumps(codec.to_json())
    assert codec.sub_columns[0].forbidden_K.tolist() == [True, True, False, False]


def test_rare_values_become_a_label():
    codec = build(LETTERS, rare_replacement="label", rare_label="other")
    assert back_and_forth(codec, LETTERS)[90:] == ["other"] * 3
    assert not codec.sub_columns[0].forbidden_K[1]


def test_rare_values_are_dropped():
    codec = build(LETTERS, rare_replacement="drop")
    assert back_and_forth(codec, LETTERS)[90:] == [None] * 3
    assert not codec.sub_columns[0].forbidden_K[0]


def test_a_label_that_does_not_fit_the_storage_is_refused():
    numbers = pa.array([1] * 60 + [2] * 3)
    with pytest.raises(SettingsError) as error:
        build(numbers, rare_replacement="label", rare_label="other")
    assert error.value.code == "treatment.rare_label"


def test_values_are_counted_by_root():
    codec = build(
        pa.array(["a"] * 50 + ["one person's"] * 50), np.concatenate([np.arange(50), np.full(50, 99)])
    )
    assert codec.texts == ("a",)


def test_own_minimum_and_share():
    assert build(LETTERS, rare_minimum=2).texts == ("a", "b", "rare")
    assert build(LETTERS, rare_share=0.5).texts == ("a",)


def test_values_never_generated():
    codec = build(LETTERS, never=("b",))
    assert set(back_and_forth(codec, LETTERS)) == {"a"}
    with pytest.raises(SettingsError) as error:
        build(LETTERS, never=("a", "b"), missing="impute")
    assert error.value.code == "treatment.nothing_left"


def test_never_names_a_boolean_as_the_source_writes_it():
    array = pa.array([True] * 40 + [False] * 40)
    codec = build(array, kind="boolean", never=("Y",), text=TextFormat(true="Y", false="N"))
    assert set(back_and_forth(codec, array)) == {False}


def test_two_tokens_for_very_many_values():
    array = pa.array([f"{value:05d}" for value in range(2_000)] * 5)
    codec = build(array)
    group, member = codec.sub_columns
    assert group.cardinality * member.cardinality < 2_300
    assert max(group.cardinality, member.cardinality) < 50
    assert back_and_forth(codec, array) == array.to_pylist()


@pytest.mark.parametrize(
    "array", [pa.array([1, 2] * 20), pa.array([0.1, 2.5] * 20), pa.array(["x", ""] * 20)]
)
def test_storage_is_kept(array):
    assert back_and_forth(build(array), array) == array.to_pylist()


def test_dictionaries_and_chunks_are_read():
    array = pa.chunked_array([LETTERS.dictionary_encode(), LETTERS.dictionary_encode()])
    codec = build(array, np.arange(len(array)))
    assert codec.texts == ("a", "b", "rare")


@pytest.mark.parametrize(
    "kind", [pa.time32("s"), pa.time64("us"), pa.time64("ns"), pa.date32(), pa.timestamp("us", "UTC")]
)
def test_moments_can_be_categories(kind):
    array = pa.array([7] * 60 + [86_399] * 30, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)
    assert set(back_and_forth(build(array), array)) == set(array.to_pylist())


def many_values(rows: int = 6_000, codes: int = 1_500):
    return pa.array((np.arange(rows) * 7 % codes).astype(np.int64))


def test_groups_of_given_sizes_come_back_as_they_were():
    array = many_values()
    plain = build(array, rare_minimum=1)
    rng = np.random.default_rng(5)
    order = rng.permutation(1_500)
    ends = (*sorted(rng.choice(np.arange(1, 1_500), 40, replace=False).tolist()), 1_500)
    codec = codec_from_json(json.loads(json.dumps(plain.arranged(order.tolist(), ends).to_json())))
    codes = codec.encode((array,))
    assert back_and_forth(codec, array) == array.to_pylist()
    group, member = codec.sub_columns
    assert group.cardinality == 2 + 41
    assert member.cardinality == np.diff((0, *ends)).max()
    assert (np.searchsorted(ends, codec.places(codes), side="right") + 2 == codes[:, 0]).all()
    assert [codec.texts[place] for place in codec.places(codes)[:50]] == [
        str(v) for v in array.to_pylist()[:50]
    ]


def test_every_code_of_uneven_groups_stays_in_its_group():
    codec = build(many_values(), rare_minimum=1)
    codec = codec.arranged(range(1_500), (3, 1_000, 1_500))
    group, _ = codec.all_codes().T
    place = codec.places(codec.all_codes())[group >= 2]
    starts, ends = np.array([0, 3, 1_000]), np.array([3, 1_000, 1_500])
    here = group[group >= 2] - 2
    assert ((place >= starts[here]) & (place < ends[here])).all()
    assert set(place.tolist()) == set(range(1_500))


def test_what_is_said_of_a_value_moves_with_it():
    codec = replace(build(many_values(), rare_minimum=1), refused=(4,), untold=(7, 1_000))
    moved = codec.arranged(range(1_499, -1, -1), (700, 1_500))
    assert [moved.texts[one] for one in moved.refused] == [codec.texts[4]]
    assert {moved.texts[one] for one in moved.untold} == {codec.texts[7], codec.texts[1_000]}
    assert dict(zip(moved.texts, moved.rows, strict=True)) == dict(zip(codec.texts, codec.rows, strict=True))
