"""The single-table synthesizers of SDV at their defaults.

SDV seeds the draws of GaussianCopula itself: its seeds differ in nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from comparison.dataset import NUMBERS
from comparison.peers import Sampler, Task

FORMATS = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M:%S"}


def describe(task: Task) -> dict[str, object]:
    """The table in SDV's words."""
    columns: dict[str, dict[str, str]] = {}
    for column, kind in task.dataset.kinds.items():
        if column in task.dataset.key:
            columns[column] = {"sdtype": "id"}
        elif kind in NUMBERS:
            columns[column] = {"sdtype": "numerical"}
        elif kind in FORMATS:
            columns[column] = {"sdtype": "datetime", "datetime_format": FORMATS[kind]}
        else:
            columns[column] = {"sdtype": "categorical"}
    key = task.dataset.key
    return {"columns": columns, **({"primary_key": key[0]} if len(key) == 1 else {})}


def prepare(task: Task) -> pd.DataFrame:
    """Moments as texts and whole numbers as integers, as the metadata say."""
    rows = task.split.train.copy()
    for column, kind in task.dataset.kinds.items():
        if kind in FORMATS:
            rows[column] = rows[column].dt.strftime(FORMATS[kind]).where(rows[column].notna(), None)
        elif kind == "integer" and rows[column].notna().all():
            rows[column] = rows[column].astype("int64")
    return rows


def fit(task: Task) -> Sampler:
    """Train the model that the options name."""
    import torch
    from sdv import single_table
    from sdv.metadata import Metadata

    np.random.seed(task.seed)  # the library draws from the global state
    torch.manual_seed(task.seed)
    table = task.dataset.table
    metadata = Metadata.load_from_dict({"tables": {table: describe(task)}, "relationships": []})
    model = getattr(single_table, f"{task.options['model']}Synthesizer")(metadata)
    model.fit({table: prepare(task)})

    def sample(count: int) -> pd.DataFrame:
        made = model.sample(num_rows=count)
        return made[table] if isinstance(made, dict) else made

    return sample
