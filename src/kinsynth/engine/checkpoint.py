"""Checkpoints: models and training states as safetensors with a JSON header. Never pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from kinsynth.engine.layout import TableLayout, read_layout, write_layout
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import TabularNetwork
from kinsynth.errors import UserError
from kinsynth.system.files import write_atomically

_FORMAT = "7"


@dataclass(frozen=True)
class TableModel:
    """The trained model of one table.

    Attributes:
        layout: The table and what its rows may know.
        plan: How it was trained, and how it is sampled.
        network: The weights, on the CPU.
        loss: Validation loss of these weights, nats per row.
        steps: Optimiser steps of the training.
        seconds: How long it took, kept only under a time limit.
    """

    layout: TableLayout
    plan: TablePlan
    network: TabularNetwork
    loss: float
    steps: int
    seconds: float | None = None


@dataclass(frozen=True)
class TrainingState:
    """Everything the next training step depends on.

    Attributes:
        tensors: Weights, averages, best weights and moments, named ``part/name``.
        step: Optimiser steps done.
        failures: Validations since the last improvement.
        stopped: Whether training ended early.
        last_loss: Last validation loss.
        best_loss: Smallest validation loss.
        training_loss: Mean loss of the last steps.
        rate: Learning rate that was found, or None before the trial.
        fall: First step and number of steps of the falling learning rate, or None before it falls.
        batch_size: Rows of a batch: fewer than planned where the memory of a GPU did not hold as many.
        limit: Seconds the training may take, or None.
        seconds: Seconds it took so far, or None without a limit.
    """

    tensors: Mapping[str, Tensor]
    step: int
    failures: int
    stopped: bool
    last_loss: float
    best_loss: float
    training_loss: float
    rate: float | None
    fall: tuple[int, int] | None
    batch_size: int
    limit: float | None = None
    seconds: float | None = None

    def part(self, name: str) -> dict[str, Tensor]:
        """Give the tensors of one part without its name."""
        start = f"{name}/"
        return {
            key.removeprefix(start): tensor for key, tensor in self.tensors.items() if key.startswith(start)
        }


def save_model(path: Path, model: TableModel) -> None:
    """Write a model to a file, all or nothing."""
    header = {
        "layout": write_layout(model.layout),
        "plan": asdict(model.plan),
        "loss": _number(model.loss),
        "steps": model.steps,
        "seconds": model.seconds,
    }
    write_atomically(path, _pack(model.network.state_dict(), "model", header))


def load_model(path: Path) -> TableModel:
    """Read a model; the inverse of ``save_model``.

    Raises:
        UserError: The file is no model of this version.
    """
    tensors, header = _unpack(path, "model")
    layout, plan = read_layout(header["layout"]), TablePlan(**header["plan"])
    network = TabularNetwork(layout, plan, torch.Generator().manual_seed(0))
    network.load_state_dict(tensors)
    loss = math.inf if header["loss"] is None else float(header["loss"])
    return TableModel(layout, plan, network.eval(), loss, int(header["steps"]), header["seconds"])


def save_state(path: Path, state: TrainingState) -> None:
    """Write a training state to a file, all or nothing."""
    header = {
        "step": state.step,
        "failures": state.failures,
        "stopped": state.stopped,
        "last_loss": _number(state.last_loss),
        "best_loss": _number(state.best_loss),
        "training_loss": _number(state.training_loss),
        "rate": state.rate,
        "fall": state.fall,
        "batch_size": state.batch_size,
        "limit": state.limit,
        "seconds": state.seconds,
    }
    write_atomically(path, _pack(state.tensors, "state", header))


def load_state(path: Path) -> TrainingState:
    """Read a training state; the inverse of ``save_state``.

    Raises:
        UserError: The file is no training state of this version.
    """
    tensors, header = _unpack(path, "state")
    losses = {
        name: math.inf if header[name] is None else float(header[name])
        for name in ("last_loss", "best_loss", "training_loss")
    }
    return TrainingState(
        tensors=tensors,
        step=header["step"],
        failures=header["failures"],
        stopped=header["stopped"],
        rate=header["rate"],
        fall=None if header["fall"] is None else (header["fall"][0], header["fall"][1]),
        batch_size=header["batch_size"],
        limit=header["limit"],
        seconds=header["seconds"],
        **losses,
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _pack(tensors: Mapping[str, Tensor], kind: str, header: Mapping[str, Any]) -> bytes:
    plain = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in sorted(tensors.items())}
    # One entry only: the order of several differs between runs, and with it the bytes.
    document = json.dumps({"format": f"{kind}/{_FORMAT}", **header}, sort_keys=True)
    packed: bytes = to_safetensors(plain, {"kinsynth": document})
    return packed


def _unpack(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as opened:
            header = json.loads((opened.metadata() or {}).get("kinsynth", "{}"))
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise _wrong_format(path, kind) from error
    if header.get("format") != f"{kind}/{_FORMAT}":
        raise _wrong_format(path, kind)
    return tensors, header


def _wrong_format(path: Path, kind: str) -> UserError:
    return UserError(
        "engine.checkpoint_format",
        f"The file is damaged or no {kind} of format {_FORMAT}.",
        where=path.name,
        remedy="Delete it and train again, or use the version of kinsynth that wrote it.",
    )
