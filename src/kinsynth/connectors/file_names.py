"""Names on disk and in workbooks: made from table names, safe, unique, the same every time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from kinsynth.connectors.headers import name_key

_UNSAFE_IN_FILE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]')
_UNSAFE_IN_SHEET = re.compile(r"[\x00-\x1f\x7f\[\]:*?/\\\ufffe\uffff]")
_DEVICES = re.compile(
    r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)(\..*)?", re.IGNORECASE
)
_FILE_BYTES = 200
_SHEET_UNITS = 31


def file_names(tables: Iterable[str]) -> dict[str, str]:
    """Give each table a file name without ending.

    Guarantees:
        No path separator, no control character, no reserved device name, at most 200 bytes,
        different from the others also where a file system ignores case and Unicode form.

    >>> file_names(["orders", "a/b", "CON", ".."])
    {'orders': 'orders', 'a/b': 'a_b', 'CON': 'CON_', '..': '_'}
    """
    return _unique(tables, _safe_file_name)


def sheet_names(tables: Iterable[str]) -> dict[str, str]:
    """Give each table a sheet name: at most 31 characters, none that spreadsheets forbid, unique.

    >>> sheet_names(["a/b", "A_B", "'x'"])
    {'a/b': 'a_b', 'A_B': 'A_B_2', "'x'": '_x_'}
    """
    return _unique(tables, _safe_sheet_name)


def _unique(tables: Iterable[str], safe: Callable[[str, str], str]) -> dict[str, str]:
    """Give safe names, numbered where two would be equal."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for table in tables:
        name, number = safe(table, ""), 1
        while name_key(name) in taken:
            number += 1
            name = safe(table, f"_{number}")
        taken.add(name_key(name))
        names[table] = name
    return names


def _safe_file_name(table: str, ending: str) -> str:
    name = _UNSAFE_IN_FILE.sub("_", unicodedata.normalize("NFC", table)).strip(" .") or "_"
    if _DEVICES.fullmatch(name):
        name += "_"
    return name.encode()[: _FILE_BYTES - len(ending)].decode(errors="ignore") + ending


def _safe_sheet_name(table: str, ending: str) -> str:
    name = _UNSAFE_IN_SHEET.sub("_", table).strip() or "_"
    name = re.sub(r"^'|'$", "_", name)
    if name.lower() == "history":
        name += "_"
    room = _SHEET_UNITS - len(ending)
    return name.encode("utf-16-le")[: 2 * room].decode("utf-16-le", errors="ignore").strip() + ending
