"""The zip archive of a workbook, looked through before any parser sees it."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath

from kinsynth.errors import SourceError

_MAX_MEMBERS = 10_000
_MAX_RATIO = 100
_SMALL_BYTES = 1 << 24
_BLOCK_BYTES = 1 << 20
_ENCRYPTED_FLAG = 0x1
_LINK = 0o120000
_NESTED = (b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"7z\xbc\xaf")


def check_archive(path: Path, *, max_unpacked_bytes: int) -> None:
    """Refuse an archive that is damaged, encrypted or hostile; nothing is unpacked to disk.

    Args:
        path: The archive.
        max_unpacked_bytes: Most bytes of all members together, counted while unpacking.

    Raises:
        SourceError: ``source.archive`` names the reason.

    Guarantees:
        At most 10,000 members with plain, different names; no links, no archives inside; every
        member unpacks to the size and checksum its header says, at most 100 times its packed size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_names(members, path.name)
            unpacked = 0
            for member in members:
                unpacked += _unpack(archive, member, max_unpacked_bytes - unpacked, path.name)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        UnicodeDecodeError,
    ) as error:
        raise refused(path.name, f"its archive is damaged ({type(error).__name__})") from None


def refused(where: str, reason: str) -> SourceError:
    """Say why an archive is refused."""
    return SourceError(
        "source.archive",
        f"The workbook is refused: {reason}.",
        where=where,
        remedy="Save it again from a spreadsheet.",
    )


def _check_names(members: list[zipfile.ZipInfo], where: str) -> None:
    """Check what the directory of the archive says."""
    if len(members) > _MAX_MEMBERS:
        raise refused(where, f"its archive has {len(members):,} members, more than {_MAX_MEMBERS:,}")
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\0" in member.orig_filename:
            raise refused(where, "a member of its archive has an absolute name or one that leads outside")
        if (member.external_attr >> 16) & 0o170000 == _LINK:
            raise refused(where, "a member of its archive is a link")
        if member.flag_bits & _ENCRYPTED_FLAG:
            raise refused(where, "a member of its archive is encrypted")
    if any(count > 1 for count in Counter(member.filename.casefold() for member in members).values()):
        raise refused(where, "two members of its archive have the same name")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int, where: str) -> int:
    """Count a member's bytes while unpacking; its header is not believed."""
    size = 0
    limit = max(_SMALL_BYTES, _MAX_RATIO * member.compress_size)
    with archive.open(member) as handle:
        while block := handle.read(_BLOCK_BYTES):
            if size == 0 and block.startswith(_NESTED):
                raise refused(where, "its archive holds another archive")
            size += len(block)
            if size > room:
                raise refused(where, "it unpacks to more than source.max_unpacked_bytes")
            if size > limit:
                raise refused(
                    where, f"a member of its archive unpacks to more than {_MAX_RATIO} times its size"
                )
    if size != member.file_size:
        raise refused(where, "a member of its archive has another size than its header says")
    return size
