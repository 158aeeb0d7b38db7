"""Counter-based random numbers: each depends only on its seed, stream, row and draw number.

No state travels between calls, so the size of a batch or the number of workers never changes a number.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 10
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = 0x9E3779B9
_WEYL_1 = 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_WORDS_AT_ONCE = 1 << 15

Words = NDArray[np.uint64]


def philox(counter_4R: Words, key: tuple[int, int]) -> Words:
    """Scramble 128-bit counters with a 64-bit key by Philox4x32-10.

    Args:
        counter_4R: Four 32-bit words of each counter, held in uint64, shape (4, R).
        key: Two 32-bit words.

    Returns:
        Four 32-bit words for each counter, shape (4, R), uint64.

    Sources:
        Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011, section 3.3.
    """
    word_0, word_1, word_2, word_3 = counter_4R
    for turn in range(_ROUNDS):
        key_0 = np.uint64((key[0] + turn * _WEYL_0) & 0xFFFFFFFF)
        key_1 = np.uint64((key[1] + turn * _WEYL_1) & 0xFFFFFFFF)
        product_0, product_1 = word_0 * _MULTIPLIER_0, word_2 * _MULTIPLIER_1
        word_0 = (product_1 >> _HALF) ^ word_1 ^ key_0
        word_2 = (product_0 >> _HALF) ^ word_3 ^ key_1
        word_1, word_3 = product_1 & _LOW, product_0 & _LOW
    return np.stack([word_0, word_1, word_2, word_3])


def stream_key(seed: int, stream: str) -> tuple[int, int]:
    """Give the key of a named stream of random numbers.

    Args:
        seed: Any integer.
        stream: Name of the use, such as ``orders.amount``; two names give independent numbers.
    """
    digest = hashlib.sha256(f"{seed}\x00{stream}".encode()).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")


def uniforms(seed: int, stream: str, row_ids: NDArray[np.int64], *, draws: int = 1) -> NDArray[np.float64]:
    """Give uniform numbers in [0, 1) for rows, 53 bits each.

    Args:
        seed: Any integer.
        stream: Name of the use.
        row_ids: Number of each row, shape (R,).
        draws: Numbers for each row.

    Returns:
        Uniform numbers, shape (R, draws).

    Guarantees:
        A number depends on its seed, stream, row number and draw number, on nothing else.

    >>> ids = np.array([5, 6])
    >>> bool((uniforms(1, "a", ids, draws=3)[1] == uniforms(1, "a", ids[1:], draws=9)[0, :3]).all())
    True
    """
    made_RD = np.empty((len(row_ids), draws))
    step = max(1, _WORDS_AT_ONCE // max(draws, 1))
    for start in range(0, len(row_ids), step):
        part = slice(start, start + step)
        made_RD[part] = _uniforms(stream_key(seed, stream), row_ids[part], draws)
    return made_RD


def _uniforms(key: tuple[int, int], row_ids: NDArray[np.int64], draws: int) -> NDArray[np.float64]:
    rows, blocks = len(row_ids), -(-draws // 2)
    id_R = np.ascontiguousarray(row_ids, dtype=np.int64).view(np.uint64)
    counter_4BR = np.zeros((4, blocks, rows), dtype=np.uint64)
    counter_4BR[0], counter_4BR[1] = id_R & _LOW, id_R >> _HALF
    counter_4BR[2] = np.arange(blocks, dtype=np.uint64)[:, None]
    words = philox(counter_4BR.reshape(4, -1), key).reshape(2, 2, blocks, rows)
    high, low = words[:, 0] >> np.uint64(5), words[:, 1] >> np.uint64(6)
    fraction_2BR = (high * np.uint64(1 << 26) + low).astype(np.float64) * 2.0**-53
    return fraction_2BR.transpose(2, 1, 0).reshape(rows, 2 * blocks)[:, :draws]
