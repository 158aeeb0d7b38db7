"""Parquet files: Arrow types are kept, dictionaries decoded; nested and binary columns are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kinsynth.connectors.arrow_types import kept_column, kept_type
from kinsynth.connectors.headers import check_headers
from kinsynth.connectors.string_table import cell_too_large
from kinsynth.errors import SourceError
from kinsynth.settings.source import Source

_BATCH_ROWS = 65_536
_NANOSECONDS = np.iinfo(np.int64)


def read_parquet(path: Path, source: Source, target: Path) -> tuple[int, dict[str, int]]:
    """Read one Parquet file into an Arrow IPC file.

    Args:
        path: The file.
        source: The settings.
        target: The Arrow IPC file to write.

    Returns:
        Number of rows, and counts for the user.

    Raises:
        SourceError: The file is damaged or encrypted, or has columns a table of cells cannot hold.

    Guarantees:
        Values keep their type and precision: integers to 64 bits, decimals, times in nanoseconds.
        INT96 timestamps outside the years 1677-2262 arrive in microseconds, or are refused when that
        loses digits.
    """
    try:
        with pq.ParquetFile(path) as file:
            unit = _int96_unit(path, file, where=path.name)
        with pq.ParquetFile(path, coerce_int96_timestamp_unit=unit) as file:
            return _copy(file, source, target, where=path.name), {}
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, MemoryError):
            raise
        raise SourceError(
            "source.damaged",
            f"The file cannot be read as Parquet ({type(error).__name__}): it is cut, altered, encrypted or "
            "of an unknown kind.",
            where=path.name,
            remedy="Write the file again, without encryption.",
        ) from None


def _copy(file: pq.ParquetFile, source: Source, target: Path, *, where: str) -> int:
    """Write the batches of a file under their kept types."""
    if not file.schema_arrow.names:
        raise SourceError(
            "source.no_columns", "The file has no columns.", where=where, remedy="Leave it out."
        )
    names = check_headers(
        file.schema_arrow.names,
        where=where,
        duplicates=source.duplicate_headers,
        max_columns=source.max_columns,
    )
    types = [kept_type(field, where=where) for field in file.schema_arrow]
    schema = pa.schema(list(zip(names, types, strict=True)))
    rows = 0
    with pa.ipc.new_file(str(target), schema) as writer:
        for batch in _batches(file):
            columns = [kept_column(column, kind) for column, kind in zip(batch.columns, types, strict=True)]
            _check_cells(columns, source.max_cell_bytes, where=where, rows=rows)
            writer.write_batch(pa.record_batch(columns, schema=schema))
            rows += batch.num_rows
    return rows


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """Give validated batches: an offset that points outside its buffer ends here, not in a crash later."""
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        batch.validate(full=True)
        yield batch


def _check_cells(columns: list[pa.Array], max_cell_bytes: int, *, where: str, rows: int) -> None:
    """Refuse cells of text above the cap."""
    for column in columns:
        if (
            pa.types.is_string(column.type)
            and (pc.max(pc.binary_length(column)).as_py() or 0) > max_cell_bytes
        ):
            raise cell_too_large(max_cell_bytes, where=where, rows=rows)


def _int96_unit(path: Path, file: pq.ParquetFile, *, where: str) -> str:
    """Choose the unit in which the INT96 timestamps of a file are exact: ``ns`` where they fit, else ``us``.

    Nanoseconds wrap around outside the years 1677-2262, in the same way as 64-bit arithmetic does, so
    that the digits below a microsecond are the wrapped difference of the two readings.
    """
    schema = file.schema
    columns = [schema.column(n).path for n in range(len(schema)) if schema.column(n).physical_type == "INT96"]
    if not columns:
        return "ns"
    with pq.ParquetFile(path, coerce_int96_timestamp_unit="us") as coarse:
        pairs = zip(
            file.iter_batches(columns=columns, batch_size=_BATCH_ROWS, use_threads=False),
            coarse.iter_batches(columns=columns, batch_size=_BATCH_ROWS, use_threads=False),
            strict=True,
        )
        fits, lossless = True, True
        for fine_batch, coarse_batch in pairs:
            for fine, rough in zip(fine_batch.columns, coarse_batch.columns, strict=True):
                ns, us = (_integers(column) for column in (fine, rough))
                fits &= bool(np.all(np.abs(us) < _NANOSECONDS.max // 1000))
                lossless &= bool(np.all(ns - us * 1000 == 0))
    if not fits and not lossless:
        raise SourceError(
            "source.timestamp_range",
            "INT96 timestamps span more than 64 bits of nanoseconds can hold.",
            where=where,
            remedy="Write the timestamps in microseconds.",
        )
    return "ns" if fits else "us"


def _integers(column: pa.Array) -> np.ndarray:
    """Give the 64-bit integers behind timestamps, zero where missing."""
    integers: np.ndarray = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return integers
