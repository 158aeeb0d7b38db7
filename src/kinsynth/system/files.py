"""Writes that are whole or absent, and digests of what was written."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from kinsynth.errors import UserError
from kinsynth.system import crash


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def commit(temporary: Path, final: Path) -> None:
    """Give a finished file, or folder with all it holds, its final name.

    Guarantees:
        After a power cut the final name holds the whole content or does not exist.
    """
    for part in (*temporary.rglob("*"), temporary):
        if part.is_dir():
            sync_folder(part)
        else:
            with part.open("rb") as handle:
                os.fsync(handle.fileno())
    crash.point("files.before_rename")
    temporary.replace(final)
    sync_folder(final.parent)
    crash.point("files.after_rename")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old content or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    commit(temporary, path)


def write_json(path: Path, document: Any, *, indent: int | None = 1) -> None:
    """Write a document as JSON with sorted keys: equal documents are equal bytes.

    Args:
        path: The file.
        document: What is written.
        indent: Spaces of each level; None writes one line, in a twentieth of the time.
    """
    text = json.dumps(document, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises:
        UserError: The file was cut or changed and is no JSON any more.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path) from error


def damaged(path: Path) -> UserError:
    """Give the error about a file that was cut or changed."""
    return UserError(
        "files.damaged",
        "The file is damaged.",
        where=str(path),
        remedy="Bring it back from a copy, or run the document again into another folder.",
    )


def digest(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
