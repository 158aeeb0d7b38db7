"""The scripts that drive an installation from upload to download do so, with curl and with Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import People, running_server

from shop_database import write_shops

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DRIVERS = {
    "curl": [str(EXAMPLES / "platform.sh")],
    "python": [sys.executable, str(EXAMPLES / "platform_client.py")],
}


@pytest.fixture
def access(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables of somebody with a token at a running installation."""
    (tmp_path / "installation").mkdir()
    with running_server(tmp_path / "installation") as (address, setup, _):
        people = People(address, setup, count=1)
        people.admin.close()
        yield {"KINSYNTH_SERVER": address, "KINSYNTH_TOKEN": people.tokens[0]}


@pytest.mark.slow
@pytest.mark.parametrize("driver", DRIVERS)
def test_the_shops_are_synthesised(access: dict[str, str], tmp_path: Path, driver: str) -> None:
    write_shops(tmp_path / "shops")
    drive(driver, tmp_path / "shops", "region", access, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("driver", DRIVERS)
def test_the_bank_is_synthesised(
    access: dict[str, str], data_root: Path, tmp_path: Path, driver: str
) -> None:
    drive(driver, data_root / "berka", "district", access, tmp_path)


def drive(driver: str, folder: Path, original: str, access: dict[str, str], place: Path) -> None:
    """Run one of them; its download holds a file for every table of the folder."""
    if driver == "curl" and not (shutil.which("curl") and shutil.which("jq")):
        pytest.skip("curl or jq not found")
    done = subprocess.run(
        [*DRIVERS[driver], str(folder), str(place / "results"), original],
        env={**os.environ, **access, "EPOCHS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (place / "results" / "report.pdf").read_bytes().startswith(b"%PDF-")
    packed = next((place / "results").glob("*.zip"))
    with zipfile.ZipFile(packed) as tables:
        found = {Path(name).stem for name in tables.namelist()}
    assert found >= {path.stem for path in folder.glob("*.csv")}
