"""Damaged files in the child that parses them are read or refused in words, and the caller stays as it was.

The children are those of the analysis, with its limits; here one of them parses many files, a call for each.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import psutil
import pytest

from fuzz.mutated_files import make_seeds, mutate
from kinsynth.errors import KinsynthError
from kinsynth.server.errors import status_of
from kinsynth.service.analysis.analysts import _MODULES
from kinsynth.service.analysis.readers import MODULE
from kinsynth.settings.deployment import Deployment, read_deployment
from kinsynth.system.child import Conversation, LimitedChild

GROWTH_BYTES, ANSWER_S = 50_000_000, 30
FORMS = {("parquet",): 20_000, ("csv", "tsv"): 20_000, ("xlsx",): 3_000, ("ods",): 1_000}
_FILES_OF_A_CHILD = 500


class Parser:
    """Children that parse one file after the other; the next one begins where one dies."""

    def __init__(self, folder: Path, deployment: Deployment) -> None:
        self.answers: Counter[str] = Counter()
        self.faults: list[str] = []
        self.slowest_s = 0.0
        self._folder, self._deployment = folder, deployment
        self._child: Conversation | None = None
        self._files = 0

    def parse(self, name: str, content: bytes) -> None:
        """Have a file parsed, and note what is answered and after how long."""
        for part in ("files", "tables"):
            shutil.rmtree(self._folder / part, ignore_errors=True)
        (self._folder / "files").mkdir()
        (self._folder / "files" / name).write_bytes(content)
        begun = time.monotonic()
        self.answers[self._ask(name)] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()
        self._child, self._files = None, 0

    def _ask(self, name: str) -> str:
        if self._files == _FILES_OF_A_CHILD:
            self.close()
        child = self._child = self._child or self._start()
        self._files += 1
        try:
            child.ask(f"{MODULE}.parse_files", {"source": {}, "names": [name]}, patience_s=ANSWER_S)
        except KinsynthError as error:
            if status_of(error) != 422 or not error.remedy:
                self.faults.append(f"{name}: {error}")
            if error.code in {"source.parser_died", "source.parser_timeout", "internal.child"}:
                self.close()  # it is dead, or owes an answer
            return error.code
        return "read"

    def _start(self) -> Conversation:
        limits = self._deployment
        seconds = limits.analysis_timeout_s + _FILES_OF_A_CHILD
        memory = limits.analysis_memory_bytes
        child = LimitedChild(_MODULES)
        return Conversation(child, memory_bytes=memory, processor_s=seconds, folder=self._folder)


@pytest.mark.parametrize(
    "share", [pytest.param(0.01, marks=pytest.mark.slow), pytest.param(1.0, marks=pytest.mark.soak)]
)
@pytest.mark.parametrize("forms", FORMS, ids="-".join)
def test_damaged_files_are_read_or_refused_in_words(
    tmp_path: Path, forms: tuple[str, ...], share: float
) -> None:
    every = make_seeds(tmp_path / "seeds")
    seeds = {name: content for name, content in every.items() if name.endswith(forms)}
    count = round(FORMS[forms] * share)
    (tmp_path / "child").mkdir()
    parser = Parser(tmp_path / "child", read_deployment(data=tmp_path))
    damaged, begun = mutate(seeds, count, seed=3), time.monotonic()
    for name, content in islice(damaged, count // 10):
        parser.parse(name, content)
    before = psutil.Process().memory_info().rss
    for name, content in damaged:
        parser.parse(name, content)
    growth = psutil.Process().memory_info().rss - before
    parser.close()
    told = f"{count} damaged files ({', '.join(forms)}) in {time.monotonic() - begun:.0f} s, the slowest in "
    told += f"{parser.slowest_s:.1f} s, memory grew by {growth / 1e6:.1f} MB: {dict(parser.answers)}\n"
    sys.stdout.write(told)
    assert sum(parser.answers.values()) == count
    assert parser.faults == []
    assert 0 < parser.answers["read"] < count, "all were damaged alike"
    assert parser.slowest_s < ANSWER_S
    assert growth < GROWTH_BYTES
