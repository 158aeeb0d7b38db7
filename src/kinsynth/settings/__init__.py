"""What a user may write; pydantic and nothing else. Nothing outside this package defines a default."""

from kinsynth.settings.synthesis import Synthesis

__all__ = ["Synthesis"]
