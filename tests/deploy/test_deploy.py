"""The files for containers are well formed: linted, for no container engine or cluster is at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kinsynth.settings.deployment import Deployment

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MANIFESTS = sorted(
    path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml"
)


def lint(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_linted() -> None:
    lint("hadolint", str(DEPLOY / "Dockerfile"))


def test_the_compose_file_follows_its_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_follow_the_schemas_of_kubernetes(path: Path) -> None:
    lint("kubernetes-validate", "--strict", str(path))


def test_the_kustomization_names_every_manifest() -> None:
    named = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert sorted(named) == sorted(path.name for path in MANIFESTS if ".example." not in path.name)


def variables(node: object) -> set[str]:
    """Collect every name of ours in a document, as key or as value of a name."""
    if isinstance(node, dict):
        named = {str(key) for key in node} | {str(node.get("name", ""))}
        return {name for name in named if name.startswith("KINSYNTH_")}.union(*map(variables, node.values()))
    return set().union(*map(variables, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("path", [DEPLOY / "compose.yaml", *MANIFESTS], ids=lambda path: path.stem)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    known = {f"KINSYNTH_{name.upper()}" for name in Deployment.model_fields}
    for document in yaml.safe_load_all(path.read_text()):
        assert variables(document) <= known
