"""The environments of the benchmark: one folder with packages pinned for each peer and one for the metrics.

They lie in the folder that KINSYNTH_BENCH_ENVIRONMENTS names, by default in ~/.cache/kinsynth-bench.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OWN = "kinsynth"
PINS = {
    "metrics": (
        "numpy==2.4.6",
        "pandas==3.1.1",
        "scipy==1.17.1",
        "scikit-learn==1.9.1",
        "lightgbm==4.7.0",
        "xgboost-cpu==3.2.0",
    ),
    "mostly": ("torch==2.13.0", "mostlyai-engine==2.7.3"),
    "sdv": ("torch==2.13.0", "sdv==2.0.0"),
    "arf": ("numpy==2.3.5", "pandas==2.3.3", "scipy==1.17.1", "scikit-learn==1.9.1", "arfpy==0.1.1"),
}
VERSIONS = "import importlib.metadata as m, sys; [print(m.version(name)) for name in sys.argv[1:]]"


class EnvironmentMissingError(Exception):
    """An environment is not there or holds other versions than pinned."""

    def __init__(self, name: str, lack: str) -> None:
        super().__init__(f"environment {name} lacks {lack}: run scripts/benchmark environments {name}")


def root() -> Path:
    """The folder of all environments."""
    named = os.environ.get("KINSYNTH_BENCH_ENVIRONMENTS")
    return Path(named) if named else Path.home() / ".cache" / "kinsynth-bench"


def interpreter(name: str) -> Path:
    """The Python of an environment; ours is the one that runs this."""
    return Path(sys.executable) if name == OWN else root() / name / "bin" / "python"


def installed(name: str) -> list[str]:
    """The pinned packages with the versions that are installed.

    Raises:
        EnvironmentMissingError: If there is no such environment or it lacks a package.
    """
    packages = [pin.split("==")[0] for pin in PINS[name]]
    if not interpreter(name).exists():
        raise EnvironmentMissingError(name, "everything")
    command = [str(interpreter(name)), "-c", VERSIONS, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EnvironmentMissingError(name, "a package")
    found = [version.split("+")[0] for version in done.stdout.split()]
    return [f"{package}=={version}" for package, version in zip(packages, found, strict=True)]


def verify(name: str) -> None:
    """Raise EnvironmentMissingError unless the environment holds exactly what is pinned."""
    if name == OWN:
        return
    different = set(PINS[name]) - set(installed(name))
    if different:
        raise EnvironmentMissingError(name, ", ".join(sorted(different)))


def make(name: str) -> bool:
    """Make an environment unless it is there with the pinned versions; True if it was made."""
    try:
        verify(name)
    except EnvironmentMissingError:
        folder = root() / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "install",
        ]
        for pin in PINS[name]:
            if pin.startswith("torch=="):  # first, so that no other package draws in another build of it
                subprocess.run([*pip, pin], check=True)
        subprocess.run([*pip, *PINS[name]], check=True)
        verify(name)
        return True
    return False
