"""Rows of text on their way into an Arrow IPC file: every column a string column, characters unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.errors import SourceError

_BATCH_ROWS = 32_768
_BATCH_CHARACTERS = 1 << 26


class StringTable:
    """An Arrow IPC file in the making.

    Args:
        target: The file to write, or an open Arrow stream.
        names: Names of the columns.
        where: File or table, for messages.
        null_values: Cells with exactly this text are missing; None is always missing.
        max_cell_bytes: Largest cell, in bytes of UTF-8.
    """

    def __init__(
        self,
        target: Path | pa.NativeFile,
        names: Sequence[str],
        *,
        where: str,
        null_values: Sequence[str],
        max_cell_bytes: int,
    ) -> None:
        self.rows = 0
        self._schema = pa.schema([(name, pa.string()) for name in names])
        self._where = where
        self._nulls = pa.array(null_values, pa.string())
        self._max_cell_bytes = max_cell_bytes
        self._batch: list[Sequence[str | None]] = []
        self._characters = 0
        self._writer = pa.ipc.new_file(str(target) if isinstance(target, Path) else target, self._schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left."""
        if kind is None:
            self._flush()
        self._writer.close()

    def add(self, row: Sequence[str | None], characters: int) -> None:
        """Add a row as wide as the table.

        Args:
            row: The cells.
            characters: About how many characters the row has; rows are written out before they fill memory.
        """
        self._batch.append(row)
        self._characters += characters
        if len(self._batch) >= _BATCH_ROWS or self._characters >= _BATCH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if not self._batch:
            return
        columns = [self._column(cells) for cells in zip(*self._batch, strict=True)]
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
        self.rows += len(self._batch)
        self._batch, self._characters = [], 0

    def _column(self, cells: Sequence[str | None]) -> pa.Array:
        array = pa.array(cells, pa.string())
        largest = pc.max(pc.binary_length(array)).as_py() or 0
        if largest > self._max_cell_bytes:
            raise cell_too_large(self._max_cell_bytes, where=self._where, rows=self.rows)
        missing = pc.is_in(array, value_set=self._nulls)
        return pc.if_else(missing, pa.scalar(None, pa.string()), array)


def cell_too_large(max_cell_bytes: int, *, where: str, rows: int) -> SourceError:
    """Say that a cell is above the cap, and about where it is."""
    return SourceError(
        "source.cell_too_large",
        f"After row {rows:,} a cell is larger than {max_cell_bytes:,} bytes; an unclosed quote looks like "
        "this too.",
        where=where,
        remedy="Repair the cell, or raise source.max_cell_bytes.",
    )
