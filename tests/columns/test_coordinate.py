"""Places: density, precision, bounding box, protection."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.coordinate import LEAF_ROOTS
from kinsynth.columns.registry import column_type
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

ROWS = 8_000
RNG = np.random.default_rng(3)
TOWN = RNG.integers(0, 4, ROWS)
LATITUDE = pa.array(np.round(40 + TOWN + RNG.normal(0, 0.02, ROWS), 5))
LONGITUDE = pa.array(np.round(-70 - TOWN**2 + RNG.normal(0, 0.02, ROWS), 5))


def build(latitude=LATITUDE, longitude=LONGITUDE, **settings):
    made = column_type("coordinates")
    part = made.fit((latitude, longitude), np.arange(len(latitude)))
    return made.build(part, Column(type="coordinates", **settings), Protection())


def back_and_forth(codec, latitude=LATITUDE, longitude=LONGITUDE):
    codes = codec.encode((latitude, longitude))
    after = codec.decode(codes, np.random.default_rng(0).random((len(latitude), 3)))
    return [array.to_numpy(zero_copy_only=False) for array in after]


def test_places_stay_in_their_town():
    latitude, longitude = back_and_forth(build())
    assert np.abs(latitude - LATITUDE.to_numpy()).max() < 0.2
    assert np.abs(longitude - LONGITUDE.to_numpy()).max() < 0.2
    assert np.median(np.abs(latitude - LATITUDE.to_numpy())) < 0.01


def test_precision_is_that_of_the_source():
    latitude, _ = back_and_forth(build())
    assert np.array_equal(latitude, latitude.round(5))
    assert np.array_equal(back_and_forth(build(decimals=2))[1], back_and_forth(build(decimals=2))[1].round(2))


def test_leaves_hold_enough_roots():
    codec = build()
    leaves = codec._leaves(codec.encode((LATITUDE, LONGITUDE)))
    assert np.bincount(leaves).min() >= LEAF_ROOTS
    assert len(np.bincount(leaves)) > ROWS / LEAF_ROOTS / 4


def test_shared_places_come_back_exactly():
    latitude = pa.array([45.5] * 40 + [45.75] * 40)
    longitude = pa.array([9.25] * 40 + [9.0] * 40)
    after = back_and_forth(build(latitude, longitude), latitude, longitude)
    assert np.array_equal(after[0], latitude.to_numpy())
    assert np.array_equal(after[1], longitude.to_numpy())


def test_places_outside_the_box_are_neither_learned_nor_drawn():
    codec = build(bounding_box=(40.5, -72.0, 43.5, -70.5))
    latitude, longitude = back_and_forth(codec)
    assert latitude.min() >= 40.5
    assert latitude.max() <= 43.5
    assert longitude.min() >= -72
    assert longitude.max() <= -70.5
    outside = codec.encode((pa.array([10.0]), pa.array([10.0])))
    assert codec.sub_columns[0].forbidden_K[outside[0, 0]]


def test_half_a_place_is_missing():
    latitude = pa.array([*LATITUDE.to_pylist()[:-1], None])
    after = back_and_forth(build(latitude), latitude)
    assert np.isnan(after[0][-1])
    assert np.isnan(after[1][-1])


@pytest.mark.parametrize("minimum", [5, 50, 200])
def test_every_box_holds_as_many_roots_as_declared(minimum):
    made = column_type("coordinates")
    part = made.fit((LATITUDE, LONGITUDE), np.arange(ROWS))
    codec = made.build(part, Column(type="coordinates"), Protection(rare_minimum=minimum))
    assert len(codec.leaf_A) > 1
    assert codec.mass_A.min() >= minimum, "each place here is a root's own"


def test_no_place_stands_at_the_edge_of_a_box():
    codec = build()
    boxes = codec.box_A[(codec.box_A[:, 0] < codec.box_A[:, 2]) & (codec.box_A[:, 1] < codec.box_A[:, 3])]
    latitudes, longitudes = (np.rint(axis.to_numpy() * 10**5) for axis in (LATITUDE, LONGITUDE))
    outermost = [np.min(latitudes), np.min(longitudes), np.max(latitudes), np.max(longitudes)]
    for side, values in enumerate((latitudes, longitudes, latitudes, longitudes)):
        extreme = np.sort(values)[[4, -5]]
        assert not np.isin(boxes[:, side], [*extreme, outermost[side]]).any()
