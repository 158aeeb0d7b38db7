"""Profile: what the rows that point at a target row are like, in a few numbers.

Shape letters: R rows, T target rows, C sub-columns, K codes, S sampled rows, W width, P numbers of a profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import CodeArray, EncodedTable, FloatArray, RowArray, SubColumn
from kinsynth.system.randomness import uniforms

WIDTH = 24
_MOST_ROWS = 200_000
_FREQUENT = 0.01
Numbers = NDArray[np.float64]


def profile_rows(
    link_R: RowArray,
    rows: EncodedTable,
    owner: EncodedTable | None,
    *,
    targets: int,
    seed: int,
    hidden: range = range(0),
) -> tuple[FloatArray, FloatArray]:
    """Describe each target row by the rows of a table that point at it, and by their owners.

    As ``make_profile``, of encoded tables.

    Args:
        link_R: Target row of each row, negative for none, shape (R,).
        rows: The rows.
        owner: The table of their owners, or None.
        targets: Number of target rows T.
        seed: Any integer.
        hidden: Sub-columns of the rows that do not count: those that say the target themselves.
    """
    subs = tuple(
        replace(sub, shown=sub.shown and number not in hidden) for number, sub in enumerate(rows.sub_columns)
    )
    return make_profile(
        link_R,
        rows.codes_RC,
        subs,
        None if owner is None or rows.parent_R is None else owner.codes_RC[rows.parent_R[: rows.owned]],
        () if owner is None else owner.sub_columns,
        targets=targets,
        seed=seed,
    )


def make_profile(
    link_R: RowArray,
    rows_codes_RC: CodeArray,
    rows_sub_columns: Sequence[SubColumn],
    owner_codes_RC: CodeArray | None,
    owner_sub_columns: Sequence[SubColumn],
    *,
    targets: int,
    width: int = WIDTH,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """Describe each target row by the mean of the rows that point at it, and of their owners.

    Each sub-column counts alike (later ones of a column, the finer ones, half of the one before). Codes with
    a place count by it, codes without one that at least 1 in 100 rows have each on its own. All are added up
    in ``width`` random mixtures, which keeps how far apart rows are (Johnson and Lindenstrauss, 1984).

    Args:
        link_R: Target row of each row, negative for none, shape (R,).
        rows_codes_RC: Codes of the rows, shape (R, C).
        rows_sub_columns: What each of them is; those not shown are left out.
        owner_codes_RC: Codes of each row's owner, one line for each row but the last ones that have none,
            or None.
        owner_sub_columns: What each of them is.
        targets: Number of target rows T.
        width: Numbers of a profile besides the in-degree.
        seed: Any integer.

    Returns:
        Profiles, shape (T, 1 + width): first ln(1 + in-degree), scaled to spread as much as the others do on
        average; the others in standard deviations of a row. And weights, shape (T,): the pointing rows that
        were looked at, 1 for a target row that none points at.

    Guarantees:
        At most 200,000 pointing rows are looked at, evenly spread over all; in-degrees come from all rows. A
        target row with pointing rows of which none was looked at has weight 0.
    """
    pointing_R = np.flatnonzero(link_R >= 0)
    degree_T = np.bincount(link_R[pointing_R], minlength=targets)
    if len(pointing_R) > _MOST_ROWS:
        pointing_R = pointing_R[np.linspace(0, len(pointing_R) - 1, _MOST_ROWS).astype(np.int64)]
    mixed_SW = np.zeros((len(pointing_R), width))
    for use, codes_RC, sub_columns in (
        ("rows", rows_codes_RC, rows_sub_columns),
        ("owners", owner_codes_RC, owner_sub_columns),
    ):
        known_S = pointing_R < (0 if codes_RC is None else len(codes_RC))
        if codes_RC is not None and known_S.any():
            codes_SC = codes_RC[pointing_R[known_S]]
            mixed_SW[known_S] += _mix(codes_SC, sub_columns, width, seed=seed, stream=f"profile.{use}")
    seen_T = np.bincount(link_R[pointing_R], minlength=targets)
    sums = [np.bincount(link_R[pointing_R], column, targets) for column in _standard(mixed_SW).T]
    mean_TW = np.stack(sums, axis=1).astype(np.float64) / np.maximum(seen_T, 1)[:, None]
    weight_T = np.where(degree_T == 0, 1, seen_T).astype(np.float64)
    first_T = _scaled_degree(degree_T, weight_T, mean_TW)
    return np.column_stack([first_T, mean_TW]).astype(np.float32), weight_T.astype(np.float32)


def _mix(
    codes_SC: CodeArray, sub_columns: Sequence[SubColumn], width: int, *, seed: int, stream: str
) -> Numbers:
    """Add up the sub-columns in random mixtures, shape (S, width)."""
    sum_SW, before, depth = np.zeros((len(codes_SC), width)), -1, 0
    for number, sub in enumerate(sub_columns):
        depth, before = (depth + 1 if sub.column == before else 0), sub.column
        if not sub.shown or sub.cardinality < 2:
            continue
        code_S = codes_SC[:, number]
        chance_KW = uniforms(seed, f"{stream}.{number}", np.arange(sub.cardinality + 1), draws=width) - 0.5
        share_K = np.bincount(code_S, minlength=sub.cardinality) / len(code_S)
        mixed_KW = _mix_codes(sub, share_K, chance_KW)
        mixed_KW -= share_K @ mixed_KW
        spread = np.sqrt((share_K @ np.square(mixed_KW)).mean())
        if spread > 0:
            sum_SW += (mixed_KW / spread * 0.5**depth)[code_S]
    return sum_SW


def _mix_codes(sub: SubColumn, share_K: Numbers, chance_KW: Numbers) -> Numbers:
    """Give the part of each code in the mixtures, shape (K, width): its place, or a number of its own."""
    position_K = np.full(sub.cardinality, np.nan) if sub.position_K is None else sub.position_K
    placed_K = ~np.isnan(position_K)
    mixed_KW = np.where((~placed_K & (share_K >= _FREQUENT))[:, None], chance_KW[:-1], 0.0)
    share = share_K[placed_K].sum()
    if share > 0:
        place_K = np.where(placed_K, position_K, 0.0)
        place_K = np.where(placed_K, place_K - (share_K * place_K).sum() / share, 0.0)
        spread = np.sqrt((share_K * np.square(place_K)).sum() / share)
        mixed_KW += (place_K / max(spread, 1e-12))[:, None] * chance_KW[-1]
    return mixed_KW


def _standard(mixed_SW: Numbers) -> Numbers:
    """Give each mixture with mean 0 and standard deviation 1; one that is constant as 0."""
    if not len(mixed_SW):
        return mixed_SW
    spread_W = mixed_SW.std(axis=0)
    return np.asarray((mixed_SW - mixed_SW.mean(axis=0)) / np.where(spread_W > 1e-9, spread_W, np.inf))


def _scaled_degree(degree_T: RowArray, weight_T: Numbers, mean_TW: Numbers) -> Numbers:
    """Give ln(1 + in-degree) with mean 0 and the average spread of the others, 1 where they have none."""
    log_T, weight = np.log1p(degree_T), max(float(weight_T.sum()), 1.0)
    log_T = log_T - weight_T @ log_T / weight
    spread = np.sqrt(weight_T @ np.square(log_T) / weight)
    others = np.sqrt((weight_T @ np.square(mean_TW) / weight).mean()) if mean_TW.shape[1] else 0.0
    return np.asarray(log_T / max(spread, 1e-12) * (others or 1.0))
