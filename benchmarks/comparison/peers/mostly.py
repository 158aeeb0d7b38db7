"""mostlyai-engine (TabularARGN) at its defaults; its own time limit is set to nine tenths of ours."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from comparison.dataset import MOMENTS, NUMBERS
from comparison.peers import Sampler, Task


def encoding(kind: str) -> str:
    """The engine's name for a kind of column."""
    if kind in NUMBERS:
        return "TABULAR_NUMERIC_AUTO"
    return "TABULAR_DATETIME" if kind in MOMENTS else "TABULAR_CATEGORICAL"


def fit(task: Task) -> Sampler:
    """Split, analyse, encode and train, as the engine's documentation shows."""
    from mostlyai import engine

    engine.set_random_state(task.seed)
    place = Path(tempfile.mkdtemp(prefix="peer-"))
    dataset = task.dataset
    engine.split(
        tgt_data=task.split.train,
        workspace_dir=place,
        tgt_primary_key=dataset.key[0] if len(dataset.key) == 1 else None,
        tgt_encoding_types={c: encoding(kind) for c, kind in dataset.kinds.items() if c not in dataset.key},
        model_type="TABULAR",
    )
    engine.analyze(workspace_dir=place)
    engine.encode(workspace_dir=place)
    engine.train(workspace_dir=place, device="cpu", max_training_time=0.9 * task.limit_s / 60)

    def sample(count: int) -> pd.DataFrame:
        engine.generate(workspace_dir=place, device="cpu", sample_size=count)
        return pd.read_parquet(place / "SyntheticData")

    return sample
