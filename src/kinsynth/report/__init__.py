"""report: an evaluation in, a PDF out; renders, never computes."""

from kinsynth.report.pdf import render

__all__ = ["render"]
