"""Make the environments that compare.py needs: those named, or all. What is there already is kept.

    scripts/benchmark environments [metrics] [mostly] [sdv] [arf]

They take about 6 GB in the folder that KINSYNTH_BENCH_ENVIRONMENTS names (default ~/.cache/kinsynth-bench).
"""

from __future__ import annotations

import argparse

from comparison import environments


def main() -> None:
    """Make them, one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or list(environments.PINS)
    unknown = [name for name in names if name not in environments.PINS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(environments.PINS)}")
    for name in names:
        print(f"{name}: {'made' if environments.make(name) else 'there already'}", flush=True)


if __name__ == "__main__":
    main()
