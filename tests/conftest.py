"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from kinsynth.service.people import passwords
from kinsynth.service.platform import Platform
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from people import make_platform
from postgresql import Cluster, find_programs, running_cluster

# How long an example takes says more about the machine than about the code.
settings.register_profile("kinsynth", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("KINSYNTH_EXAMPLES", "kinsynth"))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with real data sets; tests that need it are skipped, and say so, where it is missing."""
    root = Path(os.environ.get("KINSYNTH_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"real data sets not found at {root}; set KINSYNTH_DATA")
    return root


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server of this test process; tests that need it are skipped where none is installed."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs not found in /usr/lib/postgresql; install the package postgresql")
    with running_cluster(programs) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite'}"
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.make_database()


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    """A database with our tables, once of each kind."""
    found = Records(records_url)
    migrate(found)
    yield found
    found.close()


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hashes that cost nothing: what they cost is tested once, on its own."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def platform(records: Records, tmp_path: Path, cheap_passwords: None) -> Iterator[Platform]:
    """An installation, once on each kind of database."""
    found = make_platform(records, tmp_path)
    yield found
    found.analysts.close()
