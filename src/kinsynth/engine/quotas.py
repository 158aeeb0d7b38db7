"""Quotas: how many rows shall point at each target row, brought into line with how many rows there are.

Shape letters: T target rows, S scopes.
"""

from __future__ import annotations

import numpy as np

from kinsynth.encoded import RowArray
from kinsynth.system.randomness import uniforms


def scale_quotas(
    quota_T: RowArray,
    scope_T: RowArray,
    rows_S: RowArray,
    limit_S: RowArray,
    *,
    ids_T: RowArray,
    seed: int,
    stream: str,
) -> RowArray:
    """Raise quotas where a scope has more rows than slots; in proportion, and within the limit of the scope.

    Args:
        quota_T: Rows that shall point at each target row, >= 0, shape (T,).
        scope_T: Scope of each target row, 0 to S - 1, shape (T,).
        rows_S: Rows of each scope, at most the limit times the number of its target rows, shape (S,).
        limit_S: The most rows that may point at one target row of a scope, shape (S,).
        ids_T: Number of each target row for its random numbers, shape (T,).
        seed: Any integer.
        stream: Name of the use.

    Returns:
        Quotas, shape (T,). Their sum over a scope is at least its rows, and just that where they were raised.

    Guarantees:
        No quota is above the limit. A quota of 0 is raised only where all others of its scope are at the
        limit. A raised quota is its exact share, rounded down or up by chance.
    """
    scopes = len(rows_S)
    held_T = np.minimum(quota_T, limit_S[scope_T])
    short_S = np.bincount(scope_T, held_T, scopes).astype(np.int64) < rows_S
    if not short_S.any():
        return held_T
    asked_S = np.where(short_S, rows_S, 0)
    raised_T = share_out(quota_T, scope_T, asked_S, limit_S, ids_T=ids_T, seed=seed, stream=stream)
    return np.where(short_S[scope_T], raised_T, held_T)


def share_out(
    weight_T: RowArray,
    scope_T: RowArray,
    rows_S: RowArray,
    limit_S: RowArray,
    *,
    ids_T: RowArray,
    seed: int,
    stream: str,
) -> RowArray:
    """Share out the rows of each scope by weight; arguments as for ``scale_quotas``.

    Returns:
        Quotas, shape (T,), whose sum over a scope is just its rows.

    Guarantees:
        No quota is above the limit. A weight of 0 gets some only where all others of its scope are at the
        limit. A quota is its exact share, rounded down or up by chance.
    """
    shared_T = _share(weight_T, scope_T, rows_S, limit_S, ids_T=ids_T, seed=seed, stream=stream)
    left_S = rows_S - np.bincount(scope_T, shared_T, len(rows_S)).astype(np.int64)
    if left_S.any():
        empty_T = (weight_T == 0).astype(np.int64)
        shared_T += _share(
            empty_T, scope_T, left_S, limit_S, ids_T=ids_T, seed=seed, stream=f"{stream}.empty"
        )
    return shared_T


def _share(
    weight_T: RowArray,
    scope_T: RowArray,
    sum_S: RowArray,
    limit_S: RowArray,
    *,
    ids_T: RowArray,
    seed: int,
    stream: str,
) -> RowArray:
    """Share out the sum of each scope by weight, each share at most the limit, in whole numbers."""
    scopes = len(sum_S)
    order_T = np.lexsort((-weight_T, scope_T))
    weight, scope = weight_T[order_T], scope_T[order_T]
    first_S = np.searchsorted(scope, np.arange(scopes))
    place = np.arange(len(scope)) - first_S[scope]
    before = np.concatenate([[0], np.cumsum(weight)])
    rest = before[np.searchsorted(scope, scope, side="right")] - before[:-1]
    # The heaviest of a scope are at the limit; from the first whose share of the rest keeps it on, none is.
    left = np.maximum(sum_S[scope] - place * limit_S[scope], 0)
    keeps = weight.astype(np.float64) * left <= limit_S[scope].astype(np.float64) * rest
    full_S = np.full(scopes, len(scope))
    np.minimum.at(full_S, scope[keeps], place[keeps])
    full = place < full_S[scope]
    rest_S, left_S = np.bincount(scope[~full], weight[~full], scopes), sum_S - full_S * limit_S
    left = weight * np.maximum(left_S, 0)[scope]
    rest = np.maximum(rest_S.astype(np.int64), 1)[scope]
    whole = np.where(full, np.where(weight > 0, limit_S[scope], 0), left // rest)
    part = np.where(full, 0.0, left % rest / rest)
    over_S = np.minimum(sum_S, limit_S * np.bincount(scope[weight > 0], minlength=scopes))
    over_S -= np.bincount(scope, whole, scopes).astype(np.int64)
    share_T = np.empty_like(whole)
    share_T[order_T] = whole + _round(part, scope, over_S, ids_T[order_T], seed=seed, stream=stream)
    return share_T


def _round(
    part_T: np.ndarray[tuple[int], np.dtype[np.float64]],
    scope_T: RowArray,
    over_S: RowArray,
    ids_T: RowArray,
    *,
    seed: int,
    stream: str,
) -> RowArray:
    """Give ``over_S`` ones in each scope, with probability ``part_T``: systematic sampling."""
    chance_T = uniforms(seed, f"{stream}.order", ids_T)[:, 0]
    order = np.lexsort((chance_T, scope_T))
    part, scope = part_T[order], scope_T[order]
    sum_ = np.cumsum(part)
    first_S = np.searchsorted(scope, np.arange(len(over_S)))
    base_S = np.concatenate([[0.0], sum_])[first_S]
    end_S = np.concatenate([[0.0], sum_])[np.searchsorted(scope, np.arange(len(over_S)), side="right")]
    total_S = np.maximum(end_S - base_S, 1e-300)
    start_S = uniforms(seed, f"{stream}.start", np.arange(len(over_S)))[:, 0]
    reached = np.minimum((sum_ - base_S[scope]) / total_S[scope], 1.0) * over_S[scope] + start_S[scope]
    reached = np.floor(reached).astype(np.int64)
    before = np.concatenate([[0], reached[:-1]])
    before[first_S[over_S.astype(bool)]] = 0
    one_T = np.zeros(len(part_T), dtype=np.int64)
    one_T[order] = np.where(over_S[scope] > 0, reached - before, 0)
    return one_T
