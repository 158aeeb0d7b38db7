"""kinsynth at its defaults, evaluation off; the options are dotted settings."""

from __future__ import annotations

from typing import Any

import pandas as pd

from comparison.peers import Sampler, Task


def as_source(table: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    """Write dates and whole numbers as the source does; everything else stays."""
    result = table.copy()
    for column, kind in kinds.items():
        if kind == "date":
            result[column] = pd.to_datetime(result[column]).dt.date
        elif kind == "integer":
            result[column] = result[column].astype("Int64")
    return result


def declare(tables: dict[str, Any], options: dict[str, str], name: str = "benchmark") -> Any:
    """Make the settings document; ``tables`` holds the settings by table."""
    from kinsynth.settings.document import override
    from kinsynth.settings.synthesis import Synthesis

    document = {"name": name, "tables": tables, "evaluation": {"holdout_share": 0}}
    return override(Synthesis.model_validate(document), options)


def fit(task: Task) -> Sampler:
    """Fit and give the model's own sampler."""
    from kinsynth import fit as fit_model

    dataset = task.dataset
    options = {"generation.seed": str(task.seed), **task.options}
    synthesis = declare({dataset.table: {"primary_key": list(dataset.key)}}, options, dataset.name)
    train = as_source(task.split.train, dataset.kinds)
    model = fit_model({dataset.table: train}, synthesis)

    def sample(count: int) -> pd.DataFrame:
        drawn: pd.DataFrame = model.sample({dataset.table: count}, seed=task.seed)[dataset.table]
        return drawn

    return sample
