"""Fill: whole values that enough roots share, counted line by line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from kinsynth.columns.fill import build_fill

MINIMUM = 5


class Pairs:
    """A codec of two tokens: tens and ones."""

    draws = 1

    def encode(self, values: tuple[pa.Array, ...]) -> np.ndarray[Any, Any]:
        number_R = values[0].to_numpy()
        return np.stack([number_R // 10, number_R % 10], axis=1).astype(np.int32)

    def decode(self, codes_RC: np.ndarray[Any, Any], _uniform_RD: object) -> tuple[pa.Array, ...]:
        return (pa.array(codes_RC[:, 0] * 10 + codes_RC[:, 1]),)


def test_lines_stand_in_order_with_their_rows_and_only_where_enough_roots_hold_them() -> None:
    number_R = np.random.default_rng(0).permutation(np.repeat([7, 12, 21, 70, 99], [150, 100, 150, 96, 4]))
    fill = build_fill(Pairs(), pa.array(number_R), np.arange(500), minimum=MINIMUM)  # type: ignore[arg-type]
    lines_FC, rows_F = np.unique(np.stack([number_R // 10, number_R % 10], 1), axis=0, return_counts=True)
    kept_F = rows_F >= MINIMUM
    assert 0 < kept_F.sum() < len(rows_F) == 5
    assert fill is not None
    ((found_FC, found_F),) = fill.groups
    assert found_FC.tolist() == lines_FC[kept_F].tolist()
    assert found_F.tolist() == rows_F[kept_F].tolist()
