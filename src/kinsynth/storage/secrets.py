"""Secrets: passwords of other systems, encrypted in the records; they are written and used, never shown.

They are AES-256-GCM under a key that follows from that of the installation (HKDF-SHA256); id and purpose
are the associated data, so that no row's secret passes for another's.
"""

from __future__ import annotations

import base64
import binascii
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr
from sqlalchemy import Connection, delete, insert, select, update

from kinsynth.errors import InternalError
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.keys import BYTES, Key, Keys, tampered
from kinsynth.storage.records import Records
from kinsynth.storage.tables import secrets as rows

_NONCE = 12
_AT_ONCE = 100


def put(connection: Connection, keys: Keys, owner_id: str, purpose: str, text: SecretStr) -> str:
    """Keep a secret.

    Args:
        connection: In a writing transaction.
        keys: Keys of the installation; the newest encrypts.
        owner_id: Whose it is.
        purpose: What it is for, at most 40 letters.
        text: The secret.

    Returns:
        Its id.
    """
    secret_id, key = make_id("sec"), keys.newest
    connection.execute(
        insert(rows).values(
            id=secret_id,
            owner_id=owner_id,
            purpose=purpose,
            key_id=key.id,
            ciphertext=_encrypt(
                key, secret_id, purpose, text.get_secret_value().encode("utf-8", "surrogatepass")
            ),
            created_at=now(),
        )
    )
    return secret_id


def get(connection: Connection, keys: Keys, secret_id: str, purpose: str) -> SecretStr:
    """Give a secret, to be used and not to be shown.

    Raises:
        InternalError: ``secrets.missing``; ``keys.tampered``, the row was changed, or is of another purpose.
        UserError: ``keys.missing``, its key is not given any more.
    """
    found = connection.execute(
        select(rows.c.key_id, rows.c.ciphertext).where(rows.c.id == secret_id)
    ).one_or_none()
    if found is None:
        raise InternalError(
            "secrets.missing",
            "A secret that is named is not there.",
            where=secret_id,
            remedy="Write it again, or bring the records back from a backup.",
        )
    content = _decrypt(keys.find(found.key_id), secret_id, purpose, found.ciphertext)
    return SecretStr(content.decode("utf-8", "surrogatepass"))


def remove(connection: Connection, secret_id: str) -> None:
    """Remove a secret; nothing happens when it is not there."""
    connection.execute(delete(rows).where(rows.c.id == secret_id))


def reencrypt(records: Records, keys: Keys) -> int:
    """Encrypt with the newest key what older keys encrypt; after it they are not needed for secrets any more.

    Returns:
        How many secrets there were.

    Raises:
        UserError: ``keys.missing``; InternalError: ``keys.tampered``; what was done before stays done.
    """
    done = 0
    while found := _reencrypt_some(records, keys):
        done += found
    return done


def _reencrypt_some(records: Records, keys: Keys) -> int:
    with records.write() as connection:
        old = select(rows).where(rows.c.key_id != keys.newest.id).order_by(rows.c.id).limit(_AT_ONCE)
        found = connection.execute(old.with_for_update()).all()
        for row in found:
            content = _decrypt(keys.find(row.key_id), row.id, row.purpose, row.ciphertext)
            ciphertext = _encrypt(keys.newest, row.id, row.purpose, content)
            connection.execute(
                update(rows).where(rows.c.id == row.id).values(key_id=keys.newest.id, ciphertext=ciphertext)
            )
    return len(found)


def _encrypt(key: Key, secret_id: str, purpose: str, content: bytes) -> str:
    nonce = token_bytes(_NONCE)
    sealed = _cipher(key).encrypt(nonce, content, _place(secret_id, purpose))
    return base64.b64encode(nonce + sealed).decode()


def _decrypt(key: Key, secret_id: str, purpose: str, ciphertext: str) -> bytes:
    try:
        sealed = base64.b64decode(ciphertext, validate=True)
        return _cipher(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(secret_id, purpose))
    except (binascii.Error, ValueError, InvalidTag):
        raise tampered(secret_id) from None


def _cipher(key: Key) -> AESGCM:
    return AESGCM(HKDF(SHA256(), BYTES, salt=None, info=b"kinsynth secret").derive(key.secret))


def _place(secret_id: str, purpose: str) -> bytes:
    return f"{secret_id}\x00{purpose}".encode()
