"""Cells of a source are nowhere to be found once its execution has ended, but where they are encrypted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from durability.installed_runs import installation
from kinsynth.storage.records import Records
from shop_database import SHOPS, write_shops

_CHANCE = random.Random(5)
CANARIES = ["".join(_CHANCE.choices("bcdfghjklmnpqrstvwxz", k=_CHANCE.randint(8, 19))) for _ in range(SHOPS)]


def write_canaries(folder: Path) -> None:
    """Write a source whose shops have names that nobody else has, each of its own kind."""
    write_shops(folder)
    shops = (folder / "shop.csv").read_text().splitlines()
    rows = [f"{row},{canary}" for row, canary in zip(shops[1:], CANARIES, strict=True)]
    (folder / "shop.csv").write_text("\n".join([f"{shops[0]},name", *rows]) + "\n")


def holds_one(content: bytes) -> bool:
    """Whether a canary is in it."""
    return any(canary.encode() in content for canary in CANARIES)


def hits(folder: Path) -> list[str]:
    """Give the files below a folder in which a canary is."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.relative_to(folder).as_posix() for path in files if holds_one(path.read_bytes())]


@pytest.mark.slow
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fails", [False, True])
def test_no_cell_is_left_in_records_store_log_or_scratch(
    records: Records, tmp_path: Path, fails: bool
) -> None:
    write_canaries(tmp_path / "source")
    assert hits(tmp_path / "source") == ["shop.csv"]
    with installation(records, tmp_path / "here", tmp_path / "source") as found:
        columns = {"name": {"type": "numeric"}} if fails else {}
        document = found.quick(tables={"region": {"original": True}, "shop": {"columns": columns}})
        execution_id = found.add_execution(document=document)
        worker = found.start_worker()
        found.wait_for(execution_id, "succeeded", "failed")
        found.wait_cleared(execution_id)
        assert found.row(execution_id).status == ("failed" if fails else "succeeded")
        worker.terminate()
        worker.wait(20)
        assert hits(tmp_path / "here") == []
        assert hits(tmp_path / "source") == ["shop.csv"], "the search finds what is there"
        dump = "\n".join(connection_dump(records))
        assert "shop" in dump
        assert not holds_one(dump.encode())
        assert not any(holds_one(content) for content in found.results(execution_id).values())


def connection_dump(records: Records) -> list[str]:
    """Give the whole database as text."""
    with records.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        return list(raw.iterdump())
