"""Training of one table: explicit state, one step at a time, no clock and no hidden randomness.

Every random number of a step follows from the seed and the step, so the state holds no generator.
Shape letters: B batch rows, P parents, U units, R rows.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kinsynth.encoded import Encoded
from kinsynth.engine.batches import Batches, split_units
from kinsynth.engine.checkpoint import TableModel, TrainingState, load_state, save_state
from kinsynth.engine.layout import describe_table
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import Dropout, TabularNetwork
from kinsynth.system.memory import release


@dataclass(frozen=True)
class Progress:
    """Where a training stands.

    Attributes:
        table: Name of the table.
        epoch: Passes over the rows begun, from 0.
        step: Optimiser steps done.
        fraction: Share of the largest number of steps done.
        training_loss: Mean loss of the steps since the last report, nats per row.
        validation_loss: Last validation loss, nats per row; infinite before the first.
        best_loss: Smallest validation loss so far.
        finished: Whether this is the last report.
    """

    table: str
    epoch: int
    step: int
    fraction: float
    training_loss: float
    validation_loss: float
    best_loss: float
    finished: bool = False


OnStep = Callable[[Progress], None]
WARMUP_STEPS = 20
START_ROWS = 1 << 18
FALL_SHARE = 0.3


@dataclass(frozen=True)
class Fall:
    """The last part of a training, in which the learning rate falls to zero."""

    start: int
    steps: int


def train(
    encoded: Encoded,
    table: str,
    plan: TablePlan,
    *,
    seed: int,
    checkpoint: Path | None = None,
    on_step: OnStep | None = None,
) -> TableModel:
    """Train the model of one table.

    Args:
        encoded: All tables.
        table: The table to learn.
        plan: Everything decided before.
        seed: Source of all randomness.
        checkpoint: File to save the state to after each validation, and to resume from when it exists.
        on_step: Called after each validation, once the checkpoint is written; may raise to stop.

    Guarantees:
        On the CPU, the same encoded tables, plan, seed and thread count give the same bytes of weights,
        whether or not the training was stopped and resumed from its checkpoint.
    """
    with torch_settings(plan):
        training = _Training(encoded, table, plan, seed)
        if checkpoint is not None and checkpoint.exists():
            training.restore(load_state(checkpoint))
        while not training.finished:
            training.advance()
            release()
            if checkpoint is not None:
                save_state(checkpoint, training.state())
            if on_step is not None:
                on_step(training.progress())
        return training.model()


@contextmanager
def torch_settings(plan: TablePlan) -> Iterator[None]:
    """Set threads, flushing of denormal numbers and reproducible kernels, and put them back."""
    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(plan.device == "cpu" or strict)
    torch.set_num_threads(plan.threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict)


def learning_rate(plan: TablePlan, step: int, fall: Fall | None) -> float:
    """Give the rate of a step: warm-up, then constant, then a linear fall; or the user's constant rate."""
    if not plan.adaptive_learning_rate:
        return plan.learning_rate
    warm = min(1.0, (step + 1) / WARMUP_STEPS)
    left = 1.0 if fall is None else max(0.0, 1 - (step - fall.start) / fall.steps)
    return plan.learning_rate * warm * left


