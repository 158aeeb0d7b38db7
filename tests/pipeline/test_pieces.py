"""Tables and row numbers that come piece by piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.pipeline.pieces import Pieces


@pytest.mark.parametrize("in_files", [False, True])
def test_pieces_come_back_whole_and_in_order(tmp_path: Path, *, in_files: bool) -> None:
    with Pieces(tmp_path / "pieces" if in_files else None) as pieces:
        for start in (0, 3, 3, 10):
            number_R = np.arange(start, start + 2)
            pieces.add_table("a", pa.table({"x": number_R, "y": [None, "z"]}))
            pieces.add_numbers("a -> b", number_R)
            pieces.add_numbers("none", number_R[:0])
        pieces.add_table("b", pa.table({"x": pa.array([], pa.int8())}))
        tables, numbers = pieces.whole()
    assert tables["a"].to_pydict() == {"x": [0, 1, 3, 4, 3, 4, 10, 11], "y": [None, "z"] * 4}
    assert tables["b"].schema == pa.schema({"x": pa.int8()})
    assert numbers["a -> b"].tolist() == [0, 1, 3, 4, 3, 4, 10, 11]
    assert numbers["none"].shape == (0,)
    assert numbers["none"].dtype == np.int64
    assert len(list(tmp_path.glob("pieces/*"))) == (4 if in_files else 0)


def test_other_columns_are_refused_and_what_was_added_is_kept(tmp_path: Path) -> None:
    with Pieces(tmp_path) as pieces:
        pieces.add_table("a", pa.table({"x": [1]}))
        with pytest.raises(pa.ArrowInvalid):
            pieces.add_table("a", pa.table({"other": ["text"]}))
    with pa.ipc.open_file(tmp_path / "000.arrow") as file:
        assert file.read_all().to_pydict() == {"x": [1]}
