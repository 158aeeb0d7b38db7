"""Identifiers: new, different, in the source's format, none of the source's."""

from __future__ import annotations

import json
import uuid

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.base import count_part
from kinsynth.columns.identifier import build_identifier, build_key
from kinsynth.columns.registry import codec_from_json
from kinsynth.errors import SettingsError
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

RNG = np.random.default_rng(8)
SOURCES = {
    "numbered": [f"C{value:05d}" for value in range(900)],
    "full": [f"{value:03d}" for value in range(1_000)],
    "mixed": [
        "".join(RNG.choice(list("ABCDEFGH"), 3)) + f"-{RNG.integers(0, 10**6):06d}" for _ in range(500)
    ],
    "uuid": [str(uuid.UUID(bytes=RNG.bytes(16), version=4)) for _ in range(300)],
    "capital uuid": [uuid.UUID(bytes=RNG.bytes(16), version=4).hex.upper() for _ in range(300)],
    "integers": RNG.choice(10**6, 500, replace=False).tolist(),
    "lengths": [str(value) for value in range(1, 1_500)],
    "mail": [f"{'abcdefgh'[value % 8]}{value}@mail.test" for value in range(400)],
    "one": ["X1"],
    "empty texts": ["", "a"],
}


def build(values, make=build_identifier, roots=None):
    array = pa.array(values)
    part = count_part((array,), np.arange(len(array)) if roots is None else roots)
    return make(part, Protection()) if make is build_key else make(part, Column(), Protection())


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("make", [build_identifier, build_key])
def test_values_are_different_and_keep_their_type(name, make):
    codec = build(SOURCES[name], make)
    made = codec.values_at(np.arange(20_000))
    assert made.type == pa.array(SOURCES[name]).type
    assert made.null_count == 0
    assert len(set(made.to_pylist())) == 20_000


@pytest.mark.parametrize("name", SOURCES)
def test_no_identifier_is_one_of_the_source(name):
    made = build(SOURCES[name]).values_at(np.arange(20_000)).to_pylist()
    assert not set(made) & set(SOURCES[name])


@pytest.mark.parametrize("name", SOURCES)
def test_a_value_depends_on_its_number_only(name):
    codec = build(SOURCES[name])
    numbers = RNG.integers(0, 10**6, 300)
    one_by_one = [codec.values_at(np.array([number]))[0].as_py() for number in numbers]
    assert codec.values_at(numbers).to_pylist() == one_by_one


@pytest.mark.parametrize("name", ["mixed", "uuid", "integers", "mail"])
def test_no_value_of_the_source_is_stored(name):
    codec = build(SOURCES[name])
    document = json.dumps(codec.to_json())
    assert not [value for value in SOURCES[name] if len(str(value)) > 4 and str(value) in document]
    assert codec_from_json(json.loads(document)) == codec


def test_format_is_kept():
    assert build(SOURCES["numbered"], build_key).values_at(np.arange(2)).to_pylist() == ["C00000", "C00001"]
    made = build(SOURCES["mixed"]).values_at(np.arange(50)).to_pylist()
    assert all(len(text) == 10 and text[3] == "-" and text[4:].isdigit() for text in made)
    made = build(SOURCES["capital uuid"]).values_at(np.arange(3)).to_pylist()
    assert all(text == uuid.UUID(text).hex.upper() and uuid.UUID(text).version == 4 for text in made)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 5], [1, 2, 3]),
        ([0, 7], [0, 1, 2]),
        ([1_234, 9_000], [1_000, 1_001, 1_002]),
        ([-5, 3], [1, 2, 3]),
    ],
)
def test_integer_keys_are_sequences(values, expected):
    assert build(values, build_key).values_at(np.arange(3)).to_pylist() == expected


def test_regular_steps_are_kept():
    assert build(list(range(10, 1_000, 10)), build_key).values_at(np.arange(3)).to_pylist() == [10, 20, 30]


def test_missing_identifiers_keep_their_share():
    values = pa.array([None if value % 4 == 0 else f"ID{value:04d}" for value in range(800)])
    codec = build_identifier(count_part((values,), np.arange(800)), Column(), Protection())
    codes = codec.encode((values,))
    assert codec.decode_at(codes, np.arange(800))[0].is_null().equals(values.is_null())
    filled = build_identifier(count_part((values,), np.arange(800)), Column(missing="impute"), Protection())
    assert filled.decode_at(codes, np.arange(800))[0].null_count == 0


def test_repeating_identifiers_repeat():
    codec = build([f"T{value // 2:05d}" for value in range(1_000)])
    made = codec.decode_at(np.zeros((1_000, 0), np.int32), np.arange(1_000))[0].to_pylist()
    assert len(set(made)) == 500


@pytest.mark.parametrize("make", [build_identifier, build_key])
def test_a_pattern_is_never_one_persons(make):
    mine = [f"miller-{number}@home.test" for number in range(60)]
    others = ["a@b.test", "cc@d.test", "e@fff.test", "gggg@h.test"]
    few = np.array([0] * 60 + [1, 2, 3, 4])
    fixed = [slot for slot in build(mine + others, make, few).maker.slots if len(slot) == 1]
    assert not "".join(fixed).strip("-@.")
    many = np.arange(60) % Protection().rare_minimum
    assert "miller-" in "".join(build(mine, make, many).maker.slots)


def test_a_letter_of_few_persons_is_no_part_of_a_pattern():
    names = [f"{letter}{number:04d}" for number, letter in enumerate("AB" * 200 + "ÜÜÜ")]
    assert "Ü" not in json.dumps(build(names).to_json(), ensure_ascii=False)
    assert "Ü" in build([*names, "Ü0500", "Ü0501"]).maker.slots[0]


@pytest.mark.parametrize(
    ("storage", "values"),
    [
        ("int8", range(20, 120)),
        ("int16", range(31_000, 31_100)),
        ("int32", range(2_100_000_000, 2_100_000_100)),
        ("int64", range(2 * 10**18, 2 * 10**18 + 100)),
        ("int64", range(9 * 10**18, 9 * 10**18 + 100)),
        ("uint64", range(2**62 + 5, 2**62 + 105)),
        ("uint16", range(100)),
    ],
)
def test_new_numbers_fit_the_storage_type(storage, values):
    array = pa.array(list(values), storage)
    made = build(array).values_at(np.arange(len(array)))
    assert made.type == array.type
    assert not set(made.to_pylist()) & set(values)
    assert len(set(made.to_pylist())) == len(array)


def test_numbers_without_room_are_refused():
    for full in (pa.array(range(56, 256), pa.uint8()), pa.array(range(2**63, 2**63 + 100), pa.uint64())):
        with pytest.raises(SettingsError, match="no room") as error:
            build(full)
        assert error.value.code == "treatment.identifier_room"
    key = build(pa.array(range(100), pa.int8()), build_key)
    assert key.values_at(np.arange(128)).to_pylist() == list(range(128))
    with pytest.raises(SettingsError, match="128 new values") as error:
        key.values_at(np.arange(129))
    assert error.value.code == "generation.key_room"


def test_numbers_that_are_not_finite_count_for_no_key():
    values = [-np.inf, 1.0, 2.0, np.inf, np.nan]
    made = build(values, make=build_key).values_at(np.arange(4)).to_pylist()
    assert len(set(made)) == 4
    assert np.isfinite(made).all()
