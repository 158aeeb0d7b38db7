"""Write a made-up table of any size: dependent columns of all kinds, the same bytes for the same seed.

    python benchmarks/wide.py OUT.parquet --rows 1000000 [--columns 50] [--seed 0] [--first-row 0]

Ten columns make a block: five numbers (two decimals; an amount with a heavy tail and a spike at zero; a
count; round values, some missing; a measure without decimals), three categories (6, 40 and 1,200 codes),
a date with quiet weekends and a yes or no. 50 columns hold 25 numbers, 15 categories (5 of over 1,000
codes), 5 dates and 5 booleans. Columns depend on factors that all blocks share, on those of their block
and on the one before.

Rows are made in chunks of 65,536, each from the seed and its number alone: the first n rows are the same for
any number of rows, memory does not grow with them, and fresh rows of the same kind start at a later row.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

CHUNK_ROWS = 65_536
SHARED_FACTORS, BLOCK_FACTORS = 4, 2
MANY_CODES = 1_200
FIRST_DAY, DAYS = 16_436, 3_653  # 2015-01-01 and ten years

Signal = NDArray[np.float64]
Maker = Callable[[Signal, np.random.Generator], pa.Array]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first-row", type=int, default=0)
    options = parser.parse_args()
    write(options.out, options.rows, columns=options.columns, seed=options.seed, first=options.first_row)


def write(path: Path, rows: int, *, columns: int = 50, seed: int = 0, first: int = 0) -> None:
    """Write a Parquet file chunk by chunk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    chunks = make(rows, columns=columns, seed=seed, first=first)
    begin = next(chunks)
    with pq.ParquetWriter(path, begin.schema) as writer:
        writer.write_batch(begin)
        for chunk in chunks:
            writer.write_batch(chunk)


def table(rows: int, *, columns: int = 50, seed: int = 0, first: int = 0) -> pa.Table:
    """Give some rows in memory."""
    return pa.Table.from_batches(list(make(rows, columns=columns, seed=seed, first=first)))


def make(rows: int, *, columns: int = 50, seed: int = 0, first: int = 0) -> Iterator[pa.RecordBatch]:
    """Give the rows from ``first`` on, at most a chunk at a time."""
    end = first + rows
    for number in range(first // CHUNK_ROWS, max(-(-end // CHUNK_ROWS), first // CHUNK_ROWS + 1)):
        start = number * CHUNK_ROWS
        chunk = make_chunk(number, columns=columns, seed=seed)
        low, high = max(first, start) - start, min(end, start + CHUNK_ROWS) - start
        yield chunk.slice(low, max(high - low, 0))


def make_chunk(number: int, *, columns: int, seed: int) -> pa.RecordBatch:
    """Make one chunk; a column is the same however many follow it."""
    shared = np.random.default_rng([seed, 1, number]).standard_normal((SHARED_FACTORS, CHUNK_ROWS))
    arrays, names = [], []
    before = np.zeros(CHUNK_ROWS)
    for column in range(columns):
        block, place = divmod(column, len(MAKERS))
        own = np.random.default_rng([seed, 2, block, number]).standard_normal((BLOCK_FACTORS, CHUNK_ROWS))
        rng = np.random.default_rng([seed, 3, column, number])
        before = signal(np.concatenate([shared, own]), before, column=column, seed=seed, rng=rng)
        name, maker = MAKERS[place]
        arrays.append(maker(before, rng))
        names.append(f"{name}_{block + 1}")
    return pa.record_batch(arrays, names=names)


def signal(factors: Signal, before: Signal, *, column: int, seed: int, rng: np.random.Generator) -> Signal:
    """Mix factors, the column before and noise to about unit variance; two factors act together."""
    weights = np.random.default_rng([seed, 4, column])
    chosen = weights.permutation(len(factors))[:3]
    load = weights.uniform(0.4, 0.8, 3) * weights.choice([-1, 1], 3)
    mixed = load @ factors[chosen]
    mixed += 0.4 * factors[chosen[0]] * (factors[chosen[1]] > 0.5)
    mixed += weights.uniform(0.3, 0.6) * before + 0.5 * rng.standard_normal(len(before))
    return np.asarray(mixed / 1.35)


def price(s: Signal, _rng: np.random.Generator) -> pa.Array:
    return pa.array(np.round(50 + 12 * s, 2))


def amount(s: Signal, rng: np.random.Generator) -> pa.Array:
    value = np.round(1_000 * np.exp(1.3 * s + 0.3 * rng.standard_t(4, len(s))), 2)
    return pa.array(np.where(rng.random(len(s)) < 0.35 / (1 + np.exp(3 * s)), 0.0, value))


def count(s: Signal, rng: np.random.Generator) -> pa.Array:
    return pa.array(rng.poisson(6 * np.exp(0.6 * np.clip(s, -4, 4))))


def limit(s: Signal, rng: np.random.Generator) -> pa.Array:
    exact = 20_000 * np.exp(0.8 * s)
    step = np.where(rng.random(len(s)) < 0.7, 5_000, np.where(rng.random(len(s)) < 0.7, 1_000, 10))
    value = np.rint(exact / step).astype(np.int64) * step
    return pa.array(value, mask=rng.random(len(s)) < 0.2 / (1 + np.exp(-2 * s)))


def measure(s: Signal, _rng: np.random.Generator) -> pa.Array:
    return pa.array(np.sinh(1.2 * s) + 0.1 * s**2)


def codes(s: Signal, number: int, rng: np.random.Generator, *, prefix: str, noise: float) -> pa.Array:
    """Give categories of falling frequency, near ones for near signals."""
    place = (1 + np.tanh(0.8 * (s + noise * rng.standard_normal(len(s))))) / 2
    code = np.minimum((number * place**2).astype(np.int64), number - 1)
    names = np.array([f"{prefix}{(each * 7_919) % number:04d}" for each in range(number)])
    return pa.array(names[code])


def grade(s: Signal, rng: np.random.Generator) -> pa.Array:
    return codes(s, 6, rng, prefix="G", noise=0.2)


def region(s: Signal, rng: np.random.Generator) -> pa.Array:
    return codes(s, 40, rng, prefix="R", noise=0.3)


def product(s: Signal, rng: np.random.Generator) -> pa.Array:
    return codes(s, MANY_CODES, rng, prefix="P", noise=0.1)


def day(s: Signal, rng: np.random.Generator) -> pa.Array:
    place = (1 + np.tanh(0.7 * s)) / 2
    found = FIRST_DAY + (DAYS * place).astype(np.int64)
    weekend = (found + 3) % 7 >= 5
    found = np.where(weekend & (rng.random(len(s)) < 0.8), found - 2, found)
    return pa.array(found.astype(np.int32), pa.int32()).cast(pa.date32())


def flag(s: Signal, rng: np.random.Generator) -> pa.Array:
    return pa.array(rng.random(len(s)) < 1 / (1 + np.exp(-3 * s)), mask=rng.random(len(s)) < 0.03)


MAKERS: tuple[tuple[str, Maker], ...] = (
    ("price", price),
    ("grade", grade),
    ("amount", amount),
    ("day", day),
    ("count", count),
    ("region", region),
    ("limit", limit),
    ("flag", flag),
    ("product", product),
    ("measure", measure),
)

if __name__ == "__main__":
    main()
