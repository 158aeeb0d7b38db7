"""Proof of a result, computed from its written files; shares nothing with what made it."""
