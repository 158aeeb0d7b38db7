"""A rival is trained by the engine's own loop: rate, average, early stopping, calibration."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from kinsynth.encoded import Encoded, EncodedTable
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.device import torch_settings
from kinsynth.engine.layout import TableLayout
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.stopwatch import Stopwatch
from kinsynth.engine.trainer import _Training

TABLE = "rows"
Make = Callable[[TableLayout, TablePlan, torch.Generator], Any]


class _RivalTraining(_Training):
    """The engine's training of another network."""

    def __init__(self, make: Make, encoded: Encoded, plan: TablePlan, seed: int, watch: Stopwatch) -> None:
        self.rival = make
        super().__init__(encoded, TABLE, plan, seed, watch)

    def _make(self, generator: torch.Generator) -> Any:
        return self.rival(self.layout, self.plan, generator)

    @property
    def _is_drawn_alone(self) -> bool:
        """The engine draws from no other network, so drawn rows calibrate none."""
        return False


def train_rival(
    make: Make, table: EncodedTable, plan: TablePlan, *, seed: int, limit: float | None = None
) -> TableModel:
    """Train a rival on one root table; ``limit`` is in seconds of the processor, not of the wall."""
    with torch_settings(plan):
        training = _RivalTraining(
            make, Encoded({TABLE: table}), plan, seed, Stopwatch(limit, time.process_time)
        )
        while not training.finished:
            training.advance()
        return training.model()
