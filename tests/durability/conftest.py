"""Installations that start with nothing, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from durability.installed_runs import Fresh
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from postgresql import Cluster


@pytest.fixture
def fresh(request: pytest.FixtureRequest, records_url: str, tmp_path: Path) -> Fresh:
    """Give an empty folder and a new database of the same kind, for each name."""

    @contextmanager
    def make(name: int | str) -> Iterator[tuple[Records, Path]]:
        folder = tmp_path / f"{name}"
        folder.mkdir()
        url = f"sqlite:///{folder / 'records.sqlite'}"
        if not records_url.startswith("sqlite"):
            cluster: Cluster = request.getfixturevalue("postgresql")
            url = cluster.make_database()
        records = Records(url)
        migrate(records)
        yield records, folder
        records.close()

    return make
