import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.engine.labels import join_known, join_labels

rows = st.lists(st.tuples(*[st.integers(-1, 3)] * 3), max_size=30)


@given(rows)
def test_labels_are_equal_where_all_columns_are(drawn):
    columns = [np.array(column, dtype=np.int64) for column in zip(*drawn, strict=True)] or [
        np.zeros(0, np.int64)
    ]
    label_R = join_labels(columns)
    assert (label_R >= 0).all()
    assert all(
        (label_R[i] == label_R[j]) == (drawn[i] == drawn[j]) for i in range(len(drawn)) for j in range(i)
    )


@given(rows)
def test_a_row_with_an_unknown_number_is_like_no_other(drawn):
    columns = [np.array(column, dtype=np.int64) for column in zip(*drawn, strict=True)] or [
        np.zeros(0, np.int64)
    ]
    label_R = join_known(columns, len(drawn))
    for i in range(len(drawn)):
        for j in range(i):
            assert (label_R[i] == label_R[j]) == (drawn[i] == drawn[j] and -1 not in drawn[i])


def test_large_numbers_of_many_columns_do_not_overflow():
    far = np.array([1 << 40, 0, 1 << 40], dtype=np.int64)
    assert join_labels([far, far[::-1], far]).tolist()[0] == join_labels([far, far[::-1], far]).tolist()[2]
    assert len(np.unique(join_labels([far, far, far]))) == 2


def test_without_columns_all_rows_agree():
    assert join_known([], 3).tolist() == [0, 0, 0]
