"""Errors as they are recorded with an execution."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kinsynth.errors import KinsynthError


def describe_error(error: KinsynthError) -> dict[str, Any]:
    """Give an error as it is recorded: ``code``, ``message``, ``where``, ``remedy``, ``findings``."""
    return {
        "code": error.code,
        "message": error.message,
        "where": error.where,
        "remedy": error.remedy,
        "findings": [asdict(one) for one in error.findings],
    }
