"""What the machine refuses becomes an error with a code; everything else stays as it is."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from kinsynth.errors import KinsynthError, OutOfMemory, TransientError, UserError
from kinsynth.system.failures import explain, explained

SECRET = "Maria Rossi"


@explained()
def fill_the_disk() -> None:
    with pa.OSFile("/dev/full", "wb") as full:
        full.write(b"x" * 1_000_000)


def test_a_full_disk_may_have_room_later() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this machine has no /dev/full")
    with pytest.raises(TransientError) as caught:
        fill_the_disk()
    assert caught.value.code == "machine.disk_full"


def test_paths_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught, explained():
        (tmp_path / "missing.csv").read_bytes()
    assert caught.value.code == "machine.path"
    assert caught.value.where.endswith("missing.csv")


@pytest.mark.parametrize(
    "ask",
    [
        lambda: torch.empty(10**15),
        lambda: np.empty(10**15),
        lambda: pa.allocate_buffer(10**15),
    ],
    ids=["torch", "numpy", "arrow"],
)
def test_missing_memory_of_every_library(ask: object) -> None:
    with pytest.raises(OutOfMemory), explained():
        ask()  # type: ignore[operator]


@pytest.mark.parametrize(
    "error",
    [RuntimeError(SECRET), OSError(SECRET), OSError(errno.EINVAL, SECRET), BrokenPipeError(errno.EPIPE, "")],
)
def test_everything_else_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, explained():
        raise error
    assert caught.value is error


@pytest.mark.parametrize("error", [MemoryError(SECRET), RuntimeError(f"out of memory {SECRET}")])
def test_no_text_of_the_failure_is_kept(error: Exception) -> None:
    ours = explain(error)
    assert isinstance(ours, KinsynthError)
    assert SECRET not in str(ours)
