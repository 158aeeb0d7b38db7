"""Column names of a source: unique, not empty, otherwise as they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from kinsynth.errors import SourceError


def name_key(name: str) -> str:
    """Give what two names share when they differ only by case, space or Unicode form.

    >>> name_key(" Größe  cm") == name_key("gro\u0308sse CM")
    True
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", " ".join(folded.split()))


def renamed(names: Sequence[str]) -> list[str]:
    """Number the names that are empty or equal to an earlier one; leave the others.

    >>> renamed(["a", "", "A", "a"])
    ['a', 'column_2', 'A_2', 'a_3']
    """
    taken = {name_key(name) for name in names}
    seen: set[str] = set()
    result = []
    for position, name in enumerate(names, start=1):
        key, new = name_key(name), name
        if not key or key in seen:
            new = _numbered(name if key else "column", taken, start=2 if key else position)
        seen.add(name_key(new))
        taken.add(name_key(new))
        result.append(new)
    return result


def _numbered(name: str, taken: set[str], *, start: int) -> str:
    number = start
    while name_key(f"{name}_{number}") in taken:
        number += 1
    return f"{name}_{number}"


def check_headers(names: Sequence[str], *, where: str, duplicates: str, max_columns: int) -> list[str]:
    """Give the names under which columns are kept.

    Args:
        names: Headers as found.
        where: File or table, for messages.
        duplicates: ``refuse`` or ``rename``.
        max_columns: Most columns.

    Raises:
        SourceError: Too many columns, a name with NUL, or names that are empty or equal but for
            case, space or Unicode form; the message proposes other names.
    """
    if len(names) > max_columns:
        raise SourceError(
            "source.too_many_columns",
            f"{len(names):,} columns; at most {max_columns:,} are read.",
            where=where,
            remedy="Raise source.max_columns, or leave columns out.",
        )
    if any("\0" in name for name in names):
        raise SourceError(
            "source.header", "A column name contains a NUL character.", where=where, remedy="Rename it."
        )
    proposal = renamed(names)
    changed = [
        (position, new)
        for position, (old, new) in enumerate(zip(names, proposal, strict=True), 1)
        if old != new
    ]
    if changed and duplicates == "refuse":
        listed = ", ".join(f"column {position}: {new}" for position, new in changed[:20])
        raise SourceError(
            "source.headers",
            f"{len(changed):,} column names are empty, or equal to another but for case, space or Unicode "
            "form.",
            where=where,
            remedy=f"Rename them, or set source.duplicate_headers to rename, which gives: {listed}.",
        )
    return proposal
