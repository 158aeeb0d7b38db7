"""How the models are trained, under the names of the founding page."""

from __future__ import annotations

from typing import Literal

from kinsynth.settings.base import Settings, setting
from kinsynth.settings.visibility import all_of, when

_CONSTANT = when("training.adaptive_learning_rate", False)
_BATCHED = when("training.auto_batching", False)
_TEXT_CONSTANT = when("text_model.adaptive_learning_rate", False)
_TEXT_BATCHED = when("text_model.auto_batching", False)


class Training(Settings):
    """The tabular model."""

    model_size: Literal["small", "medium", "large"] = setting(
        "medium", "Model size", "Larger models learn finer structure and take longer."
    )
    max_epochs: int = setting(
        100,
        "Maximum number of epochs",
        "Most passes over the training rows; early stop usually ends before.",
        ge=1,
        unit="epochs",
        advanced=True,
    )
    adaptive_learning_rate: bool = setting(
        True,
        "Adaptive learning rate",
        "Find the learning rate by a trial and lower it once the loss stays.",
        advanced=True,
    )
    learning_rate: float = setting(
        0.001,
        "Learning rate",
        "Constant rate; used only without adaptive_learning_rate.",
        gt=0,
        le=1,
        advanced=True,
        visible_when=_CONSTANT,
    )
    auto_batching: bool = setting(
        True,
        "Auto-batching",
        "Choose the batch size from the rows and the available memory.",
        advanced=True,
    )
    batch_size: int = setting(
        256,
        "Batch size",
        "Rows of one step; used only without auto_batching.",
        ge=1,
        unit="rows",
        advanced=True,
        visible_when=_BATCHED,
    )
    gradient_accumulation: int = setting(
        1,
        "Gradient accumulation",
        "Batches before one optimiser step; used only without auto_batching.",
        ge=1,
        unit="batches",
        advanced=True,
        visible_when=all_of(_BATCHED, when("differential_privacy.enabled", False)),
    )
    generation_batch_size: int = setting(
        0,
        "Generation batch size",
        "Root rows held in memory before they become values, in whole blocks of the plan; 0 means 8,192. "
        "Never changes a value.",
        ge=0,
        unit="root rows",
        advanced=True,
        visible_when=_BATCHED,
    )
    validation_fraction: float = setting(
        0.1,
        "Validation fraction",
        "Share (0-0.5) of root rows that measure the validation loss.",
        gt=0,
        le=0.5,
        unit="share",
        advanced=True,
    )
    training_steps: int | None = setting(
        None,
        "Training steps",
        "Optimiser steps between two validations; missing means about once an epoch, every 20 to 100 steps.",
        ge=1,
        unit="steps",
        advanced=True,
    )
    early_stop_delta: float = setting(
        0.001,
        "Early stop delta",
        "Smallest relative improvement of the validation loss that counts: 0 full convergence, "
        "0.001 balanced, 0.01 quick.",
        ge=0,
        lt=1,
        unit="share",
        advanced=True,
    )
    patience: int = setting(
        3,
        "Patience",
        "Validations in a row without such an improvement before the learning rate falls, or training stops.",
        ge=1,
        unit="validations",
        advanced=True,
    )
    max_seconds: float | None = setting(
        None,
        "Time limit",
        "Seconds that the training of all tables may take; the best state so far is kept. Missing means no "
        "limit. With one, equal runs no longer give the same bytes.",
        gt=0,
        unit="seconds",
        advanced=True,
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto",
        "Device",
        "auto uses a GPU when there is one.",
        advanced=True,
    )
    threads: int = setting(
        0,
        "Threads",
        "CPU threads; 0 means all cores. Part of what makes runs equal.",
        ge=0,
        le=256,
        unit="threads",
        advanced=True,
    )


class TextModel(Settings):
    """The text model, one for each table with text columns."""

    max_epochs: int = setting(
        100,
        "Maximum number of epochs",
        "Most passes over the texts.",
        ge=1,
        available=False,
        unit="epochs",
    )
    adaptive_learning_rate: bool = setting(
        True,
        "Adaptive learning rate",
        "Choose the learning rate and lower it during training.",
        available=False,
    )
    learning_rate: float = setting(
        0.001,
        "Learning rate",
        "Constant rate; used only without adaptive_learning_rate.",
        gt=0,
        le=1,
        available=False,
        visible_when=_TEXT_CONSTANT,
    )
    auto_batching: bool = setting(
        True,
        "Auto-batching",
        "Choose the batch size from the available memory.",
        available=False,
    )
    batch_size: int = setting(
        64,
        "Batch size",
        "Texts of one step.",
        ge=1,
        available=False,
        unit="texts",
        visible_when=_TEXT_BATCHED,
    )
    gradient_accumulation: int = setting(
        1,
        "Gradient accumulation",
        "Batches before one optimiser step.",
        ge=1,
        available=False,
        unit="batches",
        visible_when=_TEXT_BATCHED,
    )
    generation_batch_size: int = setting(
        0,
        "Generation batch size",
        "Texts generated together; 0 means as memory allows.",
        ge=0,
        available=False,
        unit="texts",
        visible_when=_TEXT_BATCHED,
    )
    validation_fraction: float = setting(
        0.1,
        "Validation fraction",
        "Share (0-0.5) of root rows that measure the validation loss.",
        gt=0,
        le=0.5,
        available=False,
        unit="share",
    )
    training_steps: int | None = setting(
        None,
        "Training steps",
        "Optimiser steps between two validations; missing means once an epoch.",
        ge=1,
        available=False,
        unit="steps",
    )
    early_stop_delta: float = setting(
        0.001,
        "Early stop delta",
        "Smallest relative improvement of the validation loss that counts.",
        ge=0,
        lt=1,
        available=False,
        unit="share",
    )
