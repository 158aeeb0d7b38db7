"""Pieces: tables and row numbers that come piece by piece, kept in memory or in mapped files."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.pipeline.artefacts import load_table, map_array
from kinsynth.system.mapping import let_go

Rows = NDArray[np.int64]


class Pieces:
    """What was put together so far.

    Args:
        folder: Where pieces are kept, in numbered files; None for memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._tables: dict[str, list[pa.Table]] = {}
        self._numbers: dict[str, list[Rows]] = {}
        self._lengths: dict[str, int] = {}
        self._writers: dict[str, pa.ipc.RecordBatchFileWriter] = {}
        self._files: dict[str, pa.OSFile] = {}
        self._open = ExitStack()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Pieces:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self._open.close()

    def add_table(self, name: str, table: pa.Table) -> None:
        """Add rows to a table; all pieces have the same columns."""
        if self._folder is None:
            self._tables.setdefault(name, []).append(table)
            return
        if name not in self._writers:
            file = self._open_file(self._table_path(len(self._writers)))
            self._writers[name] = self._open.enter_context(pa.ipc.new_file(file, table.schema))
        self._writers[name].write_table(table)
        let_go()

    def add_numbers(self, name: str, row_R: Rows) -> None:
        """Add row numbers to an array."""
        self._lengths[name] = self._lengths.get(name, 0) + len(row_R)
        if self._folder is None:
            self._numbers.setdefault(name, []).append(row_R)
            return
        if name not in self._files:
            self._files[name] = self._open_file(self._numbers_path(len(self._files)))
        self._files[name].write(np.ascontiguousarray(row_R, dtype=np.int64).data)

    def _open_file(self, path: Path) -> pa.OSFile:
        return self._open.enter_context(pa.OSFile(str(path), "wb"))

    def whole(self) -> tuple[dict[str, pa.Table], dict[str, Rows]]:
        """Give the tables and the arrays; nothing may be added any more."""
        self._open.close()
        if self._folder is None:
            tables = {name: pa.concat_tables(pieces) for name, pieces in self._tables.items()}
            return tables, {name: np.concatenate(rows) for name, rows in self._numbers.items()}
        mapped = {name: load_table(self._table_path(number)) for number, name in enumerate(self._writers)}
        numbers = {
            name: map_array(self._numbers_path(number), np.int64, self._lengths[name])
            for number, name in enumerate(self._files)
        }
        return mapped, numbers

    def _table_path(self, number: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{number:03}.arrow"

    def _numbers_path(self, number: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{number:03}.rows"
