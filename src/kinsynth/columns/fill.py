"""Fill: codes that a present value of a column may have, to draw one where the model drew none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.base import Codec, Rows
from kinsynth.encoded import IntArray
from kinsynth.privacy.protection import Roots, count_roots

_ENOUGH = 0.5


@dataclass(frozen=True, eq=False)
class Fill:
    """Codes of present values with the rows that hold them.

    Attributes:
        groups: Parts of the codes that are drawn together: codes, shape (F, c), and rows of each, shape (F,).
            One part where enough roots share whole values, else one part for each code.

    Guarantees:
        Each line of a part is held by enough roots.
    """

    groups: tuple[tuple[IntArray, Rows], ...]

    @property
    def draws(self) -> int:
        """One uniform for each part."""
        return len(self.groups)

    def draw(self, uniform_RD: NDArray[np.float64]) -> IntArray:
        """Draw codes for rows, shape (R, C)."""
        parts = []
        for place, (codes_FC, rows_F) in enumerate(self.groups):
            ends_F = np.cumsum(rows_F)
            found_R = np.searchsorted(ends_F, uniform_RD[:, place] * ends_F[-1], side="right")
            parts.append(codes_FC[found_R])
        return np.concatenate(parts, axis=1)

    def to_json(self) -> list[dict[str, Any]]:
        """Give everything as JSON."""
        return [{"codes": codes_FC.tolist(), "rows": rows_F.tolist()} for codes_FC, rows_F in self.groups]

    @staticmethod
    def from_json(document: list[dict[str, Any]]) -> Fill:
        """Read what ``to_json`` gave."""
        return Fill(
            tuple(
                (np.array(part["codes"], dtype=np.int32), np.array(part["rows"], dtype=np.int64))
                for part in document
            )
        )


def build_fill(codec: Codec, values: pa.Array, root_R: Roots, *, minimum: int) -> Fill | None:
    """Count the codes of present values; None where too few roots share any, or they mean missing."""
    present_R = values.is_valid().to_numpy(zero_copy_only=False)
    codes_PC, root_P = codec.encode((values.filter(pa.array(present_R)),)), root_R[present_R]
    whole = _count(codes_PC, root_P, minimum)
    if whole[1].sum() >= _ENOUGH * len(root_P):
        fill = Fill((whole,))
    else:
        fill = Fill(
            tuple(_count(codes_PC[:, [place]], root_P, minimum) for place in range(codes_PC.shape[1]))
        )
    if not len(root_P) or any(not len(rows_F) for _, rows_F in fill.groups):
        return None
    tried_RC = fill.draw(np.repeat(np.linspace(0, 1, 512, endpoint=False)[:, None], fill.draws, axis=1))
    decoded = codec.decode(tried_RC, np.full((512, max(1, codec.draws)), 0.5))[0]
    return fill if decoded.null_count == 0 else None


def _count(codes_PC: IntArray, root_P: Roots, minimum: int) -> tuple[IntArray, Rows]:
    """Count the rows of each line of codes that enough roots hold."""
    line_P, first_F = np.zeros(len(codes_PC), dtype=np.int64), np.zeros(0, dtype=np.int64)
    for code_P in codes_PC.T:  # numbers in the order of lines: sorting the lines takes ten times as long
        number_P = line_P * (int(code_P.max(initial=0)) + 1) + code_P
        _, first_F, line_P = np.unique(number_P, return_index=True, return_inverse=True)
    kept_F = count_roots(line_P, root_P, codes=len(first_F)) >= minimum
    rows_F = np.bincount(line_P, minlength=len(first_F)).astype(np.int64)
    return codes_PC[first_F][kept_F], rows_F[kept_F]
