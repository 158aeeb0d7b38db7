"""What a file is, by its first bytes; its ending must say the same."""

from __future__ import annotations

from pathlib import Path

from kinsynth.errors import SourceError

START_BYTES = 512  # enough to know a kind by
TEXT, PARQUET, ZIP, OLE = "text", "parquet", "zip", "ole"
ENDINGS = {
    ".csv": TEXT,
    ".tsv": TEXT,
    ".tab": TEXT,
    ".parquet": PARQUET,
    ".xlsx": ZIP,
    ".xlsm": ZIP,
    ".xlsb": ZIP,
    ".ods": ZIP,
    ".xls": OLE,
}
_COMPRESSED = {".gz", ".bz2", ".zst", ".xz", ".lz4", ".br", ".z", ".zip", ".7z", ".rar", ".tar", ".tgz"}
_SIGNATURES = (
    (b"PAR1", PARQUET),
    (b"PARE", PARQUET),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"\xfd7zXZ\0", "xz"),
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"\x7fELF", "program"),
    (b"ARROW1", "Arrow"),
    (b"SQLite format 3\0", "SQLite"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<script", b"<head", b"<svg", b"{\\rtf")


def is_compressed_name(path: Path) -> bool:
    """Tell whether the ending names a compressed file or an archive."""
    return path.suffix.lower() in _COMPRESSED


def kind_of_content(path: Path) -> str:
    """Name what the first bytes of a file say it is; text when they say nothing else."""
    with path.open("rb") as handle:
        return kind_of_bytes(handle.read(START_BYTES))


def kind_of_bytes(start: bytes) -> str:
    """Name what the first bytes of a file say it is.

    >>> kind_of_bytes(b"%PDF-1.7"), kind_of_bytes(b"id,name")
    ('PDF', 'text')
    """
    for signature, kind in _SIGNATURES:
        if start.startswith(signature):
            return kind
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "markup" if bare.startswith(_MARKUP) else TEXT


def check_content(path: Path) -> None:
    """Refuse a file whose content is not what its ending says.

    Raises:
        SourceError: The file is compressed, encrypted, or of another kind than its ending says.
    """
    with path.open("rb") as handle:
        check_start(path.name, handle.read(START_BYTES))


def check_start(name: str, start: bytes) -> None:
    """Refuse a file by its name and first bytes; errors as of ``check_content``."""
    ending = Path(name).suffix
    expected, found = ENDINGS[ending.lower()], kind_of_bytes(start)
    if found in {"gzip", "bzip2", "zstandard", "xz"}:
        raise SourceError(
            "source.compressed",
            f"The file is compressed ({found}).",
            where=name,
            remedy="Unpack it first.",
        )
    if expected == ZIP and found == OLE:
        raise encrypted(name)
    if not start:
        raise SourceError("source.empty", "The file is empty.", where=name, remedy="Leave it out.")
    if found != expected:
        raise SourceError(
            "source.wrong_type",
            f"The ending {ending} stands for {expected}, but the content is {found}.",
            where=name,
            remedy="Give the file its right ending, or leave it out.",
        )


def encrypted(where: str) -> SourceError:
    """Say that a workbook is encrypted."""
    return SourceError(
        "source.encrypted",
        "The workbook is encrypted or protected with a password to open it.",
        where=where,
        remedy="Save it without a password.",
    )
