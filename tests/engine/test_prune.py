import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.engine.prune import Tie, renumber, spread_dead


def test_children_and_what_must_point_go_too_again_and_again():
    """A child of a dead root goes, a row that must point at it, and its child; others stay."""
    dead = {"root": np.array([True, False]), "child": np.zeros(3, bool), "other": np.zeros(2, bool)}
    ties = [
        Tie("other", "child", np.array([2, 1])),
        Tie("child", "root", np.array([0, 0, 1])),
        Tie("child", "other", np.array([-1, -1, 1])),
    ]
    found = spread_dead(dead, ties)
    assert found["root"].tolist() == [True, False]
    assert found["child"].tolist() == [True, True, True]
    assert found["other"].tolist() == [True, True]
    assert not dead["child"].any()


def test_nothing_dead_keeps_all():
    dead = {"t": np.zeros(2, bool), "empty": np.zeros(0, bool)}
    found = spread_dead(dead, [Tie("t", "empty", np.array([-1, -1])), Tie("t", "t", np.array([1, 0]))])
    assert not found["t"].any()


def test_renumber_closes_the_gaps():
    assert renumber(np.array([True, False, True, False])).tolist() == [-1, 0, -1, 1]


@given(st.lists(st.tuples(st.integers(-1, 11), st.integers(-1, 11), st.booleans()), min_size=12, max_size=12))
def test_what_stays_points_at_nothing_that_goes_and_nothing_goes_in_vain(rows):
    """As one row after the other would be found by hand."""
    first, second, own = (np.array(column) for column in zip(*rows, strict=True))
    found = spread_dead({"t": own}, [Tie("t", "t", first), Tie("t", "t", second)])["t"]
    slow = own.copy()
    for _ in range(len(slow)):
        for r in range(len(slow)):
            slow[r] |= any(t >= 0 and slow[t] for t in (first[r], second[r]))
    assert (found == slow).all()
