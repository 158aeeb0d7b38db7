"""The encoding of a text file: decided from its bytes, the same way every time, and proven on all of them."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from kinsynth.errors import SourceError

_BLOCK_BYTES = 1 << 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEXT_ENCODINGS = re.compile(
    r"utf-(8(-sig)?|16(-[lb]e)?|32(-[lb]e)?)|ascii|iso8859-\d+|cp\d+|koi8-[ru]|mac-\w+|shift_jis|euc_\w+|gb\w+|big5"
)
_MULTI_BYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf1-\xf4][\x80-\xbf]{3}")


def find_encoding(path: Path, declared: str = "auto") -> str:
    """Find the encoding in which the whole file can be read.

    A byte order mark decides. Without one, NUL in every second byte means UTF-16; a file that is
    valid UTF-8 is UTF-8; a file without any multi-byte UTF-8 sequence is Windows-1252; a file with
    both kinds of bytes is mixed and refused. ISO-8859-15 and others must be declared.

    Args:
        path: The file.
        declared: The user's word, or ``auto``.

    Returns:
        Python's name of the encoding.

    Raises:
        SourceError: The file cannot be read in one encoding; the byte offset is named.
    """
    with path.open("rb") as handle:
        sample = handle.read(_BLOCK_BYTES)
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if sample.startswith(mark)), None)
    encoding = marked or _utf_16_without_mark(sample)
    if declared != "auto":
        encoding = _reconcile(path, declared, marked=marked)
    if encoding is None:
        offset = _first_bad_byte(path, "utf-8")
        if offset is None:
            return "utf-8"
        _refuse_mixed(path, offset)
        encoding = "cp1252"
    offset = _first_bad_byte(path, encoding)
    if offset is not None:
        raise SourceError(
            "source.encoding",
            f"Byte {offset:,} does not fit the encoding {encoding}.",
            where=path.name,
            remedy="Declare source.encoding, or save the file as UTF-8.",
        )
    return encoding


def _reconcile(path: Path, declared: str, *, marked: str | None) -> str:
    """Check the declared encoding against the file's byte order mark, and give the one to read with."""
    encoding = _known(path, declared)
    if marked is None:
        return encoding
    if encoding.split("-")[:2] != marked.split("-")[:2]:
        raise SourceError(
            "source.encoding",
            f"source.encoding={declared}, but the file starts with the mark of {marked}.",
            where=path.name,
            remedy="Set source.encoding to auto.",
        )
    return marked


def _known(path: Path, declared: str) -> str:
    """Give Python's name of a text encoding."""
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        name = ""
    if not _TEXT_ENCODINGS.fullmatch(name):
        raise SourceError(
            "source.encoding_unknown",
            f"source.encoding={declared} is not an encoding of text files.",
            where=path.name,
            remedy="Use a name such as utf-8, utf-16, windows-1252 or iso-8859-15.",
        )
    return name


def _utf_16_without_mark(sample: bytes) -> str | None:
    """Recognise UTF-16 by the NUL that Latin letters have in one half of their bytes, and by its line ends.

    A file whose cells are full of NUL has line ends of one byte: read as UTF-16 they would be other letters.
    """
    half = len(sample) // 2
    if half < 4 or len(sample) % 2:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.3 and even < 0.05:
        return "utf-16-le" if _ends_lines(sample, b"\n\0") else None
    if even > 0.3 and odd < 0.05:
        return "utf-16-be" if _ends_lines(sample, b"\0\n") else None
    return None


def _ends_lines(sample: bytes, end: bytes) -> bool:
    """Tell whether line feeds stand as units of two bytes; true where there is none."""
    first, second = sample[0::2], sample[1::2]
    units = sum((one, two) == (end[0], end[1]) for one, two in zip(first, second, strict=True))
    return units >= sample.count(b"\n") - units


def _first_bad_byte(path: Path, encoding: str) -> int | None:
    """Decode the whole file and give the offset of the first byte that cannot be; None when all can."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    with path.open("rb") as handle:
        while True:
            block = handle.read(_BLOCK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return offset - pending + error.start
            if not block:
                return None
            offset += len(block)


def _refuse_mixed(path: Path, offset: int) -> None:
    """Refuse a file that is not UTF-8 and yet has multi-byte UTF-8 letters in it."""
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK_BYTES):
            if _MULTI_BYTE.search(block):
                raise SourceError(
                    "source.encoding_mixed",
                    f"The file mixes UTF-8 with another encoding; byte {offset:,} is the first that is not "
                    "UTF-8.",
                    where=path.name,
                    remedy="Save the file in one encoding, or declare source.encoding.",
                )
