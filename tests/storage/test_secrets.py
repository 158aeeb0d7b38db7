"""Secrets in the records: only with the right key, as the right secret, for the right purpose."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, insert, select, update

from kinsynth.errors import InternalError, KinsynthError, UserError
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.keys import Keys
from kinsynth.storage.records import Records
from kinsynth.storage.secrets import get, put, reencrypt, remove
from kinsynth.storage.tables import secrets, users
from storage.storage_toys import make_keys

TEXT = SecretStr("höchst geheim")


@pytest.fixture
def owner(records: Records) -> str:
    user_id = make_id("usr")
    said = {"id": user_id, "email": "a@example.org", "name": "A", "role": "user", "status": "active"}
    with records.write() as connection:
        connection.execute(insert(users).values(**said, created_at=now(), updated_at=now()))
    return user_id


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return make_keys(tmp_path)


def keep(records: Records, keys: Keys, owner: str, text: SecretStr = TEXT, purpose: str = "password") -> str:
    with records.write() as connection:
        return put(connection, keys, owner, purpose, text)


def use(records: Records, keys: Keys, secret_id: str, purpose: str = "password") -> str:
    with records.read() as connection:
        return get(connection, keys, secret_id, purpose).get_secret_value()


@pytest.mark.parametrize("text", ["", "höchst geheim", "\x00\n" * 5000])
def test_a_secret_comes_back_and_is_nowhere_in_clear(
    records: Records, keys: Keys, owner: str, text: str
) -> None:
    secret_id = keep(records, keys, owner, SecretStr(text))
    assert use(records, keys, secret_id) == text
    with records.read() as connection:
        row = connection.execute(select(secrets)).one()
    if text:
        assert text.encode() not in base64.b64decode(row.ciphertext)
        assert text not in repr(row)


def test_it_is_not_shown_where_it_is_used(records: Records, keys: Keys, owner: str) -> None:
    with records.write() as connection:
        secret_id = put(connection, keys, owner, "password", TEXT)
        assert "geheim" not in repr(get(connection, keys, secret_id, "password"))
        assert all(
            key.secret.hex() not in repr(keys) and repr(key.secret) not in repr(keys) for key in keys.all
        )


def test_the_same_text_twice_looks_different(records: Records, keys: Keys, owner: str) -> None:
    for _ in range(2):
        keep(records, keys, owner)
    with records.read() as connection:
        assert len({*connection.execute(select(secrets.c.ciphertext)).scalars()}) == 2


def change(connection: Connection, secret_id: str, ciphertext: str) -> None:
    connection.execute(update(secrets).where(secrets.c.id == secret_id).values(ciphertext=ciphertext))


def test_every_change_of_a_row_is_noticed(records: Records, keys: Keys, owner: str) -> None:
    first, second = keep(records, keys, owner), keep(records, keys, owner, SecretStr("another"))
    with records.read() as connection:
        kept = dict(connection.execute(select(secrets.c.id, secrets.c.ciphertext)).all())  # type: ignore[arg-type]
    whole = base64.b64decode(kept[first])
    changed = [bytes([*whole[:at], whole[at] ^ 1, *whole[at + 1 :]]) for at in range(len(whole))]
    cut = [whole[:-1], whole[:12], whole[:5], b"", whole + b"x"]
    wrong = [base64.b64encode(one).decode() for one in changed + cut] + ["no base64!", kept[second]]
    for ciphertext in wrong:
        with records.write() as connection:
            change(connection, first, ciphertext)
        with pytest.raises(InternalError) as caught:
            use(records, keys, first)
        assert caught.value.code == "keys.tampered"
        assert "geheim" not in str(caught.value)
    with records.write() as connection:
        change(connection, first, kept[first])
    assert use(records, keys, first) == TEXT.get_secret_value()


def test_a_secret_is_not_used_for_another_purpose(records: Records, keys: Keys, owner: str) -> None:
    secret_id = keep(records, keys, owner)
    with pytest.raises(InternalError):
        use(records, keys, secret_id, "token")


def test_a_removed_secret_is_missing(records: Records, keys: Keys, owner: str) -> None:
    secret_id = keep(records, keys, owner)
    with records.write() as connection:
        remove(connection, secret_id)
        remove(connection, secret_id)
    with pytest.raises(KinsynthError) as caught:
        use(records, keys, secret_id)
    assert caught.value.code == "secrets.missing"


def test_after_a_rotation_the_old_key_is_needed_until_all_are_encrypted_again(
    records: Records, keys: Keys, owner: str, tmp_path: Path
) -> None:
    ids = [keep(records, keys, owner, SecretStr(f"secret {number}")) for number in range(103)]
    rotated = make_keys(tmp_path)
    only_new = Keys(rotated.all[:1], encrypts_files=True)
    assert use(records, rotated, ids[0]) == "secret 0"
    with pytest.raises(UserError) as caught:
        use(records, only_new, ids[0])
    assert caught.value.code == "keys.missing"
    with pytest.raises(UserError):
        reencrypt(records, only_new)
    assert use(records, keys, ids[0]) == "secret 0"
    assert (reencrypt(records, rotated), reencrypt(records, rotated)) == (103, 0)
    assert [use(records, only_new, one) for one in ids] == [f"secret {number}" for number in range(103)]
    with pytest.raises(UserError):
        use(records, keys, ids[0])
