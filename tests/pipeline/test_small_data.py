"""Few rows: a model is learned that neither collapses nor copies; too few are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.pipeline.checks.data import FEWEST_ROWS

DRAWN = 2_000
NEAR = 0.01


def split(root: Path, rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give rows to learn from and other rows of the same source, none of them twice."""
    table = pl.read_csv(root / "adult" / "adult.csv").unique(maintain_order=True)
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=rows)
    return shuffled.head(rows), shuffled.slice(rows, DRAWN)


def gower(rows: pl.DataFrame, train: pl.DataFrame) -> np.ndarray:
    """Give the distance of each row to each training row, 0 to 1: the mean over the columns."""
    total = np.zeros((len(rows), len(train)))
    for name in train.columns:
        left, right = rows[name], train[name]
        if train.schema[name].is_numeric():
            span = max(float(right.max() - right.min()), 1e-9)  # type: ignore[operator]
            apart = np.abs(left.to_numpy()[:, None] - right.to_numpy()) / span
            total += np.nan_to_num(np.minimum(apart, 1.0), nan=1.0)
        else:
            texts = [series.cast(str).fill_null("").to_numpy() for series in (left, right)]
            total += texts[0][:, None] != texts[1]
    return total / len(train.columns)


def near_share(rows: pl.DataFrame, train: pl.DataFrame) -> tuple[float, float]:
    """Give the share of rows near to a training row, and its standard error.

    The training rows are the sample: a common one draws many near rows at once, real as well as drawn.
    """
    apart = gower(rows, train)
    near = apart.min(1) <= NEAR
    share_R = np.bincount(apart.argmin(1)[near], minlength=len(train)) / len(rows)
    spread = len(train) * (share_R.var(ddof=1) + 1 / (len(rows) * len(train)) ** 2)
    return float(near.mean()), float(np.sqrt(spread + near.mean() * (1 - near.mean()) / len(rows)))


def copies(drawn: pl.DataFrame, others: pl.DataFrame, train: pl.DataFrame) -> bool:
    """Tell whether more drawn than unseen real rows lie near training rows, beyond two standard errors."""
    (ours, error), (real, real_error) = near_share(drawn, train), near_share(others, train)
    return ours > real + 2 * float(np.hypot(error, real_error))


def distance(drawn: pl.Series, train: pl.Series) -> float:
    """Give the largest difference of the distribution functions, or the variation of kept categories."""
    if train.dtype.is_numeric():
        left, right = np.sort(drawn.drop_nulls().to_numpy()), np.sort(train.drop_nulls().to_numpy())
        places = np.unique(np.concatenate([left, right]))
        apart = np.searchsorted(left, places, "right") / len(left) - np.searchsorted(
            right, places, "right"
        ) / len(right)
        return float(np.abs(apart).max())
    counts = train.drop_nulls().value_counts(name="n").filter(pl.col("n") >= 5)
    kept = counts[train.name].to_list()
    shares = [
        [float((series == value).sum()) / max(1, int(series.is_in(kept).sum())) for value in kept]
        for series in (drawn, train)
    ]
    return float(np.abs(np.subtract(*shares)).sum() / 2)


def noise(train: pl.Series) -> float:
    """Give the distance to a source that only one sample in a thousand of its size exceeds."""
    rng = np.random.default_rng(0)
    again = [train.gather(rng.integers(0, len(train), len(train))) for _ in range(200)]
    found = [distance(sample, train) for sample in again]
    return float(np.mean(found) + 3.1 * np.std(found))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50, 100, 500])
def test_few_rows_are_learned_without_collapse_or_copies(data_root: Path, rows: int) -> None:
    train, others = split(data_root, rows)
    synthesis = kinsynth.Synthesis.model_validate({"evaluation": {"holdout_share": 0.0}})
    drawn = kinsynth.fit({"adult": train}, synthesis).sample(rows={"adult": DRAWN}, seed=1)["adult"]
    varied = [name for name in train.columns if train[name].value_counts()["count"].sort()[-2:].min() >= 10]
    assert varied
    for name in varied:
        assert drawn[name].n_unique() > 1, f"{name} collapsed"
    for name in train.columns:
        assert distance(drawn[name], train[name]) <= noise(train[name]), name
    assert not copies(drawn, others, train)
    assert copies(train.sample(DRAWN, with_replacement=True, seed=1), others, train), "copies are seen"


def test_too_few_rows_are_refused_before_anything_runs() -> None:
    table = pl.DataFrame({"a": list(range(FEWEST_ROWS - 1)), "b": ["x", "y"] * 9 + ["x"]})
    with pytest.raises(kinsynth.KinsynthError) as error:
        kinsynth.fit({"few": table})
    assert "data.too_few_rows" in {finding.code for finding in error.value.findings}
