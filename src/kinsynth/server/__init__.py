"""HTTP: the platform's operations under /api/v1. Thin: what happens is in ``kinsynth.service``."""
