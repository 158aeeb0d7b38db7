import numpy as np
import pytest

from kinsynth.system import randomness
from kinsynth.system.randomness import philox, stream_key, uniforms

# Known answers published with the Random123 library (kat_vectors, philox4x32 10).
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_philox_gives_the_published_words(counter, key, expected):
    words = philox(np.array(counter, dtype=np.uint64)[:, None], key)
    assert tuple(int(word) for word in words[:, 0]) == expected


def test_a_number_depends_on_its_row_and_draw_alone():
    ids = np.array([7, 1 << 40, 3, -1])
    whole = uniforms(9, "a.b", ids, draws=5)
    assert whole.shape == (4, 5)
    assert (uniforms(9, "a.b", ids[2:3], draws=2) == whole[2:3, :2]).all()


def test_streams_and_seeds_differ():
    ids = np.arange(100)
    first = uniforms(1, "a", ids)
    assert stream_key(1, "a") != stream_key(2, "a")
    assert not (first == uniforms(2, "a", ids)).any()
    assert not (first == uniforms(1, "b", ids)).any()


def test_numbers_are_uniform_and_independent():
    rows = 40_000
    numbers = uniforms(3, "x", np.arange(rows), draws=3)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    # Five standard deviations of a mean of uniforms, and of a correlation of independent columns.
    assert np.abs(numbers.mean(0) - 0.5).max() < 5 / np.sqrt(12 * rows)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 5 / np.sqrt(rows)


def test_no_rows():
    assert uniforms(1, "a", np.zeros(0, dtype=np.int64), draws=3).shape == (0, 3)


def test_many_numbers_are_made_in_parts_without_changing_one(monkeypatch):
    rows = np.arange(1_000)
    whole = uniforms(3, "a", rows, draws=5)
    monkeypatch.setattr(randomness, "_WORDS_AT_ONCE", 37)
    assert np.array_equal(uniforms(3, "a", rows, draws=5), whole)
