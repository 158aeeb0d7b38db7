"""Steps and what they leave in the workspace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.pipeline import steps
from kinsynth.pipeline.artefacts import load_database, save_database
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.workspace import Workspace


@pytest.mark.parametrize("part", ["training", "holdout"])
def test_a_damaged_part_of_the_split_is_noticed_and_made_again(tmp_path: Path, part: str) -> None:
    document, workspace = kinsynth.Synthesis(), Workspace(tmp_path)
    table = pa.table({"size": np.random.default_rng(0).integers(0, 9, 300)})
    save_database(workspace.work / "original", inspect({"things": table}, document).database())
    steps.preprocess(workspace, document)
    assert workspace.is_finished("preprocessing")
    folder = workspace.work / part
    whole = load_database(folder).tables["things"].to_pydict()
    (folder / "000.arrow").write_bytes(b"cut")
    assert not workspace.is_finished("preprocessing")
    steps.preprocess(workspace, document)
    assert workspace.is_finished("preprocessing")
    assert load_database(folder).tables["things"].to_pydict() == whole
