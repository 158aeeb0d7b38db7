"""Networks that lost against the engine's: kept out of the package, and measurable by ``networks.py``."""
