"""evaluation: original and synthetic databases in, scores and comparisons out."""

from kinsynth.evaluation.evaluate import evaluate
from kinsynth.evaluation.results import Evaluation

__all__ = ["Evaluation", "evaluate"]
