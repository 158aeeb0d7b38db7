"""Pages of rows: never larger than the server gives at once, and none is lost between two."""

from __future__ import annotations

import pyarrow as pa

from kinsynth.service.analysis.tasks import CELL_LETTERS, PAGE_CELLS, PAGE_LETTERS, _page


def read_all(table: pa.Table, limit: int = 500) -> list[list[str]]:
    """Ask for page after page."""
    rows: list[list[str]] = []
    while len(rows) < table.num_rows:
        page = _page(table, len(rows), limit, {})
        assert page["total"] == table.num_rows
        assert page["rows"]
        rows += page["rows"]
    return rows


def test_long_texts_give_fewer_rows_and_none_is_lost() -> None:
    table = pa.table(
        {"number": [str(n) for n in range(900)], **{f"c{n}": ["x" * 900] * 900 for n in range(20)}}
    )
    page = _page(table, 0, 500, {})
    assert 1 <= len(page["rows"]) < 500
    assert sum(len(cell) for row in page["rows"] for cell in row) <= PAGE_LETTERS
    assert [row[0] for row in read_all(table)] == [str(n) for n in range(900)]


def test_one_row_is_given_however_large_it_is() -> None:
    wide = pa.table({f"c{n}": ["y" * 3_000] * 3 for n in range(4_000)})
    page = _page(wide, 0, 500, {})
    assert len(page["rows"]) == 1
    assert {len(cell) for cell in page["rows"][0]} == {CELL_LETTERS + 1}


def test_wide_tables_give_fewer_rows() -> None:
    wide = pa.table({f"c{n}": ["1"] * 60 for n in range(5_000)})
    assert len(_page(wide, 0, 500, {})["rows"]) == PAGE_CELLS // 5_000
    assert len(read_all(wide)) == 60
