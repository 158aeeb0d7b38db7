"""Fit kinsynth on the judge's training rows and write its tables.

python -m relational.ours DATASET OUT CAP SEED [KEY=VALUE ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

from judge import run


def main() -> None:
    """Run one seed."""
    dataset, out, cap, seed, *options = sys.argv[1:]
    run(
        Path(dataset),
        Path(out),
        cap=int(cap),
        seed=int(seed),
        options=dict(option.split("=", 1) for option in options),
    )


if __name__ == "__main__":
    main()
