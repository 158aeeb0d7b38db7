"""kinsynth learns a relational database and generates a synthetic one.

The public door: ``fit``, ``load``, ``evaluate``, ``validate``, ``Model`` and ``Synthesis``. Names are
resolved when they are first used, so that importing kinsynth loads no heavy library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinsynth.errors import Finding, KinsynthError
    from kinsynth.pipeline.library import evaluate, fit, load, validate
    from kinsynth.pipeline.model import Model
    from kinsynth.settings.synthesis import Synthesis

__version__ = "0.1.0"
__all__ = ["Finding", "KinsynthError", "Model", "Synthesis", "evaluate", "fit", "load", "validate"]

_HOMES = {
    "Finding": "kinsynth.errors",
    "KinsynthError": "kinsynth.errors",
    "Model": "kinsynth.pipeline.model",
    "Synthesis": "kinsynth.settings.synthesis",
    "evaluate": "kinsynth.pipeline.library",
    "fit": "kinsynth.pipeline.library",
    "load": "kinsynth.pipeline.library",
    "validate": "kinsynth.pipeline.library",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kinsynth' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*globals(), *__all__])
