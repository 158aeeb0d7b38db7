"""TablePlan: all that is decided once about the training of one table, and its cost. No torch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from kinsynth.encoded import Encoded
from kinsynth.engine.blocks import block_weights
from kinsynth.engine.layout import Reached, Relative, describe_table, lineage

ModelSize = Literal["small", "medium", "large"]

_PLACE_FEATURES = 8
_ECHOES = 3
_DECAYS = 4
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
    def training_steps(self) -> int | None:
        """Optimiser steps between two validations; None lets the plan choose."""

    @property
    def early_stop_delta(self) -> float:
        """Smallest relative improvement that counts; 0 trains to convergence."""

    @property
    def patience(self) -> int:
        """Validations in a row without such an improvement that are borne."""

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
        ancestors: Codes of each sub-column shown of each ancestor.
        siblings: Codes of each sub-column shown of each sibling table.
        reached: Codes of each sub-column shown of each row that a row reaches by a link of its own.
        reached_above: The same of each row reached by way of the parent.
        unshown: Number of sub-columns that other rows do not look at.
        mean_sequence: Mean number of rows under one parent that has any; 1 for a root table.
        longest_sequence: Largest number of rows under one parent.
        rows_per_root: Mean number of rows under one root in the largest table of the tree.
    """

    rows: int
    roots: int
    cardinalities: tuple[int, ...]
    ancestors: tuple[tuple[int, ...], ...] = ()
    siblings: tuple[tuple[int, ...], ...] = ()
    reached: tuple[tuple[int, ...], ...] = ()
    reached_above: tuple[tuple[int, ...], ...] = ()
    unshown: int = 0
    mean_sequence: float = 1.0
    longest_sequence: int = 1
    rows_per_root: float = 1.0

    @property
    def relatives(self) -> tuple[tuple[int, ...], ...]:
        """Codes of each sub-column shown of all tables that the model looks at."""
        return (*self.ancestors, *self.siblings, *self.reached, *self.reached_above)


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
        max_steps: Largest number of optimiser steps; 0 for a table that is not drawn.
        adaptive_learning_rate: Whether the rate is found by a trial, and falls once the loss stays.
        learning_rate: The user's constant rate, or the rate of a training too short for a trial.
        weight_decay: Decoupled weight decay of the matrices.
        code_decay: Decoupled weight decay of the free vectors of the row's own codes.
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
        mixed_precision: Whether matrix products are computed in bfloat16.
    """

    embedding_width: int = 12
    column_width: int = 24
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
    learning_rate: float = 5e-3
    weight_decay: float = 0.5
    code_decay: float = 0.0
    dropout: float = 0.0
    average_decay: float = 0.98
    validation_fraction: float = 0.1
    validation_rows: int = 20_000
    validation_steps: int = 50
    early_stop_delta: float = 0.0
    patience: int = 3
    block_size: int = 1024
    threads: int = 1
    device: str = "cpu"
    mixed_precision: bool = False


def measure_table(encoded: Encoded, table: str) -> TableShape:
    """Read the shape of one table."""
    layout, source = describe_table(encoded, table), encoded.tables[table]
    mean, longest = 1.0, 1
    if source.parent_R is not None and source.rows:
        lengths = np.unique(source.parent_R, return_counts=True)[1]
        mean, longest = float(lengths.mean()), int(lengths.max())
    root = lineage(encoded, table)[-1] if layout.ancestors else table
    tree = [name for name in encoded.tables if root in (name, *lineage(encoded, name))]
    return TableShape(
        rows=source.rows,
        roots=encoded.root_count(table),
        cardinalities=tuple(sub.cardinality for sub in layout.sub_columns),
        ancestors=_codes_of(layout.ancestors),
        siblings=_codes_of(layout.siblings),
        reached=_codes_of(layout.reached_by_row),
        reached_above=_codes_of(layout.reached_by_parent),
        unshown=len(layout.sub_columns) - layout.shown,
        mean_sequence=mean,
        longest_sequence=longest,
        rows_per_root=max(encoded.tables[name].rows for name in tree) / max(encoded.tables[root].rows, 1),
    )


def _codes_of(relatives: Iterable[Relative | Reached]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(sub.cardinality for sub in relative.sub_columns) for relative in relatives)


_WIDTHS: dict[ModelSize, dict[str, int]] = {
    "small": {"embedding_width": 8, "column_width": 24, "layers": 1, "trunk_width": 48, "memory_width": 16},
    "medium": {"embedding_width": 12, "column_width": 48, "layers": 1, "trunk_width": 64, "memory_width": 24},
    "large": {"embedding_width": 16, "column_width": 64, "layers": 2, "trunk_width": 128, "memory_width": 32},
}
_WIDE_TABLE = 30
_MOST_ROWS = 1 << 22
_BLOCK_ROWS = 1 << 17
_EPOCH_DECAY: dict[ModelSize, float] = {"small": 13.0, "medium": 25.0, "large": 60.0}
_DECAY_RANGE = (0.01, 10.0)
_SOME_ROOTS = 5000
_MOST_CARE = 4.0
_CODE_DECAY = 0.5
_FEW_ROOTS = 1000
_MOST_DROPOUT = 0.6
_DROPOUT_GROWTH = 0.6
_BYTES = 4
_COPIES = 7  # weights, gradient, two moments, average, best, and the copy that is being saved
_HIDDEN_COPIES = (
    8  # before and after activation and dropout, the masks, and the gradients of the layer at work
)
_HEAD_COPIES = 4  # logits, chances, and the gradients of the group at work; calibration holds no more
_SEEN_COPIES = 7  # both parts of the vectors, their places, sums, what is known of them, and the gradients
_ROW_BYTES = 64  # units, their places and the order of an epoch
_FLOPS_PER_SECOND = 2.5e10
_STEP_SECONDS = 4e-3
_THREAD_FLOPS = 5e8
_MIXED_FLOPS = 1e10  # below, a GPU waits for the start of its kernels, and shorter numbers save nothing


def plan_table(
    shape: TableShape,
    training: TrainingChoices,
    *,
    free_memory_bytes: int,
    threads: int = 1,
    device: str = "cpu",
) -> TablePlan:
    """Decide everything about the training and sampling of one table.

    Args:
        shape: The table.
        training: What the user chose.
        free_memory_bytes: Memory that training may use.
        threads: Largest number of threads of torch; small steps take fewer.
        device: ``cpu`` or ``cuda``.
    """
    automatic = training.auto_batching
    batch = choose_batch(shape.rows) if automatic else training.batch_size
    widths: dict[str, Any] = narrow_widths(_WIDTHS[training.model_size], columns=len(shape.cardinalities))
    plan = TablePlan(
        **widths,
        batch_size=batch,
        gradient_accumulation=1 if automatic else training.gradient_accumulation,
        max_epochs=training.max_epochs,
        adaptive_learning_rate=training.adaptive_learning_rate,
        learning_rate=TablePlan.learning_rate if training.adaptive_learning_rate else training.learning_rate,
        validation_fraction=training.validation_fraction,
        early_stop_delta=training.early_stop_delta,
        patience=training.patience,
        device=device,
    )
    if automatic:
        plan = replace(plan, batch_size=fit_batch(shape, plan, free_memory_bytes))
    steps = steps_per_epoch(shape, plan)
    return replace(
        plan,
        window=min(plan.window, plan.batch_size),
        max_steps=choose_most_steps(shape, plan, automatic=automatic),
        weight_decay=choose_weight_decay(steps, shape.roots, training.model_size),
        code_decay=choose_code_decay(shape, training.model_size),
        dropout=choose_dropout(shape.roots),
        validation_steps=training.training_steps or choose_validation_steps(steps),
        block_size=choose_block(shape),
        threads=choose_threads(shape, plan, threads),
        mixed_precision=device == "cuda" and step_flops(shape, plan) >= _MIXED_FLOPS,
    )


def choose_batch(rows: int) -> int:
    """Give a power of two that grows with the table: about 80 steps an epoch, from 64 to 2,048 rows."""
    return int(np.clip(2 ** round(np.log2(max(rows, 1) / 80)), 64, 2048))


def choose_validation_steps(epoch_steps: int) -> int:
    """Give the steps between validations: about an epoch, not less than 20 nor more than 100."""
    return int(np.clip(epoch_steps, 20, 100))


def choose_most_steps(shape: TableShape, plan: TablePlan, *, automatic: bool) -> int:
    """Give the steps of the most epochs; an automatic plan of a huge table ends after some million rows.

    More rows no longer change much then, and waiting for the last of it takes hours. A plan with batches of
    the user's own, or one that asks for full convergence, is not cut short.
    """
    most = plan.max_epochs * math.ceil(epoch_steps(shape, plan))
    if not automatic or plan.early_stop_delta == 0:
        return most
    return min(most, max(1, _MOST_ROWS // plan.batch_size))


def choose_weight_decay(epoch_steps: int, roots: int, size: ModelSize) -> float:
    """Give the decay that forgets a weight in the same number of epochs, whatever the steps of an epoch.

    Larger networks forget faster, and all do, up to four times, where few roots would be learned by heart.
    """
    return float(np.clip(choose_care(roots) * _EPOCH_DECAY[size] / epoch_steps, *_DECAY_RANGE))


def choose_care(roots: int) -> float:
    """Give how much more than many roots few are protected from being learned by heart, from 1 to 4."""
    return float(np.clip(math.sqrt(_SOME_ROOTS / max(roots, 1)), 1.0, _MOST_CARE))


def choose_code_decay(shape: TableShape, size: ModelSize) -> float:
    """Give the decay of the codes' own vectors, for some thousand roots only.

    A code that few rows hold then goes back to its place on the line. More roots need none and are told apart
    more easily with it, fewer get dropout instead, a small network cannot learn by heart, and tables with a
    parent or links were not measured.
    """
    if shape.ancestors or shape.reached or shape.roots < _FEW_ROOTS or size == "small":
        return 0.0
    return _CODE_DECAY * min(1.0, choose_care(shape.roots) - 1.0)


def choose_dropout(roots: int) -> float:
    """Give the share of values dropped: none but for few roots, and less and less beyond half as many.

    Dropout blurs the conditionals: a detector finds the rows more easily, at the same likelihood. Of fifty
    rows, though, a network that drops less makes near copies.
    """
    share = min(_MOST_DROPOUT, 0.1 * math.pow(_FEW_ROOTS / max(roots, 1), _DROPOUT_GROWTH))
    return share * min(1.0, max(0.0, 2 - 2 * roots / _FEW_ROOTS))


def choose_threads(shape: TableShape, plan: TablePlan, threads: int) -> int:
    """Give one thread for each stretch of work long enough to be worth the waiting for each other."""
    return max(1, min(threads, int(step_flops(shape, plan) / _THREAD_FLOPS)))


def choose_block(shape: TableShape) -> int:
    """Give the roots of one sampling block: up to 1,024, fewer when each has many rows under it."""
    return int(np.clip(2 ** round(np.log2(_BLOCK_ROWS / max(shape.rows_per_root, 1.0))), 16, 1024))


def narrow_widths(widths: dict[str, int], *, columns: int) -> dict[str, int]:
    """Shrink the widths of a wide table, whose first layer grows with the square of its columns."""
    if columns <= _WIDE_TABLE:
        return widths
    share = (_WIDE_TABLE / columns) ** 0.5
    return {
        **widths,
        "embedding_width": max(4, int(widths["embedding_width"] * share)),
        "column_width": max(8, int(widths["column_width"] * share)),
    }


def fit_batch(shape: TableShape, plan: TablePlan, free_memory_bytes: int) -> int:
    """Halve the batch until training fits the memory, down to 32 rows."""
    batch = plan.batch_size
    while batch > 32 and training_bytes(shape, replace(plan, batch_size=batch)) > free_memory_bytes:
        batch //= 2
    return batch


def steps_per_epoch(shape: TableShape, plan: TablePlan) -> int:
    """Give about how many optimiser steps one pass over the training rows takes, at least 1."""
    return max(1, round(epoch_steps(shape, plan)))


def epoch_steps(shape: TableShape, plan: TablePlan) -> float:
    """Give the optimiser steps of one pass over the training rows, the last one in part."""
    rows = max(shape.rows * (1 - plan.validation_fraction), 1.0)
    return rows / (plan.batch_size * plan.gradient_accumulation)


def parameters(shape: TableShape, plan: TablePlan) -> int:
    """Count the parameters of a table's network exactly."""
    columns, width, hidden = len(shape.cardinalities), plan.embedding_width, plan.column_width
    row = embedding_parameters(shape.cardinalities, width)
    row += block_weights(columns, width, hidden) + columns * hidden
    row += plan.layers * columns * (hidden + 1) * hidden
    row += sum((hidden + 1) * padded_size(k) for k in shape.cardinalities)
    if shape.ancestors or shape.reached:
        row += plan.trunk_width * columns * hidden
    if shape.reached:
        row += seen_parameters(shape, plan)
    if not shape.ancestors:
        return row
    child = columns * width + columns * (hidden + 1) * _ECHOES
    return row + child + context_parameters(shape, plan) + history_parameters(columns - shape.unshown, plan)


