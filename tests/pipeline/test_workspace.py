"""A finished step is done once, a changed output is noticed, a folder has one owner, a stop is clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinsynth.errors import Interrupted, UserError
from kinsynth.pipeline.timeline import StepName
from kinsynth.pipeline.workspace import Workspace
from kinsynth.system.files import write_atomically


def finish(workspace: Workspace, name: str = "a.bin") -> Path:
    path = workspace.folder / name
    with workspace.step("loading", path):
        write_atomically(path, b"content")
    return path


def test_a_step_is_finished_only_after_its_outcome(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert not workspace.is_finished("loading")
    with pytest.raises(RuntimeError, match="boom"), workspace.step("loading"):
        raise RuntimeError("boom")
    assert not workspace.is_finished("loading")
    finish(workspace)
    assert workspace.is_finished("loading")


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_damaged_output_makes_the_step_unfinished(tmp_path: Path, damage: str) -> None:
    workspace = Workspace(tmp_path)
    path = finish(workspace)
    path.write_bytes(b"changed") if damage == "change" else path.unlink()
    assert not workspace.is_finished("loading")


def test_a_folder_of_outputs_counts_every_file(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.step("loading", tmp_path / "many"):
        for number in range(3):
            write_atomically(tmp_path / "many" / f"{number}", b"x")
    (tmp_path / "many" / "1").write_bytes(b"y")
    assert not workspace.is_finished("loading")


def test_a_step_that_comes_out_otherwise_takes_those_after_it_along(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)

    def do(step: StepName, content: bytes) -> None:
        with workspace.step(step, tmp_path / step):
            write_atomically(tmp_path / step / "file", content)

    names: tuple[StepName, ...] = ("loading", "preprocessing", "training")
    for step in names:
        do(step, b"x")
    (tmp_path / "loading" / "file").unlink()
    do("loading", b"x")
    assert all(workspace.is_finished(step) for step in names)
    do("preprocessing", b"y")
    assert workspace.is_finished("loading")
    assert workspace.is_finished("preprocessing")
    assert not (tmp_path / "steps" / "training.json").exists()
    assert not (tmp_path / "training" / "file").exists(), "no network of other data is taken up"


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with Workspace(tmp_path).lock(), pytest.raises(UserError) as caught, Workspace(tmp_path).lock():
        pass
    assert caught.value.code == "execution.locked"


def test_a_stop_is_heard_at_the_start_of_a_step(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, stop_requested=lambda: True)
    with pytest.raises(Interrupted) as caught, workspace.step("loading"):
        pass
    assert caught.value.exit_code == 130
    assert not workspace.is_finished("loading")


def test_a_damaged_outcome_makes_the_step_unfinished(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    finish(workspace)
    outcome = tmp_path / "steps" / "loading.json"
    outcome.write_bytes(outcome.read_bytes()[:10])
    assert not workspace.is_finished("loading")


@pytest.mark.parametrize(
    ("content", "code"), [('{"version": 1', "files.damaged"), ("{}", "execution.version")]
)
def test_an_execution_that_cannot_be_read_is_the_users_to_repair(
    tmp_path: Path, content: str, code: str
) -> None:
    (tmp_path / "execution.json").write_text(content)
    with pytest.raises(UserError) as caught:
        Workspace(tmp_path).execution()
    assert caught.value.code == code
