"""The import contracts hold, and name exactly the modules that exist."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "kinsynth"
FORBIDDEN_NAMES = {"utils", "common", "helpers", "core", "misc"}


def contracts() -> list[dict[str, object]]:
    """The contracts of pyproject.toml."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return document["tool"]["importlinter"]["contracts"]


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_contracts_hold() -> None:
    """import-linter keeps every contract."""
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(script), "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_layers_name_exactly_the_existing_modules() -> None:
    """A module without a layer fails, and so does a layer without a module."""
    layers = next(contract for contract in contracts() if contract["type"] == "layers")["layers"]
    named = [name for line in layers for name in re.split(r"[|\s]+", line)]
    existing = {name.split(".")[1] for name in modules() if "." in name}
    assert sorted(named) == sorted(existing)


def test_contracts_name_only_existing_modules() -> None:
    """A contract about a module that does not exist protects nothing."""
    named = {name for contract in contracts() for name in contract.get("source_modules", ())}
    assert named <= modules().keys()


def test_torch_contract_covers_every_layer_but_those_that_may_import_it() -> None:
    """A new top-level module is free of torch unless it is named here."""
    contract = next(contract for contract in contracts() if contract.get("forbidden_modules") == ["torch"])
    free = {name.split(".")[1] for name in contract["source_modules"] if name.count(".") == 1}
    existing = {name.split(".")[1] for name in modules() if "." in name}
    assert existing - free <= {"engine", "pipeline", "cli"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*")), ids=lambda path: path.name)
def test_names_say_what_is_inside(path: Path) -> None:
    """No module is a drawer for everything."""
    assert path.stem not in FORBIDDEN_NAMES


def imports(path: Path) -> list[tuple[str, list[str]]]:
    """Every import of a file: the module and the names taken from it."""
    found: list[tuple[str, list[str]]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.append(("." * node.level + (node.module or ""), [alias.name for alias in node.names]))
    return found


def test_nobody_inside_imports_from_the_public_door() -> None:
    """``from kinsynth import X`` would load whatever the door loads; relative imports hide who is meant."""
    guilty = [
        name
        for name, path in modules().items()
        for module, _ in imports(path)
        if module == "kinsynth" or module.startswith(".")
    ]
    assert guilty == []


def test_no_underscore_name_crosses_a_package() -> None:
    """What begins with an underscore belongs to its own file's package."""
    guilty = []
    for name, path in modules().items():
        package = name.split(".")[1] if "." in name else ""
        for module, names in imports(path):
            if module.startswith("kinsynth.") and module.split(".")[1] != package:
                guilty += [
                    f"{name}: {module}.{taken}"
                    for taken in [*names, *module.split(".")]
                    if taken.startswith("_")
                ]
    assert guilty == []


def test_names_of_test_files_are_unique() -> None:
    """Test folders are no packages, so that two files of one name cannot both be collected."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_the_certificate_names_nothing_that_draws() -> None:
    """It imports plain libraries, errors, the door for mapped files and the dataclasses of the statement."""
    allowed = re.compile(
        r"kinsynth\.(certificate\.\w+|errors|system\.mapping|schema\.(table|check|database))"
    )
    guilty = [
        f"{name}: {module}"
        for name, path in modules().items()
        if name.startswith("kinsynth.certificate")
        for module, _ in imports(path)
        if module.startswith("kinsynth") and not allowed.fullmatch(module)
    ]
    assert guilty == []


def test_the_certificate_runs_without_what_draws() -> None:
    """Proving loads no codec, no rule, no network, and no code for keys of those who link."""
    code = "import sys, kinsynth.certificate.certify; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    mine = {name for name in loaded if re.match(r"kinsynth\.\w+\.\w+", name)}
    assert mine <= {
        *(name for name in mine if name.startswith(("kinsynth.certificate.", "kinsynth.settings."))),
        *("kinsynth.schema.table", "kinsynth.schema.check", "kinsynth.system.mapping"),
    }
    assert not {"torch", "polars"} & set(loaded)
