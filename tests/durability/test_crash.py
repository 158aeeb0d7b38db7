"""A run killed at any point and taken up again delivers the same bytes as a run that was never killed."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from durability.killed_runs import generate_once, results, run_once
from kinsynth.pipeline.timeline import STEPS
from shop_database import write_shops

RANDOM_POINTS = 5


@dataclass(frozen=True)
class Baseline:
    """A run that was never killed, and every point it passed, by step."""

    source: Path
    results: dict[str, bytes]
    passages: dict[str, list[str]]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    place = tmp_path_factory.mktemp("baseline")
    source, folder, trace = place / "source", place / "run", place / "trace"
    write_shops(source)
    assert run_once(source, folder, KINSYNTH_CRASH_TRACE=str(trace)) == 0, folder.with_suffix(
        ".log"
    ).read_text()
    return Baseline(source, results(folder), by_step(trace.read_text().splitlines()))


def by_step(passages: list[str]) -> dict[str, list[str]]:
    """Say in which step each passage happened; what comes before the first belongs to it."""
    found: dict[str, list[str]] = {step: [] for step in STEPS}
    now = STEPS[0]
    for passage in passages:
        step, _, rest = passage.partition(".")
        if step in found and rest.startswith("start"):
            now = next(name for name in STEPS if name == step)
        found[now].append(passage)
    return found


def survive(baseline: Baseline, folder: Path, point: str) -> None:
    code = run_once(baseline.source, folder, KINSYNTH_CRASH_AT=point)
    if code == 0:
        pytest.fail(f"the run never passed {point}")
    assert code == -signal.SIGKILL, folder.with_suffix(".log").read_text()
    assert run_once(baseline.source, folder) == 0, folder.with_suffix(".log").read_text()
    found = results(folder)
    assert sorted(found) == sorted(baseline.results)
    assert [name for name in found if found[name] != baseline.results[name]] == []
    assert not (folder / "work").exists(), "no source row stays in the folder"
    assert not list(folder.rglob("*.tmp")), "nothing temporary is left"


def test_the_same_run_gives_the_same_bytes(baseline: Baseline, tmp_path: Path) -> None:
    assert run_once(baseline.source, tmp_path / "run") == 0
    assert results(tmp_path / "run") == baseline.results


def test_every_step_has_points(baseline: Baseline) -> None:
    assert all(len(passages) >= 3 for passages in baseline.passages.values())


def test_a_drawing_killed_at_its_start_is_begun_again_to_the_same_bytes(
    baseline: Baseline, tmp_path: Path
) -> None:
    """Given rows are kept before the folder is an execution: a kill between leaves nothing in the way."""
    given, trace, model = tmp_path / "shop.csv", tmp_path / "trace", baseline.source.parent / "run"
    given.write_text("size\n" + "small\nlarge\n" * 5)
    whole = tmp_path / "whole"
    assert generate_once(given, model, whole, KINSYNTH_CRASH_TRACE=str(trace)) == 0
    passages = trace.read_text().splitlines()
    beginning = passages[: passages.index("synthesis.start:1") + 1]
    assert len(beginning) >= 5
    for number, point in enumerate(beginning):
        folder = tmp_path / f"{number}"
        assert generate_once(given, model, folder, KINSYNTH_CRASH_AT=point) == -signal.SIGKILL
        assert generate_once(given, model, folder) == 0, folder.with_suffix(".log").read_text()
        assert results(folder) == results(whole)
        assert not (folder / "work").exists()


@pytest.mark.slow
def test_a_run_killed_at_any_named_point_is_resumed_to_the_same_bytes(
    baseline: Baseline, tmp_path: Path
) -> None:
    names = {passage.rpartition(":")[0] for passages in baseline.passages.values() for passage in passages}
    for number, name in enumerate(sorted(names)):
        survive(baseline, tmp_path / f"{number}", name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "step", [one if one == "training" else pytest.param(one, marks=pytest.mark.soak) for one in STEPS]
)
def test_a_run_killed_at_random_points_of_a_step_is_resumed_to_the_same_bytes(
    baseline: Baseline, tmp_path: Path, step: str
) -> None:
    passages = baseline.passages[step]
    chosen = random.Random(step).sample(passages, min(RANDOM_POINTS, len(passages)))
    for number, passage in enumerate(chosen):
        survive(baseline, tmp_path / f"{number}", passage)


@pytest.mark.soak
def test_a_run_killed_at_every_passage_is_resumed_to_the_same_bytes(
    baseline: Baseline, tmp_path: Path
) -> None:
    every = [passage for passages in baseline.passages.values() for passage in passages]
    for number, passage in enumerate(every):
        survive(baseline, tmp_path / f"{number}", passage)
