"""A latent class of each row, drawn first: classes of a mixture of independent columns become a column.

The mixture is fitted by expectation and maximisation on the training rows; each row's class is drawn from its
chances. The engine then learns and draws the table with the class as its first column.
Shape letters: R rows, C sub-columns, S all codes, Z classes.

Sources:
    Goodman, "Exploratory latent structure analysis using both identifiable and unidentifiable models", 1974.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.sparse import csr_matrix

from kinsynth.encoded import EncodedTable, SubColumn, code_type
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.tabular import Batch

ROUNDS = 40
_PRIOR = 0.5


def add_classes(table: EncodedTable, classes: int, *, seed: int) -> EncodedTable:
    """Give the table with a class as its first column."""
    rng = np.random.default_rng(seed)
    chance_RZ = fit_classes(table, classes, rng)
    class_R = (chance_RZ.cumsum(1) < rng.random((table.rows, 1))).sum(1).clip(0, classes - 1)
    subs = (
        SubColumn(0, classes),
        *(replace(sub, column=sub.column + 1) for sub in table.sub_columns),
    )
    kind = code_type(sub.cardinality for sub in subs)
    codes_RC = np.concatenate([class_R[:, None].astype(kind), table.codes_RC.astype(kind)], 1)
    return replace(table, codes_RC=codes_RC, sub_columns=subs)


def fit_classes(table: EncodedTable, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Fit the mixture; give each row's chances of the classes, shape (R, Z)."""
    sizes = [sub.cardinality for sub in table.sub_columns]
    starts_C = np.cumsum([0, *sizes])
    places = (table.codes_RC.astype(np.int64) + starts_C[:-1]).ravel()
    rows = np.repeat(np.arange(table.rows), len(sizes))
    held_RS = csr_matrix((np.ones(len(places)), (rows, places)), shape=(table.rows, starts_C[-1]))
    chance_RZ = rng.dirichlet(np.full(classes, 0.1), table.rows)
    share_S1 = np.asarray(held_RS.mean(0)).reshape(-1, 1)
    for _ in range(ROUNDS):
        weight_Z = (chance_RZ.sum(0) + _PRIOR) / (table.rows + classes * _PRIOR)
        # A few rows of the whole table stand beside those of a class, so that no chance is zero.
        count_SZ = held_RS.T @ chance_RZ + share_S1 * len(sizes) * _PRIOR + 1e-6
        total_CZ = np.add.reduceat(count_SZ, starts_C[:-1], 0)
        log_SZ = np.log(count_SZ) - np.repeat(np.log(total_CZ), sizes, 0)
        joint_RZ = held_RS @ log_SZ + np.log(weight_Z)
        joint_RZ -= joint_RZ.max(1, keepdims=True)
        chance_RZ = np.exp(joint_RZ)
        chance_RZ /= chance_RZ.sum(1, keepdims=True)
    return chance_RZ


@torch.no_grad()
def loss_without_class(model: TableModel, real_RC: np.ndarray) -> float:
    """Give the mean negative log-likelihood of rows whose class is not known: all classes are summed over."""
    total, codes_RC = 0.0, torch.from_numpy(real_RC)
    for codes_BC in codes_RC.split(2000):
        parts = []
        for code in range(model.layout.sub_columns[0].cardinality):
            class_B1 = torch.full((len(codes_BC), 1), code)
            parts.append(-model.network(Batch(torch.cat([class_B1, codes_BC], 1))).sum(0))
        total -= float(torch.logsumexp(torch.stack(parts), 0).sum())
    return total / len(real_RC)
