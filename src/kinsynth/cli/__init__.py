"""The command line: reads arguments, calls the pipeline, shows what it says. Does no work of its own."""

from __future__ import annotations

from kinsynth.cli.program import main

__all__ = ["main"]
