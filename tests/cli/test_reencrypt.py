"""``kinsynth reencrypt``: after a new key the old one is needed for no secret."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import insert

from cli.conftest import Call
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.clock import now
from kinsynth.storage.keys import load_keys, make_key
from kinsynth.storage.records import Records
from kinsynth.storage.secrets import get, put
from kinsynth.storage.tables import users


def test_secrets_are_encrypted_with_the_newest_key(call: Call, tmp_path: Path) -> None:
    deployment = Deployment(data=tmp_path / "kinsynth-data")
    assert call("reencrypt").out.startswith("Encrypted 0 secrets with key ")
    records, path = Records(deployment.database_url), deployment.data / "keys"
    somebody = {"id": "usr_1", "email": "a@example.org", "name": "A", "role": "user", "status": "active"}
    with records.write() as connection:
        connection.execute(insert(users).values(**somebody, created_at=now(), updated_at=now()))
        secret_id = put(connection, load_keys(deployment), "usr_1", "test", SecretStr("very secret"))
    path.write_text(f"{make_key()}\n{path.read_text()}")
    ended = call("reencrypt")
    newest = load_keys(deployment).newest.id
    assert (ended.code, ended.out.strip()) == (0, f"Encrypted 1 secrets with key {newest}.")
    path.write_text(path.read_text().splitlines()[0])
    with records.read() as connection:
        assert get(connection, load_keys(deployment), secret_id, "test").get_secret_value() == "very secret"
    records.close()
