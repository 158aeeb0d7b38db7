"""An encrypted stream gives its content back, or says that it was changed."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from kinsynth.errors import InternalError, UserError
from kinsynth.storage.cipher import CHUNK, HEADER, seal, unseal
from kinsynth.storage.keys import Key, Keys
from storage.storage_toys import make_keys

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5]


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def sealed(plain: bytes, key: Key | None) -> bytes:
    return b"".join(seal(io.BytesIO(plain).read, key))


def unsealed(stream: bytes, keys: Keys) -> bytes:
    return b"".join(unseal(io.BytesIO(stream).read, keys, "it"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_content_of_any_size_comes_back(tmp_path: Path, size: int, encrypted: bool) -> None:
    keys = make_keys(tmp_path)
    stream = sealed(content(size), keys.newest if encrypted else None)
    assert unsealed(stream, keys) == content(size)
    if encrypted and size > 100:
        assert content(size)[:50] not in stream


def test_two_streams_of_one_content_differ(tmp_path: Path) -> None:
    key = make_keys(tmp_path).newest
    assert sealed(content(100), key) != sealed(content(100), key)


def refused(stream: bytes, keys: Keys) -> bool:
    """Whether it is refused; what else could happen is that another content comes out."""
    try:
        unsealed(stream, keys)
    except (InternalError, UserError) as error:
        return error.code in {"keys.tampered", "keys.missing"}
    return False


def test_a_change_of_any_byte_is_noticed(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    stream = sealed(content(300), keys.newest)
    for place in range(len(stream)):
        changed = bytearray(stream)
        changed[place] ^= 1
        assert refused(bytes(changed), keys), place


def chunks_of(stream: bytes) -> list[bytes]:
    size = CHUNK + 16
    return [stream[start : start + size] for start in range(HEADER, len(stream), size)]


def test_chunks_cannot_be_swapped_left_out_doubled_or_cut(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    stream = sealed(content(3 * CHUNK + 5), keys.newest)
    header, (a, b, c, d) = stream[:HEADER], chunks_of(stream)
    assert unsealed(header + a + b + c + d, keys) == content(3 * CHUNK + 5)
    for parts in (
        [b, a, c, d],
        [a, c, d],
        [a, b, c],
        [a, b, c, d, d],
        [a, b, b, d],
        [a, a, b, c, d],
        [d],
        [],
    ):
        assert refused(header + b"".join(parts), keys)
    for cut in (1, 16, 17, CHUNK, 2 * CHUNK):
        assert refused(stream[:-cut], keys)
    assert refused(stream + b"x", keys)
    assert refused(stream[: HEADER - 1], keys)


def test_chunks_of_another_stream_under_the_same_key_are_noticed(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    one, other = (sealed(content(size), keys.newest) for size in (2 * CHUNK, 2 * CHUNK + 1))
    assert refused(one[:HEADER] + chunks_of(other)[0] + chunks_of(one)[1], keys)


def test_an_old_key_still_reads_and_a_lost_key_is_named(tmp_path: Path) -> None:
    old = make_keys(tmp_path)
    stream = sealed(b"kept", old.newest)
    rotated = make_keys(tmp_path)
    assert rotated.newest != old.newest
    assert unsealed(stream, rotated) == b"kept"
    with pytest.raises(UserError, match=old.newest.id) as caught:
        unsealed(stream, Keys(rotated.all[:1], encrypts_files=True))
    assert caught.value.code == "keys.missing"
