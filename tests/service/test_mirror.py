"""The folder of an execution and the store hold the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kinsynth.errors import InternalError
from kinsynth.service.performing.mirror import Mirror, fetch, label_of
from kinsynth.service.platform import Platform
from kinsynth.storage.artefacts import Stored, no_check
from kinsynth.system.files import digest


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(content)
    temporary.replace(path)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("work/original/000.arrow", "original"),
        ("work/checkpoints/000.safetensors", "original"),
        ("work/synthetic/000.arrow", "protected"),
        ("work/synthetical", "original"),
        ("model/codecs.json", "derived"),
        ("models", "protected"),
        ("tables/a.csv", "protected"),
    ],
)
def test_files_are_labelled_by_their_place(path: str, label: str) -> None:
    assert label_of(path) == label


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", ".."])
def test_a_path_that_leads_out_is_refused(platform: Platform, tmp_path: Path, path: str) -> None:
    write(tmp_path / "it", "x")
    stored = platform.artefacts.put_file(tmp_path / "it", "original")
    with pytest.raises(InternalError) as caught:
        fetch(platform.artefacts, {path: stored}, tmp_path / "folder", check=no_check)
    assert caught.value.code == "artefact.path"
    assert not (tmp_path / "x").exists()


def test_a_step_is_put_with_its_outcome_and_comes_back(platform: Platform, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write(here / "work" / "original" / "000.arrow", "rows")
    outputs = {"work/original/000.arrow": digest(here / "work" / "original" / "000.arrow")}
    write(here / "steps" / "loading.json", json.dumps({"outputs": outputs}))
    stored = Mirror(platform.artefacts, here, no_check).put_step("loading")
    assert [*stored] == ["work/original/000.arrow", "steps/loading.json"]
    Mirror(platform.artefacts, there, no_check).fill(stored, check=no_check)
    assert (there / "work" / "original" / "000.arrow").read_text() == "rows"
    assert (there / "steps" / "loading.json").read_bytes() == (here / "steps" / "loading.json").read_bytes()


def test_an_output_that_is_not_what_the_step_wrote_is_not_kept(platform: Platform, tmp_path: Path) -> None:
    write(tmp_path / "plan.json", "changed")
    write(tmp_path / "steps" / "building.json", json.dumps({"outputs": {"plan.json": "0" * 64}}))
    with pytest.raises(InternalError) as caught:
        Mirror(platform.artefacts, tmp_path, no_check).put_step("building")
    assert caught.value.code == "artefact.changed"


def test_of_a_training_only_what_is_new_is_put(platform: Platform, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write(here / "work" / "checkpoints" / "000.safetensors", "one")
    write(here / "model" / "tables" / "000.safetensors", "two")
    (here / "model" / ".half.tmp").write_text("half")
    mirror = Mirror(platform.artefacts, here, no_check)
    stored = mirror.put_state()
    assert sorted(stored) == ["model/tables/000.safetensors", "work/checkpoints/000.safetensors"]
    assert mirror.put_state() == stored, "nobody said that it is recorded"
    mirror.note(stored)
    assert mirror.put_state() == {}
    write(here / "work" / "checkpoints" / "000.safetensors", "new")
    assert [*mirror.put_state()] == ["work/checkpoints/000.safetensors"]
    again = Mirror(platform.artefacts, there, no_check)
    again.fill(stored, check=no_check)
    assert again.put_state() == {}, "what was fetched is kept already"


def test_copying_ends_where_it_is_checked(platform: Platform, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def enough() -> None:
        raise Enough

    write(tmp_path / "it", "x")
    stored: Stored = platform.artefacts.put_file(tmp_path / "it", "original")
    with pytest.raises(Enough):
        fetch(platform.artefacts, {"a": stored}, tmp_path / "there", check=enough)
    assert not (tmp_path / "there" / "a").exists()
    write(tmp_path / "plan.json", "x")
    with pytest.raises(Enough):
        Mirror(platform.artefacts, tmp_path, enough).put("plan.json")
