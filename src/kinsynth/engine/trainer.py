"""Training of one table: explicit state, one step at a time, no hidden randomness, no clock without a limit.

Every random number of a step follows from the seed and the step, so the state holds no generator.
Shape letters: B batch rows, P parents, U units, R rows.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kinsynth.encoded import Encoded
from kinsynth.engine.batches import Batches, Units, split_units
from kinsynth.engine.calibration import calibrate, calibrate_drawn, count_validations
from kinsynth.engine.checkpoint import TableModel, TrainingState, load_state, save_state
from kinsynth.engine.device import mixed_precision, torch_settings
from kinsynth.engine.layout import describe_table
from kinsynth.engine.means import keep_mean
from kinsynth.engine.optimizer import AdamW, make_optimizer, name_moments, restore_moments
from kinsynth.engine.rate import (
    FALL_SHARE,
    TRIAL_TIME_SHARE,
    Fall,
    adaptive_rate,
    count_trial_steps,
    find_rate,
)
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.stopwatch import Clock, Stopwatch
from kinsynth.engine.tabular import Batch, Dropout, TabularNetwork
from kinsynth.errors import OutOfMemory
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
START_ROWS = 1 << 18
RELEASE_ROWS = 1 << 15
_CALIBRATION_EPOCH = 1 << 30


def train(
    encoded: Encoded,
    table: str,
    plan: TablePlan,
    *,
    seed: int,
    limit: float | None = None,
    clock: Clock = time.monotonic,
    checkpoint: Path | None = None,
    on_step: OnStep | None = None,
) -> TableModel:
    """Train the model of one table.

    Args:
        encoded: All tables.
        table: The table to learn.
        plan: Everything decided before.
        seed: Source of all randomness.
        limit: Seconds after which training ends; a training that is taken up keeps the limit it began with.
        clock: What measures the limit; never read without one.
        checkpoint: File to save the state to after each validation, and to resume from when it exists.
        on_step: Called after each validation, once the checkpoint is written; may raise to stop.

    Raises:
        OutOfMemory: ``engine.gpu_memory``: not even one row at a time fits the GPU.

    Guarantees:
        On the CPU, without a limit, the same encoded tables, plan, seed and thread count give the same bytes
        of weights, whether or not the training was stopped and resumed from its checkpoint. With a limit, a
        training whose rate already falls ends at the step that was decided when it began to fall, unless
        time runs out before.
    """
    watch = Stopwatch(limit, clock)
    with torch_settings(plan):
        training = _Training(encoded, table, plan, seed, watch)
        if checkpoint is not None and checkpoint.exists():
            training.restore(load_state(checkpoint))
        while not training.finished:
            training.advance()
            if checkpoint is not None:
                save_state(checkpoint, training.state())
            if on_step is not None:
                on_step(training.progress())
        return training.model()


class _Training:
    """The state of one training and the step that moves it on."""

    def __init__(self, encoded: Encoded, table: str, plan: TablePlan, seed: int, watch: Stopwatch) -> None:
        self.encoded, self.plan, self.seed, self.table, self.watch = encoded, plan, seed, table, watch
        self.layout = describe_table(encoded, table)
        train = self._cut_batches()
        self.network = self._make(torch.Generator().manual_seed(seed))
        self.network.heads.start_at(
            encoded.tables[table].codes_RC[train.some_rows(START_ROWS)].astype(np.int32)
        )
        self.network.to(plan.device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.averages: list[Tensor] = list(self.average.parameters())
        self.weights: list[Tensor] = list(self.network.parameters())
        self.best = copy.deepcopy(self.average)
        self.optimizer = self._make_optimizer(self.network)
        self.total_steps = min(plan.max_steps, plan.max_epochs * self.steps_per_epoch)
        self.step, self.failures, self.unreleased = 0, 0, 0
        self.stopped = not train.rows or not self.layout.sub_columns or not plan.max_steps
        self.last_loss, self.best_loss, self.training_loss = math.inf, math.inf, math.inf
        self.rate: float | None = None if plan.adaptive_learning_rate else plan.learning_rate
        self.fall: Fall | None = None
        self.validation_seconds = 0.0

    def _make(self, generator: torch.Generator) -> TabularNetwork:
        """Make the network with its first weights."""
        return TabularNetwork(self.layout, self.plan, generator)

    def _make_optimizer(self, network: TabularNetwork) -> AdamW:
        plan = self.plan
        return make_optimizer(network, weight_decay=plan.weight_decay, code_decay=plan.code_decay)

    def _cut_batches(self) -> Units:
        """Cut training and validation rows into batches of the plan's size; give what is trained on."""
        split = split_units(self.encoded, self.table, self.plan, seed=self.seed)
        self.batches = Batches(self.encoded, self.layout, self.plan, split.train)
        self.validation = list(Batches(self.encoded, self.layout, self.plan, split.validation).fixed())
        return split.train

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of one pass over the training rows."""
        return max(1, math.ceil(self.batches.per_epoch / self.plan.gradient_accumulation))

    @property
    def validation_rows(self) -> int:
        """Rows looked at in one validation."""
        return sum(len(batch.codes_BC) for batch in self.validation)

    @property
    def finished(self) -> bool:
        """Whether no step is left."""
        return self.stopped or self.step >= self.end

    @property
    def end(self) -> int:
        """The step at which training ends at the latest."""
        if self.fall is not None:
            return self.fall.start + self.fall.steps
        return max(1, self.last_rise) if self.plan.adaptive_learning_rate else self.total_steps

    def advance(self) -> None:
        """Train until the next validation, or until time is up, and validate."""
        if self.rate is None:
            self.rate = self._find_rate()
        goal = min(self.step + self.plan.validation_steps, self.end)
        losses, timely = [], True
        while self.step < goal and timely:
            losses.append(self._one_step(self.rate))
            self._release_after(self.plan.batch_size * self.plan.gradient_accumulation)
            timely = not self.time_is_up
        self.training_loss = float(torch.stack(losses).mean())
        self._validate()

    def _release_after(self, rows: int) -> None:
        """Give freed memory back once in many rows: large batches leave hundreds of megabytes behind.

        Not more often: what is given back must be fetched again.
        """
        self.unreleased += rows
        if self.unreleased >= RELEASE_ROWS:
            release()
            self.unreleased = 0

    @property
    def time_is_up(self) -> bool:
        """Whether the limit asks for the fall of the rate, or, once it falls, for the end."""
        rising = self.fall is None and self.plan.adaptive_learning_rate
        share = 1 / (1 + FALL_SHARE) if rising else 1.0
        return self.watch.is_past(share, reserve=self._closing_seconds)

    def _find_rate(self) -> float:
        """Try rising rates on a copy of the network and on the first batches."""
        network = copy.deepcopy(self.network)
        optimizer = self._make_optimizer(network)

        def try_step(step: int, rate: float) -> float:
            loss = float(self._add_gradients(network, step))
            optimizer.step(rate)
            return loss

        steps = count_trial_steps(self.total_steps)
        return find_rate(
            try_step,
            steps,
            otherwise=self.plan.learning_rate,
            is_late=lambda: self.watch.is_past(TRIAL_TIME_SHARE, reserve=0.0),
        )

    def _one_step(self, rate: float) -> Tensor:
        if self.plan.adaptive_learning_rate:
            rate = adaptive_rate(rate, self.step, self.fall)
        loss = self._add_gradients(self.network, self.step)
        self.optimizer.step(rate)
        self.step += 1
        self._move_average()
        return loss

    def _add_gradients(self, network: TabularNetwork, step: int) -> Tensor:
        """Compute the gradients of one step, on a GPU with smaller batches until they fit its memory."""
        while True:
            try:
                return compute_gradients(network, self._batches_of(step), self.plan, self._noise(step))
            except torch.OutOfMemoryError as error:
                self._meet_full_memory(error)

    def _batches_of(self, step: int) -> list[Batch]:
        epoch, first = divmod(step, self.steps_per_epoch)
        parts = self.plan.gradient_accumulation
        return list(self.batches.some(self.seed, epoch, first * parts, parts))

    def _noise(self, step: int) -> Dropout:
        generator = torch.Generator(device=self.plan.device)
        generator.manual_seed((self.seed * 1_000_003 + step) % 2**63)
        return Dropout(self.plan.dropout, generator)

    def _meet_full_memory(self, error: torch.OutOfMemoryError) -> None:
        if self.plan.batch_size < 2:
            raise OutOfMemory(
                "engine.gpu_memory",
                "The GPU has too little free memory to train on one row at a time.",
                where=self.table,
                remedy="Free its memory, choose a smaller model, or write training.device: cpu.",
            ) from error
        torch.cuda.empty_cache()
        self._halve_batches()

    def _halve_batches(self) -> None:
        """Halve the batch and double how many make a step, so that a step keeps its rows."""
        size = self.plan.batch_size // 2
        self.plan = replace(
            self.plan,
            batch_size=size,
            gradient_accumulation=2 * self.plan.gradient_accumulation,
            window=min(self.plan.window, size),
        )
        self._cut_batches()

    def _move_average(self) -> None:
        decay = min(self.plan.average_decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.averages, self.weights, 1 - decay)

    def _validate(self) -> None:
        begin = self.watch.spent
        self.last_loss = self._validation_loss(self.average)
        self._release_after(self.validation_rows)
        self.validation_seconds = max(self.validation_seconds, self.watch.spent - begin)
        wanted = self.best_loss * (1 - self.plan.early_stop_delta) if self.best_loss < math.inf else math.inf
        self.failures = 0 if self.last_loss < wanted else self.failures + 1
        if self.last_loss < self.best_loss:
            self.best_loss = self.last_loss
            self.best.load_state_dict(self.average.state_dict())
        self._decide()

    def _decide(self) -> None:
        """Go on, let the rate fall, or stop."""
        worse = self.failures >= self.plan.patience
        if self.fall is not None or not self.plan.adaptive_learning_rate:
            self.stopped = worse or self.time_is_up
        elif worse or self.step >= self.last_rise or self.time_is_up:
            self._turn_down()

    def _turn_down(self) -> None:
        """Go back to the best weights and let the rate fall, for no longer than the limit allows."""
        steps = max(self.plan.validation_steps, int(self.step * FALL_SHARE))
        steps = min(steps, self.total_steps - self.step)
        allowed = self.watch.steps_left(self.step, reserve=self._closing_seconds)
        if allowed is not None:
            steps = min(steps, allowed)
        self.network.load_state_dict(self.best.state_dict())
        self.average.load_state_dict(self.best.state_dict())
        self.fall = Fall(self.step, steps)
        self.failures = 0

    @property
    def _closing_seconds(self) -> float:
        """About how long a validation, and the calibration and validation at the end will take."""
        calibration = count_validations(self.batches.rows, self.validation_rows, drawn=self._is_drawn_alone)
        return self.validation_seconds * (2 + calibration)

    @property
    def last_rise(self) -> int:
        """The step at which the rate falls at the latest."""
        return int(self.total_steps / (1 + FALL_SHARE))

    @torch.no_grad()
    def _validation_loss(self, network: TabularNetwork) -> float:
        if not self.validation:
            return self.training_loss
        total = sum(network(batch).sum(dtype=torch.float64) for batch in self.validation)
        return float(total) / self.validation_rows

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
        """Give the best weights so far, calibrated."""
        network, loss = copy.deepcopy(self.best), self.best_loss
        if not self.step:
            return self._as_model(network, loss)
        share = self._shares()
        even = {
            c: torch.where(torch.from_numpy(sub.even_K), share[c], torch.nan)
            for c, sub in enumerate(self.layout.sub_columns)
            if sub.even_K is not None
        }
        calibrate(network, self._calibration_batches, rows=self.batches.rows, shares=even)
        if self._is_drawn_alone:
            calibrate_drawn(self._as_model(network, loss), share, rows=self.batches.rows, seed=self.seed)
        loss = self._validation_loss(network.to(self.plan.device))
        return self._as_model(network, loss)

    def _as_model(self, network: TabularNetwork, loss: float) -> TableModel:
        return TableModel(self.layout, self.plan, network.to("cpu").eval(), loss, self.step, self._seconds)

    @property
    def _is_drawn_alone(self) -> bool:
        """Whether rows are drawn from nothing but themselves: those of a root table without links."""
        return self.layout.parent is None and not self.layout.links

    def _shares(self) -> list[Tensor]:
        """Give the shares of the codes of each column in all rows, those of validation included.

        Those of counts are such that as many child rows come out as there are.
        """
        codes_RC = self.encoded.tables[self.table].codes_RC
        counts = {count.sub_column: count for count in self.layout.counts}
        sizes = [sub.cardinality for sub in self.layout.sub_columns]
        found = [np.zeros(size, dtype=np.int64) for size in sizes]
        for start in range(0, len(codes_RC), START_ROWS):
            some_RC = codes_RC[start : start + START_ROWS]
            for c, size in enumerate(sizes):
                found[c] += np.bincount(some_RC[:, c], minlength=size)
        shares = [count_K / max(1, len(codes_RC)) for count_K in found]
        for c, sub in enumerate(self.layout.sub_columns):
            if sub.even_K is not None and c in counts:
                kept_K = keep_mean(np.where(sub.even_K, shares[c], np.nan), counts[c])
                shares[c] = np.where(sub.even_K, kept_K, shares[c])
        return [torch.from_numpy(share_K) for share_K in shares]

    def _calibration_batches(self) -> Iterator[Batch]:
        """Give the training rows as in an epoch of their own."""
        return self.batches.some(self.seed, _CALIBRATION_EPOCH, 0, self.batches.per_epoch)

    def state(self) -> TrainingState:
        """Give everything that the next step depends on."""
        return TrainingState(
            tensors={
                **_named("network", self.network),
                **_named("average", self.average),
                **_named("best", self.best),
                **{f"optimizer/{name}": kept for name, kept in name_moments(self.optimizer).items()},
            },
            step=self.step,
            failures=self.failures,
            stopped=self.stopped,
            last_loss=self.last_loss,
            best_loss=self.best_loss,
            training_loss=self.training_loss,
            rate=self.rate,
            fall=None if self.fall is None else (self.fall.start, self.fall.steps),
            batch_size=self.plan.batch_size,
            limit=self.watch.limit,
            seconds=self._seconds,
        )

    @property
    def _seconds(self) -> float | None:
        return None if self.watch.limit is None else self.watch.spent

    def restore(self, state: TrainingState) -> None:
        """Go back to a saved state."""
        while self.plan.batch_size > state.batch_size:
            self._halve_batches()
        for name, network in (("network", self.network), ("average", self.average), ("best", self.best)):
            network.load_state_dict(state.part(name))
        restore_moments(self.optimizer, state.part("optimizer"))
        self.step, self.failures, self.stopped = state.step, state.failures, state.stopped
        self.last_loss, self.best_loss = state.last_loss, state.best_loss
        self.training_loss = state.training_loss
        self.rate = state.rate
        self.fall = None if state.fall is None else Fall(*state.fall)
        self.watch.take_up(state.limit, state.seconds or 0.0)


def compute_gradients(
    network: TabularNetwork, batches: Sequence[Batch], plan: TablePlan, noise: Dropout
) -> Tensor:
    """Put the gradients of one step into the network: those of all the batches' rows taken together.

    Args:
        network: The network; earlier gradients are forgotten.
        batches: The batches of the step; each row counts the same, whichever batch it is in.
        plan: Device and precision.
        noise: Dropout of this step.

    Returns:
        The loss in nats per row, still on the device.
    """
    network.zero_grad(set_to_none=True)
    rows = sum(len(batch.codes_BC) for batch in batches)
    losses = []
    for batch in batches:
        with mixed_precision(plan.device, enabled=plan.mixed_precision):
            loss = network(batch, noise).sum(dtype=torch.float32) / rows
        loss.backward()
        losses.append(loss.detach())
    return torch.stack(losses).sum()


def _named(part: str, network: TabularNetwork) -> dict[str, Tensor]:
    return {f"{part}/{name}": tensor for name, tensor in network.state_dict().items()}
