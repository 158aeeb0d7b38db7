"""The peers: one file each, with ``fit(task)`` that learns rows and gives a function that draws rows.

Each runs in an environment of its own, so a file here imports its library inside its functions.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from comparison.dataset import Dataset, Split

Sampler = Callable[[int], pd.DataFrame]


@dataclass(frozen=True)
class Peer:
    """Where a peer is, in which environment it runs, and what its figures are good for.

    The role is engine (a published generator), baseline (a simple method that hands out values of training
    rows) or yardstick (real rows, a copy, a floor: no rival).
    """

    module: str
    environment: str
    options: tuple[tuple[str, str], ...] = ()
    role: str = "engine"
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What a peer is given. Only the pseudo peer ``fresh`` looks at anything but the training rows."""

    dataset: Dataset
    split: Split
    seed: int
    limit_s: float
    options: dict[str, str]


PEERS = {
    "kinsynth": Peer("ours", "kinsynth", packages=("torch", "numpy")),
    "mostly-engine": Peer("mostly", "mostly", packages=("mostlyai-engine", "torch", "pandas")),
    "arf": Peer("arf", "arf", packages=("arfpy", "scikit-learn", "pandas")),
    "sdv-gc": Peer("sdv", "sdv", (("model", "GaussianCopula"),), packages=("sdv", "copulas", "pandas")),
    "sdv-tvae": Peer("sdv", "sdv", (("model", "TVAE"),), packages=("sdv", "ctgan", "torch", "pandas")),
    "sdv-ctgan": Peer("sdv", "sdv", (("model", "CTGAN"),), packages=("sdv", "ctgan", "torch", "pandas")),
    "cart": Peer("cart", "metrics", role="baseline", packages=("scikit-learn", "pandas")),
    "bootstrap": Peer("bootstrap", "metrics", role="baseline", packages=("pandas",)),
    "independent": Peer("yardsticks", "metrics", (("yardstick", "independent"),), role="yardstick"),
    "copy": Peer("yardsticks", "metrics", (("yardstick", "copy"),), role="yardstick"),
    "fresh": Peer("yardsticks", "metrics", (("yardstick", "fresh"),), role="yardstick"),
}


def load(peer: Peer) -> Any:
    """Import the module of a peer."""
    return importlib.import_module(f"comparison.peers.{peer.module}")
