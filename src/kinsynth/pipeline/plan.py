"""Plan: everything an execution reads from the machine or the clock, decided once and kept in plan.json."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import psutil

from kinsynth.encoded import Encoded
from kinsynth.engine.sizing import TablePlan, measure_table, plan_table
from kinsynth.settings.synthesis import Synthesis
from kinsynth.system.randomness import stream_key


@dataclass(frozen=True)
class Machine:
    """What the machine offered when the plan was made.

    Attributes:
        cores: CPU cores this process may use.
        free_memory_bytes: Memory that was free where training computes.
        cuda: Whether a GPU is used.
    """

    cores: int
    free_memory_bytes: int
    cuda: bool


@dataclass(frozen=True)
class Plan:
    """Decisions that must not change when an execution is taken up again.

    Attributes:
        machine: What the machine offered.
        tables: Plan of each synthesised table.
    """

    machine: Machine
    tables: Mapping[str, TablePlan]

    def to_json(self) -> dict[str, Any]:
        """Give plain data for ``plan.json``."""
        return {
            "machine": asdict(self.machine),
            "tables": {name: asdict(table) for name, table in self.tables.items()},
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Plan:
        """Read what ``to_json`` gave."""
        tables = {name: TablePlan(**table) for name, table in document["tables"].items()}
        return Plan(machine=Machine(**document["machine"]), tables=tables)


def look_at_machine(synthesis: Synthesis, *, cuda: bool, cuda_bytes: int = 0) -> Machine:
    """Read cores and free memory, once.

    Args:
        synthesis: The document.
        cuda: Whether there is a GPU; the document may still say no.
        cuda_bytes: Free memory of the GPU; 0 when it is not known.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = synthesis.training.threads or cores
    usable = cuda and synthesis.training.device != "cpu"
    free = int(psutil.virtual_memory().available)
    return Machine(
        cores=threads, free_memory_bytes=cuda_bytes if usable and cuda_bytes else free, cuda=usable
    )


def make_plan(encoded: Encoded, synthesis: Synthesis, machine: Machine) -> Plan:
    """Decide width, batch, steps and threads of each table; keys that are copied are not learned."""
    tables = {
        name: plan_table(
            measure_table(encoded, name),
            synthesis.training,
            free_memory_bytes=machine.free_memory_bytes,
            threads=machine.cores,
            device="cuda" if machine.cuda else "cpu",
        )
        for name in encoded.tables
    }
    if synthesis.generation.keys == "copied":
        keys = {name for name, table in encoded.tables.items() if table.keys_of is not None}
        tables = {name: replace(plan, max_steps=0) if name in keys else plan for name, plan in tables.items()}
    return Plan(machine=machine, tables=tables)


def derive_seed(seed: int, purpose: str) -> int:
    """Give the seed of one purpose; two purposes get unrelated ones."""
    high, low = stream_key(seed, purpose)
    return (high << 31 | low >> 1) & (2**62 - 1)
