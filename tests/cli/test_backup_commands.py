"""``kinsynth backup`` and ``kinsynth restore``: an installation in a file, and back."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, select

from cli.conftest import Call
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.clock import now
from kinsynth.storage.records import Records
from kinsynth.storage.tables import condemned, users


def test_an_installation_comes_back_and_what_its_store_had_is_known(call: Call, tmp_path: Path) -> None:
    deployment = Deployment(data=tmp_path / "kinsynth-data")
    assert call("reencrypt").code == 0, "any command makes the tables"
    records = Records(deployment.database_url)
    somebody = {"id": "usr_1", "email": "a@example.org", "name": "A", "role": "user", "status": "active"}
    with records.write() as connection:
        connection.execute(insert(users).values(**somebody, created_at=now(), updated_at=now()))
    records.close()
    made = call("backup", str(tmp_path / "it.tar"))
    assert made.code == 0
    assert " 0 files, 0 bytes." in made.out
    deployment.data.rename(tmp_path / "first")
    stranger = deployment.data / "artefacts" / "original" / "ab" / f"{'ab' * 32}.{'0' * 16}"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"left by a restore that was cut short")
    assert call("restore", str(tmp_path / "it.tar")).code == 0
    records = Records(deployment.database_url)
    with records.read() as connection:
        assert connection.execute(select(users.c.email)).scalars().all() == ["a@example.org"]
        (blob,) = connection.execute(select(condemned.c.blob)).scalars()
        assert blob == f"original/ab/{stranger.name}", "to be collected"
    records.close()
    again = call("restore", str(tmp_path / "it.tar"))
    assert again.code != 0
    assert "backup.not_empty" in again.err
