"""Streams of encrypted chunks: none can be changed, swapped, left out or cut without notice.

A stream is a header and chunks. The header holds the key's id and a salt; from key and salt follows the key
of this stream alone (HKDF-SHA256). Each chunk of 1 MiB is AES-256-GCM under it; its number, and whether it is
the last, are its nonce and its associated data. A stream without encryption has the header of no key.

Sources:
    Hoang, Reyhanitabar, Rogaway, Vizar, "Online authenticated-encryption and its nonce-reuse
    misuse-resistance", 2015 (STREAM); the derived keys are those of Tink's AES-GCM-HKDF streams.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kinsynth.storage.keys import BYTES, NO_KEY, Key, Keys, tampered

CHUNK = 1 << 20
_MAGIC = b"kinsynth\x01"
_TAG, _SALT, _ID = 16, 32, 16
HEADER = len(_MAGIC) + _ID + _SALT

Read = Callable[[int], bytes]  # gives exactly so many bytes, fewer only at the end


def seal(read: Read, key: Key | None) -> Iterator[bytes]:
    """Give a stream for a content.

    Args:
        read: Gives the next bytes of the content.
        key: The key, None for a stream that is not encrypted.
    """
    salt = secrets.token_bytes(_SALT)
    header = _MAGIC + (key.id if key else NO_KEY).encode() + salt
    yield header
    if key is None:
        yield from iter(lambda: read(CHUNK), b"")
        return
    cipher, number, chunk, last = _cipher(key, header), 0, read(CHUNK), False
    while not last:
        following = read(CHUNK) if len(chunk) == CHUNK else b""
        last = not following
        place = _place(number, last=last)
        yield cipher.encrypt(place, chunk, place)
        number, chunk = number + 1, following


def unseal(read: Read, keys: Keys, where: str) -> Iterator[bytes]:
    """Give the content of a stream, chunk by chunk.

    Args:
        read: Gives the next bytes of the stream.
        keys: Keys it may be encrypted with.
        where: Name of the stream, for errors.

    Raises:
        InternalError: ``keys.tampered``, the stream is not what ``seal`` gave. What was given before is
            nevertheless the start of the content.
        UserError: ``keys.missing``.
    """
    header = read(HEADER)
    if len(header) != HEADER or not header.startswith(_MAGIC):
        raise tampered(where)
    key_id = header[len(_MAGIC) : len(_MAGIC) + _ID].decode("ascii", errors="replace")
    if key_id == NO_KEY:
        yield from iter(lambda: read(CHUNK), b"")
        return
    cipher, number, chunk, last = _cipher(keys.find(key_id), header), 0, read(CHUNK + _TAG), False
    while not last:
        following = read(CHUNK + _TAG) if len(chunk) == CHUNK + _TAG else b""
        last = not following
        place = _place(number, last=last)
        try:
            yield cipher.decrypt(place, chunk, place)
        except InvalidTag:
            raise tampered(where) from None
        number, chunk = number + 1, following


def _cipher(key: Key, header: bytes) -> AESGCM:
    derived = HKDF(SHA256(), BYTES, salt=header[-_SALT:], info=b"kinsynth stream\x00" + header)
    return AESGCM(derived.derive(key.secret))


def _place(number: int, *, last: bool) -> bytes:
    """Give where a chunk stands, 12 bytes: used once under a stream's key, so it is the nonce, too."""
    return number.to_bytes(11, "big") + bytes([last])
