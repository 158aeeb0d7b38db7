"""Training settings as a run keeps them: the time limit of all tables, the device, checkpoints."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import torch

import kinsynth
from kinsynth.errors import SettingsError
from kinsynth.pipeline import steps
from kinsynth.pipeline.plan import look_at_machine
from kinsynth.pipeline.run import run
from kinsynth.settings.document import parse
from shop_database import shop_document, write_shops

WORK = {"a": 10.0, "b": 20.0, "c": 10.0}


def done(**seconds: float) -> dict[str, Any]:
    return {name: SimpleNamespace(seconds=spent) for name, spent in seconds.items()}


def test_time_is_shared_by_expected_work_and_what_is_left_over_goes_on() -> None:
    assert steps.share_time(None, WORK, {}) is None
    assert steps.share_time(80.0, WORK, {}) == 20
    assert steps.share_time(80.0, WORK, done(a=20.0)) == 40
    assert steps.share_time(80.0, WORK, done(a=5.0)) == 50
    assert steps.share_time(80.0, WORK, done(a=5.0, b=30.0)) == 45
    assert steps.share_time(80.0, WORK, done(a=5.0, b=90.0)) == 0


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_shops(tmp_path / "source")
    return tmp_path / "source"


def endless(source: Path, **training: object) -> kinsynth.Synthesis:
    document: dict[str, Any] = shop_document(source)
    long = {"max_epochs": 1_000_000, "patience": 1_000_000, "threads": 1, "model_size": "small"}
    document["training"] = {**long, **training}
    return parse(document)


def test_the_training_of_a_run_ends_in_time(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[float] = []
    learn = steps.learn

    def timed(*arguments: Any) -> None:
        begin = time.monotonic()
        learn(*arguments)
        spent.append(time.monotonic() - begin)

    monkeypatch.setattr(steps, "learn", timed)
    tables = {path.stem: pl.read_csv(path, try_parse_dates=True) for path in sorted(source.glob("*.csv"))}
    limit, slack = 6.0, 5.0  # a busy machine may stop a process for a while at the wrong moment
    model = kinsynth.fit(tables, endless(source, max_seconds=limit))
    seconds = {name: network.seconds for name, network in model.networks.items()}
    assert all(taken is not None for taken in seconds.values())
    assert 0.6 * limit < sum(taken or 0.0 for taken in seconds.values()) < limit + slack
    assert spent[0] < limit + 2 * slack, "loading the rows and writing the model come on top"


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError) as error:
        run(endless(source, device="cuda"), tmp_path / "out", base=tmp_path)
    assert error.value.code == "settings.no_cuda"
    assert list((tmp_path / "out").iterdir()) == [], "the folder can be used again"


def test_the_memory_of_the_gpu_counts_when_it_is_used(source: Path) -> None:
    for device, cuda, free in (("auto", True, 123), ("cuda", True, 123), ("cpu", False, None)):
        machine = look_at_machine(endless(source, device=device), cuda=True, cuda_bytes=123)
        assert machine.cuda is cuda
        assert free is None or machine.free_memory_bytes == free
    assert look_at_machine(endless(source), cuda=False).free_memory_bytes > 123
