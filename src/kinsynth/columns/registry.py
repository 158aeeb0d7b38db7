"""The list of column types and of codecs."""

from __future__ import annotations

from typing import Any

from kinsynth.columns.base import ColumnType
from kinsynth.columns.categorical import CategoricalCodec, build_categorical
from kinsynth.columns.coordinate import CoordinateCodec, build_coordinates
from kinsynth.columns.count import CountCodec
from kinsynth.columns.datetime import DatetimeCodec, build_date, build_datetime, build_time
from kinsynth.columns.echo import EchoCodec
from kinsynth.columns.identifier import IdentifierCodec, build_identifier
from kinsynth.columns.numeric import OrderedCodec, build_number
from kinsynth.columns.reference import ReferenceCodec, build_reference
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.sketch import SketchCodec

COLUMN_TYPES: dict[str, ColumnType] = {
    kind.name: kind
    for kind in (
        ColumnType("boolean", build_categorical),
        ColumnType("categorical", build_categorical),
        ColumnType("integer", build_number),
        ColumnType("numeric", build_number),
        ColumnType("date", build_date, build_date),
        ColumnType("time", build_time),
        ColumnType("datetime", build_datetime, build_datetime),
        ColumnType("coordinates", build_coordinates),
        ColumnType("identifier", build_identifier),
        ColumnType("reference", build_reference),
    )
}
CODECS: dict[str, Any] = {
    codec.kind: codec
    for codec in (
        CategoricalCodec,
        ReferenceCodec,
        OrderedCodec,
        DatetimeCodec,
        CoordinateCodec,
        IdentifierCodec,
        CountCodec,
        SequenceCodec,
        RelativeCodec,
        SketchCodec,
        EchoCodec,
    )
}


def column_type(name: str) -> ColumnType:
    """Give a column type by its name.

    Raises:
        ValueError: No type has this name.
    """
    if name not in COLUMN_TYPES:
        raise ValueError(f"type={name}: expected one of {', '.join(COLUMN_TYPES)}")
    return COLUMN_TYPES[name]


def codec_from_json(document: dict[str, Any]) -> Any:
    """Make a codec of its JSON document; the inverse of ``Codec.to_json``.

    All are a ``Codec`` but ``SequenceCodec``, which needs the parents of the rows too, and
    ``RelativeCodec`` and ``EchoCodec``, which need another column.
    """
    if document["kind"] == EchoCodec.kind:
        return EchoCodec.from_json(document, codec_from_json(document["inner"]))
    return CODECS[document["kind"]].from_json(document)
