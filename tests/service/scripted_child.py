"""A training child that plays a script instead of training."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kinsynth.system.files import digest

Said = Mapping[str, Any] | None
Script = Callable[["ScriptedChild"], Iterator[Said]]


class ScriptedChild:
    """Stands in for ``TrainingChild``.

    Args:
        script: What it does and says; what is empty is silence.
        status: Its exit status.
        request: What it is told.
    """

    def __init__(self, script: Script, status: int, request: Mapping[str, Any]) -> None:
        self.request, self.folder = request, Path(request["folder"])
        self.folder.mkdir(exist_ok=True)
        self._said, self._status = script(self), status
        self.is_asked_to_stop, self.is_ended, self.answers = False, False, 0

    def hear(self, timeout_s: float) -> list[Said]:
        """Give the next thing."""
        said = next(self._said, None)
        if said == {}:
            time.sleep(timeout_s / 10)
            return []
        return [said]

    def answer(self) -> None:
        """Take the answer."""
        self.answers += 1

    def ask_stop(self) -> None:
        """Take the wish."""
        self.is_asked_to_stop = True

    def end(self) -> int:
        """End."""
        self.is_ended = True
        return self._status

    def write(self, path: str, content: str = "x") -> None:
        """Write a file of the execution, whole, as steps do."""
        final = self.folder / path
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.with_name(f".{final.name}.tmp")
        temporary.write_text(content)
        temporary.replace(final)

    def begin(self, step: str) -> Said:
        """Say that a step begins."""
        return {"event": {"kind": "step_started", "step": step, "at": time.time()}}

    def say(self, step: str, message: str) -> Said:
        """Say something."""
        return {"event": {"kind": "step_message", "step": step, "message": message, "at": time.time()}}

    def finish(self, step: str, *outputs: str) -> Said:
        """Write the outcome of a step and say that it has ended."""
        digests = {path: digest(self.folder / path) for path in outputs}
        self.write(f"steps/{step}.json", json.dumps({"step": step, "outputs": digests, "limits": []}))
        return {"event": {"kind": "step_finished", "step": step, "seconds": 1.0, "at": time.time()}}


def play_all(child: ScriptedChild) -> Iterator[Said]:
    """Do all seven steps."""
    outputs = {
        "loading": "work/original/000.arrow",
        "preprocessing": "work/encoded/000.codes",
        "building": "plan.json",
        "training": "model/tables/000.safetensors",
        "synthesis": "work/synthetic/000.arrow",
        "report": "report.pdf",
        "storing": "tables/shop.csv",
    }
    child.write("synthesis.yaml")
    for number, (step, path) in enumerate(outputs.items()):
        yield child.begin(step)
        if step == "training":
            child.write("work/checkpoints/000.safetensors", "state")
        yield child.say(step, "half")
        child.write(path, f"what {step} makes")
        if step == "report":
            child.write("evaluation.json", '{"accuracy": 8.5, "privacy": null}')
        yield child.finish(step, path)
        assert child.answers == number + 1, "it goes on only when the files are kept"
    yield {"event": {"kind": "execution_finished", "at": time.time()}}
    yield {"outcome": "succeeded"}
