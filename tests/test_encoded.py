"""The waist between columns and models: what it promises and refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kinsynth.encoded import ChildCount, Encoded, EncodedTable, Grouping, SubColumn

COUNT = ChildCount("child", 0, np.array([0, 2]), np.array([1, 7]))


def codes(*rows):
    return np.array(rows, dtype=np.int32)


def parent(counts=(COUNT,)):
    return EncodedTable(codes([0], [1], [1]), (SubColumn(0, 2),), counts=counts)


def child(parent_R=(0, 2, 2), name="parent"):
    return EncodedTable(codes([0], [1], [2]), (SubColumn(0, 3),), name, np.array(parent_R, dtype=np.int64))


@pytest.mark.parametrize(
    "sub",
    [
        SubColumn(0, 1),
        SubColumn(3, 3, position_K=np.array([np.nan, 0.25, 1.0], dtype=np.float32)),
        SubColumn(1, 2, forbidden_K=np.array([True, False])),
        SubColumn(2, 2, np.array([0.1, 0.9], dtype=np.float32), np.array([False, False])),
    ],
)
def test_sub_columns_come_back_from_json(sub):
    again = SubColumn.from_json(json.loads(json.dumps(sub.to_json(), allow_nan=False)))
    assert (again.column, again.cardinality) == (sub.column, sub.cardinality)
    for name in ("position_K", "forbidden_K"):
        before, after = getattr(sub, name), getattr(again, name)
        assert (before is None) == (after is None)
        if before is not None:
            assert before.dtype == after.dtype
            np.testing.assert_array_equal(before, after)


def test_counts_come_back_from_json():
    again = ChildCount.from_json(json.loads(json.dumps(COUNT.to_json())))
    assert (again.child, again.sub_column) == ("child", 0)
    np.testing.assert_array_equal(again.low_K, COUNT.low_K)
    np.testing.assert_array_equal(again.high_K, COUNT.high_K)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SubColumn(0, 0),
        lambda: SubColumn(-1, 2),
        lambda: SubColumn(0, 2, position_K=np.zeros(3, dtype=np.float32)),
        lambda: SubColumn(0, 2, forbidden_K=np.array([True, True])),
        lambda: ChildCount("child", 0, np.array([0]), np.array([0, 1])),
        lambda: ChildCount("child", 0, np.array([2]), np.array([1])),
        lambda: ChildCount("child", 0, np.array([-1]), np.array([1])),
        lambda: EncodedTable(codes([0]).astype(np.int64), (SubColumn(0, 2),)),
        lambda: EncodedTable(codes([0, 1]), (SubColumn(0, 2),)),
        lambda: EncodedTable(codes([2]), (SubColumn(0, 2),)),
        lambda: EncodedTable(codes([-1]), (SubColumn(0, 2),)),
        lambda: EncodedTable(codes([0, 0]), (SubColumn(1, 2), SubColumn(0, 2))),
        lambda: EncodedTable(codes([0]), (SubColumn(0, 2),), parent="other"),
        lambda: child(parent_R=(2, 0, 2)),
        lambda: child(parent_R=(-1, 0, 2)),
        lambda: child(parent_R=(0, 1)),
        lambda: parent(counts=(ChildCount("child", 1, np.array([0, 1]), np.array([0, 1])),)),
        lambda: parent(counts=(ChildCount("child", 0, np.array([0]), np.array([0])),)),
    ],
)
def test_wrong_parts_are_refused(wrong):
    with pytest.raises(ValueError, match=r".+"):
        wrong()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"child": child(), "parent": parent()}, "before it"),
        ({"parent": parent(), "child": child(parent_R=(0, 2, 3))}, "outside"),
        ({"parent": parent(counts=()), "child": child()}, "exactly once"),
        ({"parent": parent(counts=(COUNT, COUNT)), "child": child()}, "exactly once"),
    ],
)
def test_every_parent_precedes_holds_and_counts_its_children(tables, message):
    with pytest.raises(ValueError, match=message):
        Encoded(tables)


def test_every_row_has_its_root():
    grandchild = EncodedTable(codes([0], [0]), (SubColumn(0, 1),), "child", np.array([1, 2], dtype=np.int64))
    counted = EncodedTable(
        child().codes_RC,
        child().sub_columns,
        "parent",
        child().parent_R,
        (ChildCount("grandchild", 0, np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.int64)),),
    )
    encoded = Encoded({"parent": parent(), "child": counted, "grandchild": grandchild})
    assert encoded.root_rows("grandchild").tolist() == [2, 2]
    assert encoded.root_rows("parent").tolist() == [0, 1, 2]


def test_a_grouping_follows_its_questions():
    """Many rows, codes beyond those asked for, every type of codes: the same as one row at a time."""
    random = np.random.default_rng(1)
    grouping = Grouping(
        np.array([1, 0, -1, -1, -1]),
        ((0, 3, 5), (2,), (), (), ()),
        np.array([[1, 2], [3, 4], [-1, -1], [-1, -1], [-1, -1]]),
        np.array([-1, -1, 2, 0, 1]),
    )
    codes_RC = random.integers(0, 9, (70_000, 2))
    expected_R = np.where(np.isin(codes_RC[:, 1], [0, 3, 5]), np.where(codes_RC[:, 0] == 2, 0, 1), 2)
    for kind in (np.uint8, np.uint16, np.int32, np.int64):
        np.testing.assert_array_equal(grouping.of(codes_RC.astype(kind)), expected_R)
    assert Grouping.whole().of(codes_RC).tolist() == [0] * len(codes_RC)
    assert len(grouping.of(codes_RC[:0])) == 0
    kinds = [grouping.kinds(codes_RC, told) for told in ([True, True], [False, True], [False, False])]
    left_R = np.isin(codes_RC[:, 1], [0, 3, 5])
    np.testing.assert_array_equal(kinds[0], 1 << expected_R)
    np.testing.assert_array_equal(kinds[1], np.where(left_R, 0b011, 0b100))
    assert {*kinds[2].tolist()} == {0b111}
