"""Databases and documents of any shape: refused before anything runs, or done without a failure."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from any_database import make_up

from kinsynth.errors import UserError
from kinsynth.pipeline.certificate import Certificate
from kinsynth.pipeline.run import run
from kinsynth.settings.document import parse
from kinsynth.settings.synthesis import Synthesis

A_CELL = re.compile(r"X-\d{6}")  # looks like the codes that ``any_database`` makes


pytestmark = pytest.mark.usefixtures("parse_here")


def outcome(seed: int) -> str:
    """Run one made-up database; say how it ended."""
    with TemporaryDirectory() as name:
        source, folder = Path(name) / "source", Path(name) / "run"
        made = make_up(seed)
        made.write(source)
        refusal = refused(parse(made.document(source)), folder)
        if refusal is None:
            told = [(folder / file).read_text() for file in ("events.jsonl", "plan.json", "certificate.json")]
            assert Certificate.from_json(told[-1]).failed == (), seed
        else:
            told = [str(refusal), *map(str, refusal.findings)]
            assert list(folder.iterdir()) == [], f"{seed}: refused after it had begun: {refusal.code}"
        assert not any(A_CELL.search(text) for text in told), seed
        return "certified" if refusal is None else "refused"


def refused(synthesis: Synthesis, folder: Path) -> UserError | None:
    try:
        run(synthesis, folder, base=Path())
    except UserError as error:
        return error
    return None


def test_any_document_is_refused_or_done() -> None:
    outcomes = [outcome(seed) for seed in range(40)]
    assert min(outcomes.count("refused"), outcomes.count("certified")) >= 5


@pytest.mark.parametrize("seed", [1_683, 2_563])
def test_documents_that_once_failed_are_refused_or_done(seed: int) -> None:
    """A text column as part of a key; an ordering column of which protection leaves nothing."""
    assert outcome(seed) in {"refused", "certified"}


@pytest.mark.soak
@pytest.mark.parametrize("start", range(40, 240, 40))
def test_any_of_many_documents_is_refused_or_done(start: int) -> None:
    assert {outcome(seed) for seed in range(start, start + 40)} == {"refused", "certified"}


@pytest.mark.soak
@pytest.mark.parametrize("start", range(1_000, 3_000, 100))
def test_any_of_very_many_documents_is_refused_or_done(start: int) -> None:
    assert {outcome(seed) for seed in range(start, start + 100)} == {"refused", "certified"}
