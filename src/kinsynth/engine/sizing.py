"""TablePlan: all that is decided once about the training of one table, and its cost. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from kinsynth.encoded import Encoded
from kinsynth.engine.layout import describe_table

ModelSize = Literal["small", "medium", "large"]

_PLACE_FEATURES = 8
_ECHOES = 3
_DECAYS = 3
_COUNT_BUCKETS = 24


class TrainingChoices(Protocol):
    """What the user may choose; ``settings.training`` fulfils it."""

    @property
    def max_epochs(self) -> int:
        """Largest number of passes over the rows."""

    @property
    def adaptive_learning_rate(self) -> bool:
        """Whether the rate follows a schedule instead of staying constant."""

    @property
    def learning_rate(self) -> float:
        """The constant rate."""

    @property
    def auto_batching(self) -> bool:
        """Whether the batch size is chosen from the table and the memory."""

    @property
    def batch_size(self) -> int:
        """Rows of a batch when chosen by the user."""

    @property
    def gradient_accumulation(self) -> int:
        """Batches of one optimiser step."""

    @property
    def validation_fraction(self) -> float:
        """Share of the roots kept for validation."""

    @property
    def training_steps(self) -> int:
        """Optimiser steps between two validations."""

    @property
    def early_stop_delta(self) -> float:
        """Smallest relative improvement that counts; 0 trains to convergence."""

    @property
    def model_size(self) -> ModelSize:
        """Size of the network."""


@dataclass(frozen=True)
class TableShape:
    """The numbers about a table that its cost follows from.

    Attributes:
        rows: Number of rows.
        roots: Number of rows of its root table.
        cardinalities: Codes of each sub-column.
        ancestors: Codes of each sub-column of each ancestor.
        siblings: Codes of each sub-column of each sibling table.
        mean_sequence: Mean number of rows under one parent that has any; 1 for a root table.
        longest_sequence: Largest number of rows under one parent.
    """

    rows: int
    roots: int
    cardinalities: tuple[int, ...]
    ancestors: tuple[tuple[int, ...], ...] = ()
    siblings: tuple[tuple[int, ...], ...] = ()
    mean_sequence: float = 1.0
    longest_sequence: int = 1


@dataclass(frozen=True)
class TablePlan:
    """Everything decided once about the training and sampling of one table.

    Attributes:
        embedding_width: Size of a code's vector.
        column_width: Hidden width of each column.
        layers: Residual layers of each column.
        trunk_width: Width of what context and history are joined into.
        memory_width: Row features that fade through a sequence.
        set_width: Row features pooled over a sibling set.
        set_limit: Largest number of rows looked at in a sibling set.
        context_embedding_width: Size of a code's vector in ancestors and siblings.
        batch_size: Rows of a batch.
        gradient_accumulation: Batches of one optimiser step.
        window: Longest stretch of a sequence trained at once.
        max_epochs: Largest number of passes over the rows.
        max_steps: Largest number of optimiser steps.
        adaptive_learning_rate: Whether the rate warms up and falls; else it is constant.
        learning_rate: Highest rate.
        weight_decay: Decoupled weight decay of the matrices.
        dropout: Share of values dropped in training.
        average_decay: Decay of the moving average of the weights.
        validation_fraction: Share of the roots kept for validation.
        validation_rows: Largest number of rows looked at in one validation.
        validation_steps: Optimiser steps between two validations.
        early_stop_delta: Smallest relative improvement that counts.
        patience: Validations without improvement before training stops.
        block_size: Roots sampled together.
        threads: Threads of torch.
        device: ``cpu`` or ``cuda``.
    """

    embedding_width: int = 16
    column_width: int = 48
    layers: int = 1
    trunk_width: int = 64
    memory_width: int = 24
    set_width: int = 16
    set_limit: int = 32
    context_embedding_width: int = 8
    batch_size: int = 512
    gradient_accumulation: int = 1
    window: int = 256
    max_epochs: int = 100
    max_steps: int = 2000
    adaptive_learning_rate: bool = True
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.1
    average_decay: float = 0.99
    validation_fraction: float = 0.1
    validation_rows: int = 20_000
    validation_steps: int = 50
    early_stop_delta: float = 0.0
    patience: int = 5
    block_size: int = 1024
    threads: int = 1
    device: str = "cpu"


def measure_table(encoded: Encoded, table: str) -> TableShape:
    """Read the shape of one table."""
    layout, source = describe_table(encoded, table), encoded.tables[table]
    mean, longest = 1.0, 1
    if source.parent_R is not None and source.rows:
        lengths = np.unique(source.parent_R, return_counts=True)[1]
        mean, longest = float(lengths.mean()), int(lengths.max())
    root = layout.ancestors[-1].name if layout.ancestors else table
    return TableShape(
        rows=source.rows,
        roots=encoded.tables[root].rows,
        cardinalities=tuple(sub.cardinality for sub in layout.sub_columns),
        ancestors=tuple(tuple(sub.cardinality for sub in r.sub_columns) for r in layout.ancestors),
        siblings=tuple(tuple(sub.cardinality for sub in r.sub_columns) for r in layout.siblings),
        mean_sequence=mean,
        longest_sequence=longest,
    )