class _Training:
    """The state of one training and the step that moves it on."""

    def __init__(self, encoded: Encoded, table: str, plan: TablePlan, seed: int) -> None:
        self.plan, self.seed, self.table = plan, seed, table
        self.layout = describe_table(encoded, table)
        split = split_units(encoded, table, plan, seed=seed)
        self.batches = Batches(encoded, self.layout, plan, split.train)
        self.validation = list(Batches(encoded, self.layout, plan, split.validation).fixed())
        generator = torch.Generator().manual_seed(seed)
        self.network = TabularNetwork(self.layout, plan, generator)
        self.network.heads.start_at(
            encoded.tables[table].codes_RC[split.train.some_rows(START_ROWS)].astype(np.int32)
        )
        self.network.to(plan.device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.best = copy.deepcopy(self.average)
        self.optimizer = make_optimizer(self.network, plan)
        self.steps_per_epoch = max(1, math.ceil(self.batches.per_epoch / plan.gradient_accumulation))
        self.total_steps = min(plan.max_steps, plan.max_epochs * self.steps_per_epoch)
        self.step, self.failures = 0, 0
        self.stopped = not split.train.rows or not self.layout.sub_columns
        self.last_loss, self.best_loss, self.training_loss = math.inf, math.inf, math.inf
        self.fall: Fall | None = None

    @property
    def finished(self) -> bool:
        """Whether no step is left."""
        return self.stopped or self.step >= self.end

    @property
    def end(self) -> int:
        """The step at which training ends at the latest."""
        return self.total_steps if self.fall is None else self.fall.start + self.fall.steps

    def advance(self) -> None:
        """Train until the next validation and validate."""
        goal = min(self.step + self.plan.validation_steps, self.end)
        losses = []
        while self.step < goal:
            losses.append(self._one_step())
        self.training_loss = float(torch.stack(losses).mean())
        self._validate()

    def _one_step(self) -> Tensor:
        rate = learning_rate(self.plan, self.step, self.fall)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        generator = torch.Generator(device=self.plan.device)
        generator.manual_seed((self.seed * 1_000_003 + self.step) % 2**63)
        dropout = Dropout(self.plan.dropout, generator)
        self.optimizer.zero_grad(set_to_none=True)
        epoch, first = divmod(self.step, self.steps_per_epoch)
        parts = self.plan.gradient_accumulation
        losses = []
        for batch in self.batches.some(self.seed, epoch, first * parts, parts):
            loss = self.network(batch, dropout).sum(0).mean()
            (loss / parts).backward()
            losses.append(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        self._move_average()
        return torch.stack(losses).mean()

    def _move_average(self) -> None:
        decay = min(self.plan.average_decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - decay)

    def _validate(self) -> None:
        self.last_loss = self._validation_loss()
        wanted = self.best_loss * (1 - self.plan.early_stop_delta) if self.best_loss < math.inf else math.inf
        self.failures = 0 if self.last_loss < wanted else self.failures + 1
        if self.last_loss < self.best_loss:
            self.best_loss = self.last_loss
            self.best.load_state_dict(self.average.state_dict())
        worse = self.failures >= self.plan.patience
        if self.fall is not None:
            self.stopped = worse
        elif worse or self.step >= self.last_rise:
            self._turn_down()

    def _turn_down(self) -> None:
        """End the constant rate: go back to the best weights and let the rate fall, or stop."""
        if not self.plan.adaptive_learning_rate:
            self.stopped = True
            return
        self.network.load_state_dict(self.best.state_dict())
        self.average.load_state_dict(self.best.state_dict())
        self.fall = Fall(self.step, max(self.plan.validation_steps, int(self.step * FALL_SHARE)))
        self.failures = 0

    @property
    def last_rise(self) -> int:
        """The step at which the rate falls at the latest."""
        return int(self.total_steps / (1 + FALL_SHARE))

    @torch.no_grad()
    def _validation_loss(self) -> float:
        if not self.validation:
            return self.training_loss
        total = sum(float(self.average(batch).sum()) for batch in self.validation)
        return total / sum(len(batch.codes_BC) for batch in self.validation)

    def progress(self) -> Progress:
        """Say where the training stands."""
        return Progress(
            table=self.table,
            epoch=self.step // self.steps_per_epoch,
            step=self.step,
            fraction=1.0 if self.finished else self.step / max(self.end, 1),
            training_loss=self.training_loss,
            validation_loss=self.last_loss,
            best_loss=self.best_loss,
            finished=self.finished,
        )

    def model(self) -> TableModel:
        """Give the best weights so far."""
        network = copy.deepcopy(self.best).to("cpu").eval()
        return TableModel(self.layout, self.plan, network, loss=self.best_loss, steps=self.step)

    def state(self) -> TrainingState:
        """Give everything that the next step depends on."""
        return TrainingState(
            tensors={
                **_named("network", self.network),
                **_named("average", self.average),
                **_named("best", self.best),
                **_moments(self.optimizer),
            },
            step=self.step,
            failures=self.failures,
            stopped=self.stopped,
            last_loss=self.last_loss,
            best_loss=self.best_loss,
            training_loss=self.training_loss,
            fall=None if self.fall is None else (self.fall.start, self.fall.steps),
        )

    def restore(self, state: TrainingState) -> None:
        """Go back to a saved state."""
        for name, network in (("network", self.network), ("average", self.average), ("best", self.best)):
            network.load_state_dict(state.part(name))
        _restore_moments(self.optimizer, state)
        self.step, self.failures, self.stopped = state.step, state.failures, state.stopped
        self.last_loss, self.best_loss = state.last_loss, state.best_loss
        self.training_loss = state.training_loss
        self.fall = None if state.fall is None else Fall(*state.fall)


def make_optimizer(network: TabularNetwork, plan: TablePlan) -> torch.optim.AdamW:
    """Make AdamW that decays matrices and leaves embeddings, biases and heads alone."""
    decayed = [p for name, p in network.named_parameters() if _is_decayed(name, p)]
    free = [p for name, p in network.named_parameters() if not _is_decayed(name, p)]
    groups = [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.99), fused=True)


def _is_decayed(name: str, parameter: Tensor) -> bool:
    return parameter.ndim >= 2 and "bias" not in name and "embedding" not in name


def _named(part: str, network: TabularNetwork) -> dict[str, Tensor]:
    return {f"{part}/{name}": tensor for name, tensor in network.state_dict().items()}


def _moments(optimizer: torch.optim.AdamW) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"optimizer/{number}/{name}": tensor
        for number, kept in state.items()
        for name, tensor in kept.items()
    }


def _restore_moments(optimizer: torch.optim.AdamW, state: TrainingState) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in state.part("optimizer").items():
        number, name = key.split("/")
        moments.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
