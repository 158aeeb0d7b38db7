"""The memory estimate of training against what a process really takes."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from dataclasses import replace
from engine.test_training_memory import peak, table
from kinsynth.engine.sizing import measure_table, plan_table, training_bytes
from kinsynth.engine.trainer import train
from kinsynth.settings.training import Training

rows, columns, codes, child, batch = map(int, sys.argv[1:6])
links = int(sys.argv[7])
small, name = table(400, 3, 4, 3)
warm = plan_table(measure_table(small, name), Training(), free_memory_bytes=1 << 34)
train(small, name, replace(warm, max_steps=4, validation_steps=2), seed=1)
encoded, name = table(rows, columns, codes, child, links)
shape = measure_table(encoded, name)
training = Training(model_size=sys.argv[6], auto_batching=False, batch_size=batch)
plan = replace(plan_table(shape, training, free_memory_bytes=1 << 34), max_steps=4, validation_steps=2)
before = peak()
train(encoded, name, plan, seed=1)
print(peak() - before, training_bytes(shape, plan))
"""


def peak():
    """The most memory this program had, in bytes; ``ru_maxrss`` would count what started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def table(rows, columns, codes, child, links=0):
    """A root table that points to ``links`` others, or one with ``child`` rows under each row of a root."""
    import numpy as np

    from kinsynth.encoded import ChildCount, Encoded, EncodedTable, Link, SubColumn

    rng = np.random.default_rng(0)
    position = np.linspace(0, 1, codes, dtype=np.float32)
    subs = tuple(SubColumn(number, codes, position) for number in range(columns))
    codes_RC = rng.integers(0, codes, (rows * max(child, 1), columns)).astype(np.int32)
    if not child:
        targets = {f"t{number}": EncodedTable(codes_RC[:1000], subs) for number in range(links)}
        pointed = tuple(Link(name, rng.integers(0, 1000, rows)) for name in targets)
        return Encoded({**targets, "root": EncodedTable(codes_RC, subs, links=pointed)}), "root"
    count = ChildCount("child", 0, np.arange(child + 1), np.arange(child + 1))
    root = EncodedTable(np.full((rows, 1), child, np.int32), (SubColumn(0, child + 1),), counts=(count,))
    parent_R = np.repeat(np.arange(rows), child)
    return Encoded(
        {"root": root, "child": EncodedTable(codes_RC, subs, "root", parent_R, ordered=True)}
    ), "child"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "shape",
    [
        (20_000, 40, 100, 0, 8192, "medium", 0),
        (20_000, 15, 40, 0, 8192, "large", 0),
        (2_000, 12, 100, 10, 8192, "medium", 0),
        pytest.param((20_000, 10, 2_000, 0, 512, "large", 0), marks=pytest.mark.soak),
        pytest.param((20_000, 100, 50, 0, 2048, "medium", 0), marks=pytest.mark.soak),
        (20_000, 12, 100, 0, 8192, "medium", 4),
    ],
    ids=str,
)
def test_training_takes_no_more_memory_than_estimated_and_not_much_less(shape):
    command = [sys.executable, "-c", PROGRAM, *map(str, shape)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1], timeout=300
    )
    measured, estimated = map(int, done.stdout.split())
    assert estimated / 3 < measured < estimated
