"""Inheritance: what an execution that is done again takes over from the one before, and does not do anew.

No content is copied: the new execution names the same blobs. Raw data and what was made of it is removed
when an execution ends, models and reports stay; so a training may be there whose data is not. Such a step is
taken over all the same: the steps before it are done again, and where they leave the outcome they left
before, which is known by its digests, it stands (``pipeline.workspace``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from kinsynth.executions.journal import adopt_steps, read_outcomes
from kinsynth.pipeline.timeline import STEPS, StepName
from kinsynth.service.performing.mirror import DRAWN, SYNTHETIC
from kinsynth.service.performing.record import add_model
from kinsynth.service.timelines import DRAWING
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.files import attach, list_files
from kinsynth.storage.tables import executions


@dataclass(frozen=True)
class Inheritance:
    """What an execution takes over.

    Attributes:
        done: Steps whose files are all there.
        files: Files of these, and outcomes of all that are taken over, by path.
    """

    done: frozenset[str]
    files: Mapping[str, Stored]

    def first_step(self, kind: str) -> StepName:
        """Give the first step that is done anew."""
        return next(step for step in steps_of(kind) if step not in self.done)


def steps_of(kind: str) -> tuple[StepName, ...]:
    """Give the steps of a kind of execution: a run has seven, a drawing two."""
    return STEPS if kind == "run" else tuple(step for step in STEPS if step in DRAWING)


def find_inheritance(connection: Connection, execution_id: str, steps: Sequence[StepName]) -> Inheritance:
    """Look up what is there of an execution's steps.

    Args:
        connection: Any transaction.
        execution_id: An execution that ended.
        steps: Steps that may be taken over, from the first on; those after an unfinished one are not.
    """
    outcomes, stored = read_outcomes(connection, execution_id), _files_as_made(connection, execution_id)
    done, files = set[str](), dict[str, Stored]()
    for step in steps:
        said = f"steps/{step}.json"
        if step not in outcomes or said not in stored:
            break
        files[said] = stored[said]
        outputs: Mapping[str, str] = outcomes[step]["outputs"]
        if all(path in stored and stored[path].digest == digest for path, digest in outputs.items()):
            done.add(step)
            files |= {path: stored[path] for path in outputs}
    return Inheritance(frozenset(done), files)


def _files_as_made(connection: Connection, execution_id: str) -> dict[str, Stored]:
    """Give the files of an execution at the paths where its steps made them."""
    moved = {
        DRAWN + path.removeprefix(SYNTHETIC): one
        for path, one in list_files(connection, execution_id, under=SYNTHETIC).items()
    }
    return {**list_files(connection, execution_id), **moved}


def take_over(connection: Connection, old_id: str, new_id: str, inheritance: Inheritance) -> None:
    """Give a new execution what it inherits: files, steps with their events, and the model."""
    attach(connection, new_id, 0, inheritance.files)
    adopt_steps(connection, old_id, new_id, inheritance.done)
    if "training" in inheritance.done:
        mine = executions.c.id == new_id
        row = connection.execute(select(executions.c.synthesis_id, executions.c.name).where(mine)).one()
        add_model(connection, new_id, row.synthesis_id, row.name)


def hold_ancestor(connection: Connection, execution_id: str) -> str | None:
    """Let nobody clear an execution or delete its source until the transaction ends; gives the source."""
    held = select(executions.c.source_id).where(executions.c.id == execution_id).with_for_update()
    source_id: str | None = connection.execute(held).scalar_one()
    return source_id
