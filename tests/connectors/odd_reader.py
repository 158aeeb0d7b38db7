"""Reads odd files one at a time, here or in a child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from kinsynth.connectors.base import Listing
from kinsynth.connectors.files import parse, read
from kinsynth.settings.source import Source
from kinsynth.system.child import revive

Cells = dict[str, list[Any]]


class Reader:
    """Reads one file in this process: cells by column, or the code it was refused with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.message = ""

    def __call__(self, name: str, content: bytes | str, **settings: Any) -> Cells | str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        document = Source(**settings).model_dump(mode="json")
        (answer,) = parse([str(path)], document, [str(self.folder / "0001")])
        if "error" in answer:
            self.message = str(revive(answer["error"]))
            return str(answer["error"]["code"])
        self.tables, self.skipped = answer["tables"], answer["skipped"]
        return self.cells(0)

    def cells(self, number: int) -> Cells:
        with pa.memory_map(str(self.folder / self.tables[number]["path"])) as mapped:
            table = pa.ipc.open_file(mapped).read_all()
            assert table.num_rows == self.tables[number]["rows"]
            return table.to_pydict()

    @property
    def notes(self) -> dict[str, int]:
        return dict(self.tables[0]["notes"])

    @property
    def dialect(self) -> dict[str, str]:
        return dict(self.tables[0]["dialect"])


def listing(folder: Path, *paths: str, **settings: Any) -> Listing:
    """Read files in child processes."""
    return read(Source(paths=paths or ("in",), **settings), folder / "arrow", base=folder)
