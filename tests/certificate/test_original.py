"""Any cell that differs from the source is found, and nothing else."""

from __future__ import annotations

import pyarrow as pa
import pytest

from kinsynth.certificate.original import count_differences

ORIGINAL = pa.table(
    {
        "id": [1, 2, 3],
        "text": ["a", "", None],
        "part": [0.5, float("nan"), None],
        "nothing": pa.nulls(3),
        "flag": [True, None, False],
    }
)
CHANGES = {"id": 9, "text": "b", "part": 0.25, "flag": True}


def changed(name: str, row: int, value: object) -> pa.Table:
    place = ORIGINAL.column_names.index(name)
    values = ORIGINAL.column(name).to_pylist()
    values[row] = value
    return ORIGINAL.set_column(place, name, pa.array(values, ORIGINAL.schema.field(name).type))


def test_the_same_rows_do_not_differ_however_they_are_cut() -> None:
    parts = pa.concat_tables([ORIGINAL.slice(0, 1), ORIGINAL.slice(1)])
    assert count_differences(parts, ORIGINAL) == 0
    assert count_differences(ORIGINAL.slice(0, 0), ORIGINAL.slice(0, 0)) == 0


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_cell_is_one_row(name: str, row: int) -> None:
    for value in (CHANGES[name], None):
        same = value is None and ORIGINAL.column(name)[row].as_py() is None
        same |= value is not None and ORIGINAL.column(name)[row].as_py() == value
        assert count_differences(changed(name, row, value), ORIGINAL) == (not same)


def test_order_lost_rows_names_and_types_count() -> None:
    assert count_differences(ORIGINAL.take([1, 0, 2]), ORIGINAL) == 2
    assert count_differences(ORIGINAL.slice(0, 2), ORIGINAL) == 1
    assert count_differences(pa.concat_tables([ORIGINAL, ORIGINAL.slice(0, 2)]), ORIGINAL) == 2
    assert count_differences(ORIGINAL.rename_columns(["x", "text", "part", "nothing", "flag"]), ORIGINAL) == 3
    retyped = ORIGINAL.set_column(0, "id", ORIGINAL["id"].cast(pa.int32()))
    assert count_differences(retyped, ORIGINAL) == 3
