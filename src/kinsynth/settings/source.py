"""Where originals are read."""

from __future__ import annotations

from typing import Literal

from kinsynth.settings.base import Settings, setting


class Source(Settings):
    """The files to read: each file is a table, each sheet of a workbook is a table."""

    kind: Literal["files", "memory", "database", "object_store"] = setting(
        "files",
        "Kind of source",
        "files reads paths; memory is used when tables are handed over in Python.",
        available_values=("files", "memory"),
    )
    paths: tuple[str, ...] = setting(
        (), "Paths", "Files or folders. Relative paths start at the folder of the document."
    )
    delimiter: Literal["auto", "comma", "semicolon", "tab"] = setting(
        "auto", "Delimiter", "Separator of cells in text files; auto decides for each file."
    )
    encoding: str = setting(
        "auto",
        "Encoding",
        "Encoding of text files, such as utf-8, utf-16, windows-1252, iso-8859-15; "
        "auto decides for each file.",
        advanced=True,
    )
    null_values: tuple[str, ...] = setting(
        ("",),
        "Missing value tokens",
        "Cells with exactly this text are missing. By default only the empty cell.",
    )
    ragged_rows: Literal["refuse", "pad"] = setting(
        "refuse",
        "Rows of other length",
        "refuse stops at rows with more or fewer cells than the header; "
        "pad fills short rows with missing values.",
        advanced=True,
    )
    duplicate_headers: Literal["refuse", "rename"] = setting(
        "refuse",
        "Equal or empty headers",
        "refuse stops at headers that are empty or equal but for case, space or Unicode form; "
        "rename numbers them.",
        advanced=True,
    )
    max_cell_bytes: int = setting(
        1_048_576,
        "Largest cell (bytes)",
        "A cell above this size is refused.",
        ge=1,
        unit="bytes",
        advanced=True,
    )
    max_columns: int = setting(
        5_000,
        "Most columns",
        "A table with more columns is refused.",
        ge=1,
        le=100_000,
        unit="columns",
        advanced=True,
    )
    max_cells: int = setting(
        200_000_000,
        "Most cells in a workbook",
        "A workbook that claims more cells is refused.",
        ge=1,
        unit="cells",
        advanced=True,
    )
    max_unpacked_bytes: int = setting(
        2_147_483_648,
        "Largest unpacked workbook (bytes)",
        "A workbook that unpacks to more is refused.",
        ge=1,
        unit="bytes",
        advanced=True,
    )
    parse_memory_bytes: int = setting(
        8_589_934_592,
        "Memory for parsing (bytes)",
        "Limit of the child process that parses a file.",
        ge=268_435_456,
        unit="bytes",
        advanced=True,
    )
    parse_timeout_s: int = setting(
        1_800,
        "Time for parsing (s)",
        "Limit of the child process that parses a file.",
        ge=1,
        unit="seconds",
        advanced=True,
    )
