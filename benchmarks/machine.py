"""What a figure was measured on, and with."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch


def describe_measurement() -> dict[str, Any]:
    """Name the machine and the versions, without names of the place."""
    return {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
    }
