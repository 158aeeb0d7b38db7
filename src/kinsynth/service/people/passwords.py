"""Passwords: what is accepted, and hashes that are slow to guess against (Argon2id)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from kinsynth.errors import SettingsError, TransientError

SHORTEST, LONGEST = 12, 200
_ROOTS = (
    "password passwort motdepasse contrasena qwerty qwertz azerty letmein welcome admin administrator "
    "iloveyou sunshine princess football baseball dragon monkey master shadow superman batman trustno "
    "starwars whatever computer internet samsung michael jessica charlie jordan hunter ginger summer "
    "winter spring autumn january december secret changeme default company synthetic kinsynth database"
)
_DIGITS_FOR_LETTERS = str.maketrans("@4301$5", "aaeolss")
_ROWS = ("1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm")
_LEAST_LEFT = 6  # a year and a sign are not enough
_PASSES = 3  # second recommended set of RFC 9106: 64 MiB, 3 passes
_MEMORY_KIB = 65_536
_AT_ONCE = 2  # each needs the memory above
_PATIENCE_S = 10.0

_hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=1)
_seats = threading.BoundedSemaphore(_AT_ONCE)


def check_password(password: str, *, email: str = "", name: str = "") -> None:
    """Refuse a password that is short, among those people try first, or says who it belongs to.

    Raises:
        SettingsError: ``passwords.short``, ``passwords.long``, ``passwords.common``.
    """
    if len(password) < SHORTEST:
        raise SettingsError(
            "passwords.short",
            f"A password has at least {SHORTEST} characters.",
            where="password",
            remedy="Take a longer one: four or five words make a good one.",
        )
    if len(password) > LONGEST:
        raise SettingsError(
            "passwords.long",
            f"A password has at most {LONGEST} characters.",
            where="password",
            remedy="Take a shorter one.",
        )
    if _is_common(password, (email.partition("@")[0], email, *name.split())):
        raise SettingsError(
            "passwords.common",
            "The password is among those that are tried first.",
            where="password",
            remedy="Take words that have nothing to do with each other or with you.",
        )


def _is_common(password: str, own: tuple[str, ...]) -> bool:
    """Tell whether hardly anything is left of a password without what people commonly build them from.

    Common words and the person's own names are worth nothing wherever they stand, also with digits for
    letters; neither are repetitions, nor letters that follow each other in the alphabet or on a keyboard.
    """
    written = password.lower()
    read = written.translate(_DIGITS_FOR_LETTERS)
    for word in sorted(
        {*_ROOTS.split(), *(one.lower() for one in own if len(one) > 2)}, key=len, reverse=True
    ):
        while (at := read.find(word)) >= 0:
            read, written = (text[:at] + text[at + len(word) :] for text in (read, written))
    return len(set(password)) < 5 or len(_without_runs(written)) < _LEAST_LEFT


def _without_runs(text: str) -> str:
    """Leave out each letter that repeats the one before it, or is its neighbour.

    >>> _without_runs("aabcx987qwert")
    'a9q'
    """
    return "".join(
        letter
        for before, letter in zip("\0" + text, text, strict=False)
        if not _are_neighbours(before, letter)
    )


def _are_neighbours(before: str, letter: str) -> bool:
    pair = before + letter
    return abs(ord(letter) - ord(before)) <= 1 or any(pair in row or pair[::-1] in row for row in _ROWS)


def hash_password(password: str) -> str:
    """Give the hash that is stored.

    Raises:
        TransientError: ``passwords.busy``, too many others are waiting.
    """
    with _seat():
        return _hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is right. An account without one takes as long, and is never right.

    Raises:
        TransientError: ``passwords.busy``, too many others are waiting.
    """
    with _seat():
        try:
            _hasher.verify(password_hash or _nobodys_hash(), password)
        except (VerifyMismatchError, InvalidHashError):
            return False
        return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("of an account that does not exist")


@contextmanager
def _seat() -> Iterator[None]:
    """Hash a few passwords at a time: a hundred at once would take gigabytes."""
    if not _seats.acquire(timeout=_PATIENCE_S):
        raise TransientError(
            "passwords.busy", "Many people are signing in at this moment.", remedy="Try again in a minute."
        )
    try:
        yield
    finally:
        _seats.release()