def padded_size(cardinality: int) -> int:
    """Give the size a head is padded to: 4, 6, 8, 12, 16, 24, 32 and so on.

    >>> [padded_size(k) for k in (1, 4, 5, 7, 33, 149)]
    [4, 4, 6, 8, 48, 192]
    """
    above = max(4, 1 << (cardinality - 1).bit_length())
    return max(4, above * 3 // 4) if cardinality <= above * 3 // 4 else above


def embedding_parameters(cardinalities: tuple[int, ...], width: int) -> int:
    """Count the parameters of an embedding of several sub-columns."""
    return (sum(cardinalities) + len(cardinalities) * _PLACE_FEATURES) * width


def context_parameters(shape: TableShape, plan: TablePlan) -> int:
    """Count the parameters that turn ancestors, siblings and what the parents reach into a vector."""
    width, trunk = plan.context_embedding_width, plan.trunk_width
    relatives = (*shape.ancestors, *shape.siblings, *shape.reached_above)
    embeddings = sum(embedding_parameters(cardinalities, width) for cardinalities in relatives)
    sets = sum((width * len(cardinalities) + 1) * plan.set_width for cardinalities in shape.siblings)
    inputs = width * sum(map(len, shape.ancestors)) + (2 * plan.set_width + 1) * len(shape.siblings)
    inputs += seen_inputs(shape.reached_above, plan)
    return embeddings + sets + (inputs + 1) * trunk + (trunk + 1) * trunk


def seen_parameters(shape: TableShape, plan: TablePlan) -> int:
    """Count the parameters that turn what each row reaches by links into a vector."""
    width, trunk = plan.context_embedding_width, plan.trunk_width
    embeddings = sum(embedding_parameters(cardinalities, width) for cardinalities in shape.reached)
    return embeddings + (seen_inputs(shape.reached, plan) + 1) * trunk + (trunk + 1) * trunk


def seen_inputs(reached: tuple[tuple[int, ...], ...], plan: TablePlan) -> int:
    """Count the numbers that say what one row reaches by links."""
    return plan.context_embedding_width * sum(map(len, reached)) + len(reached)


def history_parameters(columns: int, plan: TablePlan) -> int:
    """Count the parameters that turn earlier rows into a vector."""
    inputs, trunk = columns * plan.embedding_width, plan.trunk_width
    memory = (inputs + 1) * plan.memory_width
    joined = (inputs + plan.memory_width * _DECAYS + 1) * trunk + (trunk + 1) * trunk
    return memory + 2 * _COUNT_BUCKETS * trunk + joined


def row_flops(shape: TableShape, plan: TablePlan) -> float:
    """Estimate the operations of one row's forward pass in training; three times that with the way back."""
    columns, width = len(shape.cardinalities), plan.embedding_width
    looked_up = embedding_parameters(shape.cardinalities, width) - columns * _PLACE_FEATURES * width
    touched = parameters(shape, plan) - looked_up
    for cardinalities in shape.relatives:
        touched -= sum(cardinalities) * plan.context_embedding_width
    return 2.0 * touched


def step_flops(shape: TableShape, plan: TablePlan) -> float:
    """Estimate the operations of one batch, there and back."""
    return 3 * row_flops(shape, plan) * plan.batch_size


def training_bytes(shape: TableShape, plan: TablePlan) -> int:
    """Estimate the memory of training beyond the encoded tables; what is measured stays below."""
    held = shape.rows * _ROW_BYTES
    numbers = _COPIES * parameters(shape, plan) + plan.batch_size * row_numbers(shape, plan)
    return int(held + _BYTES * numbers)


def row_numbers(shape: TableShape, plan: TablePlan) -> float:
    """Estimate the numbers kept for each row of a batch between its way forth and back."""
    columns = len(shape.cardinalities)
    wide = columns * (plan.embedding_width + plan.column_width * (1 + plan.layers))
    heads = sum(padded_size(k) for k in shape.cardinalities)
    known = child_numbers(shape, plan) if shape.ancestors else 0.0
    known += seen_numbers(shape, plan) if shape.reached else 0.0
    return _HIDDEN_COPIES * wide + _HEAD_COPIES * heads + known


def child_numbers(shape: TableShape, plan: TablePlan) -> float:
    """Estimate the numbers kept for each row of a child table's batch for what the row knows."""
    fading = plan.memory_width * _DECAYS * (2 + math.log2(max(2, min(plan.window, shape.longest_sequence))))
    previous = len(shape.cardinalities) * plan.embedding_width
    own = fading + 2 * previous + 8 * plan.trunk_width
    parents = 1 / max(shape.mean_sequence, 1.0)
    ancestors = plan.context_embedding_width * sum(map(len, shape.ancestors)) + 4 * plan.trunk_width
    sibling_row = 2 * plan.context_embedding_width * sum(map(len, shape.siblings))
    siblings = plan.set_limit * (sibling_row + 4 * plan.set_width * len(shape.siblings))
    above = _SEEN_COPIES * seen_inputs(shape.reached_above, plan)
    return own + parents * (2 * ancestors + siblings + above)


def seen_numbers(shape: TableShape, plan: TablePlan) -> float:
    """Estimate the numbers kept for each row of a batch for what the row reaches by links."""
    return _SEEN_COPIES * seen_inputs(shape.reached, plan) + 6 * plan.trunk_width


def training_seconds(shape: TableShape, plan: TablePlan, *, epochs: float | None = None) -> float:
    """Estimate the time of training.

    Args:
        shape: The table.
        plan: How it is trained.
        epochs: Passes over the rows until training stops; the plan's largest number when missing.
    """
    passes = min(plan.max_epochs if epochs is None else epochs, plan.max_epochs)
    steps = min(passes * steps_per_epoch(shape, plan), plan.max_steps)
    work = 3 * row_flops(shape, plan) * plan.batch_size * plan.gradient_accumulation
    rate = _FLOPS_PER_SECOND * math.pow(plan.threads, 0.7)
    return steps * (_STEP_SECONDS + work / rate)


def sampling_seconds(shape: TableShape, plan: TablePlan, *, rows: int) -> float:
    """Estimate the time of drawing rows."""
    blocks = max(1.0, rows / max(shape.rows, 1) * shape.roots / plan.block_size)
    operations = blocks * shape.longest_sequence * len(shape.cardinalities)
    return operations * 2e-4 + rows * row_flops(shape, plan) / _FLOPS_PER_SECOND
